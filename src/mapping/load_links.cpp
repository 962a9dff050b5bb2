// Where relationships lead: the other ends of a table's rows, and the foreign keys of a node.
#include <utility>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

void read_foreign_key(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node) {
  check_name(draft.reader, field.key, NameKind::relationship_type);
  const std::string what = "the relationship `" + field.key.text + "`";
  auto map = draft.reader.map(field.value, field.mark, what);
  if (!map) return;
  Fields fields(draft.reader, *std::move(map), what, keys::kForeignKey);
  const MapEntry* from = fields.find("from");
  const MapEntry* to = fields.find("to");
  if ((from == nullptr) == (to == nullptr)) {
    draft.reader.fault(field.key.mark, what + " needs either `from` or `to`");
    return;
  }
  ForeignKeyRule foreign_key;
  foreign_key.type = field.key.text;
  foreign_key.incoming = from != nullptr;
  if (const MapEntry* properties = fields.find("properties")) {
    foreign_key.properties = read_property_columns(draft, *properties, rule.named);
  }
  auto end = read_end(draft, from != nullptr ? *from : *to, rule.named);
  if (!end) return;
  foreign_key.columns = std::move(end->columns);
  foreign_key.other = std::move(end->table);
  Edge edge{field.key.mark, rule.table, foreign_key.type, rule.table, foreign_key.other, true,
            false,          false};
  if (foreign_key.incoming) {
    std::swap(edge.start, edge.end);
    edge.from_end = true;
  }
  draft.edges.push_back(std::move(edge));
  node.relationships.push_back(std::move(foreign_key));
}

}  // namespace

std::vector<std::string> plain(const std::vector<Scalar>& scalars) {
  std::vector<std::string> texts;
  for (const Scalar& scalar : scalars) texts.push_back(scalar.text);
  return texts;
}

std::optional<RelationshipEnd> read_end(Draft& draft, const MapEntry& field,
                                        std::set<std::string>& named) {
  const std::string what = "`" + field.key.text + "`";
  auto map = draft.reader.map(field.value, field.mark, what);
  if (!map) return std::nullopt;
  if (map->size() != 1) {
    draft.reader.fault(field.mark, what + " must name one table and its columns",
                       "`" + field.key.text + ": {table: column}`");
    return std::nullopt;
  }
  const MapEntry& end = map->front();
  auto columns = draft.reader.texts(end.value, end.mark, "the columns of `" + end.key.text + "`");
  auto handle = draft.handles.find(end.key.text);
  if (handle == draft.handles.end()) {
    std::vector<std::string_view> known;
    for (const TableEntry& entry : draft.entries) {
      if (entry.form == Form::node) known.push_back(entry.handle);
    }
    draft.reader.fault(end.key.mark,
                       what + " names `" + end.key.text + "`, which is not under `tables`",
                       did_you_mean(end.key.text, known));
    return std::nullopt;
  }
  const TableEntry& other = draft.entries[handle->second];
  if (other.form == Form::relationship || other.form == Form::unmapped) {
    draft.reader.fault(end.key.mark, what + " names `" + end.key.text + "`, which becomes no node");
    return std::nullopt;
  }
  if (!columns) return std::nullopt;
  for (const Scalar& column : *columns) named.insert(column.text);
  draft.references.push_back({end.key.mark, other.table, columns->size()});
  return RelationshipEnd{other.table, plain(*columns)};
}

void read_foreign_keys(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node) {
  if (!field.value.IsSequence()) {
    draft.reader.fault(field.mark, "`relationships` must be a list",
                       "write `- TYPE: {from: {table: column}}`");
    return;
  }
  for (const auto& item : field.value) {
    auto map = draft.reader.map(item, field.mark, "a relationship");
    if (!map) continue;
    if (map->size() != 1) {
      YAML::Mark mark = map->empty() ? field.mark : map->front().key.mark;
      draft.reader.fault(mark, "an item of `relationships` has one key, its type",
                         "write `- TYPE: {from: {table: column}}`");
      continue;
    }
    read_foreign_key(draft, map->front(), rule, node);
  }
}

}  // namespace cnx::mapping
