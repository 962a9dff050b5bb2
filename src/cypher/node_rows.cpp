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

void pack_base_entry(bolt::Packer& packer, const mapping::Properties& base, std::string_view key_property) {
  packer.string("u");
  if (base.empty()) {
    packer.null();
    return;
  }
  mapping::Properties told;
  for (const mapping::Property& each : base) {
    if (each.name->name != key_property) told.push_back(each);
  }
  pack_map(packer, told, Companions::when_unfit);
}

void pack_row(bolt::Packer& packer, const mapping::NodeTable& table, const NodeUpsert& row, Companions companions) {
  const bool compares = compares_old(table);
  if (table.node->labels || compares) {
    packer.map_header(1u + (table.node->labels ? 1 : 0) + (compares ? 1 : 0));
    if (table.node->labels) pack_label_entry(packer, row.label);
    if (compares) pack_base_entry(packer, row.base, table.key_property);
    packer.string("p");
  }
  pack_node(packer, table, row, companions);
}

}  // namespace cnx::cypher
