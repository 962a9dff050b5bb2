// Of the changes that the stream brings, leaves out what the copied rows show already: a change counts for a key if and
// only if its transaction is not visible in the snapshot under which that key's segment was read. Of keys that are still to be
// read nothing counts: the read to come shows it. No I/O.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "change/event.hpp"
#include "change/pg_snapshot.hpp"
#include "change/segment.hpp"

namespace cnx::capture {

// One thread.
class CopiedRows {
 public:
  // ErrorKind::malformed for a segment's snapshot that PostgreSQL did not print. Of no segments: everything counts.
  static Result<CopiedRows> make(const std::vector<change::Segment>& segments);

  // No transaction behind this place of the log is visible in any of the snapshots; the log's greatest where something is
  // still to be read.
  change::Lsn seen_until() const { return seen_until_; }
  // Whether something is still to be read.
  bool open() const { return open_; }

  // Whether the change counts; a change of a key that counts for one of its keys alone is made into the removal, or the
  // insertion, that it is for that one; what the copy may have met is over_copy. ErrorKind::state where the key is not in the
  // row as the copy knew it.
  Result<bool> counts(const change::Begin& transaction, change::RowChange& row);
  // The same of a TRUNCATE: tables for which it does not count are taken off.
  Result<bool> counts(const change::Begin& transaction, change::Truncate& truncate);

 private:
  struct Part {
    change::Segment segment;
    std::optional<change::PgSnapshot> snapshot;  // None: the slot's, which sees nothing of the stream.
    bool open = false;                           // Still to be read.
  };
  struct Table {
    std::vector<Part> parts;  // By their keys, ascending.
    bool one_answer = false;  // All parts are open, or all under the same snapshot.
    // Where the key stands in the rows of the relation that was met last.
    change::RelationPtr relation;
    std::vector<uint16_t> columns;
  };

  Table* find(const change::Relation& relation);
  static Status locate(Table& table, const change::RelationPtr& relation);
  static bool sees(const Part& part, change::Xid xid);
  static Result<bool> sees(const Table& table, const std::vector<change::DatumView>& row,
                    const std::vector<change::DatumView>& otherwise, change::Xid xid);

  std::map<std::pair<std::string, std::string>, Table> tables_;
  change::Lsn seen_until_;
  bool open_ = false;
};

}  // namespace cnx::capture
