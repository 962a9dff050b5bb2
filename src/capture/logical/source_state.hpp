// Do the position in the graph, the slot and the server belong together (I9)? The one place that decides: at start, at every
// connect, by a look while running, for `status` and for `check`. Nothing moves until a person has chosen one of the cures
// that it names; docs/source-safety.md describes each state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "change/ids.hpp"
#include "postgres/replication.hpp"
#include "postgres/slot.hpp"

namespace cnx::capture {

enum class SourceState {
  fits,
  failed_over,  // Fits as well: on a later timeline, to which PostgreSQL has carried the slot.
  not_initialised,
  graph_emptied,
  graph_replaced,
  graph_restored,
  graph_ahead,
  database_replaced,
  database_restored,
  timeline_changed,
  slot_missing,
  slot_foreign,
  slot_lost,
  slot_recreated,
  slot_advanced,
  slot_ahead,  // Of the graph: it was restored, or the slot was advanced or made again; the facts do not tell which.
};

// "slot_lost": what `status --json` gives, and an error's code.
std::string_view to_string(SourceState state);

// Where the graph stands, and the source that its position is of.
struct HeldPosition {
  change::Position position;
  std::string system_identifier;
  int64_t timeline = 0;
  std::string database;
  int64_t database_oid = 0;  // 0: not known.
  std::string slot;
  int64_t epoch = 0;
  // The last epoch of which it is known that PostgreSQL has it on disk; 0: none is.
  int64_t recorded_epoch = 0;
};

// What PostgreSQL remembers of the pipeline, written by its owners.
struct SourceRecord {
  std::string graph_identity;           // Empty: it is bound to none.
  std::optional<int64_t> epoch;         // Of the last owner that began to follow.
  std::optional<change::Lsn> confirmed; // Where one stood that came to its end.
  std::string given_up;                 // Why an owner dropped the slot; empty: none did.
};

struct SourceFacts {
  std::optional<HeldPosition> held;  // None: the graph has no position for the pipeline.
  // Phase stream. Before, the position means nothing yet: the copy begins, or goes on, by rules of its own.
  bool streams = true;
  std::string graph_identity;        // Empty: not asked.
  SourceRecord record;
  postgres::SystemIdentity system;
  int server_version = 0;
  std::optional<postgres::SlotState> slot;
};

// What the log has behind `from`, up to and with `to`.
struct LogRange {
  change::Lsn from;
  change::Lsn to;
  std::string to_string() const { return from.to_string() + " to " + to.to_string(); }
};

struct SourceJudgement {
  SourceState state = SourceState::fits;
  std::string happened;               // One sentence.
  std::optional<LogRange> missing;    // Its changes may be missing in the graph.
  std::optional<LogRange> surplus;    // The graph holds changes of it, and PostgreSQL has them no more.
  std::string advice;

  bool may_go_on() const { return state == SourceState::fits || state == SourceState::failed_over; }
};

// Pure.
SourceJudgement judge_source(const SourceFacts& facts);

// What only the stream shows: where the graph's last transaction stood, the log does not have it. PostgreSQL was set back, though its
// log is as long again.
SourceJudgement gone_another_way();
// The code of the stream's error then.
constexpr std::string_view kGoneAnotherWay = "gone another way";

// ErrorKind::state (not_initialised: invalid), with the state's name as its code, where nothing may move.
Status to_status(const SourceJudgement& judgement);

// Whether an error is such a state; and which one.
std::optional<SourceState> source_state_of(const Error& error);
// Whether reading every table again behind a new slot cures it: both databases are those of the pipeline.
bool is_gap(SourceState state);

}  // namespace cnx::capture
