#include "capture/logical/transaction_reader.hpp"

#include <algorithm>
#include <utility>

#include "capture/logical/source_state.hpp"

namespace cnx::capture {
namespace {

using change::Event;

Error out_of_order(const char* what) {
  return Error(ErrorKind::malformed,
               std::string("the replication stream is out of order: ") + what);
}

Error changed_source(change::Lsn final_lsn) {
  return Error(ErrorKind::state, std::string(kGoneAnotherWay), "the transaction that was read last does not come again")
      .with("position", final_lsn.to_string());
}

std::optional<Event> nothing() {
  return std::nullopt;
}

}  // namespace

void TransactionReader::restart(change::Lsn confirmed) {
  awaits_last_ = last_.final_lsn != change::Lsn() && confirmed <= last_.final_lsn;
  decoder_ = {};
  relations_.clear();
  described_.reset();
  begin_.reset();
  origin_.clear();
  skipping_ = false;
  ordinal_ = 0;
}

Status TransactionReader::hear_of(change::Lsn wal_end) const {
  return awaits_last_ && wal_end > last_.final_lsn ? Status(fail(changed_source(last_.final_lsn))) : Status();
}

Status TransactionReader::compare(const change::Begin& begin) {
  if (!awaits_last_ || begin.final_lsn < last_.final_lsn) return {};
  const change::LastCommit here{begin.final_lsn, begin.commit_microseconds};
  if (!(here == last_)) return fail(changed_source(last_.final_lsn));
  awaits_last_ = false;
  return {};
}

void TransactionReader::hand_on_from(change::Position from) {
  applied_ = handed_;
  handed_ = std::min(from, handed_);
  whole_ = handed_.lsn;
}

Result<std::optional<Event>> TransactionReader::read(postgres::WalData&& data) {
  CNX_TRY(postgres::Message message, postgres::decode(data.payload, decoder_));
  if (auto* row_message = std::get_if<postgres::RowMessage>(&message))
    return row(std::move(*row_message), std::move(data));
  if (const auto* begin_message = std::get_if<change::Begin>(&message))
    return begin(*begin_message);
  if (const auto* commit_message = std::get_if<postgres::CommitMessage>(&message))
    return commit(*commit_message);
  if (auto* relation_message = std::get_if<postgres::RelationMessage>(&message)) {
    const change::RelationPtr before = std::exchange(described_, relation_message->relation);
    relations_[described_->oid] = described_;
    if (hears_of_) CNX_TRY(hears_of_(*described_, before.get(), begin_ ? begin_->final_lsn : change::Lsn()));
    return nothing();
  }
  if (const auto* truncate_message = std::get_if<postgres::TruncateMessage>(&message))
    return truncate(*truncate_message);
  if (auto* origin_message = std::get_if<postgres::OriginMessage>(&message)) {
    origin_ = std::move(origin_message->name);
    return nothing();
  }
  // Type messages say nothing that the catalog does not; logical messages are not asked for.
  if (std::holds_alternative<postgres::TypeMessage>(message) ||
      std::holds_alternative<postgres::LogicalMessage>(message)) {
    return nothing();
  }
  return fail(
      Error(ErrorKind::unsupported,
            "the server streams an open or a prepared transaction, which was not asked for"));
}

Result<std::optional<Event>> TransactionReader::begin(const change::Begin& begin) {
  if (begin_) return fail(out_of_order("a transaction begins inside another"));
  CNX_TRY(compare(begin));
  begin_ = begin;
  origin_.clear();
  ordinal_ = 0;
  // A commit record lies wholly below its end_lsn, and the next one may begin right there: below,
  // never at it, is past.
  skipping_ = begin.final_lsn < handed_.lsn;
  if (skipping_) return nothing();
  if (handed_open_) {
    if (begin.final_lsn != handed_.lsn && handed_.ordinal != 0) {
      return fail(out_of_order("the transaction that was being read does not come again"));
    }
    return nothing();
  }
  handed_open_ = true;
  kept_ = 0;
  passed_over_ = 0;
  return std::optional<Event>(begin);
}

Result<std::optional<Event>> TransactionReader::row(postgres::RowMessage&& message,
                                                    postgres::WalData&& data) {
  if (!begin_) return fail(out_of_order("a row outside of a transaction"));
  change::Position position{begin_->final_lsn, ++ordinal_};
  if (skipping_ || position <= handed_) return nothing();
  CNX_TRY(change::RelationPtr known, relation(message.relation));
  size_t columns = known->columns.size();
  if ((!message.row.empty() && message.row.size() != columns) ||
      (!message.old_row.empty() && message.old_row.size() != columns)) {
    return fail(out_of_order("a row has another number of columns than its relation"));
  }
  handed_ = position;
  change::RowChange row;
  row.operation = message.operation;
  row.position = position;
  row.relation = std::move(known);
  row.buffer = std::move(data.buffer);
  row.buffer_bytes = static_cast<uint32_t>(data.payload.size());
  row.old_is_full = message.old_is_full;
  row.old_row = std::move(message.old_row);
  row.row = std::move(message.row);
  if (passes_over_ && passes_over_(row, origin_)) {
    ++passed_over_;
    return nothing();
  }
  keep();
  if (copied_ != nullptr && position > applied_) {
    CNX_TRY(bool counts, copied_->counts(*begin_, row));
    if (!counts) return nothing();
  }
  return std::optional<Event>(std::move(row));
}

Result<std::optional<Event>> TransactionReader::truncate(const postgres::TruncateMessage& message) {
  if (!begin_) return fail(out_of_order("a TRUNCATE outside of a transaction"));
  change::Position position{begin_->final_lsn, ++ordinal_};
  if (skipping_ || position <= handed_) return nothing();
  change::Truncate truncate{.position = position, .relations = {}, .cascade = message.cascade};
  for (change::Oid oid : message.relations) {
    CNX_TRY(change::RelationPtr known, relation(oid));
    truncate.relations.push_back(std::move(known));
  }
  handed_ = position;
  keep();
  if (copied_ != nullptr && position > applied_) {
    CNX_TRY(bool counts, copied_->counts(*begin_, truncate));
    if (!counts) return nothing();
  }
  return std::optional<Event>(std::move(truncate));
}

void TransactionReader::keep() {
  if (++kept_ == 1 && told_ != nullptr) told_->add(begin_->xid);
}

Result<std::optional<Event>> TransactionReader::commit(const postgres::CommitMessage& message) {
  if (!begin_) return fail(out_of_order("a commit outside of a transaction"));
  bool skipped = skipping_;
  if (begin_->final_lsn > last_.final_lsn) last_ = {begin_->final_lsn, begin_->commit_microseconds};
  begin_.reset();
  skipping_ = false;
  if (skipped) return nothing();
  handed_ = {message.end_lsn, 0};
  handed_open_ = false;
  const bool passed_over = kept_ == 0 && passed_over_ > 0;
  if (!passed_over) whole_ = message.end_lsn;
  return std::optional<Event>(change::Commit{.end_lsn = message.end_lsn, .passed_over = passed_over});
}

void TransactionReader::advance(change::Lsn wal_end) {
  handed_ = {wal_end, 0};
  whole_ = wal_end;
}

Result<change::RelationPtr> TransactionReader::relation(change::Oid oid) const {
  auto found = relations_.find(oid);
  if (found == relations_.end())
    return fail(out_of_order("a row of a relation that was not described"));
  return found->second;
}

}  // namespace cnx::capture
