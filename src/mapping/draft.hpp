// A mapping file half read: the rules so far, and what is still to be held against the other
// tables, with its place. Shared by the parts of load; nobody else's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mapping/rules.hpp"
#include "mapping/yaml_reader.hpp"

namespace cnx::mapping {

enum class Form { node, relationship, unmapped, unknown };

// An entry of `tables:`. Other tables refer to it by its key there.
struct TableEntry {
  std::string handle;
  TableName table;
  Form form = Form::unknown;
  YAML::Mark mark;  // Of the handle.
  std::vector<MapEntry> entries;
};

// What the file says for all tables.
struct Defaults {
  std::vector<std::string> key;
  std::string version;
  std::string tenant;
  std::vector<Scalar> exclude;
  ConflictRule conflict;
};

// A place that refers to a node's table: its columns are as many as that table's key has.
struct Reference {
  YAML::Mark mark;
  TableName table;
  size_t column_count = 0;
};

// A place that makes a relationship of one type between two tables' nodes.
struct Edge {
  YAML::Mark mark;
  TableName by;  // The table whose rows make it.
  std::string type;
  TableName start;
  TableName end;
  bool foreign_key = false;
  bool from_end =
      false;  // A foreign key of the table at the relationship's end; else of the one at its start.
  bool pair = false;  // A relationship's table whose rows are identified by their two ends.
};

struct Label {
  YAML::Mark mark;
  TableName table;
};

// That finds a further node of a row. `shared`: nodes that other tables' rows may name as well.
struct PartLabel {
  YAML::Mark mark;
  std::string label;
  std::optional<SharedNodeRule> shared;
};

// A label that does not find its node.
struct NamedLabel {
  YAML::Mark mark;
  std::string name;
};

// An index, on a label or a type.
struct DraftIndex {
  YAML::Mark mark;
  std::string on;  // "(:Label)" or "[:TYPE]".
  IndexRule rule;
};

struct Draft {
  explicit Draft(std::string_view file) : reader(file) {}

  YamlReader reader;
  Mapping mapping;
  std::string schema = "public";
  Defaults defaults;
  std::vector<TableEntry> entries;
  std::map<std::string, size_t> handles;  // Into `entries`.
  std::vector<Reference> references;
  std::vector<Edge> edges;
  std::vector<Label> labels;  // That find nodes.
  std::vector<PartLabel> part_labels;
  std::vector<NamedLabel> more_labels;
  std::vector<DraftIndex> indexes;
};

// `version`, `tenant`, `where`, `conflict` and `cypher`.
void read_common(Draft& draft, Fields& fields, TableRule& rule);

// `conflict` of a table or of the defaults.
ConflictRule read_conflict(Draft& draft, const MapEntry& entry, std::set<std::string>& named);

// One or more `property: column`, as a list of columns (named by `naming`) and single renamings, or
// as a map.
ListedProperties read_property_columns(Draft& draft, const MapEntry& field,
                                       std::set<std::string>& named);
// The `properties` of a node: renamings and computed ones. A renamed column loses its own name,
// unless that is listed too.
void read_node_properties(Draft& draft, const MapEntry& field, PropertyRules& properties,
                          std::set<std::string>& named);
// The same of a further node, which has no others: also as a list of columns and renamings.
void read_part_properties(Draft& draft, const MapEntry& field, PropertyRules& properties,
                          std::set<std::string>& named);
// The rules as they are meant: a renamed column keeps its own name only where that is listed too; the defaults exclude what the
// table does not ask for; key, version and tenant are there whatever `include` lists.
void settle_properties(Draft& draft, const TableRule& rule, NodeRule& node, const YAML::Mark& mark);
// Among the columns that the file names, no two may become one property, and none a name of the engine's. Columns that it does
// not name are held against the rules where the catalog is known.
void check_properties(Draft& draft, const NodeRule& node, const TableRule& rule, const YAML::Mark& mark);

// The value of `{constant: value}`; none where that is a fault.
std::optional<change::Value> read_constant(Draft& draft, const MapEntry& field, std::vector<MapEntry> map);

// A fault where `property`, by which the graph finds, guards or owns a row (`what`), asks for another form.
void check_forms(Draft& draft, const AskedForms& forms, std::string_view property, const char* what,
                 const YAML::Mark& mark);
// The fault of a property whose name is that of a field of another one.
void fault_field(Draft& draft, const std::string& property, const std::string& owner,
                 const YAML::Mark& mark);

// `{table: columns}`: the node of another table, and the columns of this one that hold its key.
std::optional<RelationshipEnd> read_end(Draft& draft, const MapEntry& field,
                                        std::set<std::string>& named);
// The `relationships` of a node.
void read_foreign_keys(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node);
// The `nodes` of a node: further ones of each row. Behind its relationships, key, version and tenant.
void read_nodes(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node);
// Labels that find such nodes, against all others.
void check_part_labels(Draft& draft);

// The `indexes` of a table whose rows become `on`: "(:Label)", or one of "[:TYPE]"; or of a further node of its rows.
void read_indexes(Draft& draft, const MapEntry& field, TableRule& rule, const std::vector<std::string>& on,
                  const std::string& further_label = {});
// One index that two tables ask for differently.
void check_indexes(Draft& draft);

enum class NameKind { property, label, relationship_type };
// `{column: c, when: {value: name}, otherwise: name}`; none where it has a fault.
std::optional<ValueChoice> read_value_choice(Draft& draft, const MapEntry& field, NameKind kind,
                                             std::set<std::string>& named);
// `node` and `labels`.
void read_labels(Draft& draft, Fields& fields, TableRule& rule, NodeRule& node);
// `relationship` of a row that is one; `mark` becomes its place.
void read_types(Draft& draft, Fields& fields, TableRule& rule, RelationshipRule& relationship, YAML::Mark& mark);
// Further labels that find nodes of another table.
void check_more_labels(Draft& draft);

// The scalars' texts, without their places.
std::vector<std::string> plain(const std::vector<Scalar>& scalars);

// A fault where the engine keeps such names for itself: `_cnx_…`, `…__pg`, labels `ContextNexus…`.
void check_name(YamlReader& reader, const Scalar& name, NameKind kind);

// The table's rule from the entry; faults in it leave it out, or leave it incomplete, which does
// not matter then.
void read_table(Draft& draft, const TableEntry& entry);

// What no table can know alone: ends and their keys, labels and relationships of two rules.
void check_tables(Draft& draft);

}  // namespace cnx::mapping
