// A stage: take what the ports have, do at most one unit, hand on what fits, say what it waits for.
// No I/O of its own, no thread, no sleep, no clock: pipeline/runner calls it from a thread, a
// simulator in any order.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace cnx::stream {

// What a step found. Made by the four functions below.
struct Step {
  enum class Kind {
    progressed,  // There may be more to do at once.
    waiting,     // Nothing to do before a port changes, the descriptor is ready, or `until` passes.
    done,        // The stage has finished; it is not called again.
    failed,      // The stage cannot go on; `error` says why.
  };
  Kind kind = Kind::waiting;
  TimePoint until = kNever;
  int descriptor = -1;  // A connection's, where the stage waits for one; owned by the stage.
  bool readable = false;
  bool writable = false;
  std::optional<Error> error;

  static Step progressed() { return {.kind = Kind::progressed}; }
  static Step done() { return {.kind = Kind::done}; }
  static Step failed(Error error) { return {.kind = Kind::failed, .error = std::move(error)}; }
  static Step wait_until(TimePoint until) { return {.kind = Kind::waiting, .until = until}; }
  Step&& on(int fd, bool read, bool write) && {
    descriptor = fd;
    readable = read;
    writable = write;
    return std::move(*this);
  }
};

// One thread calls step(); ports wake it between calls.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::string_view name() const = 0;
  virtual Step step(TimePoint now) = 0;
  // No new work from outside; finish what is in hand. Called from the stage's own thread, once.
  virtual void stop() = 0;
};

}  // namespace cnx::stream
