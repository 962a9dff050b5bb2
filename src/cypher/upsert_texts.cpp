#include "cypher/upsert_texts.hpp"

#include <algorithm>

#include "cypher/patterns.hpp"
#include "cypher/quote.hpp"

namespace cnx::cypher {
namespace {

using mapping::ForeignKey;
using mapping::NodeTable;
using mapping::RelationshipTable;

constexpr const char* kRows = "UNWIND $rows AS row ";

std::string row(size_t index) {
  return "row[" + std::to_string(index) + "]";
}

bool has_properties(const ForeignKey& key) {
  return !key.rule->properties.empty();
}

// The columns, and the mark of a stub taken away.
std::string set_node(std::string_view variable, const Columns& columns, size_t first) {
  const std::string unmark = std::string(variable) + "." + quote(kStub) + " = null";
  const std::string set = assignments(variable, columns, first);
  return columns.as_map ? set : (set.empty() ? unmark : set + ", " + unmark);
}

// "coalesce(n.`version` > row[4], false) AS newer": absent and equal versions apply.
std::string newer(std::string_view variable, const std::string& version, const Columns& columns,
                  size_t first) {
  return "coalesce(" + std::string(variable) + "." + quote(version) + " > " +
         value_of(version, columns, first) + ", false) AS newer";
}

constexpr const char* kCountRefused = "count(CASE WHEN newer THEN 1 END) AS refused";

// `set` on what `variable` is bound to, but where the graph has a newer version. Assignments one by
// one stay so behind the guard of a FOREACH; a map can be left empty instead.
std::string guarded(const std::string& variable, const std::string& assigned, bool guard) {
  if (assigned.empty()) return "";
  if (!guard) return " SET " + assigned;
  return " FOREACH (x IN CASE WHEN newer THEN [] ELSE [" + variable + "] END | SET " + assigned +
         ")";
}

// One relationship of the node `n` to the end that the row names, made where it is missing.
std::string link(const NodeTable& table, const RowForm& form, size_t index) {
  const ForeignKey& key = table.foreign_keys[index];
  const RowForm::End& end = form.ends[index];
  std::string text = " FOREACH (k IN CASE WHEN " + row(end.other) + " IS NULL THEN [] ELSE [" +
                     row(end.other) + "] END | MERGE " + node_pattern("q", *key.other, "k") +
                     on_create_stub("q", *key.other, row(form.tenant)) + " MERGE (n)";
  return text + (has_properties(key) ? arrow("l", key) + "(q) SET l += " + row(end.properties)
                                     : arrow("", key) + "(q)") +
         ")";
}

std::string numbered(const char* name, size_t index) {
  return name + std::to_string(index);
}

// The keys of the other ends that the graph has for `n`.
std::string ends_before(const ForeignKey& key, size_t index) {
  return "[(n)" + arrow("", key) + "(e:" + quote(key.other->node->label) + ") | e." +
         quote(key.other->key_property) + "] AS " + numbered("before", index);
}

// The rows whose relationship is to be touched: where the graph's end differs, and wherever the
// relationship has properties.
std::string moved_rows(const ForeignKey& key, const RowForm::End& end, size_t index, bool guard,
                       bool existing) {
  const std::string before = numbered("before", index);
  const std::string other = row(end.other);
  std::string condition = guard ? "NOT newer" : "";
  if (!has_properties(key)) {
    condition += (guard ? " AND " : "") + before + " <> CASE WHEN " + other +
                 " IS NULL THEN [] ELSE [" + other + "] END";
  }
  std::string moved = "row";
  if (existing && has_properties(key)) {
    moved = "CASE WHEN " + row(end.must_exist) + " AND NOT " + other + " IN " + before +
            " THEN 1/0 ELSE row END";
  }
  moved = "{n: n, row: " + moved + "}";
  if (!condition.empty()) moved = "CASE WHEN " + condition + " THEN " + moved + " END";
  return "collect(" + moved + ") AS " + numbered("moved", index);
}

// Takes each row of the list away from the ends that it has no more, and to the one that it has. A
// stub that lost its last relationship goes.
std::string move(const NodeTable& table, const RowForm& form, size_t index) {
  const ForeignKey& key = table.foreign_keys[index];
  const std::string other = row(form.ends[index].other);
  // The label of the other end is in the pattern: one type may have two meanings.
  return " CALL { WITH " + numbered("moved", index) + " UNWIND " + numbered("moved", index) +
         " AS m WITH m.n AS n, m.row AS row OPTIONAL MATCH (n)" + arrow("r", key) +
         "(p:" + quote(key.other->node->label) + ") WHERE " + other + " IS NULL OR p." +
         quote(key.other->key_property) + " <> " + other + " DELETE r" +
         link(table, form, index) + " WITH p WHERE p." + quote(kStub) +
         drop_lonely_stubs("p", stub_properties(*key.other)) + " }";
}

// `found` binds `n` to each row's node.
std::string update(const NodeTable& table, const Columns& columns, const std::string& found,
                   bool existing) {
  const RowForm form = row_form(table, false);
  const bool guard = !table.version_property.empty();
  const bool ends = !table.foreign_keys.empty();
  const std::string assigned = set_node(guard ? "x" : "n", columns, form.first_column);
  std::string text = found;
  if (guard || ends) text += " WITH n, row";
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
    text += ", " + ends_before(table.foreign_keys[i], i);
  }
  if (guard) text += ", " + newer("n", table.version_property, columns, form.first_column);
  text += guarded("n", assigned, guard);
  if (!ends) return guard ? text + std::string(" RETURN ") + kCountRefused : text;
  text += " WITH ";
  if (guard) text += std::string(kCountRefused) + ", ";
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
    text += (i == 0 ? "" : ", ") +
            moved_rows(table.foreign_keys[i], form.ends[i], i, guard, existing);
  }
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) text += move(table, form, i);
  return guard ? text + " RETURN refused" : text;
}

std::string insert(const NodeTable& table, const Columns& columns) {
  const RowForm form = row_form(table, false);
  std::string text = kRows + ("MERGE " + node_pattern("n", table, row(0))) + " SET " +
                     set_node("n", columns, form.first_column);
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) text += link(table, form, i);
  return text;
}

std::string insert_grouped(const NodeTable& table, const Columns& columns) {
  const RowForm form = row_form(table, true);
  const ForeignKey& first = table.foreign_keys.front();
  std::string text = "UNWIND $rows AS g MERGE " + node_pattern("p", *first.other, "g[0]") +
                     on_create_stub("p", *first.other, "g[1]") +
                     " WITH p, g UNWIND g[2] AS row MERGE " + node_pattern("n", table, row(0)) +
                     " SET " + set_node("n", columns, form.first_column) + " MERGE (n)";
  text += has_properties(first)
              ? arrow("l", first) + "(p) SET l += " + row(form.ends.front().properties)
              : arrow("", first) + "(p)";
  for (size_t i = 1; i < table.foreign_keys.size(); ++i) text += link(table, form, i);
  return text;
}

std::string update_relationship(const RelationshipTable& table, const Columns& columns,
                                const std::string& found) {
  const bool guard = !table.version_property.empty();
  const size_t first = has_tenant(table) ? 3 : 2;
  std::string text = found;
  if (guard) text += " WITH r, row, " + newer("r", table.version_property, columns, first);
  const std::string assigned = assignments(guard ? "x" : "r", columns, first);
  // A statement may not end with WITH.
  text += guarded("r", assigned.empty() && !guard ? "r += {}" : assigned, guard);
  return guard ? text + std::string(" RETURN ") + kCountRefused : text;
}

}  // namespace

RowForm row_form(const NodeTable& table, bool grouped) {
  RowForm form;
  size_t next = 1;
  bool tenant = false;
  for (size_t i = grouped ? 1 : 0; i < table.foreign_keys.size(); ++i) {
    tenant = tenant || !table.foreign_keys[i].other->tenant_property.empty();
  }
  if (tenant) form.tenant = next++;
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
    RowForm::End& end = form.ends.emplace_back();
    if (!grouped || i > 0) end.other = next++;
    if (!has_properties(table.foreign_keys[i])) continue;
    end.properties = next++;
    end.must_exist = next++;
  }
  form.first_column = next;
  return form;
}

bool has_tenant(const RelationshipTable& table) {
  return !table.start->tenant_property.empty() || !table.end->tenant_property.empty();
}

NodeUpsertTexts upsert_texts(const NodeTable& table, const Columns& columns) {
  const std::string& label = table.node->label;
  const std::string node = node_pattern("n", table, row(0));
  NodeUpsertTexts texts;
  texts.insert = {"insert " + label, text(insert(table, columns))};
  if (!table.foreign_keys.empty()) {
    texts.insert_grouped = {"insert " + label + " by " + table.foreign_keys.front().rule->type,
                            text(insert_grouped(table, columns))};
  }
  texts.update = {"update " + label, text(update(table, columns, kRows + ("MERGE " + node), false))};
  texts.update_existing = {
      "update existing " + label,
      text(update(table, columns,
                  kRows + ("OPTIONAL MATCH " + node) + " WITH n, CASE WHEN n IS NULL OR n." +
                      quote(kStub) + " THEN 1/0 ELSE row END AS row",
                  true))};
  return texts;
}

RelationshipUpsertTexts upsert_texts(const RelationshipTable& table, const Columns& columns) {
  const std::string& type = table.relationship->type;
  const std::string a = node_pattern("a", *table.start, row(0));
  const std::string b = node_pattern("b", *table.end, row(1));
  const std::string r = "-[r:" + quote(type) + "]->";
  const size_t first = has_tenant(table) ? 3 : 2;
  const std::string merge = kRows + ("MERGE " + a) + on_create_stub("a", *table.start, row(2)) +
                            " MERGE " + b + on_create_stub("b", *table.end, row(2)) +
                            " MERGE (a)" + r + "(b)";
  const std::string assigned = assignments("r", columns, first);
  RelationshipUpsertTexts texts;
  texts.insert = {"insert " + type, text(assigned.empty() ? merge : merge + " SET " + assigned)};
  texts.update = {"update " + type, text(update_relationship(table, columns, merge))};
  texts.update_existing = {
      "update existing " + type,
      text(update_relationship(table, columns,
                               kRows + ("OPTIONAL MATCH " + a) + r + b +
                                   " WITH r, CASE WHEN r IS NULL THEN 1/0 ELSE row END AS row"))};
  return texts;
}

}  // namespace cnx::cypher
