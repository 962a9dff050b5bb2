// What comes back: one number, the position that the graph holds. The apply side writes it, capture
// reads it and confirms no more than it to PostgreSQL (I1).
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

#include "base/check.hpp"
#include "change/ids.hpp"

namespace cnx::stream {

// Any thread.
class Acknowledgement {
 public:
  // The position that the graph holds now; never goes back. Durable in Neo4j when this is called.
  void advance(change::Position position) {
    {
      std::lock_guard lock(mutex_);
      CNX_CHECK(!(position < position_), "an acknowledged position never goes back");
      position_ = position;
      if (position.ordinal == 0) whole_ = position.lsn;
    }
    if (on_advance_) on_advance_();
  }

  change::Position position() const {
    std::lock_guard lock(mutex_);
    return position_;
  }

  // What may be confirmed after `before` was: the end of the last whole transaction, also while
  // one is applied in pieces.
  change::Lsn confirmable(change::Lsn before) const {
    std::lock_guard lock(mutex_);
    const change::Lsn recorded = recorded_ == nullptr ? whole_ : change::Lsn(recorded_->load());
    return std::max(std::min(whole_, recorded), before);
  }

  // Called once, before the threads start: nothing is confirmed beyond `recorded`, an LSN, either, which somebody else moves. It
  // must outlive this object.
  void confirm_up_to(const std::atomic<uint64_t>& recorded) { recorded_ = &recorded; }

  // Called once, before the threads start.
  void on_advance(std::function<void()> wake) { on_advance_ = std::move(wake); }

 private:
  mutable std::mutex mutex_;
  change::Position position_;
  change::Lsn whole_;  // The end of the last whole transaction or idle advance.
  const std::atomic<uint64_t>* recorded_ = nullptr;
  std::function<void()> on_advance_;
};

}  // namespace cnx::stream
