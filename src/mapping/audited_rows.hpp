// What the audit says of each change of a batch: operation, table, key, tenant, position; never another value. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "change/event.hpp"
#include "mapping/model.hpp"

namespace cnx::mapping {

enum class AuditedOperation : uint8_t { insert, update, remove, truncate, read_again };
std::string_view to_string(AuditedOperation operation);

enum class AuditedAs : uint8_t {
  tried,      // It is part of the batch, and shares its outcome.
  held,       // It passes by: its key is a dead letter, or its table is held.
  recovered,  // The graph's position is behind it already: an engine that was killed took it, and may not have said so.
};

struct AuditedRow {
  AuditedOperation operation = AuditedOperation::insert;
  AuditedAs as = AuditedAs::tried;
  change::RelationPtr relation;
  change::Position position;            // Of the change; of a row that was read again, where the line stood.
  std::optional<std::string> key;       // Its columns' values, joined by commas; none: a TRUNCATE, or a table without a form.
  std::optional<std::string> old_key;   // Where an update changed it.
  std::optional<std::string> tenant;    // Where the mapping names its column and the message tells it.
};

// What a queue's budget counts for it.
size_t weight(const AuditedRow& row);

std::string joined_key(const std::vector<std::string>& values);

// One thread. It finds a row's key by the names of the mapping's columns, not by a binding: a row that was applied long ago may be
// of a table that was another then.
class AuditedRows {
 public:
  // The model must outlive it.
  explicit AuditedRows(Model& model) : model_(model) {}

  // A row of a table that is not mapped is passed over.
  void add(const change::RowChange& change, AuditedAs as);
  // One for each of its tables that is mapped.
  void add(const change::Truncate& truncate, AuditedAs as);
  void add_read_again(const RowKey& key, const change::RelationPtr& relation, const change::Position& at);
  void add(std::vector<AuditedRow>&& rows);

  size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  std::vector<AuditedRow> take();

 private:
  // Where they stand in a row of one relation.
  struct Columns {
    change::RelationPtr relation;
    bool mapped = false;
    std::vector<size_t> key;
    std::optional<size_t> tenant;
  };
  const Columns& columns_of(const change::RelationPtr& relation);

  Model& model_;
  std::map<change::Oid, Columns> columns_;
  std::vector<AuditedRow> rows_;
};

}  // namespace cnx::mapping
