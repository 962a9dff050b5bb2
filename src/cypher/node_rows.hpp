// One node as a statement's parameters hold it. Private to cypher/.
#pragma once

#include "cypher/pack.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// The flat map of a node: its key, its other properties, and no stub any more.
void pack_node(bolt::Packer& packer, const mapping::NodeTable& table, const mapping::NodeUpsert& row,
               Companions companions);
// The entry of the label that a value chooses: a list of it, or of none; null where the row does not tell.
void pack_label_entry(bolt::Packer& packer, const mapping::ChosenName& label);
// A row of its own: the flat map, beside the label that it chooses where the table's rows do.
void pack_row(bolt::Packer& packer, const mapping::NodeTable& table, const mapping::NodeUpsert& row,
              Companions companions);

}  // namespace cnx::cypher
