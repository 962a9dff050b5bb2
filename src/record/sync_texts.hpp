// The write-back's SQL, one text a table. Pure.
#pragma once

#include <string>

#include "record/sync_tables.hpp"

namespace cnx::record {

// $1 … one array a key column, then the versions. Gives the numbers (from 1) of the rows that still are to be written, and
// whether an element id is missing in them. Locks nothing.
std::string candidates_text(const SyncTable& table);
// The same parameters, then the element ids of nodes and of relationships (empty: not known). Gives the numbers of the rows written: in the
// order of the keys, passing over what somebody else has locked.
std::string write_text(const SyncTable& table);
// $1 how many; with `after` also the last row's updated_at (where the table has it) and key. Gives the version, updated_at
// and the key of pending rows.
std::string sweep_text(const SyncTable& table, bool after);

}  // namespace cnx::record
