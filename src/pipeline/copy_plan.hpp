// Which segments a copy has: made when it begins, and made anew where it goes on after a stop, a kill, or a table that was
// rewritten meanwhile.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "change/segment.hpp"
#include "mapping/model.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// By schema and name.
using TableFiles = std::map<std::pair<std::string, std::string>, std::string>;

// A snapshot of PostgreSQL's, after the slot was made.
struct TakenSnapshot {
  std::string text;
  change::Lsn seen_until;
};

// What PostgreSQL's statistics let expect of the table and its partitions; of one that was never analysed, by its size. Blocks
// until `deadline`.
Result<uint64_t> estimate_rows(postgres::Session& session, const postgres::Table& table, TimePoint deadline);

// The key by which the table's rows can be read and told apart in an order that both sides know: a unique key whose columns
// are the mapped key's, are in the stream's old rows, and are all of a type that orders by its text. Empty: there is none. Pure.
std::vector<change::KeyColumn> ordered_key(const postgres::Table& table, const std::vector<std::string>& mapped_key);

// The tables, so that one comes behind those that its relationships lead to, as far as that can be. Pure.
std::vector<const postgres::Table*> copy_order(const std::vector<const postgres::Table*>& tables, const mapping::Model& model);

// Bounds that cut at `parts - 1` places, from values that PostgreSQL's statistics hold in equal distances. Pure.
std::vector<change::KeyBound> cut_at(const std::vector<std::string>& values, change::KeyOrder order, size_t parts);

// The segments of a copy that begins: large tables in ranges of their key. Blocks until `deadline`; kinds as Session.
Result<std::vector<change::Segment>> plan_segments(postgres::Session& session, const std::vector<const postgres::Table*>& tables,
                                                   const mapping::Model& model, const TableFiles& files, TimePoint deadline);

// The segments of a copy that goes on under a new snapshot: what is in the graph stays under its own, what is not comes
// under the new one. A table whose files are others than before, and one without an order that is not done, starts over. Pure.
std::vector<change::Segment> continue_segments(std::vector<change::Segment> segments, const TableFiles& files,
                                               const TakenSnapshot& snapshot);

}  // namespace cnx::pipeline
