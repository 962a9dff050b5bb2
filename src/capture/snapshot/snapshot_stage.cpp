#include "capture/snapshot/snapshot_stage.hpp"

#include <algorithm>
#include <set>

#include "postgres/copy_text.hpp"
#include "postgres/quote.hpp"

namespace cnx::capture {
namespace {

using stream::Step;

constexpr int kRowsAtOnce = 256;

std::string key_list(const std::vector<change::KeyColumn>& columns, size_t length) {
  std::string names;
  for (size_t i = 0; i < length; ++i) names += (i == 0 ? "" : ", ") + postgres::quote_identifier(columns[i].name);
  return names;
}

// Literals without a type take the column's, and so its order.
std::string beside_bound(const std::vector<change::KeyColumn>& columns, const char* operation,
                         const change::KeyBound& bound) {
  std::string values;
  for (const std::string& value : bound) values += (values.empty() ? "" : ", ") + postgres::quote_literal(value);
  const std::string names = key_list(columns, bound.size());
  if (bound.size() == 1) return names + operation + values;
  return "(" + names + ")" + operation + "(" + values + ")";
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

std::string copy_statement(const SegmentTask& task, const change::Relation& relation) {
  const change::Segment& segment = task.segment;
  std::string columns;
  for (const change::Column& column : relation.columns) {
    columns += (columns.empty() ? "" : ", ") + postgres::quote_identifier(column.name);
  }
  std::string conditions;
  const change::KeyBound& above = segment.last.empty() ? segment.above : segment.last;
  if (!above.empty()) conditions = " WHERE " + beside_bound(segment.key_columns, " > ", above);
  if (!segment.upto.empty()) {
    conditions += conditions.empty() ? " WHERE " : " AND ";
    conditions += beside_bound(segment.key_columns, " <= ", segment.upto);
  }
  if (const std::string& filter = task.table->filter.sql; !filter.empty()) {
    conditions += (conditions.empty() ? " WHERE " : " AND ") + postgres::enclosed(filter);
  }
  if (segment.ordered()) conditions += " ORDER BY " + key_list(segment.key_columns, segment.key_columns.size());
  // A query, because COPY of a partitioned table by its name is refused.
  return "COPY (SELECT " + columns + " FROM " + postgres::quote_table(task.table->name) + conditions + ") TO STDOUT";
}

Result<std::string> read_table_files(postgres::Session& session, change::Oid table, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.concat_ws(',', $1::oid::text || ':' || pg_catalog.pg_relation_filenode($1::oid)::text, "
                        "(SELECT pg_catalog.string_agg(t.relid::oid::text || ':' || "
                        "coalesce(pg_catalog.pg_relation_filenode(t.relid)::text, ''), ',' ORDER BY t.relid::oid) "
                        "FROM pg_catalog.pg_partition_tree($1::oid) t))",
                        {std::to_string(table.value())}, deadline));
  return std::string(rows.text(0, 0));
}

SnapshotStage::SnapshotStage(stream::Queue<change::Event>& events, SnapshotCounters& counters,
                             SnapshotOptions options)
    : events_(events), counters_(counters), options_(std::move(options)) {}

Status SnapshotStage::open(TimePoint deadline) {
  CNX_TRY(postgres::Session session, postgres::Session::open(options_.connection, deadline));
  session_ = std::move(session);
  return {};
}

Step SnapshotStage::step(TimePoint now) {
  CNX_CHECK(session_.has_value(),
            "a snapshot is opened before it is read, and not read past its end");
  if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
  if (stopping_) {
    events_.close();
    session_.reset();
    return Step::done();
  }
  Result<Step> step = copy(now);
  if (step) return std::move(*step);
  events_.fail(step.error());
  return Step::failed(std::move(step.error()));
}

Result<Step> SnapshotStage::copy(TimePoint now) {
  if (held_) {
    push(std::move(*std::exchange(held_, std::nullopt)));
    if (held_) return Step::wait_until(kNever);
  }
  if (!task_) {
    task_ = options_.next();
    if (!task_) {
      events_.close();
      session_.reset();
      return Step::done();
    }
    CNX_TRY(start_segment(now));
  }
  for (int i = 0; i < kRowsAtOnce && task_ && !held_; ++i) {
    CNX_TRY(postgres::CopyRead read, session_->try_read_copy());
    CNX_TRY(bool progressed, take(std::move(read), now));
    if (!progressed) return Step::wait_until(kNever).on(session_->fd(), true, false);
  }
  return Step::progressed();
}

Status SnapshotStage::start_segment(TimePoint now) {
  const postgres::Table& table = *task_->table;
  const TimePoint deadline = now + options_.statement_max;
  relation_ = relation_of(table);
  CNX_TRY(session_->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  Status taken = session_->execute("SET TRANSACTION SNAPSHOT " + postgres::quote_literal(options_.snapshot_name), deadline);
  if (!taken) {
    // The connection that exported it was lost: as any lost connection, no reason for a person to come.
    return fail(Error(ErrorKind::unavailable, "the snapshot of the copy is gone: " + taken.error().message()));
  }
  // Row-level security may hide rows silently only where the catalog said that a policy admits us
  // to all of them (R5).
  const char* row_security =
      table.row_security_applies ? "SET LOCAL row_security = on" : "SET LOCAL row_security = off";
  CNX_TRY(session_->execute(row_security, deadline));
  Status started = session_->start_copy(copy_statement(*task_, *relation_), deadline);
  if (!started) {
    return fail(std::move(started.error())
                    .wrap("copying a table")
                    .with("table", postgres::to_string(table.name)));
  }
  change::SegmentBegin begin{.key = task_->segment.key, .key_columns = {}};
  for (const change::KeyColumn& column : task_->segment.key_columns) {
    auto found = std::find_if(relation_->columns.begin(), relation_->columns.end(),
                              [&](const change::Column& c) { return c.name == column.name; });
    if (found == relation_->columns.end()) {
      return fail(Error(ErrorKind::state, "a column of the key by which a table is copied is gone")
                      .with("table", postgres::to_string(table.name))
                      .with("column", column.name)
                      .advise("contextnexus drop --graph, then init and run copy anew"));
    }
    begin.key_columns.push_back(static_cast<uint16_t>(found - relation_->columns.begin()));
  }
  push(std::move(begin));
  return {};
}

// A table that was rewritten since the snapshot was taken may have looked empty to it.
Status SnapshotStage::end_segment(TimePoint now) {
  const TimePoint deadline = now + options_.statement_max;
  CNX_TRY(std::string files, read_table_files(*session_, task_->table->oid, deadline));
  CNX_TRY(session_->execute("COMMIT", deadline));
  const bool whole = files == task_->segment.files;
  task_.reset();
  counters_.segments += 1;
  push(change::SegmentEnd{.whole = whole});
  return {};
}

// Says whether anything was there.
Result<bool> SnapshotStage::take(postgres::CopyRead&& read, TimePoint now) {
  if (std::holds_alternative<postgres::CopyWouldBlock>(read)) return false;
  if (std::holds_alternative<postgres::CopyEnd>(read)) {
    CNX_TRY(end_segment(now));
    return true;
  }
  auto& line = std::get<postgres::CopyRow>(read);
  change::SnapshotRow row;
  row.relation = relation_;
  row.buffer_bytes = static_cast<uint32_t>(line.line.size());
  CNX_TRY(row.row, postgres::decode_copy_line(line.line, relation_->columns.size()));
  row.buffer = std::move(line.buffer);
  counters_.rows += 1;
  push(std::move(row));
  return true;
}

void SnapshotStage::push(change::Event&& event) {
  const size_t bytes = change::weight(event);
  if (!events_.try_push(std::move(event), bytes)) held_ = std::move(event);
}

}  // namespace cnx::capture
