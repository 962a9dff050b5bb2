// The mapping file as a whole: its head, its defaults, and the list of its tables. What a table
// says: load_table.cpp.
#include "mapping/load.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "mapping/draft.hpp"
#include "mapping/fingerprint.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

// A mapping of a thousand tables has some hundred kilobytes.
constexpr size_t kLongestFile = 4 * 1024 * 1024;

constexpr std::string_view kLanguageVersion = "1";

void read_naming(Draft& draft, Fields& file) {
  auto naming = file.text("naming");
  if (!naming) return;
  if (naming->text == "camelCase") {
    draft.mapping.naming = Naming::camel_case;
  } else if (naming->text == "as_is") {
    draft.mapping.naming = Naming::as_is;
  } else {
    std::string suggestion = did_you_mean(naming->text, keys::kNaming);
    draft.reader.fault(naming->mark, "`naming` is `camelCase` or `as_is`", std::move(suggestion));
  }
}

void read_defaults(Draft& draft, const MapEntry& entry) {
  auto map = draft.reader.map(entry.value, entry.mark, "`defaults`");
  if (!map) return;
  Fields fields(draft.reader, *std::move(map), "`defaults`", keys::kDefaults);
  if (auto key = fields.texts("key")) {
    for (Scalar& column : *key) draft.defaults.key.push_back(std::move(column.text));
  }
  if (auto version = fields.text("version")) draft.defaults.version = version->text;
  if (auto tenant = fields.text("tenant")) draft.defaults.tenant = tenant->text;
  if (auto exclude = fields.texts("exclude")) draft.defaults.exclude = *std::move(exclude);
  if (const MapEntry* conflict = fields.find("conflict")) {
    std::set<std::string> unnamed;  // A column that only the defaults name, a table may lack.
    draft.defaults.conflict = read_conflict(draft, *conflict, unnamed);
  }
}

void read_head(Draft& draft, Fields& file, const YAML::Mark& top) {
  if (file.find("version") == nullptr) {
    draft.reader.fault(top, "the language's version is missing", "begin with `version: 1`");
  } else if (auto version = file.text("version"); version && version->text != kLanguageVersion) {
    draft.reader.fault(version->mark, "this program reads version 1 of the mapping language");
  }
  if (auto name = file.text("name")) {
    draft.mapping.name = name->text;
  } else if (file.find("name") == nullptr) {
    draft.reader.fault(top, "the mapping has no name", "add `name: …`");
  }
  if (auto schema = file.text("schema")) draft.schema = schema->text;
  read_naming(draft, file);
  if (const MapEntry* defaults = file.find("defaults")) read_defaults(draft, *defaults);
  if (auto property = file.text("tenant_property")) {
    check_name(draft.reader, *property, NameKind::property);
    draft.mapping.tenant_property = property->text;
  } else if (!draft.defaults.tenant.empty()) {
    draft.mapping.tenant_property = property_name(draft.mapping.naming, draft.defaults.tenant);
  }
}

bool has(const std::vector<MapEntry>& entries, std::string_view key) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const MapEntry& entry) { return entry.key.text == key; });
}

// What an entry becomes, by the one key that says so; none or two of them are faults.
Form read_form(Draft& draft, const TableEntry& entry) {
  constexpr std::array kForms = {std::pair("node", Form::node),
                                 std::pair("relationship", Form::relationship),
                                 std::pair("graph", Form::unmapped)};
  Form form = Form::unknown;
  int found = 0;
  for (const auto& [key, meaning] : kForms) {
    if (!has(entry.entries, key)) continue;
    if (found++ == 0) form = meaning;
  }
  if (found > 1) {
    draft.reader.fault(entry.mark, "`" + entry.handle +
                                       "` is to be more than one of `node`, "
                                       "`relationship` and `graph: none`");
    return Form::unknown;
  }
  if (found == 1) return form;
  constexpr std::array kWords = {keys::Word("node"), keys::Word("relationship"),
                                 keys::Word("graph")};
  for (const MapEntry& field : entry.entries) {
    std::string suggestion = did_you_mean(field.key.text, kWords);
    if (suggestion.empty()) continue;
    draft.reader.fault(field.key.mark, "unknown key `" + field.key.text + "` in a table",
                       std::move(suggestion));
    return Form::unknown;
  }
  draft.reader.fault(
      entry.mark, "`" + entry.handle + "` says neither `node` nor `relationship`",
      "write `" + entry.handle + ": none` for a table that has no form in the graph");
  return Form::unknown;
}

std::string text_or(Draft& draft, const std::vector<MapEntry>& entries, std::string_view key,
                    const std::string& otherwise) {
  for (const MapEntry& entry : entries) {
    if (entry.key.text != key) continue;
    auto text = draft.reader.text(entry.value, entry.mark, "`" + std::string(key) + "`");
    if (text) return text->text;
  }
  return otherwise;
}

void read_entry(Draft& draft, MapEntry& field) {
  TableEntry entry{field.key.text, {}, Form::unknown, field.key.mark, {}};
  const std::string what = "the table `" + entry.handle + "`";
  if (field.value.IsScalar() && field.value.Scalar() == "none") {
    entry.form = Form::unmapped;
  } else if (!field.value.IsMap()) {
    draft.reader.fault(field.mark, what + " must be a map or `none`");
  } else if (auto map = draft.reader.map(field.value, field.mark, what)) {
    entry.entries = *std::move(map);
    entry.form = read_form(draft, entry);
  }
  entry.table = {text_or(draft, entry.entries, "schema", draft.schema),
                 text_or(draft, entry.entries, "table", entry.handle)};
  if (entry.table.name == entry.handle && entry.handle.find('.') != std::string::npos &&
      !has(entry.entries, "schema")) {
    draft.reader.fault(entry.mark, "a dot in `" + entry.handle + "` does not separate a schema",
                       "say `schema:` and `table:` inside the entry");
  }
  draft.handles.emplace(entry.handle, draft.entries.size());
  draft.entries.push_back(std::move(entry));
}

void read_tables(Draft& draft, const MapEntry& field) {
  auto map = draft.reader.map(field.value, field.mark, "`tables`");
  if (!map) return;
  for (MapEntry& table : *map) read_entry(draft, table);
  if (map->empty()) draft.reader.fault(field.mark, "`tables` is empty");
  std::map<TableName, const TableEntry*> by_table;
  for (const TableEntry& entry : draft.entries) {
    auto [first, is_new] = by_table.emplace(entry.table, &entry);
    if (is_new) continue;
    draft.reader.fault(entry.mark, "the table " + to_string(entry.table) +
                                       " is mapped twice, first in line " +
                                       std::to_string(first->second->mark.line + 1));
  }
  for (const TableEntry& entry : draft.entries) read_table(draft, entry);
}

void read_file(Draft& draft, std::string_view text) {
  YAML::Node root = YAML::Load(std::string(text));
  YAML::Mark top = root.Mark();
  if (top.is_null() || root.IsNull()) {
    top.pos = top.line = top.column = 0;
  }
  auto map = draft.reader.map(root, top, "a mapping file");
  if (!map) return;
  Fields file(draft.reader, *std::move(map), "a mapping file", keys::kFile);
  read_head(draft, file, top);
  if (const MapEntry* tables = file.find("tables")) {
    read_tables(draft, *tables);
  } else {
    draft.reader.fault(top, "the mapping has no `tables`");
  }
  check_tables(draft);
}

}  // namespace

tl::expected<Mapping, std::vector<Fault>> load(std::string_view yaml_text,
                                               std::string_view file_name) {
  Draft draft(file_name);
  YAML::Mark nowhere = YAML::Mark::null_mark();
  if (yaml_text.size() > kLongestFile) {
    draft.reader.fault(nowhere, "the file is longer than 4 MiB");
    return tl::unexpected(draft.reader.take_faults());
  }
  try {
    read_file(draft, yaml_text);
  } catch (const YAML::Exception& error) {
    draft.reader.fault(error.mark, "not YAML: " + error.msg);
  } catch (const std::exception& error) {
    draft.reader.fault(nowhere, std::string("cannot be read: ") + error.what());
  }
  if (draft.reader.fault_count() > 0) return tl::unexpected(draft.reader.take_faults());
  draft.mapping.fingerprint = fingerprint(draft.mapping);
  return std::move(draft.mapping);
}

}  // namespace cnx::mapping
