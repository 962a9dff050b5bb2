#include "cypher/texts.hpp"

#include <set>

#include "cypher/leave_behind_texts.hpp"
#include "cypher/node_upsert_texts.hpp"
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::ForeignKey;
using mapping::NodeTable;
using mapping::RelationshipTable;

constexpr std::string_view kStub = "_cnx_stub";

ForeignKeyTexts foreign_key_texts(const NodeTable& table, const ForeignKey& key) {
  const std::string type = quote(key.rule->type);
  const std::string other_label = quote(key.other->node->label);
  const Arrow arrow(key);
  const std::string name = table.node->label + "." + key.rule->type;
  ForeignKeyTexts texts;
  const std::string link = arrow.left + "r:" + type + arrow.right;
  // The label of the other end is in the pattern: one type may have two meanings.
  const std::string path = link + "(p:" + other_label + ")";
  const std::string remove = " DELETE r WITH p WHERE " + is_for_ends("p", *key.other) +
                             drop_lonely_stubs("p", stub_properties(*key.other));
  const std::string other_key = "p." + quote(key.other->key_property);
  const std::string elsewhere = key.follows ? other_key + " <> row.o" : "NOT " + other_key + " IN row.o";
  texts.unlink = {
      "unlink " + name,
      text("UNWIND $batch.rows AS row " + match_node("c", table, "row.k") + " MATCH (c)" + link +
           "(p) WHERE " + only_where("p:" + other_label, "row.o IS NULL OR " + elsewhere) + remove)};
  texts.unlink_all = {"unlink all " + name,
                      text("MATCH (c:" + quote(table.node->label) + ")" + path + remove)};
  // The end that others share is merged once a group.
  const std::string set = key.rule->properties.empty()
                              ? std::string()
                              : " SET r += row.p" + drop_vanished("r", "row.p", flattened(key.rule->properties.forms));
  const std::string child = match_node("c", table, "row.k");
  texts.link = {
      "link " + name,
      text("UNWIND $batch.rows AS g MERGE " + node_pattern("p", *key.other, "g.o") +
           on_create_stub("p", *key.other, "g.n") + " WITH p, g UNWIND g.r AS row " + child +
           " MERGE (c)" + link + "(p)" + set)};
  if (key.columns.size() > 1 && key.shared != nullptr) {
    texts.undecided = {"look up " + name, text("UNWIND $batch.rows AS row RETURN CASE WHEN row.k IS NOT NULL THEN 1/0 ELSE 0 END AS found")};
  }
  if (!set.empty()) {
    texts.link_existing = {"link existing " + name,
                           text("UNWIND $batch.rows AS g UNWIND g.r AS row OPTIONAL " + child +
                                " OPTIONAL " + match_node("p", *key.other, "g.o") +
                                " OPTIONAL MATCH (c)" + link + "(p) WITH r, CASE WHEN r IS NULL THEN 1/0 ELSE row END AS row" + set)};
  }
  return texts;
}

// The node is made, as a stub, only where there is something to take over. Its own properties win
// over those that the stub had, which are somebody else's.
std::string take_over(const NodeTable& table) {
  const std::string stub = quote(kStub);
  const std::string key = quote(table.key_property);
  return "UNWIND $batch.rows AS row " + match_node("s", table, "row.t") + " WHERE s." + stub +
         " MERGE " + node_pattern("n", table, "row.f") + " ON CREATE SET n." + stub + " = true" +
         " WITH s, n, properties(n) AS own"
         " SET n += s {.*, " +
         key + ": own." + key + "} SET n += own, n." + stub + " = own." + stub +
         " WITH s, n"
         // Deleted first: a relationship's own key may be there once.
         " CALL { WITH s, n MATCH (s)-[r]->(x) WITH n, x, r, type(r) AS t, properties(r) AS p DELETE r"
         " WITH n, x, t, p CREATE (n)-[q:$(t)]->(x) SET q = p }"
         " CALL { WITH s, n MATCH (s)<-[r]-(x) WITH n, x, r, type(r) AS t, properties(r) AS p DELETE r"
         " WITH n, x, t, p CREATE (n)<-[q:$(t)]-(x) SET q = p }"
         " DELETE s";
}

}  // namespace

NodeTexts node_texts(const NodeTable& table) {
  const std::string& label = table.node->label;
  const std::string key = quote(table.key_property);
  const std::string stub = quote(kStub);
  NodeTexts texts;
  texts.guard = guard_of(table);
  const std::vector<Flattened> fields = flattened(table);
  const std::string remove =
      " WITH n, COUNT {(n)--()} AS degree"
      " FOREACH (x IN CASE WHEN degree = 0 THEN [n] ELSE [] END | DELETE x)"
      " FOREACH (x IN CASE WHEN degree > 0 THEN [n] ELSE [] END | SET x += $clear SET x." +
      stub + " = true" + drop_fields("x", fields) + drop_labels("x", table) + ")";
  texts.remove = {"remove " + label,
                  text("UNWIND $batch.rows AS row " + match_node("n", table, "row.k") + remove)};
  texts.remove_all = {"remove all " + label, text("MATCH (n:" + quote(label) + ") WHERE n." + key +
                                                  " IS NOT NULL" + remove)};
  texts.take_over = {"take over " + label, text(take_over(table))};
  texts.change_key = {"change key " + label,
                      text("UNWIND $batch.rows AS row " + match_node("n", table, "row.f") +
                           " SET n." + key + " = row.t")};
  for (const mapping::Reference& reference : table.staying) texts.leave_behind.push_back(leave_behind_text(table, reference));
  texts.insert = insert_text(table);
  texts.updates[texts.guard] = update_texts(table, texts.guard);
  // What cannot be decided is written over: a row that takes another key.
  if (texts.guard != mapping::Guard::none) texts.updates[mapping::Guard::overwrite] = update_texts(table, mapping::Guard::overwrite);
  for (const ForeignKey& foreign : table.foreign_keys)
    texts.foreign_keys.push_back(foreign_key_texts(table, foreign));
  for (size_t i = 0; i < table.foreign_keys.size() && !texts.linked; ++i) {
    if (table.foreign_keys[i].rule->properties.empty()) texts.linked = i;
  }
  if (texts.linked) {
    texts.insert_linked = insert_linked_text(table, table.foreign_keys[*texts.linked]);
  }
  if (table.rule->cypher) texts.user = {"user's statement for " + label, *table.rule->cypher};
  return texts;
}

std::string constraint_name(const NodeTable& table) {
  return "contextnexus_" + table.node->label + "_" + table.key_property;
}

std::vector<Text> constraint_texts(const mapping::Model& model) {
  std::vector<Text> texts;
  std::set<std::pair<std::string, std::string>> made;
  for (const NodeTable& table : model.nodes()) {
    if (!made.insert({table.node->label, table.key_property}).second) continue;
    const std::string name = constraint_name(table);
    texts.push_back({name, "CYPHER 5 CREATE CONSTRAINT " + quote(name) +
                                " IF NOT EXISTS FOR (n:" + quote(table.node->label) +
                                ") REQUIRE n." + quote(table.key_property) + " IS UNIQUE"});
  }
  for (const RelationshipTable& table : model.relationships()) {
    if (table.key_is_pair) continue;
    const std::string& type = table.type;
    const std::string key(mapping::kKeyProperty);
    const std::string name = "contextnexus_" + type + "_" + key;
    if (!made.insert({type, key}).second) continue;
    texts.push_back({name, "CYPHER 5 CREATE CONSTRAINT " + quote(name) + " IF NOT EXISTS FOR ()-[r:" + quote(type) +
                               "]-() REQUIRE r." + quote(key) + " IS UNIQUE"});
  }
  return texts;
}

}  // namespace cnx::cypher
