// The mapping held against the catalog: each table with its node or relationship, ends resolved,
// key properties chosen (R4). Made once at start; afterwards only the lists of property names grow,
// by one thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
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
  // Every name met so far, for the removal of what is ours. Only the thread that interns may call
  // it.
  const std::deque<PropertyName>& all() const { return names_; }

 private:
  std::deque<PropertyName> names_;
};

struct ForeignKey {
  const ForeignKeyRule* rule = nullptr;
  const NodeTable* other = nullptr;
  PropertyNames names;  // Of the relationship's properties.
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
  std::string tenant_column;     // Empty: no tenant.
  std::string tenant_property;
  std::deque<ForeignKey> foreign_keys;
  std::vector<Reference> staying;  // In the order of the model's tables.
  PropertyNames names;
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
  std::string tenant_column;    // Empty: no tenant.
  std::string tenant_property;  // Of a stub that it makes.
  PropertyNames names;
};

class Model {
 public:
  // `mapping` must outlive the model. ErrorKind::invalid names a table or column that is not as the
  // mapping says, ErrorKind::unsupported a key of a kind that this version does not do.
  static Result<std::unique_ptr<Model>> make(const Mapping& mapping,
                                             const std::vector<postgres::Table>& catalog);

  const Mapping& mapping() const { return *mapping_; }
  const std::deque<NodeTable>& nodes() const { return nodes_; }
  const std::deque<RelationshipTable>& relationships() const { return relationships_; }
  // Null where the table has no such form. Not const: binding a relation adds to the table's
  // property names.
  NodeTable* find_node(const TableName& table);
  // The first, where there are several.
  RelationshipTable* find_relationship(const TableName& table);

 private:
  explicit Model(const Mapping& mapping) : mapping_(&mapping) {}
  // The node at which a relationship of the rule's ends.
  Result<const NodeTable*> end_of(const TableRule& rule, const TableName& other);
  Status add_relationships(const TableRule& rule, const RelationshipRule& relationship,
                           const std::vector<postgres::Table>& catalog);
  void find_staying();

  const Mapping* mapping_;
  std::deque<NodeTable> nodes_;
  std::deque<RelationshipTable> relationships_;
  std::map<TableName, NodeTable*> node_by_table_;
  std::map<TableName, RelationshipTable*> relationship_by_table_;
};

}  // namespace cnx::mapping
