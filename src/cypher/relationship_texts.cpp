// The texts of rows that are relationships: found between their two ends where those are the row's key, else by a key of
// their own.
#include "cypher/guard_texts.hpp"
#include "cypher/list_rows.hpp"
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"
#include "cypher/relationship_upsert_texts.hpp"
#include "cypher/texts.hpp"

namespace cnx::cypher {
namespace {

using mapping::Guard;
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

std::string merge_ends(const RelationshipTable& table, const std::string& start = "row.a", const std::string& end = "row.b",
                       const std::string& tenant = "row.n") {
  return " MERGE " + node_pattern("a", *table.start, start) + on_create_stub("a", *table.start, tenant) +
         " MERGE " + node_pattern("b", *table.end, end) + on_create_stub("b", *table.end, tenant);
}

// Behind a SET of row.p: what a flattened property no longer has, where the row is written.
std::string vanished(const RelationshipTable& table, const Guarded& guarded) {
  return drop_vanished("r", "row.p", flattened(table.relationship->properties.forms), guarded.kept());
}

Text remove_all(const RelationshipTable& table) {
  const std::string& type = table.type;
  return {"remove all " + type, text("MATCH (a:" + quote(table.start->node->label) + ")-[r:" + quote(type) +
                                     "]->(b:" + quote(table.end->node->label) + ")" + remove_between(table))};
}

const std::string kRows = "UNWIND $batch.rows AS row";

std::string merge_own_key(const RelationshipTable& table) {
  return merge_ends(table) + " MERGE (a)-[r:" + quote(table.type) + " {" + quote(kKeyProperty) + ": row.y}]->(b) SET r += row.p" +
         vanished(table, {});
}

RelationshipUpdateTexts own_key_updates(const RelationshipTable& table, Guard guard) {
  const std::string& type = table.type;
  const Guarded guarded = guarded_relationship(table, guard);
  const std::string is_start = table.start_follows ? " = row.a" : " IN row.a";
  const std::string is_end = table.end_follows ? " = row.b" : " IN row.b";
  const std::string stays = guarded.kept_when().empty() ? "" : "NOT " + guarded.kept_when() + " AND ";
  RelationshipUpdateTexts texts;
  texts.lead_away = {"lead away " + type,
                     text(kRows + " " + match_own_key(table) + " WHERE " + stays + "NOT coalesce(a." +
                          quote(table.start->key_property) + is_start + " AND b." + quote(table.end->key_property) + is_end +
                          ", false)" + remove_between(table))};
  const std::string found = kRows + " OPTIONAL " + match_own_key(table);
  const std::string writes = " CALL { WITH taken UNWIND taken AS row" + merge_own_key(table) + " } RETURN conflicts";
  switch (guard) {
    case Guard::none:
      texts.update = {"update " + type, text(kRows + merge_own_key(table))};
      break;
    case Guard::overwrite:
      // What it was between may be gone by the time that it is written.
      texts.look = {"look at " + type, text(kRows + " " + match_own_key(table) + guarded.look() + guarded.report())};
      texts.update = {"update " + type, text(kRows + merge_own_key(table))};
      break;
    case Guard::decide:
      texts.update = {"update " + type, text(found + guarded.look() + " WITH collect(row) AS taken, [] AS conflicts" + writes)};
      break;
    case Guard::latest:
    case Guard::keep:
      // A refused row makes nothing: its relationship, between whatever ends, stays as it is.
      texts.update = {"update " + type, text(found + guarded.look() + " WITH collect(CASE WHEN NOT " + guarded.kept() +
                                             " THEN row END) AS taken, collect(CASE WHEN met THEN " + guarded.told() +
                                             " END) AS conflicts" + writes)};
      break;
  }
  texts.update_existing = {"update existing " + type, text(found + guarded.look_existing("r IS NULL") + " SET r += " + guarded.written() +
                                                           vanished(table, guarded) + guarded.report())};
  return texts;
}

RelationshipTexts own_key_texts(const RelationshipTable& table) {
  const std::string& type = table.type;
  RelationshipTexts texts;
  texts.remove = {"remove " + type, text(kRows + " " + match_own_key(table) + remove_between(table))};
  texts.remove_all = remove_all(table);
  texts.insert = {"insert " + type, text(kRows + merge_own_key(table))};
  return texts;
}

RelationshipUpdateTexts pair_updates(const RelationshipTable& table, Guard guard) {
  const std::string& type = table.type;
  const std::string arrow = "-[r:" + quote(type) + "]->";
  const Guarded guarded = guarded_relationship(table, guard);
  const std::string written = " SET r += " + guarded.written() + vanished(table, guarded) + guarded.report();
  RelationshipUpdateTexts texts;
  texts.update = {"update " + type, text(kRows + merge_ends(table) + " MERGE (a)" + arrow + "(b)" + guarded.look() + written)};
  texts.update_existing = {
      "update existing " + type,
      text(kRows + " OPTIONAL " + match_node("a", *table.start, "row.a") + " OPTIONAL " + match_node("b", *table.end, "row.b") +
           " OPTIONAL MATCH (a)" + arrow + "(b)" + guarded.look_existing("r IS NULL") + written)};
  return texts;
}

RelationshipTexts pair_texts(const RelationshipTable& table) {
  const std::string& type = table.type;
  const std::string arrow = "-[r:" + quote(type) + "]->";
  RelationshipTexts texts;
  texts.remove = {"remove " + type, text(kRows + " " + match_node("a", *table.start, "row.a") + " " +
                                         match_node("b", *table.end, "row.b") + each_between(arrow) + remove_between(table))};
  texts.remove_all = remove_all(table);
  texts.insert = {"insert " + type, text(kRows + merge_ends(table) + " MERGE (a)" + arrow + "(b) SET r += row.p" + vanished(table, {}))};
  return texts;
}

// Rows [a, b, n, columns…].
constexpr size_t kFirstColumn = 3;

}  // namespace

std::string listed_upsert(const RelationshipTable& table, Guard guard, const Columns& columns) {
  Guarded guarded = guarded_relationship(table, guard);
  guarded.key = "[row[0], row[1]]";
  guarded.row_version = column_value(columns, kFirstColumn, table.version_property);
  const std::string set = columns.empty() ? std::string() : " SET " + assign_columns("r", columns, kFirstColumn);
  return text(kRows + merge_ends(table, "row[0]", "row[1]", "row[2]") + " MERGE (a)-[r:" + quote(table.type) + "]->(b)" + guarded.look() + set +
              guarded.report());
}

RelationshipTexts relationship_texts(const RelationshipTable& table) {
  RelationshipTexts texts = table.key_is_pair ? pair_texts(table) : own_key_texts(table);
  texts.guard = guard_of(table);
  // Of rows that replace others nothing is asked; what cannot be decided is written over.
  for (Guard guard : {Guard::none, texts.guard, texts.guard == Guard::none ? Guard::none : Guard::overwrite}) {
    texts.updates[guard] = table.key_is_pair ? pair_updates(table, guard) : own_key_updates(table, guard);
  }
  if (table.rule->cypher) texts.user = {"user's statement for " + table.type, *table.rule->cypher};
  return texts;
}

RelationshipTexts relationship_texts_of_rows(const RelationshipTable& table, const mapping::Properties& row) {
  RelationshipTexts texts = relationship_texts(table);
  auto with_columns = [&](Guard guard, Companions companions, Text& text) {
    if (!takes_lists(table, guard)) return;
    if (const auto list = list_columns({&row}, companions, {})) text.text = listed_upsert(table, guard, list->names);
  };
  with_columns(Guard::none, Companions::when_unfit, texts.insert);
  for (auto& [guard, update] : texts.updates) with_columns(guard, Companions::always, update.update);
  return texts;
}

}  // namespace cnx::cypher
