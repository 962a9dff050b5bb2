// Tables that are read again while the line is up (design: back-fill and resync are the same thing): what changed in the
// catalog without a message in the stream, or in the mapping. The copy and the stream take turns of some seconds: of each change
// the stream counts what the copy has not seen, and passes over what the copy is still to see (capture/logical/copied_rows.hpp).
#pragma once

#include "capture/logical/told_transactions.hpp"
#include "pipeline/copy_rounds.hpp"
#include "pipeline/sweep.hpp"

namespace cnx::pipeline {

// What is remembered from one turn to the next.
struct ResyncProgress {
  // The copy waits for every transaction before this one to end, since then: what they wrote may be in no stream, or the stream
  // told of it to a process before this one. Empty: for none.
  std::string writers_until;
  TimePoint waits_since = kNever;
  // Tables of which nothing counts that was read before the last turn.
  std::set<postgres::TableName> begun_anew;
  uint64_t copied = 0;  // Rows, of the copy that is under way.
  TimePoint started = kNever;
  // Of tables whose rows may have gone without a message: what the first look found.
  std::map<postgres::TableName, GoneRows> gone;
};

// For `writers_until`: no transaction that is open now is behind it. Blocks until `deadline`.
Result<std::string> next_transaction(postgres::Session& session, TimePoint deadline);

// Whether all that the stream has told this process of is visible to a read that begins now. Blocks until `deadline`.
Result<bool> are_seen(capture::ToldTransactions& told, postgres::Session& session, TimePoint deadline);

// Waits for that, some seconds; ErrorKind::unavailable where it does not come true: a row that is read before a transaction is
// visible which the graph shows already would be older than the graph.
Status wait_until_seen(capture::ToldTransactions& told, postgres::Session& session, StopRequest& stop);
// Whether a read that begins now shows all that is in the graph: what the stream has told of, to this process or to one before
// it. Blocks until `deadline`.
Result<bool> shows_all(ResyncProgress& progress, capture::ToldTransactions& told, postgres::Session& session, TimePoint deadline);

enum class ResyncTurn {
  done,     // All that was to be done is.
  more,     // It is the stream's turn; then comes another of the copy.
  waiting,  // The same, and the copy can do nothing before some transactions of others have ended.
  stopped,  // A stop was asked for, or the pipeline was paused.
};

// Puts what ground.plan says into the graph and copies the tables that are to be copied, for a turn. `ground.plan.states` are
// then as the graph has them. `told`: by the stream to this process. Tables whose key has no order that both sides know are copied in one turn, however large. Blocks;
// a new attempt goes on after any error that one may cure.
Result<ResyncTurn> resync_tables(CopyContext& context, ResyncProgress& progress, capture::ToldTransactions& told);

}  // namespace cnx::pipeline
