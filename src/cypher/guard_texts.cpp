#include "cypher/guard_texts.hpp"

#include "cypher/quote.hpp"

namespace cnx::cypher {

using mapping::Guard;

namespace {

std::string property_of(const std::string& row, const std::string& name) { return name.empty() ? "" : row + "." + quote(name); }

std::string or_false(const std::string& condition) { return condition.empty() ? "false" : condition; }

}  // namespace

std::string Guarded::met() const {
  std::string condition;
  if (!version.empty()) {
    condition = "coalesce(" + variable + "." + quote(version) + " > " + row_version + ", false)";
  }
  if (detects) {
    const std::string has = variable + "[k]";
    const std::string had = "row.u[k]";
    // What is not a number differs from itself.
    const std::string same = "coalesce(" + has + " = " + had + " OR (" + has + " <> " + has + " AND " + had + " <> " + had + "), " + has +
                             " IS NULL AND " + had + " IS NULL)";
    const std::string changed = "coalesce(" + is_ours + " AND any(k IN keys(row.u) WHERE NOT " + same + "), false)";
    condition += (condition.empty() ? "" : " OR ") + changed;
    if (!version.empty()) condition = "(" + condition + ")";
  }
  return or_false(condition);
}

std::string Guarded::kept_when() const {
  switch (guard) {
    case Guard::keep:
    case Guard::decide:
      return met();
    case Guard::latest:
      if (timestamp.empty()) return "";
      return "(" + met() + " AND coalesce(" + row + "." + quote(timestamp) + " < " + variable + "." + quote(timestamp) + ", false))";
    case Guard::none:
    case Guard::overwrite:
      break;
  }
  return "";
}

std::string Guarded::names() const {
  if (!reports()) return "";
  return guard == Guard::latest ? ", met, kept" : ", met";
}

std::string Guarded::kept() const {
  if (guard == Guard::keep) return "met";
  return guard == Guard::latest ? "kept" : "";
}

std::string Guarded::told() const { return "[" + key + ", " + or_false(kept()) + "]"; }

std::string Guarded::look(const std::string& carried) const {
  const std::string with = " WITH " + variable + carried;
  switch (guard) {
    case Guard::none:
      return carried.empty() ? "" : with + ", row";
    case Guard::decide:
      return with + ", CASE WHEN " + met() + " THEN 1/0 ELSE row END AS row";
    case Guard::latest:
      return with + ", row, " + met() + " AS met, " + or_false(kept_when()) + " AS kept";
    case Guard::overwrite:
    case Guard::keep:
      return with + ", row, " + met() + " AS met";
  }
  return "";
}

std::string Guarded::look_existing(const std::string& missing) const {
  std::string fails = missing;
  std::string asked;
  if (guard != Guard::none) asked = ", " + met() + " AS met";
  if (guard == Guard::latest) asked += ", " + or_false(kept_when()) + " AS kept";
  if (guard == Guard::overwrite || guard == Guard::decide) fails += " OR met";
  if (guard == Guard::latest) fails += " OR (met AND NOT kept)";
  return (asked.empty() ? "" : " WITH " + variable + ", row" + asked) + " WITH " + variable + names() + ", CASE WHEN " + fails +
         " THEN 1/0 ELSE row END AS row";
}

std::string Guarded::written() const {
  const bool always = guard == Guard::none || guard == Guard::overwrite || guard == Guard::decide;
  return always ? row : "CASE WHEN " + kept() + " THEN {} ELSE " + row + " END";
}

std::string Guarded::report() const {
  if (!reports()) return "";
  return " WITH row" + names() + " WHERE met RETURN collect(" + told() + ") AS conflicts";
}

Guarded guarded_node(const mapping::NodeTable& table, Guard guard, const std::string& row, const std::string& key) {
  return {.variable = "n",
          .row = row,
          .row_version = property_of(row, table.version_property),
          .key = key,
          .guard = guard,
          .version = table.version_property,
          .timestamp = table.timestamp_property,
          .detects = compares_old(table),
          .is_ours = "NOT coalesce(n.`_cnx_stub`, false)"};
}

Guarded guarded_relationship(const mapping::RelationshipTable& table, Guard guard) {
  return {.variable = "r",
          .row = "row.p",
          .row_version = property_of("row.p", table.version_property),
          .key = table.key_is_pair ? "[row.a, row.b]" : "row.y",
          .guard = guard,
          .version = table.version_property,
          .timestamp = table.timestamp_property,
          .detects = compares_old(table),
          // One that a MERGE has just made has no properties.
          .is_ours = "size(keys(r)) > 0"};
}

}  // namespace cnx::cypher
