// What a mapping file says, as data: which table becomes which node or relationship. Read from YAML
// by mapping/load, held against a table's columns by mapping/bind. The engine knows no table by
// name; it knows rules.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "change/value.hpp"
#include "mapping/conflict_rule.hpp"
#include "postgres/quote.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::mapping {

// A table is the pair (schema, name), never a joined string.
using postgres::TableName;

// Text with columns in it: "postgres://content_items/{id}". A NULL column makes the whole property
// null.
struct Template {
  struct Part {
    bool is_column = false;
    std::string text;  // The literal text, or the column's name.
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> parts;
  friend bool operator==(const Template&, const Template&) = default;
};

// A property made from several columns, optionally chosen by one column's value.
struct ComputedProperty {
  std::string property;
  std::string choice_column;                              // Empty: `otherwise` always.
  std::vector<std::pair<std::string, Template>> choices;  // Value of choice_column → template.
  std::optional<Template> otherwise;                      // Absent and no choice fits: null.
};

enum class Naming { camel_case, as_is };

// What a property asks of its column's value, by the property's name; one that is not here takes the form of the column's
// type. `ValueForm::text` is PostgreSQL's own text.
using AskedForms = std::map<std::string, postgres::ValueForm>;

// As the mapping language says the forms; none where it has no such word.
std::optional<postgres::ValueForm> find_form(std::string_view word);
std::string_view to_word(postgres::ValueForm form);

// Property → a value that the mapping says, the same for every row: text, integer, float or boolean.
using Constants = std::map<std::string, change::Value>;

// The properties of a relationship: those that are listed.
struct ListedProperties {
  std::map<std::string, std::string> columns;  // Property → column.
  AskedForms forms;
  Constants constants;
  bool empty() const { return columns.empty() && constants.empty(); }
  friend bool operator==(const ListedProperties&, const ListedProperties&) = default;
};

// Which columns become properties and how they are called. A column is a property under its own
// name (property_name) where it is not excluded, and under each name that `renamed` gives it,
// excluded or not: a column that a mapping renames is in both. No column is both excluded and
// included.
struct PropertyRules {
  bool all = true;                 // False: only `renamed` and `included`.
  std::set<std::string> included;  // Columns, when not all.
  std::set<std::string> excluded;  // Columns that are no property under their own name.
  std::map<std::string, std::string>
      renamed;  // Property → column; a column may stand under several.
  AskedForms forms;  // Of properties of one column, under whatever name.
  Constants constants;
  std::vector<ComputedProperty> computed;
  // A column whose JSON object's fields are properties, each under its own name. Empty: none.
  std::string fields = {};
};

// A node that rows share: there while one of them names it. It has its key and no more, since two rows might say different
// things of it.
struct SharedNodeRule {
  std::string label;  // That finds the node, and is no table's.
  std::vector<std::string> more_labels;
  std::vector<std::string> properties;  // Of the key's columns, in their order.
  friend bool operator==(const SharedNodeRule&, const SharedNodeRule&) = default;
};

// A foreign key of a node's table: one relationship per row.
struct ForeignKeyRule {
  std::string type;                  // HAS_CHUNK
  std::vector<std::string> columns;  // Of this table, in the order of the other table's key.
  TableName other;                   // The table whose node is the other end.
  bool incoming = true;              // True: (other)-[type]->(this); false: (this)-[type]->(other).
  ListedProperties properties;
  std::optional<SharedNodeRule> shared = {};  // The other end, in the place of a table's node.
};

// A name (a label, a type) chosen by a column's value.
struct ValueChoice {
  std::string column;
  std::map<std::string, std::string, std::less<>> names;  // Value → name.
  std::optional<std::string> if_null;    // None: NULL is like every other value.
  std::optional<std::string> otherwise;  // For every other value. None: no name then.

  // Each name once.
  std::set<std::string> all() const;
};

struct NodeRule {
  std::string label;  // That finds the node: it carries the key's constraint, and stubs have no other.
  std::vector<std::string> more_labels = {};  // Of every node.
  std::optional<ValueChoice> labels = {};     // And one by value.
  std::vector<std::string> key;  // Columns, in key order.
  PropertyRules properties;
  std::vector<ForeignKeyRule> relationships;
  // Further nodes that a row has for itself: each has the row's key and one relationship, to the row's node.
  std::vector<NodeRule> parts = {};
};

struct RelationshipEnd {
  TableName table;                   // Whose node it is.
  std::vector<std::string> columns;  // Of this table, in the order of that table's key.
};

// A row that is itself a relationship. Its identity is the pair of its ends when its key is exactly
// their columns.
struct RelationshipRule {
  std::string type;                  // Empty where a value chooses it.
  std::optional<ValueChoice> types = {};
  RelationshipEnd start;
  RelationshipEnd end;
  std::vector<std::string> key;  // Columns, in key order.
  ListedProperties properties;

  // The type, or those that a value may choose.
  std::set<std::string> all_types() const;
};

enum class IndexKind { range, text, fulltext, point, vector };
// None where the mapping language has no such word.
std::optional<IndexKind> find_index_kind(std::string_view word);
std::string_view to_word(IndexKind kind);

// An index of the graph's that the mapping asks for, over the table's label or type. It changes nothing of what is written, and so
// is no part of the fingerprint.
struct IndexRule {
  IndexKind kind = IndexKind::range;
  std::vector<std::string> properties;  // One, but of range and fulltext.
  int dimensions = 0;                   // Of a vector: 1 … 4096.
  std::string similarity;               // Of a vector: cosine, euclidean.
  std::string label = {};               // Of a further node of the rows. Empty: the table's own.
  friend bool operator==(const IndexRule&, const IndexRule&) = default;
};

struct TableRule {
  TableName table;
  std::variant<NodeRule, RelationshipRule> form;
  std::string version_column;  // Empty: no guard.
  std::string tenant_column;   // Empty: no tenant.
  ConflictRule conflict = {};
  std::optional<std::string>
      cypher;  // A statement of the user's own in place of the generated upsert; gets $rows.
  std::vector<IndexRule> indexes = {};
  std::string where = {};  // SQL: only rows for which it holds are in the graph. Empty: all.
  // Columns that the table's own rule names: each must exist. A column that only the file's
  // `defaults` name (version, tenant, exclude) and that the table does not have is passed over.
  std::set<std::string> named = {};
  int line = 0;  // Where the rule stands in the mapping file, for messages.
};

struct Mapping {
  std::string name;
  Naming naming = Naming::camel_case;
  std::string tenant_property = "tenantId";
  std::vector<TableRule> tables;
  // Tables that are named so that nobody wonders, and have no form in the graph.
  std::vector<TableName> unmapped;
  std::string fingerprint;  // SHA-256 in hexadecimal of the rules as they are understood, not of
                            // the file's layout.

  const TableRule* find(const TableName& table) const;
  // Of `tables`, in their order.
  std::vector<TableName> table_names() const;
};

// created_at → createdAt, under Naming::camel_case; unchanged otherwise.
// Underscores within a name go, and the letter or digit behind them is raised; those at its start
// and end stay.
std::string property_name(Naming naming, std::string_view column);

// What a flattened property's fields begin with: they are `<property>_<field>`.
std::string field_prefix(std::string_view property);
// Those of `forms` that are flattened.
std::vector<std::string> flattened(const AskedForms& forms);
// The columns that the rules make properties of, by name; those under their own names apart where all of them are.
std::set<std::string> columns_of(const PropertyRules& rules);
// The flattened property one of whose fields `property` would be taken for; none: its name is free.
std::optional<std::string> field_owner(const AskedForms& forms, std::string_view property);

// The properties that a column becomes, computed ones apart: its own name first, then those of
// `renamed` in order.
std::vector<std::string> properties_of(const PropertyRules& rules, Naming naming,
                                       const std::string& column);

}  // namespace cnx::mapping
