#include "pipeline/copy_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>

namespace cnx::pipeline {
namespace {

using change::KeyBound;
using change::KeyColumn;
using change::KeyOrder;
using change::Segment;

// Some seconds of copying: small enough to share a table among the workers, large enough that its own cost is nothing.
constexpr uint64_t kSegmentRows = 100'000;
constexpr size_t kSegmentsMax = 64;
// Of a table that was never analysed.
constexpr uint64_t kRowBytesGuess = 100;
constexpr uint32_t kUuid = 2950;

std::optional<KeyOrder> order_of(const postgres::TableColumn& column) {
  constexpr uint32_t kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kVarchar = 1043;
  switch (column.type.value()) {
    case kInt2:
    case kInt4:
    case kInt8:
      return KeyOrder::integer;
    case kBytea:
    case kUuid:
      return KeyOrder::bytes;
    case kText:
    case kVarchar:
      if (column.collation == "C" || column.collation == "POSIX") return KeyOrder::bytes;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

const std::vector<std::string>& mapped_key(const mapping::Model& model, const postgres::Table& table) {
  const mapping::TableRule& rule = *model.mapping().find(table.name);
  if (const auto* node = std::get_if<mapping::NodeRule>(&rule.form)) return node->key;
  return std::get<mapping::RelationshipRule>(rule.form).key;
}

// What statistics there are of the key's first column: ascending, in equal distances.
Result<std::vector<std::string>> histogram(postgres::Session& session, const postgres::Table& table,
                                           const std::string& column, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT s.histogram_bounds::text::text[] FROM pg_catalog.pg_stats s "
                        "WHERE s.schemaname = $1 AND s.tablename = $2 AND s.attname = $3 "
                        "AND s.inherited = $4::boolean AND s.histogram_bounds IS NOT NULL",
                        {table.name.schema, table.name.name, column,
                         table.kind == postgres::TableKind::partitioned ? "true" : "false"},
                        deadline));
  if (rows.empty()) return std::vector<std::string>();
  return rows.texts(0, 0);
}

// Where there are no statistics: a uuid is as likely to be anywhere.
std::vector<std::string> even_uuids(size_t parts) {
  std::vector<std::string> values;
  for (size_t i = 0; i <= parts; ++i) {
    const uint64_t at = std::min<uint64_t>((uint64_t{1} << 32) * i / parts, 0xFFFFFFFF);
    char text[48];
    std::snprintf(text, sizeof text, "%08x-0000-0000-0000-000000000000", static_cast<unsigned>(at));
    values.emplace_back(text);
  }
  return values;
}

// And integers lie between the least and the greatest.
Result<std::vector<std::string>> even_integers(postgres::Session& session, const postgres::Table& table,
                                               const std::string& column, size_t parts, TimePoint deadline) {
  std::vector<std::string> values;
  const std::string name = postgres::quote_identifier(column);
  CNX_TRY(postgres::Rows rows, session.query("SELECT min(" + name + "), max(" + name + ") FROM " +
                                                 postgres::own_rows(table),
                                             deadline));
  if (rows.is_null(0, 0)) return values;
  CNX_TRY(int64_t least, rows.integer(0, 0));
  CNX_TRY(int64_t greatest, rows.integer(0, 1));
  const uint64_t stride = (static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least)) / parts;
  for (size_t i = 0; i < parts; ++i) {
    values.push_back(std::to_string(static_cast<int64_t>(static_cast<uint64_t>(least) + stride * i)));
  }
  values.push_back(std::to_string(greatest));
  return values;
}

Result<std::vector<KeyBound>> bounds_of(postgres::Session& session, const postgres::Table& table,
                                        const KeyColumn& column, size_t parts, TimePoint deadline) {
  if (parts < 2) return std::vector<KeyBound>();
  CNX_TRY(std::vector<std::string> values, histogram(session, table, column.name, deadline));
  if (values.size() <= parts) {
    values.clear();
    if (table.column(column.name)->type.value() == kUuid) {
      values = even_uuids(parts);
    } else if (column.order == KeyOrder::integer && !table.row_security_applies) {
      CNX_TRY(values, even_integers(session, table, column.name, parts, deadline));
    }
  }
  return cut_at(values, column.order, parts);
}

}  // namespace

Result<uint64_t> estimate_rows(postgres::Session& session, const postgres::Table& table, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, "
                        "coalesce(sum(pg_catalog.pg_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c "
                        "WHERE c.relkind = 'r' AND (c.oid = $1::oid OR "
                        "c.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid) t))",
                        {std::to_string(table.oid.value())}, deadline));
  CNX_TRY(int64_t known, rows.integer(0, 0));
  CNX_TRY(int64_t bytes, rows.integer(0, 1));
  return known > 0 ? static_cast<uint64_t>(known) : static_cast<uint64_t>(bytes) / kRowBytesGuess;
}

std::vector<KeyColumn> ordered_key(const postgres::Table& table, const std::vector<std::string>& mapped_key) {
  const std::set<std::string> wanted(mapped_key.begin(), mapped_key.end());
  const std::vector<std::string> identity = table.identity_columns();
  for (const postgres::TableKey& key : table.keys) {
    if (!key.valid || !key.immediate || key.partial) continue;
    if (std::set<std::string>(key.columns.begin(), key.columns.end()) != wanted) continue;
    std::vector<KeyColumn> columns;
    for (const std::string& name : key.columns) {
      const postgres::TableColumn* column = table.column(name);
      if (column == nullptr || !column->not_null || column->generated) break;
      if (std::find(identity.begin(), identity.end(), name) == identity.end()) break;
      std::optional<KeyOrder> order = order_of(*column);
      if (!order) break;
      columns.push_back({name, *order});
    }
    if (columns.size() == key.columns.size()) return columns;
  }
  return {};
}

std::vector<const postgres::Table*> copy_order(const std::vector<const postgres::Table*>& tables, const mapping::Model& model) {
  std::map<mapping::TableName, const postgres::Table*> by_name;
  for (const postgres::Table* table : tables) by_name[table->name] = table;
  std::vector<const postgres::Table*> order;
  auto add = [&](const mapping::TableName& name) {
    if (auto found = by_name.find(name); found != by_name.end()) order.push_back(found->second);
  };
  std::set<size_t> met;
  std::function<void(const mapping::NodeTable&)> visit = [&](const mapping::NodeTable& node) {
    if (!met.insert(node.index).second) return;
    for (const mapping::ForeignKey& key : node.foreign_keys) visit(*key.other);
    const bool of_rows = node.main == nullptr && !node.shared;
    if (of_rows) add(node.rule->table);
  };
  for (const mapping::NodeTable& node : model.nodes()) visit(node);
  for (const mapping::RelationshipTable& table : model.relationships()) {
    const bool again = !table.siblings.empty() && table.siblings.front() != &table;
    if (!again) add(table.rule->table);
  }
  return order;
}

std::vector<KeyBound> cut_at(const std::vector<std::string>& values, KeyOrder order, size_t parts) {
  std::vector<KeyBound> bounds;
  if (values.size() <= parts) return bounds;
  const std::vector<KeyColumn> column = {{"", order}};
  for (size_t i = 1; i < parts; ++i) {
    KeyBound bound = {values[i * (values.size() - 1) / parts]};
    // A bound that is not above the one before it cuts nothing off.
    if (!bounds.empty()) {
      Result<std::strong_ordering> compared = compare_keys(column, bounds.back(), bound);
      if (!compared || *compared >= 0) continue;
    }
    bounds.push_back(std::move(bound));
  }
  return bounds;
}

Result<std::vector<Segment>> plan_segments(postgres::Session& session, const std::vector<const postgres::Table*>& tables,
                                           const mapping::Model& model, const TableFiles& files, TimePoint deadline) {
  std::vector<Segment> segments;
  for (const postgres::Table* table : copy_order(tables, model)) {
    Segment segment;
    segment.schema = table->name.schema;
    segment.table = table->name.name;
    segment.files = files.at({segment.schema, segment.table});
    segment.key_columns = ordered_key(*table, mapped_key(model, *table));
    CNX_TRY(uint64_t rows, estimate_rows(session, *table, deadline));
    std::vector<KeyBound> bounds;
    if (segment.ordered()) {
      const size_t parts = std::min<size_t>(rows / kSegmentRows, kSegmentsMax);
      CNX_TRY(bounds, bounds_of(session, *table, segment.key_columns.front(), parts, deadline));
    }
    segment.estimate = rows / (bounds.size() + 1);
    for (const KeyBound& bound : bounds) {
      segment.upto = bound;
      segments.push_back(segment);
      segment.above = bound;
    }
    segment.upto.clear();
    segments.push_back(std::move(segment));
  }
  return segments;
}

std::vector<Segment> continue_segments(std::vector<Segment> segments, const TableFiles& files,
                                       const TakenSnapshot& snapshot) {
  using Name = std::pair<std::string, std::string>;
  std::set<Name> anew;
  std::set<Name> written;
  for (const Segment& segment : segments) {
    const Name name{segment.schema, segment.table};
    auto now = files.find(name);
    const bool rewritten = now == files.end() || now->second != segment.files;
    if (rewritten || (!segment.ordered() && !segment.done)) anew.insert(name);
    if (segment.rows > 0 || segment.dirty) written.insert(name);
  }
  std::vector<Segment> next;
  for (Segment& segment : segments) {
    const Name name{segment.schema, segment.table};
    if (anew.contains(name)) {
      segment.dirty = written.contains(name);
      segment.done = false;
      auto now = files.find(name);
      segment.files = now == files.end() ? std::string() : now->second;
    } else if (segment.done) {
      next.push_back(std::move(segment));
      continue;
    } else if (!segment.last.empty()) {
      Segment copied = segment;
      copied.upto = segment.last;
      copied.done = true;
      copied.estimate = copied.rows;
      segment.above = segment.last;
      segment.estimate -= std::min(segment.estimate, segment.rows);
      next.push_back(std::move(copied));
    }
    segment.last.clear();
    segment.rows = 0;
    segment.snapshot = snapshot.text;
    segment.seen_until = snapshot.seen_until;
    next.push_back(std::move(segment));
  }
  return next;
}

}  // namespace cnx::pipeline
