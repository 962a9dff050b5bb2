// The texts of a removal that is too large for one transaction: what asks for its size, and what
// does a bounded part of it. Parameters as in texts.hpp, and $max or $limit.
#pragma once

#include <string>
#include <vector>

#include "cypher/texts.hpp"

namespace cnx::cypher {

struct NodeRemovalTexts {
  // rows {k}, $max: fails with a division by zero where the nodes and those of their relationships
  // that foreign keys made are more. Empty where there are no foreign keys: then a row is a node.
  Text size;
  // By foreign key. rows {k}, $limit: removes so many relationships, says how many.
  std::vector<Text> unlink;
  // The same for all nodes of the table.
  std::vector<Text> unlink_all;
  // By the place in `staying`. rows {k, t, x}, $limit: as NodeTexts::leave_behind, so many; says how many.
  std::vector<Text> leave_behind;
  // rows {k, t, x}, $max: fails with a division by zero where the relationships that may have to go are more.
  std::vector<Text> left_sizes;
  // $clear, $limit: so many nodes of the table are deleted, or made stubs; says how many.
  Text remove_all;
};

struct RelationshipRemovalTexts {
  // rows {a, b}, $limit.
  Text remove;
  // $limit.
  Text remove_all;
};

NodeRemovalTexts node_removal_texts(const mapping::NodeTable& table);
RelationshipRemovalTexts relationship_removal_texts(const mapping::RelationshipTable& table);

// $max: fails with a division by zero where the tables together have more nodes and relationships
// than that. From the counts that Neo4j keeps, whatever the tables' sizes.
Text truncation_size_text(const std::vector<const mapping::NodeTable*>& nodes,
                          const std::vector<const mapping::RelationshipTable*>& relationships);

}  // namespace cnx::cypher
