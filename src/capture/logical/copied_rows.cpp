#include "capture/logical/copied_rows.hpp"

#include <algorithm>
#include <limits>

namespace cnx::capture {
namespace {

using change::DatumView;
using Kind = DatumView::Kind;

Error strange_key(const change::Segment& segment, const char* what) {
  return Error(ErrorKind::state, std::string("a change cannot be held against the rows that were copied: ") + what)
      .with("table", segment.schema + "." + segment.table)
      .advise("the table's key was altered before the copy was consistent; contextnexus drop --graph, then init and run "
              "copy anew");
}

// For the new key alone: what an unchanged column holds is known where the old row came whole; else the row stays an
// UPDATE that lacks it, and is read again where its node is not there.
void make_insertion(change::RowChange& row) {
  bool whole = true;
  for (size_t i = 0; i < row.row.size(); ++i) {
    if (row.row[i].kind != Kind::unchanged) continue;
    if (row.old_is_full && i < row.old_row.size()) row.row[i] = row.old_row[i];
    whole = whole && row.row[i].kind != Kind::unchanged;
  }
  row.operation = whole ? change::Operation::insert : change::Operation::update;
  row.old_row.clear();
  row.old_is_full = false;
}

void make_removal(change::RowChange& row) {
  row.operation = change::Operation::remove;
  row.row.clear();
}

}  // namespace

Result<CopiedRows> CopiedRows::make(const std::vector<change::Segment>& segments) {
  CopiedRows rows;
  for (const change::Segment& segment : segments) {
    std::vector<Part>& parts = rows.tables_[{segment.schema, segment.table}].parts;
    Part part{segment, std::nullopt};
    if (!segment.snapshot.empty()) {
      CNX_TRY(change::PgSnapshot snapshot, change::PgSnapshot::parse(segment.snapshot));
      part.snapshot = std::move(snapshot);
      rows.seen_until_ = std::max(rows.seen_until_, segment.seen_until);
    }
    if (!segment.done) {
      rows.open_ = true;
      Part rest{segment, std::nullopt, true};
      if (segment.ordered() && !segment.last.empty() && !segment.dirty) {
        part.segment.upto = rest.segment.above = segment.last;
        parts.push_back(std::move(part));
      }
      parts.push_back(std::move(rest));
    } else {
      parts.push_back(std::move(part));
    }
  }
  if (rows.open_) rows.seen_until_ = change::Lsn(std::numeric_limits<uint64_t>::max());
  for (auto entry = rows.tables_.begin(); entry != rows.tables_.end();) {
    std::vector<Part>& parts = entry->second.parts;
    entry->second.one_answer = std::all_of(parts.begin(), parts.end(), [&](const Part& part) {
      return part.open == parts.front().open && (part.open || part.segment.snapshot == parts.front().segment.snapshot);
    });
    // The stream brings nothing that the slot's snapshot sees: such a table needs no look at its keys.
    const bool nothing = entry->second.one_answer && !parts.front().snapshot && !parts.front().open;
    entry = nothing ? rows.tables_.erase(entry) : std::next(entry);
  }
  return rows;
}

CopiedRows::Table* CopiedRows::find(const change::Relation& relation) {
  auto found = tables_.find({relation.schema, relation.name});
  return found == tables_.end() ? nullptr : &found->second;
}

Status CopiedRows::locate(Table& table, const change::RelationPtr& relation) {
  if (table.relation == relation) return {};
  table.columns.clear();
  const change::Segment& segment = table.parts.front().segment;
  for (const change::KeyColumn& column : segment.key_columns) {
    auto found = std::find_if(relation->columns.begin(), relation->columns.end(),
                              [&](const change::Column& c) { return c.name == column.name; });
    if (found == relation->columns.end()) return fail(strange_key(segment, "a column of its key is gone"));
    table.columns.push_back(static_cast<uint16_t>(found - relation->columns.begin()));
  }
  table.relation = relation;
  return {};
}

// Or the read to come will.
bool CopiedRows::sees(const Part& part, change::Xid xid) {
  return part.open || (part.snapshot && part.snapshot->sees(xid));
}

// Of the row's key. A key column that the row does not say stands in `otherwise`.
Result<bool> CopiedRows::sees(const Table& table, const std::vector<DatumView>& row,
                              const std::vector<DatumView>& otherwise, change::Xid xid) {
  if (table.one_answer) return sees(table.parts.front(), xid);
  const change::Segment& first = table.parts.front().segment;
  change::KeyBound key;
  for (uint16_t column : table.columns) {
    const DatumView* datum = &row[column];
    if (datum->kind == Kind::unchanged && column < otherwise.size()) datum = &otherwise[column];
    if (datum->kind != Kind::text) return fail(strange_key(first, "its key is not in the row"));
    key.emplace_back(datum->text);
  }
  for (const Part& part : table.parts) {
    CNX_TRY(bool within, contains(part.segment, key));
    if (within) return sees(part, xid);
  }
  return fail(strange_key(first, "no segment holds its key"));
}

Result<bool> CopiedRows::counts(const change::Begin& transaction, change::RowChange& row) {
  if (tables_.empty() || transaction.final_lsn >= seen_until_) return true;
  row.over_copy = true;
  Table* table = find(*row.relation);
  if (table == nullptr) return true;
  CNX_TRY(locate(*table, row.relation));
  if (row.operation == change::Operation::insert || (row.operation == change::Operation::update && row.old_row.empty())) {
    CNX_TRY(bool seen, sees(*table, row.row, row.old_row, transaction.xid));
    return !seen;
  }
  CNX_TRY(bool old_seen, sees(*table, row.old_row, {}, transaction.xid));
  if (row.operation == change::Operation::remove) return !old_seen;
  CNX_TRY(bool new_seen, sees(*table, row.row, row.old_row, transaction.xid));
  if (old_seen && new_seen) return false;
  if (old_seen) make_insertion(row);
  if (new_seen) make_removal(row);
  return true;
}

Result<bool> CopiedRows::counts(const change::Begin& transaction, change::Truncate& truncate) {
  if (tables_.empty() || transaction.final_lsn >= seen_until_) return true;
  // A table that was truncated is read again whole, so that all of its segments give one answer.
  std::erase_if(truncate.relations, [&](const change::RelationPtr& relation) {
    const Table* table = find(*relation);
    return table != nullptr && std::all_of(table->parts.begin(), table->parts.end(),
                                           [&](const Part& part) { return sees(part, transaction.xid); });
  });
  return !truncate.relations.empty();
}

}  // namespace cnx::capture
