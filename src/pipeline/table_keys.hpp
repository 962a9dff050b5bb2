// The keys of a table's rows as PostgreSQL has them now, in the form of the graph's: a set too large for memory in slices.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/binding.hpp"
#include "pipeline/catalog.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// What identifies a node, or a relationship (both ends, or its own key).
using EntityKey = std::vector<mapping::Key>;

class TableKeys {
 public:
  // Keys of more rows than this are looked at in several slices.
  static constexpr size_t kSliceKeys = 2'000'000;  // 16 bytes each.

  explicit TableKeys(size_t slices = 1) : slices_(slices == 0 ? 1 : slices) {}

  size_t slices() const { return slices_; }
  // Reads the keys of one slice, in the session's open transaction. Of a row that makes nothing (an end is NULL) there is none.
  // Blocks until `deadline`; kinds as Session, malformed as project_key.
  Status read(postgres::Session& session, const postgres::Table& table, const mapping::Binding& binding, size_t slice,
              TimePoint deadline);
  // Whether the key is of the slice that was read, and no row has it.
  bool is_missing(const EntityKey& key) const;

 private:
  using Digest = std::array<uint64_t, 2>;
  static Digest digest(const EntityKey& key);

  size_t slices_;
  size_t slice_ = 0;
  std::vector<Digest> digests_;  // Sorted.
};

// Reads the table's keys slice by slice, in the session's open transaction, and calls `work` with each, until it says false.
// Blocks, by statement.
Status for_each_slice(postgres::Session& session, Catalog& catalog, const postgres::Table& table,
                      const std::function<Result<bool>(const TableKeys&)>& work);

}  // namespace cnx::pipeline
