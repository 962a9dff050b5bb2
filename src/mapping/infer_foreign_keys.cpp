#include "mapping/infer_foreign_keys.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace cnx::mapping {
namespace {

using postgres::ForeignKey;
using postgres::Table;

// What a foreign key says, whatever it is called.
using Meaning = std::tuple<std::vector<std::string>, postgres::TableName, std::vector<std::string>>;
Meaning meaning_of(const ForeignKey& key) {
  return {key.columns, key.referenced_table, key.referenced_columns};
}

std::vector<int16_t> place_of(const Table& table, const ForeignKey& key) {
  std::vector<int16_t> place;
  for (const std::string& name : key.columns) {
    const postgres::TableColumn* column = table.column(name);
    place.push_back(column == nullptr ? INT16_MAX : column->number);
  }
  std::sort(place.begin(), place.end());
  return place;
}

// In each of how many leaves.
std::map<Meaning, size_t> count(const std::vector<const Table*>& leaves) {
  std::map<Meaning, size_t> counts;
  for (const Table* leaf : leaves) {
    std::set<Meaning> once;
    for (const ForeignKey& key : leaf->foreign_keys) once.insert(meaning_of(key));
    for (const Meaning& meaning : once) ++counts[meaning];
  }
  return counts;
}

}  // namespace

std::vector<ForeignKey> foreign_keys_of(const Table& table,
                                        const std::vector<const Table*>& partitions) {
  std::vector<const Table*> leaves = partitions;
  std::erase_if(leaves, [](const Table* partition) {
    return partition->kind == postgres::TableKind::partitioned;
  });
  std::vector<ForeignKey> all = table.foreign_keys;
  std::map<Meaning, size_t> counts = count(leaves);
  for (const Table* leaf : leaves) {
    for (const ForeignKey& key : leaf->foreign_keys) {
      if (counts[meaning_of(key)] * 2 > leaves.size()) all.push_back(key);
    }
  }
  std::stable_sort(all.begin(), all.end(), [&](const ForeignKey& a, const ForeignKey& b) {
    return place_of(table, a) < place_of(table, b);
  });
  std::set<Meaning> seen;
  std::erase_if(all, [&](const ForeignKey& key) { return !seen.insert(meaning_of(key)).second; });
  return all;
}

}  // namespace cnx::mapping
