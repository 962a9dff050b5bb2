#include "cypher/leave_behind_texts.hpp"

#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::NodeTable;
using mapping::Reference;

constexpr std::string_view kStub = "_cnx_stub";

std::string name_of(const Reference& reference) {
  if (reference.child != nullptr) return reference.child->node->label + "." + reference.type;
  return reference.type + (reference.at_start ? " at its start" : " at its end");
}

// From the node that is named.
std::string pattern(const Reference& reference, std::string_view from, std::string_view variable, std::string_view to) {
  const std::string relationship = "[" + std::string(variable) + ":" + quote(reference.type) + "]";
  const std::string arrow = reference.outgoing ? "-" + relationship + "->" : "<-" + relationship + "-";
  return "(" + std::string(from) + ")" + arrow + "(" + std::string(to) + ")";
}

// Binds n to a node that gives up its key, and r to a relationship that does not go along, with c at its other end.
std::string match_staying(const NodeTable& table, const Reference& reference) {
  const bool own_key = reference.relationship != nullptr && !reference.relationship->key_is_pair;
  const std::string key = own_key ? "r." + quote(mapping::kKeyProperty) : "c." + quote(reference.other->key_property);
  return "UNWIND $batch.rows AS row " + match_node("n", table, "row.k") + " MATCH " + pattern(reference, "n", "r", "c") + " WHERE " +
         only_where("c:" + quote(reference.other->node->label), "NOT coalesce(" + key + " IN row.x, false)");
}

// Deleted first: a relationship's own key may be there once.
std::string move_to_waiting(const NodeTable& table, const Reference& reference) {
  const std::string tenant = table.tenant_property.empty() ? std::string() : "n." + quote(table.tenant_property);
  return " MERGE " + node_pattern("s", table, "row.t") + on_create_stub("s", table, tenant) +
         " WITH n, s, r, c, properties(r) AS p DELETE r WITH n, s, c, p CREATE " + pattern(reference, "s", "q", "c") +
         " SET q = p";
}

}  // namespace

Text leave_behind_text(const NodeTable& table, const Reference& reference) {
  return {"leave behind " + name_of(reference),
          text(match_staying(table, reference) + move_to_waiting(table, reference) + " WITH n WHERE n." + quote(kStub) +
               drop_lonely_stubs("n", stub_properties(table)))};
}

Text leave_behind_in_pieces_text(const NodeTable& table, const Reference& reference) {
  return {"leave behind in pieces " + name_of(reference),
          text(match_staying(table, reference) + " WITH row, n, r, c LIMIT $limit" + move_to_waiting(table, reference) +
               " WITH [n] AS ends" + count_done(is_for_ends("p", table), stub_properties(table)))};
}

// Each goes, and comes again elsewhere. Without the other end's label: a node keeps this count.
Text left_size_text(const NodeTable& table, const Reference& reference) {
  return {"size of what stays behind of " + name_of(reference),
          text("UNWIND $batch.rows AS row " + match_node("n", table, "row.k") +
               fail_above_max("sum(2 * COUNT {" + pattern(reference, "n", "", "") + "})"))};
}

}  // namespace cnx::cypher
