// The texts of rows that are relationships: found between their two ends where those are the row's key, else by a key of
// their own.
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"
#include "cypher/texts.hpp"

namespace cnx::cypher {
namespace {

using mapping::kKeyProperty;
using mapping::RelationshipTable;

constexpr std::string_view kStub = "_cnx_stub";

// Continues a statement that has bound r between a and b.
std::string remove_between(const RelationshipTable& table) {
  std::set<std::string> ours = stub_properties(*table.start);
  ours.merge(stub_properties(*table.end));
  return " DELETE r WITH [n IN [a, b] WHERE n." + quote(kStub) + "] AS stubs UNWIND stubs AS n" +
         drop_lonely_stubs("n", ours);
}

std::string merge_ends(const RelationshipTable& table) {
  return " MERGE " + node_pattern("a", *table.start, "row.a") + on_create_stub("a", *table.start, "row.n") +
         " MERGE " + node_pattern("b", *table.end, "row.b") + on_create_stub("b", *table.end, "row.n");
}

// Behind a SET of row.p: what a flattened property no longer has, where the row is not refused.
std::string vanished(const RelationshipTable& table) {
  return drop_vanished("r", "row.p", flattened(table.relationship->properties.forms),
                       is_newer("r", "row.p", table.version_property));
}

Text remove_all(const RelationshipTable& table) {
  const std::string& type = table.type;
  return {"remove all " + type, text("MATCH (a:" + quote(table.start->node->label) + ")-[r:" + quote(type) +
                                     "]->(b:" + quote(table.end->node->label) + ")" + remove_between(table))};
}

RelationshipTexts own_key_texts(const RelationshipTable& table) {
  const std::string& type = table.type;
  const std::string& version = table.version_property;
  const std::string rows = "UNWIND $batch.rows AS row";
  const std::string newer = version.empty() ? "false" : "coalesce(r." + quote(version) + " > row.p." + quote(version) + ", false)";
  const std::string written = " SET r += row.p" + vanished(table);
  const std::string merge = merge_ends(table) + " MERGE (a)-[r:" + quote(type) + " {" + quote(kKeyProperty) + ": row.y}]->(b)";
  RelationshipTexts texts;
  texts.guarded = !version.empty();
  texts.remove = {"remove " + type, text(rows + " " + match_own_key(table) + remove_between(table))};
  texts.remove_all = remove_all(table);
  const std::string is_start = table.start_follows ? " = row.a" : " IN row.a";
  const std::string is_end = table.end_follows ? " = row.b" : " IN row.b";
  texts.lead_away = {"lead away " + type,
                     text(rows + " " + match_own_key(table) + " WHERE NOT " + newer + " AND NOT coalesce(a." +
                          quote(table.start->key_property) + is_start + " AND b." + quote(table.end->key_property) + is_end +
                          ", false)" + remove_between(table))};
  texts.insert = {"insert " + type, text(rows + merge + written)};
  // A refused row makes nothing: its relationship, between whatever ends, stays as it is.
  texts.update = texts.guarded
                     ? Text{"update " + type,
                            text(rows + " OPTIONAL " + match_own_key(table) + " WITH row, " + newer +
                                 " AS newer WITH collect(CASE WHEN NOT newer THEN row END) AS taken, "
                                 "count(CASE WHEN newer THEN 1 END) AS refused CALL { WITH taken UNWIND taken AS row" +
                                 merge + written + " } RETURN refused")}
                     : Text{"update " + type, texts.insert.text};
  texts.update_existing = {"update existing " + type,
                           text(rows + " OPTIONAL " + match_own_key(table) +
                                " WITH r, CASE WHEN r IS NULL THEN 1/0 ELSE row END AS row SET r += " +
                                guarded("r", "row.p", version) + vanished(table) + count_refused("r", "row.p", version))};
  return texts;
}

RelationshipTexts pair_texts(const RelationshipTable& table) {
  const std::string& type = table.type;
  const std::string& version = table.version_property;
  const std::string arrow = "-[r:" + quote(type) + "]->";
  RelationshipTexts texts;
  texts.guarded = !version.empty();
  texts.remove = {"remove " + type, text("UNWIND $batch.rows AS row " + match_node("a", *table.start, "row.a") + " " +
                                         match_node("b", *table.end, "row.b") + each_between(arrow) + remove_between(table))};
  texts.remove_all = remove_all(table);
  const std::string merge = "UNWIND $batch.rows AS row" + merge_ends(table) + " MERGE (a)" + arrow + "(b)";
  texts.insert = {"insert " + type,
                  text(merge + " SET r += row.p" + drop_vanished("r", "row.p", flattened(table.relationship->properties.forms)))};
  texts.update = {"update " + type, text(merge + " SET r += " + guarded("r", "row.p", version) + vanished(table) +
                                         count_refused("r", "row.p", version))};
  texts.update_existing = {
      "update existing " + type,
      text("UNWIND $batch.rows AS row OPTIONAL " + match_node("a", *table.start, "row.a") + " OPTIONAL " +
           match_node("b", *table.end, "row.b") + " OPTIONAL MATCH (a)" + arrow + "(b) WITH r, CASE WHEN r IS NULL THEN 1/0 ELSE row END AS row SET r += " +
           guarded("r", "row.p", version) + vanished(table) + count_refused("r", "row.p", version))};
  return texts;
}

}  // namespace

RelationshipTexts relationship_texts(const RelationshipTable& table) {
  RelationshipTexts texts = table.key_is_pair ? pair_texts(table) : own_key_texts(table);
  if (table.rule->cypher) texts.user = {"user's statement for " + table.type, *table.rule->cypher};
  return texts;
}

}  // namespace cnx::cypher
