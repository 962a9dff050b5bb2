// A table of the model held against one relation message: which datum becomes which property, and
// how its text is read. Rows are projected through it, one by one, without looking up a name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/event.hpp"
#include "mapping/model.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::mapping {

struct BoundProperty {
  uint16_t column = 0;
  const PropertyName* name = nullptr;
  postgres::Codec codec;
  // Where an object's fields are to be properties under their own names: those that are taken.
  const std::set<std::string>* own_names = nullptr;
};

struct BoundTemplate {
  struct Part {
    int column = -1;  // Negative: literal text.
    std::string text;
  };
  std::vector<Part> parts;
};

struct BoundComputed {
  const PropertyName* name = nullptr;
  int choice_column = -1;
  std::vector<std::pair<std::string, BoundTemplate>> choices;
  std::optional<BoundTemplate> otherwise;
};

struct BoundChoice {
  int column = -1;  // Negative: nothing is chosen.
  const ValueChoice* rule = nullptr;
};

struct BoundKey {
  std::vector<uint16_t> columns;
  std::vector<KeyForm> forms;  // Of the columns of the key that it is, or leads to.
};

struct BoundForeignKey {
  BoundKey key;
  std::vector<BoundProperty> properties;
  Properties constants;
  bool shared = false;               // The other end is a node that rows share.
  std::vector<BoundProperty> made;   // Of that, one for each column of the key; none where the key says it all.
};

// Immutable once made; shared by the rows of a batch.
struct Binding {
  const NodeTable* node = nullptr;  // One of the two.
  const RelationshipTable* relationship = nullptr;
  change::RelationPtr relation;
  BoundKey key;    // The row's own.
  BoundKey start;  // Of a relationship.
  BoundKey end;
  std::vector<BoundProperty> properties;
  std::vector<BoundComputed> computed;
  Properties constants;
  BoundChoice label;  // Of a node.
  BoundChoice type;   // Of a relationship.
  std::vector<BoundForeignKey> foreign_keys;
  int tenant_column = -1;
  // Of a further node of a row: it is there while one of these columns has a value. None: always.
  std::vector<uint16_t> needs;
  std::vector<Binding> parts;  // The further nodes of a row that the row has for itself.

  // Nodes and relationships that a row of it may touch.
  size_t elements() const;
};

// With the parts of a node. ErrorKind::invalid names the table and the column that the mapping uses and the relation lacks.
Result<Binding> bind(NodeTable& table, change::RelationPtr relation,
                     const postgres::TypeCatalog& types);
Result<Binding> bind(RelationshipTable& table, change::RelationPtr relation,
                     const postgres::TypeCatalog& types);

// A row's parts. Errors are ErrorKind::malformed with table and column, never the value.
Result<Key> project_key(const Binding& binding, const BoundKey& key,
                        const std::vector<change::DatumView>& row);
// The text of a key that stands under `_cnx_key`.
Result<std::string> project_key_text(const Binding& binding, const BoundKey& key,
                                     const std::vector<change::DatumView>& row);
// Whether the row has its node.
bool is_there(const Binding& binding, const std::vector<change::DatumView>& row);
// None where a column of the foreign key is NULL.
Result<std::optional<Key>> project_foreign_key(const Binding& binding, const BoundKey& key,
                                               const std::vector<change::DatumView>& row);

struct ProjectedProperties {
  Properties properties;
  bool lacks_columns = false;  // An unchanged TOAST column was passed over.
};
Result<ProjectedProperties> project_properties(const Binding& binding,
                                               const std::vector<BoundProperty>& properties,
                                               const std::vector<BoundComputed>& computed,
                                               const std::vector<change::DatumView>& row);
// All that the row says of its node or relationship; constants too.
Result<ProjectedProperties> project_row(const Binding& binding, const std::vector<change::DatumView>& row);
// The other end of the row's relationship by a foreign key, with the relationship's properties.
Result<ForeignEnd> project_foreign_end(const Binding& binding, const BoundForeignKey& foreign,
                                       const std::vector<change::DatumView>& row);
// Known and without a name where nothing is to be chosen.
ChosenName project_choice(const BoundChoice& choice, const std::vector<change::DatumView>& row);
std::optional<std::string> project_tenant(const Binding& binding,
                                          const std::vector<change::DatumView>& row);

}  // namespace cnx::mapping
