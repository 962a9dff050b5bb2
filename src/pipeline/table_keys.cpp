#include "pipeline/table_keys.hpp"

#include <algorithm>
#include <charconv>

#include "capture/snapshot/snapshot_stage.hpp"
#include "mapping/sha256.hpp"
#include "postgres/quote.hpp"

namespace cnx::pipeline {
namespace {

using change::DatumView;

constexpr Duration kStatementMax = std::chrono::seconds(60);
// A table's keys are read in one transaction.
constexpr Duration kKeysMax = std::chrono::hours(12);
constexpr const char* kFetch = "FETCH 20000 FROM contextnexus_keys";

// Columns of the relation that the key is made of.
std::vector<uint16_t> key_columns(const mapping::Binding& binding) {
  std::vector<uint16_t> columns;
  auto add = [&](const mapping::BoundKey& key) {
    for (uint16_t column : key.columns) {
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    }
  };
  if (binding.node != nullptr) {
    add(binding.key);
  } else {
    add(binding.start);
    add(binding.end);
    if (!binding.relationship->key_is_pair) add(binding.key);
  }
  return columns;
}

// None where the row makes nothing.
Result<std::optional<EntityKey>> entity_key(const mapping::Binding& binding, const std::vector<DatumView>& row) {
  if (binding.node != nullptr) {
    CNX_TRY(mapping::Key key, mapping::project_key(binding, binding.key, row));
    return std::optional<EntityKey>(EntityKey{std::move(key)});
  }
  CNX_TRY(std::optional<mapping::Key> start, mapping::project_foreign_key(binding, binding.start, row));
  CNX_TRY(std::optional<mapping::Key> end, mapping::project_foreign_key(binding, binding.end, row));
  if (!start || !end) return std::optional<EntityKey>();
  EntityKey key{std::move(*start), std::move(*end)};
  if (!binding.relationship->key_is_pair) {
    CNX_TRY(std::string own, mapping::project_key_text(binding, binding.key, row));
    key.emplace_back(std::move(own));
  }
  return std::optional<EntityKey>(std::move(key));
}

uint64_t number_of(std::string_view hexadecimal) {
  uint64_t number = 0;
  std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), number, 16);
  return number;
}

}  // namespace

KeyDigest digest(const EntityKey& key) {
  std::string text;
  for (const mapping::Key& part : key) {
    if (const auto* number = std::get_if<int64_t>(&part)) {
      text += "i" + std::to_string(*number) + ",";
    } else {
      const std::string& string = std::get<std::string>(part);
      text += "s" + std::to_string(string.size()) + ":" + string;
    }
  }
  const std::string hexadecimal = mapping::sha256_hex(text);
  return {number_of(std::string_view(hexadecimal).substr(0, 16)), number_of(std::string_view(hexadecimal).substr(16, 16))};
}

void TableKeys::begin(size_t slice) {
  slice_ = slice;
  digests_.clear();
}

void TableKeys::end() { std::sort(digests_.begin(), digests_.end()); }

Status TableKeys::add(postgres::Session& session, const postgres::Table& table, const mapping::Binding& binding,
                      TimePoint deadline) {
  const std::vector<uint16_t> columns = key_columns(binding);
  std::string list;
  for (uint16_t column : columns) {
    list += (list.empty() ? "" : ", ") + postgres::quote_identifier(binding.relation->columns[column].name);
  }
  // As for the copy: hidden rows are an error, unless a policy admits us to all (R5).
  CNX_TRY(session.execute(table.row_security_applies ? "SET LOCAL row_security = on" : "SET LOCAL row_security = off",
                          deadline));
  CNX_TRY(session.execute("DECLARE contextnexus_keys NO SCROLL CURSOR FOR SELECT " + list + " FROM " +
                              postgres::own_rows(table) +
                              (table.filter.sql.empty() ? "" : " WHERE " + postgres::enclosed(table.filter.sql)),
                          deadline));
  std::vector<DatumView> row(binding.relation->columns.size());
  while (true) {
    CNX_TRY(postgres::Rows rows, session.query(kFetch, deadline));
    if (rows.empty()) break;
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t c = 0; c < columns.size(); ++c) {
        row[columns[c]] = rows.is_null(i, c) ? DatumView{} : DatumView{DatumView::Kind::text, rows.text(i, c)};
      }
      CNX_TRY(std::optional<EntityKey> key, entity_key(binding, row));
      if (!key) continue;
      const KeyDigest made = digest(*key);
      if (made[0] % slices_ == slice_) digests_.push_back(made);
    }
  }
  return session.execute("CLOSE contextnexus_keys", deadline);
}

namespace {

Result<mapping::Binding> bind(Catalog& catalog, const postgres::Table& table) {
  const change::RelationPtr relation = capture::relation_of(table);
  if (mapping::NodeTable* node = catalog.model->find_node(table.name)) return mapping::bind(*node, relation, catalog.types);
  return mapping::bind(*catalog.model->find_relationship(table.name), relation, catalog.types);
}

Status check_files(const KeySource& source, const postgres::Table& table) {
  CNX_TRY(std::string now, capture::read_table_files(source.session, table.oid, Clock::now() + kStatementMax));
  const auto before = source.files.find({table.name.schema, table.name.name});
  if (before != source.files.end() && before->second == now) return {};
  return fail(Error(ErrorKind::unavailable, "a table was rewritten while its keys were read")
                  .with("table", postgres::to_string(table.name)));
}

}  // namespace

Status for_each_slice(const KeySource& source, Catalog& catalog, const std::vector<const postgres::Table*>& tables,
                      const std::function<Result<bool>(const TableKeys&)>& work) {
  std::vector<mapping::Binding> bindings;
  uint64_t rows = 0;
  for (const postgres::Table* table : tables) {
    CNX_TRY(mapping::Binding binding, bind(catalog, *table));
    bindings.push_back(std::move(binding));
    CNX_TRY(uint64_t estimate, estimate_rows(source.session, *table, Clock::now() + kStatementMax));
    rows += estimate;
  }
  TableKeys keys(rows / TableKeys::kSliceKeys + 1);
  for (size_t slice = 0; slice < keys.slices(); ++slice) {
    keys.begin(slice);
    for (size_t i = 0; i < tables.size(); ++i) {
      CNX_TRY(keys.add(source.session, *tables[i], bindings[i], Clock::now() + kKeysMax));
      CNX_TRY(check_files(source, *tables[i]));
    }
    keys.end();
    CNX_TRY(bool goes_on, work(keys));
    if (!goes_on) return {};
  }
  return {};
}

bool TableKeys::is_missing(const EntityKey& key) const {
  const KeyDigest made = digest(key);
  return made[0] % slices_ == slice_ && !std::binary_search(digests_.begin(), digests_.end(), made);
}

}  // namespace cnx::pipeline
