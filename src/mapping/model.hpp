// The mapping held against the catalog: each table with its node or relationship, ends resolved,
// key properties chosen (R4). Made once at start; afterwards only the lists of property names grow,
// by one thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/key_form.hpp"
#include "mapping/mutation.hpp"
#include "mapping/rules.hpp"
#include "postgres/catalog.hpp"

namespace cnx::mapping {

// Property names of one table. Grows while relations are bound; an entry never moves and never
// changes, so other threads may read what a mutation points to.
class PropertyNames {
 public:
  const PropertyName* intern(const std::string& name, bool may_be_unfit, bool flattened = false);
  // What tells of an object whose fields stand under their own names; `companion` holds the text of one that does not fit.
  const PropertyName* intern_fields(const std::string& companion);
  // Every name met so far, for the removal of what is ours. Only the thread that interns may call
  // it.
  const std::deque<PropertyName>& all() const { return names_; }

 private:
  std::deque<PropertyName> names_;
};

struct ForeignKey {
  const ForeignKeyRule* rule = nullptr;
  const NodeTable* other = nullptr;
  NodeTable* shared = nullptr;  // The same, where it is a node that rows share.
  std::vector<std::string> columns;  // That find the other end. Where it is shared, the tenant's is the first.
  PropertyNames names;               // Of the relationship's properties.
  // The database moves the rows along where the row that they name takes another key (reference.hpp), and those of every other
  // table that makes the same relationships.
  bool follows = false;
};

// Rows that name a table's nodes by their key, and that nothing makes follow where a node takes another one: a foreign key of
// a node's table, or an end of rows that are relationships.
struct Reference {
  const NodeTable* child = nullptr;  // And `foreign_key`, by its place there; else `relationship`.
  size_t foreign_key = 0;
  const RelationshipTable* relationship = nullptr;
  bool at_start = false;  // Its end otherwise.
  // Its relationships, from the node that is named.
  std::string type = {};
  bool outgoing = false;
  const NodeTable* other = nullptr;
};
// Whether the graph tells the relationships of one from those of the other; tables may share a label.
bool same_relationships(const Reference& x, const Reference& y);

struct NodeTable {
  const TableRule* rule = nullptr;
  const NodeRule* node = nullptr;
  size_t index = 0;  // Among the model's node tables.
  Naming naming = Naming::camel_case;
  std::string key_property;  // The key column's own property, or `_cnx_key`.
  std::vector<KeyForm> key_forms;  // Of the key's columns, in order.
  bool integer_key = false;        // The key is one column of an integer type.
  std::string version_property;  // Empty: no guard.
  std::string timestamp_property;  // By which the last write wins.
  std::string tenant_column;     // Empty: no tenant.
  std::string tenant_property;
  std::deque<ForeignKey> foreign_keys;
  std::vector<Reference> staying;  // In the order of the model's tables.
  PropertyNames names;
  // A row's node, and the further ones that it has for itself, are tables of the model's each, of one rule.
  std::vector<NodeTable*> parts;
  const NodeTable* main = nullptr;  // Of a further one.
  // Nodes that rows share have a rule of the model's own, without a table and its rows: each is there as the other end of a
  // foreign key. Its properties, beside the key's, are of the columns of the key, one for each of `key_forms`.
  bool shared = false;
  std::vector<std::string> shared_properties = {};
  std::vector<postgres::Codec> shared_codecs = {};  // Of them, once a table was bound.
  // Where fields of an object are properties under their own names: names that no field may have. Empty elsewhere.
  std::set<std::string> own_names;
};

struct RelationshipTable {
  const TableRule* rule = nullptr;
  const RelationshipRule* relationship = nullptr;
  std::string type;
  size_t index = 0;
  // Of a rule whose rows choose a type by a value: one table for each type, this among them; else empty.
  std::vector<const RelationshipTable*> siblings;
  const NodeTable* start = nullptr;
  const NodeTable* end = nullptr;
  bool start_follows = false;  // As ForeignKey::follows.
  bool end_follows = false;
  bool key_is_pair = true;  // Else `_cnx_key` identifies it.
  std::vector<KeyForm> key_forms;  // Where `_cnx_key` does.
  std::string version_property;
  std::string timestamp_property;
  std::string tenant_column;    // Empty: no tenant.
  std::string tenant_property;  // Of a stub that it makes.
  PropertyNames names;
};

// What an UPDATE of the table does about conflicts. A statement of the user's own does as it likes.
template <typename Table>
Guard guard_of(const Table& table) {
  const bool finds = !table.rule->cypher && (!table.version_property.empty() || table.rule->conflict.detects_changes);
  return finds ? guard_of(table.rule->conflict.strategy) : Guard::none;
}
// And one of its rows: what replaces another is not compared, and a row that takes another key cannot be decided outside.
inline Guard guard_of(const NodeTable& table, const NodeUpsert& row) {
  const Guard guard = guard_of(table);
  const bool writes = row.overwrites || (guard == Guard::decide && !(row.key == row.key_before));
  return writes && guard != Guard::none ? Guard::overwrite : guard;
}
inline Guard guard_of(const RelationshipTable& table, const RelationshipUpsert& row) {
  const Guard guard = guard_of(table);
  return row.overwrites && guard != Guard::none ? Guard::overwrite : guard;
}
// Whether the graph is compared with the row as it was.
template <typename Table>
bool compares_old(const Table& table) {
  return guard_of(table) != Guard::none && table.rule->conflict.detects_changes;
}
// Whether its old rows are told along, where PostgreSQL tells them.
template <typename Table>
bool tells_old(const Table& table) {
  return compares_old(table) || (guard_of(table) != Guard::none && !table.rule->conflict.function.name.empty());
}

class Model {
 public:
  // `mapping` must outlive the model. ErrorKind::invalid names a table or column that is not as the
  // mapping says, ErrorKind::unsupported a key of a kind that this version does not do.
  static Result<std::unique_ptr<Model>> make(const Mapping& mapping,
                                             const std::vector<postgres::Table>& catalog);

  const Mapping& mapping() const { return *mapping_; }
  const std::deque<NodeTable>& nodes() const { return nodes_; }
  const std::deque<RelationshipTable>& relationships() const { return relationships_; }
  // Of the row's own node. Null where the table has no such form. Not const: binding a relation adds to the table's
  // property names.
  NodeTable* find_node(const TableName& table);
  // The first, where there are several.
  RelationshipTable* find_relationship(const TableName& table);

 private:
  explicit Model(const Mapping& mapping) : mapping_(&mapping) {}
  // The node at which a relationship of the rule's ends.
  Result<const NodeTable*> end_of(const TableRule& rule, const TableName& other);
  Status add_node(const TableRule& rule, const NodeRule& node, const std::vector<postgres::Table>& catalog);
  Status add_foreign_key(NodeTable& table, const ForeignKeyRule& rule, const std::vector<postgres::Table>& catalog);
  // The nodes that the foreign key's rule says are shared, as all rules say it that name them; ErrorKind::invalid where `by`,
  // the table `found`, says it otherwise.
  Result<NodeTable*> share(const NodeTable& by, const ForeignKey& key, const postgres::Table& found);
  Status add_relationships(const TableRule& rule, const RelationshipRule& relationship,
                           const std::vector<postgres::Table>& catalog);
  void find_staying();

  const Mapping* mapping_;
  std::deque<NodeTable> nodes_;
  std::deque<RelationshipTable> relationships_;
  std::deque<TableRule> shared_rules_;
  std::map<std::string, NodeTable*> shared_by_label_;
  std::map<TableName, NodeTable*> node_by_table_;
  std::map<TableName, RelationshipTable*> relationship_by_table_;
};

}  // namespace cnx::mapping
