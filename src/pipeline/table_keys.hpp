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
#include "pipeline/copy_plan.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// What identifies a node, or a relationship (both ends, or its own key).
using EntityKey = std::vector<mapping::Key>;
// Stands for a key where many are held: of SHA-256, half.
using KeyDigest = std::array<uint64_t, 2>;
KeyDigest digest(const EntityKey& key);

class TableKeys {
 public:
  // Keys of more rows than this are looked at in several slices.
  static constexpr size_t kSliceKeys = 2'000'000;  // 16 bytes each.

  explicit TableKeys(size_t slices) : slices_(slices) {}

  size_t slices() const { return slices_; }
  void begin(size_t slice);
  // Adds the table's keys of the slice, in the session's open transaction. Of a row that makes nothing (an end is NULL) there is
  // none. Blocks until `deadline`; kinds as Session, malformed as project_key.
  Status add(postgres::Session& session, const postgres::Table& table, const mapping::Binding& binding, TimePoint deadline);
  void end();
  // Whether the key is of the slice, and no row has it.
  bool is_missing(const EntityKey& key) const;

 private:
  size_t slices_;
  size_t slice_ = 0;
  std::vector<KeyDigest> digests_;  // Sorted by end().
};

// A session with an open snapshot, and what the tables' files were before it was taken: a table that was rewritten since may
// look empty to it.
struct KeySource {
  postgres::Session& session;
  const TableFiles& files;
};

// Reads the keys of the tables together, slice by slice, and calls `work` with each slice, until it says false.
// ErrorKind::unavailable where a table was rewritten since: nothing of that slice was handed on. Blocks, by statement.
Status for_each_slice(const KeySource& source, Catalog& catalog, const std::vector<const postgres::Table*>& tables,
                      const std::function<Result<bool>(const TableKeys&)>& work);

}  // namespace cnx::pipeline
