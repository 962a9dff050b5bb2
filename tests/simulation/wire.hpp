// The pgoutput bytes of a transaction's changes, as the simulated server sends them.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "source.hpp"

namespace cnx::simulation {

// `full`: REPLICA IDENTITY FULL. `has_filler`: `counted` has its column of that name.
struct WireForm {
  bool full = false;
  bool has_filler = false;
};

Bytes relation_bytes(const postgres::Table& table, Table which, WireForm form);
// `oids` by table. Not of a change elsewhere.
Bytes change_bytes(const SourceChange& change, const std::vector<postgres::Table>& catalog, WireForm form);
Bytes elsewhere_relation_bytes();
Bytes elsewhere_bytes();

}  // namespace cnx::simulation
