// Recognises the write-back's own UPDATEs in the stream, so that they become no change of their own. Pure.
#pragma once

#include <unordered_map>
#include <vector>

#include "change/event.hpp"
#include "record/sync_tables.hpp"

namespace cnx::record {

// One thread.
class OwnUpdates {
 public:
  explicit OwnUpdates(std::vector<SyncTable> tables) : tables_(std::move(tables)) {}

  // An UPDATE that changes no key, whose new row is not pending and was synced in the very version that it has. A user's
  // UPDATE is never that: the trigger raises the version and marks the row as pending.
  bool contains(const change::RowChange& row);

 private:
  struct Columns {
    change::RelationPtr relation;
    int status = -1;
    int version = -1;
    int synced_version = -1;
  };
  const Columns& columns_of(const change::RelationPtr& relation);

  std::vector<SyncTable> tables_;
  std::unordered_map<change::Oid, Columns> columns_;
};

}  // namespace cnx::record
