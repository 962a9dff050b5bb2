// What comes back: one number, the position that the graph holds. The apply side writes it, capture
// reads it and confirms no more than it to PostgreSQL (I1).
#pragma once

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
    }
    if (on_advance_) on_advance_();
  }

  change::Position position() const {
    std::lock_guard lock(mutex_);
    return position_;
  }

  // What may be confirmed: inside a transaction applied in pieces, only what was confirmed before
  // it.
  change::Lsn confirmable(change::Lsn before) const {
    std::lock_guard lock(mutex_);
    return position_.ordinal == 0 && position_.lsn > before ? position_.lsn : before;
  }

  // Called once, before the threads start.
  void on_advance(std::function<void()> wake) { on_advance_ = std::move(wake); }

 private:
  mutable std::mutex mutex_;
  change::Position position_;
  std::function<void()> on_advance_;
};

}  // namespace cnx::stream
