#include "cypher/node_upsert_texts.hpp"

#include <algorithm>

#include "cypher/guard_texts.hpp"
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::ForeignKey;
using mapping::Guard;
using mapping::NodeTable;

constexpr std::string_view kStub = "_cnx_stub";
const std::string kRows = "UNWIND $batch.rows AS row ";

// Where a row of the table keeps its properties: beside the label that it chooses or what it was before, or in the row itself.
std::string properties_of_row(const NodeTable& table) {
  return table.node->labels || compares_old(table) ? "row.p" : "row";
}

std::string key_of_row(const NodeTable& table) { return properties_of_row(table) + "." + quote(table.key_property); }

// Of a list: the key finds the node, and is left out of the columns; what is written is no stub any more.
constexpr size_t kKeyPlace = 0;
const std::string kListedKey = "row[0]";

std::string listed_set(const Columns& columns, size_t first) {
  const std::string stub = "n." + quote(kStub) + " = null";
  return " SET " + (columns.empty() ? stub : assign_columns("n", columns, first) + ", " + stub);
}

std::string insert_linked(const NodeTable& table, const ForeignKey& foreign, const std::string& key, const std::string& set) {
  const Arrow arrow(foreign);
  return "UNWIND $batch.rows AS g MERGE " + node_pattern("p", *foreign.other, "g.o") + on_create_stub("p", *foreign.other, "g.n") +
         " WITH p, g UNWIND g.r AS row MERGE " + node_pattern("n", table, key) + set + set_labels("n", table) + " MERGE (n)" +
         arrow.left + ":" + quote(foreign.rule->type) + arrow.right + "(p)";
}

// A MERGE that makes a node where a row of ours was makes no row of it: it is compared with nothing.
std::string marks_new(const Guarded& guarded) {
  return guarded.detects && guarded.guard != Guard::none ? " ON CREATE SET n." + quote(kStub) + " = true" : "";
}

std::string upsert(const NodeTable& table, const Guarded& guarded, const std::string& set) {
  return kRows + "MERGE " + node_pattern("n", table, guarded.key) + marks_new(guarded) + guarded.look() + set +
         set_labels("n", table, guarded.kept()) + guarded.report();
}

// What the update with its relationships asks of a row.
struct LinkedRow {
  std::string set;
  std::vector<std::string> others;  // Of each foreign key: the other end's key, or null.
  std::vector<std::string> made;    // With what it is made.
};

// Reads the other ends before it writes, and touches a relationship only where they differ from the
// row's: most updates change no foreign key, and those rows end there. An end without a key is somebody else's,
// and differs. Where there are several, the row goes on once for each: all is written as by one.
std::string update_linked(const NodeTable& table, const Guarded& guarded, const LinkedRow& row) {
  const std::string look = guarded.look();
  std::string ends;
  std::string differences;
  std::string differs = guarded.reports() ? "met" : "";
  std::string carried;
  std::string moved;
  std::string moves;
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
    const ForeignKey& key = table.foreign_keys[i];
    const Arrow arrow(key);
    const std::string number = std::to_string(i);
    const std::string type = quote(key.rule->type);
    const std::string other = quote(key.other->node->label);
    const std::string other_key = quote(key.other->key_property);
    const std::string& wanted = row.others[i];
    const std::string end = "p" + number;
    ends += " OPTIONAL MATCH (n)" + arrow.left + ":" + type + arrow.right + "(" + end + ":" + other + ")";
    differences += ", CASE WHEN " + end + "." + other_key + " = " + wanted + " THEN false ELSE " + wanted + " IS NOT NULL OR " + end +
                   " IS NOT NULL END AS differs" + number;
    carried += ", differs" + number;
    differs += (differs.empty() ? "differs" : " OR differs") + number;
    const std::string writes = guarded.kept().empty() ? "" : "NOT " + guarded.kept() + " AND ";
    moved += ", collect(CASE WHEN " + writes + "differs" + number + " THEN {n: n, o: " + wanted + ", t: " + row.made[i] + "} END) AS moved" +
             number;
    moves += " CALL { WITH moved" + number + " UNWIND moved" + number +
             " AS m WITH m.n AS n, m.o AS o, m.t AS t OPTIONAL MATCH (n)" + arrow.left + "r:" + type +
             arrow.right + "(p:" + other + ") WHERE o IS NULL OR p." + other_key +
             " <> o DELETE r FOREACH (k IN CASE WHEN o IS NULL THEN [] ELSE [o] END | MERGE " +
             node_pattern("q", *key.other, "k") + on_create_stub("q", *key.other, "t") +
             " MERGE (n)" + arrow.left + ":" + type + arrow.right + "(q)) WITH p WHERE " +
             is_for_ends("p", *key.other) + drop_lonely_stubs("p", stub_properties(*key.other)) + " }";
  }
  const std::string met = guarded.reports() ? "collect(DISTINCT CASE WHEN met THEN " + guarded.told() + " END)" : "[]";
  return kRows + "MERGE " + node_pattern("n", table, guarded.key) + marks_new(guarded) + " WITH n, row" + ends +
         (look.empty() ? " WITH n, row" : look) + differences + row.set + set_labels("n", table, guarded.kept()) + " WITH n, row" +
         guarded.names() + carried + " WHERE " + differs + " WITH " + met + " AS conflicts" + moved + moves + " RETURN conflicts";
}

// Rows {k, n, o: […], m: […], p}.
LinkedRow linked_map(const NodeTable& table, const Guarded& guarded) {
  LinkedRow row{.set = " SET n += " + guarded.written() + drop_vanished("n", guarded.row, flattened(table), guarded.kept()), .others = {}, .made = {}};
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
    row.others.push_back("row.o[" + std::to_string(i) + "]");
    row.made.push_back(table.foreign_keys[i].other->shared_properties.empty() ? "row.n" : "row.m[" + std::to_string(i) + "]");
  }
  return row;
}

Guarded guarded_list(const NodeTable& table, Guard guard, const Columns& columns, size_t first) {
  Guarded guarded = guarded_node(table, guard, "row", kListedKey);
  guarded.row_version = column_value(columns, first, table.version_property);
  return guarded;
}

}  // namespace

NodeTexts node_texts_of_rows(const NodeTable& table, const mapping::Properties& row) {
  NodeTexts texts = node_texts(table);
  auto with_columns = [&](Guard guard, Companions companions, Text& text, auto listed) {
    if (text.text.empty() || !takes_lists(table, guard)) return;
    const std::optional<ListColumns> list = list_columns({&row}, companions, table.key_property);
    if (list) text.text = listed(list->names);
  };
  with_columns(Guard::none, Companions::when_unfit, texts.insert,
               [&](const Columns& columns) { return listed_upsert(table, Guard::none, columns); });
  with_columns(Guard::none, Companions::when_unfit, texts.insert_linked,
               [&](const Columns& columns) { return listed_insert_linked(table, table.foreign_keys[*texts.linked], columns); });
  for (auto& [guard, update] : texts.updates) {
    with_columns(guard, Companions::always, update.update, [&](const Columns& columns) { return listed_upsert(table, guard, columns); });
    with_columns(guard, Companions::always, update.update_linked,
                 [&](const Columns& columns) { return listed_update_linked(table, guard, columns); });
  }
  return texts;
}

bool has_shared_ends(const NodeTable& table) {
  return std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(),
                     [](const ForeignKey& key) { return !key.other->shared_properties.empty(); });
}

Text insert_text(const NodeTable& table) {
  const std::string row = properties_of_row(table);
  return {"insert " + table.node->label, text(upsert(table, guarded_node(table, Guard::none, row, key_of_row(table)),
                                                     " SET n += " + row + drop_vanished("n", row, flattened(table))))};
}

Text insert_linked_text(const NodeTable& table, const ForeignKey& key) {
  const std::string row = properties_of_row(table);
  return {"insert " + table.node->label + " with " + key.rule->type,
          text(insert_linked(table, key, key_of_row(table), " SET n += " + row + drop_vanished("n", row, flattened(table))))};
}

NodeUpdateTexts update_texts(const NodeTable& table, Guard guard) {
  const std::string& label = table.node->label;
  const std::string row = properties_of_row(table);
  const Guarded guarded = guarded_node(table, guard, row, key_of_row(table));
  const std::string set = " SET n += " + guarded.written() + drop_vanished("n", row, flattened(table), guarded.kept());
  NodeUpdateTexts texts;
  texts.update = {"update " + label, text(upsert(table, guarded, set))};
  texts.update_existing = {"update existing " + label,
                           text(kRows + "OPTIONAL " + match_node("n", table, guarded.key) + guarded.look_existing("n IS NULL OR n." + quote(kStub)) +
                                set + set_labels("n", table, guarded.kept()) + guarded.report())};
  const bool plain = std::all_of(table.foreign_keys.begin(), table.foreign_keys.end(),
                                 [](const ForeignKey& foreign) { return foreign.rule->properties.empty(); });
  if (plain && !table.foreign_keys.empty()) {
    const Guarded linked = guarded_node(table, guard, "row.p", "row.k");
    texts.update_linked = {"update " + label + " with its relationships", text(update_linked(table, linked, linked_map(table, linked)))};
  }
  return texts;
}

std::string listed_upsert(const NodeTable& table, Guard guard, const Columns& columns) {
  const size_t first = kKeyPlace + 1;
  return text(upsert(table, guarded_list(table, guard, columns, first), listed_set(columns, first)));
}

std::string listed_insert_linked(const NodeTable& table, const ForeignKey& key, const Columns& columns) {
  return text(insert_linked(table, key, kListedKey, listed_set(columns, kKeyPlace + 1)));
}

std::string listed_update_linked(const NodeTable& table, Guard guard, const Columns& columns) {
  const size_t keys = table.foreign_keys.size();
  const size_t tenant = kKeyPlace + 1;
  const size_t others = tenant + 1;
  const size_t made = others + keys;
  const size_t first = made + (has_shared_ends(table) ? keys : 0);
  auto at = [](size_t place) { return "row[" + std::to_string(place) + "]"; };
  LinkedRow row{.set = listed_set(columns, first), .others = {}, .made = {}};
  for (size_t i = 0; i < keys; ++i) {
    row.others.push_back(at(others + i));
    row.made.push_back(at(table.foreign_keys[i].other->shared_properties.empty() ? tenant : made + i));
  }
  return text(update_linked(table, guarded_list(table, guard, columns, first), row));
}

}  // namespace cnx::cypher
