#include "capture/logical/source_state.hpp"

#include <algorithm>
#include <array>

namespace cnx::capture {
namespace {

using enum SourceState;

constexpr int kFailoverSlotsSince = 170000;

constexpr const char* kReadAgain =
    "contextnexus resync --all, then run: behind a new slot every table is read again and what has no row any more is removed; "
    "or contextnexus drop --graph, init and run, which copy it all from the beginning";

constexpr std::array kNames = {
    std::string_view("fits"),           std::string_view("failed_over"),       std::string_view("not_initialised"),
    std::string_view("graph_emptied"),
    std::string_view("graph_replaced"), std::string_view("graph_restored"),    std::string_view("graph_ahead"),
    std::string_view("database_replaced"), std::string_view("database_restored"), std::string_view("timeline_changed"),
    std::string_view("slot_missing"),   std::string_view("slot_foreign"),      std::string_view("slot_lost"),
    std::string_view("slot_recreated"), std::string_view("slot_advanced"),     std::string_view("slot_ahead")};
static_assert(kNames.size() == static_cast<size_t>(slot_ahead) + 1, "one name for each state");

std::string of_timelines(const HeldPosition& held, const postgres::SystemIdentity& system) {
  return "timeline " + std::to_string(held.timeline) + " to " + std::to_string(system.timeline);
}

// Each look at the facts in the order in which one explains the next: a slot is missing because the database is another one.
class Judge {
 public:
  explicit Judge(const SourceFacts& facts) : facts_(facts), system_(facts.system), slot_(facts.slot) {}

  SourceJudgement run() {
    if (!facts_.held && (facts_.record.graph_identity.empty() || !slot_)) {
      return {.state = not_initialised,
              .happened = "the graph has no position for this pipeline",
              .advice = "contextnexus init prepares both databases"};
    }
    if (!facts_.held) {
      return {.state = graph_emptied,
              .happened = "the graph has no position for this pipeline any more: it was emptied, or it is another one",
              .advice = "connect to the graph that was filled, or restore it; or contextnexus drop, then init and run fill "
                        "this one"};
    }
    if (!facts_.graph_identity.empty() && !facts_.record.graph_identity.empty() &&
        facts_.graph_identity != facts_.record.graph_identity) {
      return {.state = graph_replaced,
              .happened = "this is another graph than the one that the pipeline was made for",
              .advice = "connect to that graph again; where this one is its restored copy, contextnexus init binds the "
                        "pipeline to it, and run says what it lacks; else contextnexus drop, then init and run fill it"};
    }
    if (!facts_.streams) return {};
    if (std::optional<SourceJudgement> other = another_database()) return *std::move(other);
    if (system_.timeline != held().timeline) return another_timeline();
    if (held().position.lsn > system_.wal_end) {
      return {.state = graph_ahead,
              .happened = "the graph is beyond the end of PostgreSQL's log: PostgreSQL was restored from a backup, or lost the "
                          "end of its log in a crash",
              .surplus = LogRange{system_.wal_end, held().position.lsn},
              .advice = kReadAgain};
    }
    return slot();
  }

 private:
  const HeldPosition& held() const { return *facts_.held; }

  std::optional<SourceJudgement> another_database() const {
    constexpr const char* kAdvice =
        "connect to that database again; where this one has taken its place for good (upgraded, or restored from a dump), "
        "contextnexus init prepares it, and resync --all, then run, read every table again and remove what has no row any more";
    if (std::to_string(system_.system_identifier) != held().system_identifier) {
      return SourceJudgement{.state = database_replaced,
                             .happened = "the graph was filled from another PostgreSQL cluster (" + held().system_identifier +
                                         ", this is " + std::to_string(system_.system_identifier) + ")",
                             .advice = kAdvice};
    }
    // By its number a database that was renamed is the same one.
    const bool numbered = held().database_oid != 0 && system_.database_oid != 0;
    if (numbered ? held().database_oid != system_.database_oid : held().database != system_.database) {
      return SourceJudgement{.state = database_replaced,
                             .happened = held().database == system_.database
                                             ? "the database was dropped and made again, or another one was given its name"
                                             : "the graph was filled from another database of this cluster (" +
                                                   held().database + ", this is " + system_.database + ")",
                             .advice = kAdvice};
    }
    // After a failover the timelines tell it, and to which place.
    const bool same_timeline = system_.timeline == held().timeline;
    if (same_timeline && facts_.record.epoch && *facts_.record.epoch < held().recorded_epoch) {
      return SourceJudgement{.state = database_restored,
                             .happened = "PostgreSQL was set back: it has forgotten what it had on disk, and the graph has changes "
                                         "of that",
                             .advice = kReadAgain};
    }
    return std::nullopt;
  }

  // What the two timelines have in common ends where the older one was left.
  SourceJudgement another_timeline() const {
    SourceJudgement found{.state = timeline_changed, .happened = {}, .advice = kReadAgain};
    auto left = std::find_if(system_.history.begin(), system_.history.end(), [&](const postgres::TimelineSwitch& one) {
      return one.timeline == held().timeline;
    });
    const std::string went = of_timelines(held(), system_);
    if (left == system_.history.end()) {
      found.happened = "PostgreSQL is on a timeline that does not come from the graph's (" + went + ")";
      return found;
    }
    const std::string over = "PostgreSQL failed over or was restored, from " + went + " at " + left->left_at.to_string();
    if (held().position.lsn > left->left_at) {
      found.state = graph_ahead;
      found.happened = over + ", and the graph holds changes that were lost by that";
      found.surplus = LogRange{left->left_at, held().position.lsn};
      return found;
    }
    if (!slot_) {
      found.happened = over + ", and the slot did not come along";
      found.missing = LogRange{held().position.lsn, system_.wal_end};
      return found;
    }
    const SourceJudgement here = slot();
    if (here.state == slot_foreign || here.state == slot_lost) return here;
    if (here.state != fits) {
      found.happened = over + ", and the slot of that name was made or moved there, beyond the graph's position";
      found.missing = here.missing;
      return found;
    }
    if (facts_.server_version >= kFailoverSlotsSince && slot_->failover) {
      return {.state = failed_over, .happened = over + "; the slot came along"};
    }
    found.happened = over + ", and the slot there is not one that PostgreSQL has kept in step (a failover slot, since "
                            "PostgreSQL 17): what it would leave out cannot be known";
    found.missing = LogRange{held().position.lsn, system_.wal_end};
    return found;
  }

  SourceJudgement slot() const {
    if (!slot_) {
      const std::string why = facts_.record.given_up.empty() ? "" : ": " + facts_.record.given_up;
      return {.state = slot_missing,
              .happened = "the replication slot " + held().slot + " is gone" + why,
              .missing = LogRange{held().position.lsn, system_.wal_end},
              .advice = kReadAgain};
    }
    if (!slot_->logical || slot_->plugin != "pgoutput" || slot_->database != system_.database) {
      return {.state = slot_foreign,
              .happened = "the slot " + slot_->name + " is not the one that this pipeline made (" +
                          (slot_->logical ? slot_->plugin + ", database " + slot_->database : "a physical one") + ")",
              .missing = LogRange{held().position.lsn, system_.wal_end},
              .advice = "drop that slot, then contextnexus resync --all and run; or choose another pipeline name"};
    }
    if (slot_->lost()) {
      const std::string why = slot_->invalidation_reason.empty() ? "max_slot_wal_keep_size" : slot_->invalidation_reason;
      return {.state = slot_lost,
              .happened = "the slot " + slot_->name + " is lost: PostgreSQL removed log that it needed (" + why + ")",
              .missing = LogRange{held().position.lsn, system_.wal_end},
              .advice = kReadAgain};
    }
    // Only while it is being made, which waits for the transactions that are open: where it will begin nobody knows.
    if (!slot_->confirmed_flush) {
      return {.state = slot_missing,
              .happened = "the replication slot " + slot_->name + " is gone, and one of that name is just being made",
              .missing = LogRange{held().position.lsn, system_.wal_end},
              .advice = kReadAgain};
    }
    if (held().position.lsn < *slot_->confirmed_flush) return behind_slot(*slot_->confirmed_flush);
    return {};
  }

  // PostgreSQL starts at what was confirmed, whatever is asked for: the changes in between would be missing, silently.
  SourceJudgement behind_slot(change::Lsn confirmed) const {
    SourceJudgement found{.state = slot_ahead,
                          .happened = "the graph is behind the slot: it was restored from a backup, or the slot was advanced or "
                                      "made again",
                          .missing = LogRange{held().position.lsn, confirmed},
                          .advice = std::string("restore a graph that is at or beyond the confirmed position; or ") + kReadAgain};
    const SourceRecord& record = facts_.record;
    if (record.epoch && *record.epoch > held().epoch) {
      found.state = graph_restored;
      found.happened = "the graph was restored from a backup: it is from before its last owner began";
    } else if (record.confirmed && held().position.lsn < *record.confirmed) {
      found.state = graph_restored;
      found.happened = "the graph was restored from a backup: it was at " + record.confirmed->to_string() + " already";
    } else if (is_untouched()) {
      // A new slot stands behind the record that its making writes into the log, so that one that was made after the graph was
      // at its position is always beyond it.
      found.state = slot_recreated;
      found.happened = "the slot was dropped and made again, beyond the graph's position";
    } else if (record.confirmed) {
      found.state = slot_advanced;
      found.happened = "the slot was advanced beyond what the graph holds, by somebody else than this program";
    }
    return found;
  }

  // Nothing has come through the slot, and no log is kept from before the graph's position: as after its making.
  bool is_untouched() const {
    return slot_->decoded_transactions == 0 && slot_->restart_lsn && *slot_->restart_lsn > held().position.lsn;
  }

  const SourceFacts& facts_;
  const postgres::SystemIdentity& system_;
  const std::optional<postgres::SlotState>& slot_;
};

}  // namespace

std::string_view to_string(SourceState state) { return kNames[static_cast<size_t>(state)]; }

bool is_gap(SourceState state) {
  switch (state) {
    case graph_restored:
    case graph_ahead:
    case database_restored:
    case timeline_changed:
    case slot_missing:
    case slot_lost:
    case slot_recreated:
    case slot_advanced:
    case slot_ahead:
      return true;
    default:
      return false;
  }
}

SourceJudgement gone_another_way() {
  return {.state = database_restored,
          .happened = "PostgreSQL was set back and has gone another way since: its log does not have the graph's last transaction where it stood",
          .advice = kReadAgain};
}

SourceJudgement judge_source(const SourceFacts& facts) { return Judge(facts).run(); }

Status to_status(const SourceJudgement& judgement) {
  if (judgement.may_go_on()) return {};
  const ErrorKind kind = judgement.state == not_initialised ? ErrorKind::invalid : ErrorKind::state;
  Error error = Error(kind, std::string(to_string(judgement.state)), judgement.happened).advise(judgement.advice);
  if (judgement.missing) return fail(std::move(error).with("missing", judgement.missing->to_string()));
  if (judgement.surplus) return fail(std::move(error).with("surplus", judgement.surplus->to_string()));
  return fail(std::move(error));
}

std::optional<SourceState> source_state_of(const Error& error) {
  auto found = std::find(kNames.begin(), kNames.end(), error.code());
  if (found == kNames.end()) return std::nullopt;
  return static_cast<SourceState>(found - kNames.begin());
}

}  // namespace cnx::capture
