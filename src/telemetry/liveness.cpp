#include "telemetry/liveness.hpp"

#include <array>

namespace cnx::telemetry {
namespace {

// Nothing is owed only once that has been so for a while: a line that fails and begins again looks idle for a moment each time.
constexpr Duration kSettled = std::chrono::seconds(5);

constexpr std::array<std::string_view, kStateWords> kWords = {"starting",  "waiting", "standby",      "paused",   "copying",
                                                              "streaming", "idle",    "reconnecting", "stopping", "stalled"};

bool stands_by_choice(Activity activity) {
  return activity == Activity::waiting || activity == Activity::standby || activity == Activity::paused;
}

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

std::string plain_reason(std::string_view word) {
  if (word == "starting") return "it looks at both sides before anything moves";
  if (word == "waiting") return "it waits for transactions of others to end";
  if (word == "standby") return "another instance holds the pipeline; this one takes over when that ends";
  if (word == "paused") return "it was paused";
  if (word == "copying") return "rows that were there before are being copied";
  if (word == "streaming") return "changes are being applied";
  if (word == "idle") return "all that the source has told of is in the graph";
  if (word == "reconnecting") return "the source is away";
  return "it was asked to stop, and finishes what is under way";
}

}  // namespace

std::string_view state_word(size_t index) { return kWords[index]; }

bool Liveness::owes_nothing(const Facts& facts) const {
  if (stands_by_choice(facts.activity)) return true;
  return facts.activity == Activity::streaming && !facts.in_hand && !facts.source_ahead && !source_lost_;
}

void Liveness::follow_movement(const Facts& facts, TimePoint now) {
  if (facts.activity == Activity::streaming && !facts.source_connected) {
    source_lost_ = true;
  } else if (facts.heard != last_.heard) {
    source_lost_ = false;
  }
  if (stands_by_choice(facts.activity)) {
    moved_at_ = now;
    graph_owes_ = false;
    return;
  }
  const bool copying = facts.activity == Activity::copying;
  const bool other = facts.received != last_.received || (copying && facts.steps != last_.steps);
  if (facts.applied != last_.applied) {
    moved_at_ = now;
    graph_owes_ = false;
  } else if (other && (copying || !graph_owes_)) {
    moved_at_ = now;
  }
  // From here on what the source sends is no movement any more: a graph that takes nothing lets the queue fill for hours.
  if (facts.in_hand) graph_owes_ = true;
}

std::string_view Liveness::word(const Facts& facts) const {
  switch (facts.activity) {
    case Activity::starting: return "starting";
    case Activity::waiting: return "waiting";
    case Activity::standby: return "standby";
    case Activity::paused: return "paused";
    case Activity::copying: return "copying";
    case Activity::stopping: return "stopping";
    case Activity::streaming: break;
  }
  if (!facts.source_connected) return "reconnecting";
  // That an idle position follows the log now and then is work of a moment, and no rows.
  const bool works = owed_ && !owes_nothing(facts);
  return works || facts.rows != last_.rows ? "streaming" : "idle";
}

std::string Liveness::stalled_reason(const Facts& facts, TimePoint now) const {
  std::string text = "for " + seconds_text(now - moved_at_) + " ";
  if (facts.activity == Activity::starting) {
    text += "it could not start";
  } else if (facts.activity == Activity::copying) {
    text += "no row was copied, and not all are";
  } else if (facts.activity == Activity::stopping) {
    text += "it has not come to its end";
  } else if (facts.in_hand || graph_owes_) {
    text += "nothing has reached the graph, and changes wait";
  } else if (!facts.source_connected) {
    text += "the source is away";
  } else {
    text += "the source has more, and nothing has come of it";
  }
  return facts.trouble.empty() ? text : text + "; last failure: " + facts.trouble;
}

const Health& Liveness::observe(const Facts& facts, TimePoint now) {
  follow_movement(facts, now);
  if (!owes_nothing(facts)) {
    settled_since_ = kNever;
  } else if (settled_since_ == kNever) {
    settled_since_ = now;
  }
  if (settled_since_ != kNever && now - settled_since_ >= kSettled) {
    moved_at_ = now;
    graph_owes_ = false;
  }
  const bool stalled = !owes_nothing(facts) && now - moved_at_ >= stalled_after_;
  const std::string_view state = stalled ? "stalled" : word(facts);
  if (state != health_.state) health_.since = stalled ? moved_at_ : now;
  health_.state = state;
  health_.healthy = !stalled;
  if (stalled) {
    health_.reason = stalled_reason(facts, now);
  } else {
    health_.reason = facts.why.empty() ? plain_reason(state) : facts.why;
    if (state == "starting" && !facts.trouble.empty()) health_.reason = "it tries again: " + facts.trouble;
  }
  last_ = facts;
  owed_ = !owes_nothing(facts);
  return health_;
}

}  // namespace cnx::telemetry
