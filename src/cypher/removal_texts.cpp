#include "cypher/removal_texts.hpp"

#include "cypher/leave_behind_texts.hpp"
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::ForeignKey;
using mapping::NodeTable;
using mapping::RelationshipTable;

constexpr std::string_view kStub = "_cnx_stub";

// "<-[r:TYPE]-" from the child's side.
std::string link_of(const ForeignKey& key, std::string_view variable) {
  const std::string relationship = "[" + std::string(variable) + ":" + quote(key.rule->type) + "]";
  return key.rule->incoming ? "<-" + relationship + "-" : "-" + relationship + "->";
}

// Continues a MATCH that binds r and the nodes `ends`: removes $limit of the relationships, and the
// stubs among their ends that lost the last one. `goes`: whether p is such a node.
std::string remove_some(const std::string& ends, const std::string& goes, const std::set<std::string>& ours) {
  return " WITH r, " + ends + " AS ends LIMIT $limit DELETE r" + count_done(goes, ours);
}

}  // namespace

NodeRemovalTexts node_removal_texts(const NodeTable& table) {
  const std::string& label = table.node->label;
  const std::string stub = quote(kStub);
  NodeRemovalTexts texts;
  std::string elements = "1";
  for (const ForeignKey& key : table.foreign_keys) {
    const std::string name = label + "." + key.rule->type;
    // Without the other end's label: a node keeps this count.
    elements += " + COUNT {(n)" + link_of(key, "") + "()}";
    const std::string path = link_of(key, "r") + "(p:" + quote(key.other->node->label) + ")";
    const std::string remove = remove_some("[p]", is_for_ends("p", *key.other), stub_properties(*key.other));
    texts.unlink.push_back({"unlink in pieces " + name,
                            text("UNWIND $batch.rows AS row " + match_node("c", table, "row.k") + " MATCH (c)" +
                                 link_of(key, "r") + "(p) WHERE " + only_where("p:" + quote(key.other->node->label), "true") +
                                 remove)});
    texts.unlink_all.push_back({"unlink all in pieces " + name,
                                text("MATCH (c:" + quote(label) + ")" + path + remove)});
  }
  if (!table.foreign_keys.empty()) {
    texts.size = {"size of the removal of " + label,
                  text("UNWIND $batch.rows AS row " + match_node("n", table, "row.k") +
                       fail_above_max("sum(" + elements + ")"))};
  }
  for (const mapping::Reference& reference : table.staying) {
    texts.leave_behind.push_back(leave_behind_in_pieces_text(table, reference));
    texts.left_sizes.push_back(left_size_text(table, reference));
  }
  texts.remove_all = {
      "remove all in pieces " + label,
      text("MATCH (n:" + quote(label) + ") WHERE n." + quote(table.key_property) +
           " IS NOT NULL AND n." + stub + " IS NULL WITH n LIMIT $limit WITH n, COUNT {(n)--()} AS degree"
           " FOREACH (x IN CASE WHEN degree = 0 THEN [n] ELSE [] END | DELETE x)"
           " FOREACH (x IN CASE WHEN degree > 0 THEN [n] ELSE [] END | SET x += $clear SET x." + stub +
           " = true" + drop_fields("x", flattened(table)) + drop_labels("x", table) + ") RETURN count(*) AS done")};
  return texts;
}

RelationshipRemovalTexts relationship_removal_texts(const RelationshipTable& table) {
  const std::string& type = table.type;
  std::set<std::string> ours = stub_properties(*table.start);
  ours.merge(stub_properties(*table.end));
  const std::string arrow = "-[r:" + quote(type) + "]->";
  const std::string remove = remove_some("[a, b]", "p." + quote(kStub), ours);
  const std::string by_ends = match_node("a", *table.start, "row.a") + " " +
                              match_node("b", *table.end, "row.b") + each_between(arrow);
  return {.remove = {"remove in pieces " + type,
                     text("UNWIND $batch.rows AS row " + (table.key_is_pair ? by_ends : match_own_key(table)) + remove)},
          .remove_all = {"remove all in pieces " + type,
                         text("MATCH (a:" + quote(table.start->node->label) + ")" + arrow + "(b:" +
                              quote(table.end->node->label) + ")" + remove)}};
}

Text truncation_size_text(const std::vector<const NodeTable*>& nodes,
                          const std::vector<const RelationshipTable*>& relationships) {
  std::string counts;
  auto add = [&](const std::string& pattern, std::string_view variable) {
    counts += (counts.empty() ? "MATCH " : " UNION ALL MATCH ") + pattern + " RETURN count(" +
              std::string(variable) + ") AS count";
  };
  for (const NodeTable* table : nodes) {
    add("(n:" + quote(table->node->label) + ")", "n");
    for (const ForeignKey& key : table->foreign_keys) {
      add("(:" + quote(table->node->label) + ")" + link_of(key, "r") + "()", "r");
    }
  }
  for (const RelationshipTable* table : relationships) {
    add("(:" + quote(table->start->node->label) + ")-[r:" + quote(table->type) + "]->()", "r");
  }
  return {"size of the truncation", text("CALL { " + counts + " }" + fail_above_max("sum(count)"))};
}

}  // namespace cnx::cypher
