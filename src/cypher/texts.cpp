#include "cypher/texts.hpp"

#include <set>

#include "cypher/patterns.hpp"
#include "cypher/quote.hpp"

namespace cnx::cypher {
namespace {

using mapping::ForeignKey;
using mapping::NodeTable;
using mapping::RelationshipTable;

// Where the row is refused, the graph having a newer version, its relationship stays too.
std::string unless_refused(const NodeTable& table) {
  if (table.version_property.empty()) return "";
  return " AND coalesce(c." + quote(table.version_property) + " <= row.v, true)";
}

ForeignKeyTexts foreign_key_texts(const NodeTable& table, const ForeignKey& key) {
  const std::string other_label = quote(key.other->node->label);
  const std::string name = table.node->label + "." + key.rule->type;
  ForeignKeyTexts texts;
  // The label of the other end is in the pattern: one type may have two meanings.
  const std::string path = arrow("r", key) + "(p:" + other_label + ")";
  const std::string remove = " DELETE r WITH p WHERE p." + quote(kStub) +
                             drop_lonely_stubs("p", stub_properties(*key.other));
  texts.unlink = {
      "unlink " + name,
      text("UNWIND $rows AS row MATCH " + node_pattern("c", table, "row.k") + path +
           " WHERE (row.o IS NULL OR p." + quote(key.other->key_property) + " <> row.o)" +
           unless_refused(table) + remove)};
  texts.unlink_all = {"unlink all " + name,
                      text("MATCH (c:" + quote(table.node->label) + ")" + path + remove)};
  if (!table.rule->cypher) return texts;
  // The end that others share is merged once a group.
  const std::string link = arrow("r", key);
  const std::string set = key.rule->properties.empty() ? "" : " SET r += row.p";
  const std::string child = node_pattern("c", table, "row.k");
  texts.link = {
      "link " + name,
      text("UNWIND $rows AS g MERGE " + node_pattern("p", *key.other, "g.o") +
           on_create_stub("p", *key.other, "g.n") + " WITH p, g UNWIND g.r AS row MATCH " + child +
           " MERGE (c)" + link + "(p)" + set)};
  if (!set.empty()) {
    texts.link_existing = {"link existing " + name,
                           text("UNWIND $rows AS g UNWIND g.r AS row OPTIONAL MATCH " + child +
                                link + node_pattern("p", *key.other, "g.o") +
                                " WITH r, CASE WHEN r IS NULL THEN 1/0 ELSE row END AS row" + set)};
  }
  return texts;
}

// The node is made, as a stub, only where there is something to take over. Its own properties win
// over those that the stub had, which are somebody else's.
std::string take_over(const NodeTable& table) {
  const std::string stub = quote(kStub);
  const std::string key = quote(table.key_property);
  return "UNWIND $rows AS row MATCH " + node_pattern("s", table, "row.t") + " WHERE s." + stub +
         " MERGE " + node_pattern("n", table, "row.f") + " ON CREATE SET n." + stub + " = true" +
         " WITH s, n, properties(n) AS own"
         " SET n += s {.*, " +
         key + ": own." + key + "} SET n += own, n." + stub + " = own." + stub +
         " WITH s, n"
         " CALL { WITH s, n MATCH (s)-[r]->(x) CREATE (n)-[q:$(type(r))]->(x) SET q = properties(r)"
         " DELETE r }"
         " CALL { WITH s, n MATCH (s)<-[r]-(x) CREATE (n)<-[q:$(type(r))]-(x) SET q = properties(r)"
         " DELETE r }"
         " DELETE s";
}

}  // namespace

NodeTexts node_texts(const NodeTable& table) {
  const std::string& label = table.node->label;
  const std::string key = quote(table.key_property);
  const std::string stub = quote(kStub);
  NodeTexts texts;
  texts.guarded = !table.version_property.empty();
  const std::string remove =
      " WITH n, COUNT {(n)--()} AS degree"
      " FOREACH (x IN CASE WHEN degree = 0 THEN [n] ELSE [] END | DELETE x)"
      " FOREACH (x IN CASE WHEN degree > 0 THEN [n] ELSE [] END | SET x += $clear SET x." +
      stub + " = true)";
  texts.remove = {"remove " + label,
                  text("UNWIND $rows AS row MATCH " + node_pattern("n", table, "row.k") + remove)};
  texts.remove_all = {"remove all " + label, text("MATCH (n:" + quote(label) + ") WHERE n." + key +
                                                  " IS NOT NULL" + remove)};
  texts.take_over = {"take over " + label, text(take_over(table))};
  texts.change_key = {"change key " + label,
                      text("UNWIND $rows AS row MATCH " + node_pattern("n", table, "row.f") +
                           " SET n." + key + " = row.t")};
  for (const ForeignKey& foreign : table.foreign_keys)
    texts.foreign_keys.push_back(foreign_key_texts(table, foreign));
  if (table.rule->cypher) texts.user = {"user's statement for " + label, *table.rule->cypher};
  return texts;
}

RelationshipTexts relationship_texts(const RelationshipTable& table) {
  const std::string& type = table.relationship->type;
  const std::string a = node_pattern("a", *table.start, "row.a");
  const std::string b = node_pattern("b", *table.end, "row.b");
  const std::string arrow = "-[r:" + quote(type) + "]->";
  std::set<std::string> ours = stub_properties(*table.start);
  ours.merge(stub_properties(*table.end));
  RelationshipTexts texts;
  texts.guarded = !table.version_property.empty();
  const std::string remove = " DELETE r WITH [n IN [a, b] WHERE n." + quote(kStub) +
                             "] AS stubs UNWIND stubs AS n" + drop_lonely_stubs("n", ours);
  texts.remove = {"remove " + type, text("UNWIND $rows AS row MATCH " + a + arrow + b + remove)};
  texts.remove_all = {"remove all " + type,
                      text("MATCH (a:" + quote(table.start->node->label) + ")" + arrow +
                           "(b:" + quote(table.end->node->label) + ")" + remove)};
  if (table.rule->cypher) texts.user = {"user's statement for " + type, *table.rule->cypher};
  return texts;
}

std::vector<Text> constraint_texts(const mapping::Model& model) {
  std::vector<Text> texts;
  std::set<std::pair<std::string, std::string>> made;
  for (const NodeTable& table : model.nodes()) {
    if (!made.insert({table.node->label, table.key_property}).second) continue;
    const std::string name = "contextnexus_" + table.node->label + "_" + table.key_property;
    texts.push_back({name, text("CREATE CONSTRAINT " + quote(name) +
                                " IF NOT EXISTS FOR (n:" + quote(table.node->label) +
                                ") REQUIRE n." + quote(table.key_property) + " IS UNIQUE")});
  }
  return texts;
}

}  // namespace cnx::cypher
