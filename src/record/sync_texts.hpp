// The write-back's SQL, one text a table. Pure.
//
// `filled` is the moment at which the graph began to be filled: element ids that were written before it are stale, and
// written anew. NULL: none is.
#pragma once

#include <string>

#include "record/sync_tables.hpp"

namespace cnx::record {

// $1 … one array a key column, then the versions, then `filled`. Gives the numbers (from 1) of the rows that still are to be
// written, and whether an element id is missing in them or stale. Locks nothing.
std::string candidates_text(const SyncTable& table);
// $1 … the same arrays, then the element ids of nodes and of relationships (empty: not known), then `filled`. Gives the numbers
// of the rows written: in the order of the keys, passing over what somebody else has locked.
// `fenced`: then the pipeline's name and the owner's epoch, and nothing is written once a later owner has begun.
std::string write_text(const SyncTable& table, bool fenced = false);
// $1 … the same arrays, without ids and `filled`; `fenced` as above. Rows of which the graph kept something else; what is locked is
// passed over.
std::string conflict_text(const SyncTable& table, bool fenced);
// $1 the pipeline, $2 the names of the key columns; `fenced`: $3 the owner's epoch. Marks pending rows that are held for a person:
// `failed` behind a dead letter, `conflict` behind a conflict. What is locked is passed over.
std::string held_text(const SyncTable& table, bool fenced);
// The condition of that: true while no later owner has begun. The numbers of the two parameters.
std::string owner_condition(size_t pipeline, size_t epoch);
// $1 how many; with `after` also the last row's updated_at (where the table has it) and key. Gives the version, updated_at
// and the key of rows that are pending, or (`all`) that are not synced, in the order of the index that holds only those.
std::string unsynced_text(const SyncTable& table, bool all, bool after);
// $1 how many rows are looked at, $2 `filled`; with `after` also the last row's key. Gives the version (NULL where the row is
// not stale), NULL, and the key of each, in the order of the keys.
std::string stale_text(const SyncTable& table, bool after);

}  // namespace cnx::record
