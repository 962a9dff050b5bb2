// Whether a pipeline moves: a state machine over facts, fed by whoever looks at them now and then. It knows a line with two
// ends, a source and a graph, and nothing of either. Pure: time is given to it.
//
// Unhealthy is one thing alone: something should move, and for a while nothing has. Idle is not stalled.
//
//   what it is about         what should move                             what counts as movement
//   starting                  it should come to its end                     nothing else
//   waiting, standby, paused  nothing, and it says so by name
//   copying                   the rows                                      rows read, answers of the graph, steps
//   streaming, stopping       where work is in hand: the graph              answers of the graph
//                             else, where the source is away or has more    what it sent that was new
//                             else nothing: it is idle
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace cnx::telemetry {

enum class Activity {
  starting,   // Looks at both sides, or has failed and tries again.
  waiting,    // For somebody else's transactions; it says for whom, and gives up by itself.
  standby,    // Another instance holds the pipeline.
  paused,     // By a person.
  copying,
  streaming,
  stopping,   // Was asked to; what is under way is finished.
};

struct Facts {
  Activity activity = Activity::starting;
  std::string why;           // Of the activity, for a person; may be empty.
  std::string trouble;       // The last failure that is being tried again; empty: none.
  // Each only ever grows; what matters is that it changes.
  uint64_t heard = 0;        // Anything at all from the source, also a mere sign of life.
  uint64_t received = 0;     // What was new of that: changes, or that its log has gone on.
  uint64_t applied = 0;      // Answers of the graph to what it was given.
  uint64_t rows = 0;         // That are in the graph by that.
  uint64_t steps = 0;        // Of a copy: whatever else went forward.
  bool source_connected = false;
  bool source_ahead = false;  // The source has more than it has told of.
  bool in_hand = false;       // Something was handed on and is not in the graph yet.
};

struct Health {
  bool healthy = true;
  // starting, waiting, standby, paused, copying, streaming, idle, reconnecting, stopping or stalled.
  std::string_view state = "starting";
  std::string reason;          // A sentence.
  TimePoint since{};           // Since when the state is so; of stalled: when it last moved.
};

// All words of Health::state, in that order.
std::string_view state_word(size_t index);
inline constexpr size_t kStateWords = 10;

// One thread.
class Liveness {
 public:
  // Stalled after so long without movement.
  Liveness(Duration stalled_after, TimePoint now) : stalled_after_(stalled_after), moved_at_(now) { health_.since = now; }

  // To be called about once a second, in order of time. Valid until the next call.
  const Health& observe(const Facts& facts, TimePoint now);

 private:
  bool owes_nothing(const Facts& facts) const;
  void follow_movement(const Facts& facts, TimePoint now);
  std::string_view word(const Facts& facts) const;
  std::string stalled_reason(const Facts& facts, TimePoint now) const;

  Duration stalled_after_;
  Health health_;
  Facts last_;
  TimePoint moved_at_;
  bool graph_owes_ = false;   // Work was in hand, and the graph has not answered since.
  bool source_lost_ = true;   // Not heard of since it was connected.
  bool owed_ = false;         // When it was last looked at.
  TimePoint settled_since_ = kNever;
};

}  // namespace cnx::telemetry
