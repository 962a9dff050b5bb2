#include "postgres/table_list.hpp"

#include <algorithm>
#include <utility>

namespace cnx::postgres {
namespace {

constexpr std::string_view kListed = R"sql(
SELECT n.nspname, c.relname, coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''), c.oid
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN pg_catalog.cardinality($1::pg_catalog.text[]) > 0
           THEN n.nspname = ANY ($1::pg_catalog.text[])
           ELSE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'contextnexus')
      END
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                    AND d.objsubid = 0 AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")sql";

constexpr std::string_view kColumnComments = R"sql(
SELECT n.nspname, c.relname, a.attname, d.description
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_class c ON c.oid = d.objoid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0
  AND NOT a.attisdropped AND c.oid = ANY ($1::pg_catalog.oid[]))sql";

constexpr std::string_view kParents = R"sql(
SELECT n.nspname, c.relname, pn.nspname, p.relname
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE NOT c.relispartition AND c.oid = ANY ($1::pg_catalog.oid[])
ORDER BY i.inhseqno)sql";

constexpr std::string_view kMissingSchema = R"sql(
SELECT wanted.name FROM pg_catalog.unnest($1::pg_catalog.text[]) AS wanted(name)
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n WHERE n.nspname = wanted.name)
LIMIT 1)sql";

TableName name_at(const Rows& rows, size_t row, size_t column) {
  return {std::string(rows.text(row, column)), std::string(rows.text(row, column + 1))};
}

Status check_schemas(Session& session, const std::vector<std::string>& schemas,
                     TimePoint deadline) {
  CNX_TRY(Rows missing, session.query(kMissingSchema, {array_text(schemas)}, deadline));
  if (missing.empty()) return {};
  return fail(Error(ErrorKind::invalid, "the database has no such schema")
                  .with("schema", std::string(missing.text(0, 0)))
                  .advise("name it as PostgreSQL does: capitals count"));
}

Status add_comments(Session& session, const std::string& oids,
                    std::map<TableName, DescribedTable*>& by_name, TimePoint deadline) {
  CNX_TRY(Rows columns, session.query(kColumnComments, {oids}, deadline));
  for (size_t i = 0; i < columns.size(); ++i) {
    auto at = by_name.find(name_at(columns, i, 0));
    if (at == by_name.end()) continue;
    at->second->column_comments.emplace(columns.text(i, 2), columns.text(i, 3));
  }
  CNX_TRY(Rows parents, session.query(kParents, {oids}, deadline));
  for (size_t i = 0; i < parents.size(); ++i) {
    auto at = by_name.find(name_at(parents, i, 0));
    if (at != by_name.end()) at->second->parents.push_back(name_at(parents, i, 2));
  }
  return {};
}

Result<TableList> list_in_transaction(Session& session, const std::vector<std::string>& schemas,
                                      TimePoint deadline) {
  CNX_TRY(check_schemas(session, schemas, deadline));
  CNX_TRY(Rows database, session.query("SELECT pg_catalog.current_database()", deadline));
  CNX_TRY(Rows listed, session.query(kListed, {array_text(schemas)}, deadline));
  TableList list;
  list.database = std::string(database.text(0, 0));
  std::vector<TableName> names;
  std::vector<std::string> oids;
  std::map<TableName, std::string> comments;
  for (size_t i = 0; i < listed.size(); ++i) {
    names.push_back(name_at(listed, i, 0));
    comments.emplace(names.back(), listed.text(i, 2));
    oids.emplace_back(listed.text(i, 3));
  }
  CNX_TRY(std::vector<Table> tables, read_tables(session, names, deadline));
  std::sort(tables.begin(), tables.end(),
            [](const Table& a, const Table& b) { return a.name < b.name; });
  for (Table& table : tables) {
    DescribedTable& described = list.tables.emplace_back();
    described.comment = comments[table.name];
    described.table = std::move(table);
  }
  std::map<TableName, DescribedTable*> by_name;
  for (DescribedTable& described : list.tables) by_name.emplace(described.table.name, &described);
  CNX_TRY(add_comments(session, array_text(oids), by_name, deadline));
  return list;
}

}  // namespace

Result<TableList> list_tables(Session& session, const std::vector<std::string>& schemas,
                              TimePoint deadline) {
  if (session.in_transaction()) return list_in_transaction(session, schemas, deadline);
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  auto list = list_in_transaction(session, schemas, deadline);
  Status ended = session.execute(list ? "COMMIT" : "ROLLBACK", deadline);
  if (list && !ended) return fail(std::move(ended).error());
  return list;
}

}  // namespace cnx::postgres
