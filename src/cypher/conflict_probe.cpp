#include "cypher/conflict_probe.hpp"

#include "cypher/guard_texts.hpp"
#include "cypher/node_rows.hpp"
#include "cypher/quote.hpp"
#include "cypher/rows.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::Guard;
using mapping::LackingRow;

constexpr std::string_view kRows = "UNWIND $batch.rows AS row ";

// `pack_entity` writes the entries that find it, `entries` of them.
template <typename PackEntity>
Bytes pack_rows(const std::vector<const LackingRow*>& rows, uint32_t entries, std::string_view key_property, PackEntity pack_entity) {
  Bytes parameters;
  bolt::Packer packer(parameters);
  packer.map_header(1);
  pack_rows_header(packer, rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    packer.map_header(3 + entries);
    packer.string("i");
    packer.integer(static_cast<int64_t>(i));
    pack_entity(packer, *rows[i]);
    pack_base_entry(packer, rows[i]->base, key_property);
    packer.string("p");
    pack_map(packer, rows[i]->properties, Companions::when_unfit);
  }
  return parameters;
}

std::string found(const Guarded& guarded) {
  return " WITH " + guarded.variable + ", row WHERE " + guarded.met() + " RETURN row.i, properties(" + guarded.variable + ")";
}

}  // namespace

ConflictProbe conflict_probe(const mapping::NodeTable& table, const std::vector<const LackingRow*>& rows) {
  const Guarded guarded = guarded_node(table, Guard::decide, "row.p", "row.k");
  return {.text = text(std::string(kRows) + match_node("n", table, "row.k") + found(guarded)),
          .parameters = pack_rows(rows, 1, table.key_property, [](bolt::Packer& packer, const LackingRow& row) {
            pack_key_entry(packer, "k", row.node_key);
          })};
}

ConflictProbe conflict_probe(const mapping::RelationshipTable& table, const std::vector<const LackingRow*>& rows) {
  const Guarded guarded = guarded_relationship(table, Guard::decide);
  if (!table.key_is_pair) {
    return {.text = text(std::string(kRows) + match_own_key(table) + found(guarded)),
            .parameters = pack_rows(rows, 1, {}, [](bolt::Packer& packer, const LackingRow& row) {
              packer.string("y");
              packer.string(row.relationship_key.own);
            })};
  }
  return {.text = text(std::string(kRows) + match_node("a", *table.start, "row.a") + " " + match_node("b", *table.end, "row.b") +
                       " MATCH (a)-[r:" + quote(table.type) + "]->(b)" + found(guarded)),
          .parameters = pack_rows(rows, 2, {}, [](bolt::Packer& packer, const LackingRow& row) {
            pack_key_entry(packer, "a", row.relationship_key.start);
            pack_key_entry(packer, "b", row.relationship_key.end);
          })};
}

}  // namespace cnx::cypher
