#include "cypher/node_rows.hpp"

#include <algorithm>

#include "cypher/rows.hpp"
#include "mapping/model.hpp"

namespace cnx::cypher {
namespace {

using mapping::NodeUpsert;

constexpr std::string_view kStub = "_cnx_stub";

}  // namespace

void pack_node(bolt::Packer& packer, const mapping::NodeTable& table, const NodeUpsert& row,
               Companions companions) {
  const bool has_key = std::any_of(
      row.properties.begin(), row.properties.end(),
      [&](const mapping::Property& each) { return each.name->name == table.key_property; });
  packer.map_header(entry_count(row.properties, companions) + (has_key ? 1 : 2));
  if (!has_key) pack_key_entry(packer, table.key_property, row.key);
  packer.string(kStub);
  packer.null();
  pack_entries(packer, row.properties, companions);
}

void pack_label_entry(bolt::Packer& packer, const mapping::ChosenName& label) {
  packer.string("l");
  if (!label.known) {
    packer.null();
    return;
  }
  packer.list_header(label.name == nullptr ? 0 : 1);
  if (label.name != nullptr) packer.string(*label.name);
}

void pack_row(bolt::Packer& packer, const mapping::NodeTable& table, const NodeUpsert& row, Companions companions) {
  if (table.node->labels) {
    packer.map_header(2);
    pack_label_entry(packer, row.label);
    packer.string("p");
  }
  pack_node(packer, table, row, companions);
}

}  // namespace cnx::cypher
