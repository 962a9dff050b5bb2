// The foreign keys of a table as a person means them, partitions and repetitions set right.
#pragma once

#include <vector>

#include "postgres/catalog.hpp"

namespace cnx::mapping {

// Each once, in the order of the table's columns. A partitioned table's are also those that most of
// its `partitions` have: before PostgreSQL 11 there was no other way to say so, and the newest
// partition is easily forgotten. Pure.
std::vector<postgres::ForeignKey> foreign_keys_of(
    const postgres::Table& table, const std::vector<const postgres::Table*>& partitions);

}  // namespace cnx::mapping
