#include "pipeline/waker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/check.hpp"

namespace cnx::pipeline {

Waker::Waker() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CNX_CHECK(descriptor_ >= 0, "the process may open one more descriptor");
}

Waker::~Waker() { ::close(descriptor_); }

void Waker::wake() {
  if (!armed_.exchange(false)) return;
  uint64_t one = 1;
  // A counter that is full wakes all the same.
  [[maybe_unused]] ssize_t written = ::write(descriptor_, &one, sizeof one);
}

void Waker::disarm() {
  armed_.store(false);
  uint64_t count = 0;
  [[maybe_unused]] ssize_t taken = ::read(descriptor_, &count, sizeof count);
}

}  // namespace cnx::pipeline
