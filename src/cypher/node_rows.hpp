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
// The entry of what a row was before, less its key; null where that is not known.
void pack_base_entry(bolt::Packer& packer, const mapping::Properties& base, std::string_view key_property);
// A row of its own: the flat map, beside the label that it chooses where the table's rows do, and what it was where that is
// compared.
void pack_row(bolt::Packer& packer, const mapping::NodeTable& table, const mapping::NodeUpsert& row,
              Companions companions);

}  // namespace cnx::cypher
