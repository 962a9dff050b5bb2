// Wakes a thread that waits in poll(2): from another thread, or from a signal handler.
#pragma once

#include <atomic>

namespace cnx::pipeline {

// wake(): any thread, and async-signal-safe. The rest: the thread that waits.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // Cheap while nobody waits.
  void wake();

  // Before the last look at what one waits for: from here on, wake() is remembered by the descriptor.
  void arm() { armed_.store(true); }
  void disarm();
  int descriptor() const { return descriptor_; }

 private:
  std::atomic<bool> armed_{false};
  int descriptor_;
};

}  // namespace cnx::pipeline
