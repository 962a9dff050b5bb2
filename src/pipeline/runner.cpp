#include "pipeline/runner.hpp"

#include <poll.h>

#include <array>
#include <exception>

#include "base/check.hpp"

namespace cnx::pipeline {

using stream::Step;

void wait_for(Waker& waker, const Step& step) {
  std::array<pollfd, 2> descriptors{pollfd{waker.descriptor(), POLLIN, 0}, pollfd{step.descriptor, 0, 0}};
  if (step.readable) descriptors[1].events |= POLLIN;
  if (step.writable) descriptors[1].events |= POLLOUT;
  const bool with_descriptor = step.descriptor >= 0 && (step.readable || step.writable);
  ::poll(descriptors.data(), with_descriptor ? 2 : 1, poll_timeout(step.until, Clock::now()));
}

Runner::~Runner() { join(); }

Waker& Runner::add(stream::Stage& stage) {
  return entries_.emplace_back(stage).waker;
}

void Runner::start() {
  for (Entry& entry : entries_) {
    entry.thread = std::thread([this, &entry] { run(entry); });
  }
}

void Runner::run(Entry& entry) {
  std::optional<Error> error;
  try {
    bool stop_told = false;
    while (true) {
      if (entry.stop_asked && !stop_told) {
        entry.stage->stop();
        stop_told = true;
      }
      Step step = entry.stage->step(Clock::now());
      if (step.kind == Step::Kind::waiting) {
        // A port may have changed since: look once more with the waker armed, then wait.
        entry.waker.arm();
        if (!entry.stop_asked || stop_told) step = entry.stage->step(Clock::now());
        if (step.kind == Step::Kind::waiting && (!entry.stop_asked || stop_told)) wait_for(entry.waker, step);
        entry.waker.disarm();
      }
      if (step.kind == Step::Kind::done) break;
      if (step.kind == Step::Kind::failed) {
        error = std::move(step.error);
        break;
      }
    }
  } catch (const std::exception& exception) {
    error = Error(ErrorKind::internal, std::string("the ") + std::string(entry.stage->name()) +
                                           " stage ended by an exception: " + exception.what());
  }
  if (error) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  entry.ended = true;
  supervisor_.wake();
}

void Runner::stop(size_t stage) {
  entries_[stage].stop_asked = true;
  entries_[stage].waker.wake();
}

bool Runner::ended(size_t stage) const { return entries_[stage].ended; }

bool Runner::all_ended() const {
  for (const Entry& entry : entries_) {
    if (!entry.ended) return false;
  }
  return true;
}

std::optional<Error> Runner::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void Runner::join() {
  for (Entry& entry : entries_) {
    if (entry.thread.joinable()) entry.thread.join();
  }
}

}  // namespace cnx::pipeline
