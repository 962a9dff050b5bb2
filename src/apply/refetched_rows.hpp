// Rows that were read again from PostgreSQL, on their way into the graph at a watermark (design: I4):
// the point between two transactions where the lane stood. What the stream tells of them later is
// passed over where the read had seen it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/event.hpp"
#include "change/pg_snapshot.hpp"
#include "mapping/lacking_rows.hpp"
#include "mapping/merge.hpp"

namespace cnx::apply {

struct RefetchedRow {
  mapping::RowKey key;
  change::RelationPtr relation;
  // By the relation's columns; none: the row was gone. nullopt inside is NULL.
  std::optional<std::vector<std::optional<std::string>>> values;
  bool decided = false;         // By a conflict's strategy, which decides again where it is met again.
  bool keeps_graph = false;     // It was decided that the graph is right about it: nothing is written.
  change::PgSnapshot snapshot;  // Under which it was read.
  change::Lsn until;            // Above it nothing is in the snapshot.
  change::Position at;          // The watermark.
};

// Its value of a column; none: NULL, no such column, or the row is gone.
std::optional<std::string> column_of(const RefetchedRow& row, const std::string& column);

// How the stream's change of a row is to be taken.
enum class Taken {
  as_it_is,
  not_at_all,
  as_removal,  // An UPDATE that took the key of a row that was read again: its old key is free.
  as_new,      // An UPDATE that gave up such a key: its new key has a row.
};

// One thread.
class RefetchedRows {
 public:
  explicit RefetchedRows(std::vector<RefetchedRow> rows) : rows_(std::move(rows)) {}

  bool empty() const { return rows_.empty(); }
  // A key change is judged as a removal by the old key and an insert by the new one.
  Taken taken(const change::RowChange& change, change::Xid xid) const;
  const std::vector<RefetchedRow>& rows() const { return rows_; }
  // The position is there: what is above it nobody had seen.
  void forget(change::Lsn reached);

 private:
  bool seen(const change::RelationPtr& relation, const std::vector<change::DatumView>& row,
            change::Xid xid) const;

  std::vector<RefetchedRow> rows_;
};

// What the graph remembers of those whose read saw more than there is at `reached`: whoever goes on from there, after a kill, has to
// read them again, since the changes that the read had seen come again. Empty: there are none.
std::string ahead_text(const std::vector<RefetchedRow>& rows, change::Lsn reached);
// Their keys. ErrorKind::state for a text that this program did not write.
Result<std::vector<mapping::RowKey>> rows_ahead(std::string_view text);

// Puts the row, or its absence, in the place of whatever the graph has of it. A transaction of its
// own in the merge. Errors: those of Merge::add.
Status merge_refetched(const RefetchedRow& row, const mapping::Binding& binding,
                       mapping::Merge& merge);

}  // namespace cnx::apply
