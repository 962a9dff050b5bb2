// What is ours in the graph beside the rows themselves — constraints, the position — and the removal of all that is ours
// and nothing else. Set-up work: everything blocks, by statement, until a deadline of its own.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "apply/segments.hpp"
#include "bolt/connection.hpp"
#include "cypher/plan.hpp"
#include "mapping/model.hpp"

namespace cnx::pipeline {

// The store's own identity: another one means another graph under the same address.
Result<std::string> read_graph_identity(bolt::Connection& connection);

// Makes the constraints that are missing, those of the position nodes included, and the mapping's indexes, and waits until they
// are online (R4). Nodes that share a key stop it, and are named by label and key property; so does an index in
// their place, by its name.
Status make_constraints(bolt::Connection& connection, const mapping::Model& model);
Status drop_constraints(bolt::Connection& connection, const mapping::Model& model);
// The names of all constraints of the database, ours or not; and of ours that another's constraint, which a sink's owner made of
// the same label and property, stands for: Neo4j makes no second one.
Result<std::set<std::string>> read_constraint_names(bolt::Connection& connection);
std::vector<cypher::Text> all_constraint_texts(const mapping::Model& model);

struct OursInGraph {
  size_t nodes = 0;
  size_t relationships = 0;
};
Result<OursInGraph> count_ours(bolt::Connection& connection, const mapping::Model& model);

struct ClearedGraph {
  size_t relationships = 0;
  size_t nodes = 0;
  size_t kept_stubs = 0;  // Others' properties or relationships hang on them.
};
// Removes the relationships that the mapping writes between its labels, and the nodes of its labels; a node on which
// others' properties or relationships hang stays as a stub with its key and tenant. In transactions of bounded size, and
// harmless to repeat. `known_properties`: by node table, every name that we may have written, but the key's and the tenant's.
Result<ClearedGraph> clear_ours(bolt::Connection& connection, const mapping::Model& model,
                                const std::vector<std::vector<std::string>>& known_properties);

// Removes what a table's rows made, as clear_ours does, for a copy that reads the table again: relationships of other
// tables' rows stay, on stubs where need be, and stubs that nothing needs go. As the copy's owner: ErrorKind::state where
// there is a new one.
Status clear_table(bolt::Connection& connection, const mapping::Model& model,
                   const std::vector<std::vector<std::string>>& known_properties, const mapping::TableName& table,
                   const apply::CopyOwner& owner);

}  // namespace cnx::pipeline
