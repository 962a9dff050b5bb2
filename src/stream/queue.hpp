// A bounded queue between two stages: one producer thread, one consumer thread, limited by items
// and by bytes. close() lets the consumer drain; fail() ends both ends now, with the reason.
// Nothing blocks: who finds no room or no item returns, and is woken by the other side.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "base/check.hpp"
#include "base/error.hpp"

namespace cnx::stream {

struct QueueLimits {
  size_t items_max = 10'000;
  size_t bytes_max = 16u << 20;
};

template <typename T>
class Queue {
 public:
  explicit Queue(QueueLimits limits) : limits_(limits) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Called once, before the threads start. Each is called without the lock held, from the other
  // side's thread.
  void on_readable(std::function<void()> wake) { wake_consumer_ = std::move(wake); }
  void on_room(std::function<void()> wake) { wake_producer_ = std::move(wake); }

  // Takes the item if there is room, and says whether it did; an item heavier than the whole budget
  // is admitted alone into an empty queue, else it would wait for ever. After fail() it takes (and
  // drops) everything: the end is near.
  bool try_push(T&& item, size_t bytes) {
    {
      std::lock_guard lock(mutex_);
      CNX_CHECK(!closed_, "a closed queue takes no items");
      if (failure_) return true;
      if (!items_.empty() && !fits(bytes)) {
        producer_waits_ = true;
        return false;
      }
      items_.push_back({std::move(item), bytes});
      bytes_ += bytes;
    }
    if (wake_consumer_) wake_consumer_();
    return true;
  }

  std::optional<T> try_pop() {
    std::optional<T> item;
    bool wake = false;
    {
      std::lock_guard lock(mutex_);
      if (failure_ || items_.empty()) return std::nullopt;
      item.emplace(std::move(items_.front().value));
      bytes_ -= items_.front().bytes;
      items_.pop_front();
      // Half empty before the producer is woken: it then works in long strides instead of one item
      // a wake-up.
      if (producer_waits_ && items_.size() * 2 <= limits_.items_max &&
          bytes_ * 2 <= limits_.bytes_max) {
        producer_waits_ = false;
        wake = true;
      }
    }
    if (wake && wake_producer_) wake_producer_();
    return item;
  }

  // The producer's end: no more items; the consumer gets what is there.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    if (wake_consumer_) wake_consumer_();
  }

  // Either side's end, or the supervisor's: what is queued is dropped (the source replays it). The
  // first reason stays.
  void fail(const Error& error) {
    {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = error;
      items_.clear();
      bytes_ = 0;
    }
    if (wake_consumer_) wake_consumer_();
    if (wake_producer_) wake_producer_();
  }

  bool drained() const {
    std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }
  // For the producer: nothing is queued. Where it says no, the producer is woken once the queue
  // runs low.
  bool empty_or_wakes() {
    std::lock_guard lock(mutex_);
    if (!items_.empty()) producer_waits_ = true;
    return items_.empty();
  }
  size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }
  std::optional<Error> failure() const {
    std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  struct Entry {
    T value;
    size_t bytes;
  };
  bool fits(size_t bytes) const {
    return items_.size() < limits_.items_max && bytes_ + bytes <= limits_.bytes_max;
  }

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  std::deque<Entry> items_;
  size_t bytes_ = 0;
  bool closed_ = false;
  bool producer_waits_ = false;
  std::optional<Error> failure_;
  std::function<void()> wake_consumer_;
  std::function<void()> wake_producer_;
};

}  // namespace cnx::stream
