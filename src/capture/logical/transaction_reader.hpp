// pgoutput messages to events: gives each row message its position, and passes over what was handed
// on before, so that a stream that starts again at the slot's confirmed position goes on where the
// last one ended. No I/O.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "capture/logical/copied_rows.hpp"
#include "capture/logical/told_transactions.hpp"
#include "change/event.hpp"
#include "postgres/pgoutput.hpp"
#include "postgres/replication.hpp"

namespace cnx::capture {

// Says of a row message that it is the engine's own and no change. `origin`: the name of the replication
// origin that its transaction carries; empty where it carries none.
using PassesOver = std::function<bool(const change::RowChange&, std::string_view origin)>;

// Is told of each table that the stream describes, before any row of it, of the one described before it (null: none was), and
// where the transaction that it is described in commits. A partition whose rows come as its table's is described as well, right behind the table
// (maybe_send_schema of pgoutput.c). An error ends the reading.
using HearsOf = std::function<Status(const change::Relation& relation, const change::Relation* before, change::Lsn at)>;

// One thread.
class TransactionReader {
 public:
  // Everything at or below `start` is in the graph. `passes_over` may be empty: every row is a change. `copied` may be
  // null: no row shows a change before the stream brings it; `told` too: nobody asks which transactions there were. Both must
  // outlive the reader.
  explicit TransactionReader(change::Position start, PassesOver passes_over = {}, CopiedRows* copied = nullptr,
                             ToldTransactions* told = nullptr)
      : passes_over_(std::move(passes_over)), copied_(copied), told_(told), handed_(start), whole_(start.lsn) {}

  // Before the first read: what lies behind `from` is handed on though the graph has it up to `start`, and though a row that was
  // copied shows it.
  void hand_on_from(change::Position from);

  // Before the first read: the last transaction that the graph holds.
  void holds(change::LastCommit last) { last_ = last; }

  // A new connection: the stream starts again, with its relation messages, at the slot's confirmed position. Where the last
  // transaction stands behind that, it has to come again, or PostgreSQL was set back and has gone another way.
  void restart(change::Lsn confirmed);
  // By a keep-alive: the server has read its log so far. kGoneAnotherWay where the last transaction should have come by then.
  Status hear_of(change::Lsn wal_end) const;

  void on_relation(HearsOf hears_of) { hears_of_ = std::move(hears_of); }

  // The event that the message makes, or none. ErrorKind::malformed for bytes or an order of
  // messages that no server sends; ErrorKind::state, kGoneAnotherWay, where the last transaction does not come again.
  Result<std::optional<change::Event>> read(postgres::WalData&& data);

  // No transaction is open, here or in what was handed on: an idle advance would count.
  bool between_transactions() const { return !begin_ && !handed_open_; }
  // An idle advance that was handed on.
  void advance(change::Lsn wal_end);

  // The end of the last whole transaction (or idle advance) that was handed on.
  change::Lsn whole() const { return whole_; }

 private:
  Result<std::optional<change::Event>> begin(const change::Begin& begin);
  Result<std::optional<change::Event>> row(postgres::RowMessage&& message,
                                           postgres::WalData&& data);
  Result<std::optional<change::Event>> truncate(const postgres::TruncateMessage& message);
  Result<std::optional<change::Event>> commit(const postgres::CommitMessage& message);
  Result<change::RelationPtr> relation(change::Oid oid) const;
  Status compare(const change::Begin& begin);
  void keep();

  PassesOver passes_over_;
  CopiedRows* copied_;
  ToldTransactions* told_;
  HearsOf hears_of_;
  postgres::DecoderState decoder_;
  std::unordered_map<change::Oid, change::RelationPtr> relations_;
  change::RelationPtr described_;  // Last.
  change::Position applied_;  // Up to here the graph has what is handed on.
  change::Position handed_;  // Of the last event that was handed on.
  change::Lsn whole_;
  change::LastCommit last_;              // That was read whole, or that the graph holds.
  bool awaits_last_ = false;             // Of this connection: it has not come again yet.
  bool handed_open_ = false;            // A Begin was handed on, its Commit was not.
  std::optional<change::Begin> begin_;  // The transaction being read.
  std::string origin_;                  // Its origin's name; empty: it carries none.
  size_t kept_ = 0;              // Rows of the transaction handed on, or to be, that are changes.
  size_t passed_over_ = 0;       // And that are not.
  bool skipping_ = false;        // It was handed on before, whole.
  uint64_t ordinal_ = 0;
};

}  // namespace cnx::capture
