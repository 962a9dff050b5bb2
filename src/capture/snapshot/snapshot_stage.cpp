#include "capture/snapshot/snapshot_stage.hpp"

#include <set>

#include "postgres/copy_text.hpp"
#include "postgres/quote.hpp"

namespace cnx::capture {
namespace {

using stream::Step;

constexpr int kRowsAtOnce = 256;

std::string copy_statement(const postgres::Table& table, const change::Relation& relation) {
  std::string columns;
  for (const change::Column& column : relation.columns) {
    columns += (columns.empty() ? "" : ", ") + postgres::quote_identifier(column.name);
  }
  // A query, because COPY of a partitioned table by its name is refused.
  return "COPY (SELECT " + columns + " FROM " + postgres::quote_table(table.name) + ") TO STDOUT";
}

}  // namespace

change::RelationPtr relation_of(const postgres::Table& table) {
  auto relation = std::make_shared<change::Relation>();
  relation->oid = table.oid;
  relation->schema = table.name.schema;
  relation->name = table.name.name;
  relation->identity = table.replica_identity;
  std::vector<std::string> identity = table.identity_columns();
  std::set<std::string> identity_names(identity.begin(), identity.end());
  for (const postgres::TableColumn& column : table.columns) {
    if (column.generated) continue;
    relation->columns.push_back({.name = column.name,
                                 .type = column.type,
                                 .type_modifier = column.type_modifier,
                                 .identity = identity_names.contains(column.name)});
  }
  return relation;
}

SnapshotStage::SnapshotStage(stream::Queue<change::Event>& events, SnapshotCounters& counters,
                             SnapshotOptions options)
    : events_(events), counters_(counters), options_(std::move(options)) {}

Status SnapshotStage::open(TimePoint deadline) {
  CNX_TRY(postgres::Session session, postgres::Session::open(options_.connection, deadline));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  CNX_TRY(session.execute(
      "SET TRANSACTION SNAPSHOT " + postgres::quote_literal(options_.snapshot_name), deadline));
  session_ = std::move(session);
  return {};
}

Step SnapshotStage::step(TimePoint now) {
  CNX_CHECK(session_.has_value(),
            "a snapshot is opened before it is read, and not read past its end");
  if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
  if (stopping_) {
    Error stopped(ErrorKind::unavailable, "stopped while rows were being copied");
    events_.fail(stopped);
    return Step::failed(std::move(stopped));
  }
  Result<Step> step = copy(now);
  if (step) return std::move(*step);
  events_.fail(step.error());
  return Step::failed(std::move(step.error()));
}

Result<Step> SnapshotStage::copy(TimePoint now) {
  if (held_) {
    if (!push(std::move(*held_))) return Step::wait_until(kNever);
    held_.reset();
  }
  if (!copying_) {
    if (table_ == options_.tables.size()) {
      change::Event end = change::SnapshotEnd{options_.consistent_point};
      if (!push(std::move(end))) return Step::wait_until(kNever);
      events_.close();
      session_.reset();
      counters_.finished = true;
      return Step::done();
    }
    CNX_TRY(start_table(now));
  }
  for (int i = 0; i < kRowsAtOnce && copying_ && !held_; ++i) {
    CNX_TRY(postgres::CopyRead read, session_->try_read_copy());
    CNX_TRY(bool progressed, take(std::move(read)));
    if (!progressed) return Step::wait_until(kNever).on(session_->fd(), true, false);
  }
  return Step::progressed();
}

Status SnapshotStage::start_table(TimePoint now) {
  const postgres::Table& table = options_.tables[table_];
  relation_ = relation_of(table);
  // Row-level security may hide rows silently only where the catalog said that a policy admits us
  // to all of them (R5).
  const char* row_security =
      table.row_security_applies ? "SET LOCAL row_security = on" : "SET LOCAL row_security = off";
  CNX_TRY(session_->execute(row_security, now + options_.statement_max));
  Status started =
      session_->start_copy(copy_statement(table, *relation_), now + options_.statement_max);
  if (!started) {
    return fail(std::move(started.error())
                    .wrap("copying a table")
                    .with("table", postgres::to_string(table.name)));
  }
  copying_ = true;
  return {};
}

// Says whether anything was there.
Result<bool> SnapshotStage::take(postgres::CopyRead&& read) {
  if (std::holds_alternative<postgres::CopyWouldBlock>(read)) return false;
  if (std::holds_alternative<postgres::CopyEnd>(read)) {
    copying_ = false;
    ++table_;
    counters_.tables_done += 1;
    return true;
  }
  auto& line = std::get<postgres::CopyRow>(read);
  change::SnapshotRow row;
  row.relation = relation_;
  row.buffer_bytes = static_cast<uint32_t>(line.line.size());
  CNX_TRY(row.row, postgres::decode_copy_line(line.line, relation_->columns.size()));
  row.buffer = std::move(line.buffer);
  counters_.rows += 1;
  change::Event event = std::move(row);
  if (!push(std::move(event))) held_ = std::move(event);
  return true;
}

bool SnapshotStage::push(change::Event&& event) {
  size_t bytes = change::weight(event);
  return events_.try_push(std::move(event), bytes);
}

}  // namespace cnx::capture
