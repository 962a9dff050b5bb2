// Recognises the write-back's own UPDATEs in the stream, so that they become no change of their own. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "change/event.hpp"
#include "record/sync_tables.hpp"

namespace cnx::record {

// One thread.
class OwnUpdates {
 public:
  // `origin`: the name of the replication origin that the write-back's session carries where it may.
  OwnUpdates(std::vector<SyncTable> tables, std::string origin) : tables_(std::move(tables)), origin_(std::move(origin)) {}

  // An UPDATE that changes no key, whose new row is not pending, and which came under our origin's name, says that the row is not
  // in the graph (`failed`, `conflict`), or was synced in the very version that it has. A user's UPDATE is never that: the trigger
  // raises the version and marks the row as pending. A transaction of ours is not passed over as a whole: what a user's trigger
  // writes in it is a user's change.
  bool contains(const change::RowChange& row, std::string_view origin);

 private:
  struct Columns {
    change::RelationPtr relation;
    // Places in its rows; none: it lacks the column, or its updates are nobody's but users'.
    std::optional<size_t> status = {};
    std::optional<size_t> version = {};
    std::optional<size_t> synced_version = {};
  };
  const Columns& columns_of(const change::RelationPtr& relation);

  std::vector<SyncTable> tables_;
  std::string origin_;
  std::unordered_map<change::Oid, Columns> columns_;
};

}  // namespace cnx::record
