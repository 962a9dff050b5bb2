#include "postgres/catalog.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace cnx::postgres {
namespace {

using change::Oid;
using change::ReplicaIdentity;

// unnest() of several arrays is a form of the grammar, which knows the name only unqualified.
constexpr std::string_view kTables = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relkind,
       CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid END,
       c.relpersistence = 'p', c.relreplident, pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       c.relrowsecurity, c.relforcerowsecurity, pg_catalog.row_security_active(c.oid)
FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS wanted(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f'))sql";

constexpr std::string_view kColumns = R"sql(
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated <> '',
       coalesce(co.collname, ''), b.oid, b.typname
FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
CROSS JOIN LATERAL (
  WITH RECURSIVE chain AS (
    SELECT t.oid, t.typname, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
    UNION ALL
    SELECT t.oid, t.typname, t.typtype, t.typbasetype FROM chain c JOIN pg_catalog.pg_type t ON t.oid = c.typbasetype
    WHERE c.typtype = 'd')
  SELECT chain.oid, chain.typname FROM chain WHERE chain.typtype <> 'd') b
WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum)sql";

constexpr std::string_view kKeys = R"sql(
SELECT i.indrelid, ic.relname, i.indisprimary, i.indimmediate, i.indisvalid, i.indisreplident,
       i.indpred IS NOT NULL,
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.place)
        FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place <= i.indnkeyatts)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::pg_catalog.oid[]) AND i.indisunique AND i.indislive
  AND i.indexprs IS NULL
ORDER BY i.indrelid, i.indisprimary DESC, ic.relname)sql";

// A constraint of a partition that stands for its parent's counts for the partition; the copies
// that PostgreSQL makes for each partition of the referenced side do not.
constexpr std::string_view kForeignKeys = R"sql(
SELECT f.conrelid, f.conname, f.confrelid, n.nspname, c.relname, f.convalidated,
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.place)
        FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number),
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.place)
        FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number),
       f.confupdtype = 'c'
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint parent ON parent.oid = f.conparentid
WHERE f.contype = 'f' AND f.conrelid = ANY ($1::pg_catalog.oid[])
  AND (parent.oid IS NULL OR parent.conrelid <> f.conrelid)
ORDER BY f.conrelid, f.conname)sql";

constexpr std::string_view kPolicies = R"sql(
SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive,
       EXISTS (SELECT 1 FROM pg_catalog.unnest(p.polroles) AS r(role)
               WHERE CASE WHEN r.role = 0 THEN true
                          ELSE pg_catalog.pg_has_role(current_user, r.role, 'USAGE') END),
       coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '')
FROM pg_catalog.pg_policy p
WHERE p.polrelid = ANY ($1::pg_catalog.oid[])
ORDER BY p.polrelid, p.polname)sql";

constexpr std::string_view kPartitions = R"sql(
SELECT n.nspname, c.relname
FROM pg_catalog.pg_namespace rn
JOIN pg_catalog.pg_class rc ON rc.relnamespace = rn.oid
CROSS JOIN LATERAL pg_catalog.pg_partition_tree(rc.oid) t
JOIN pg_catalog.pg_class c ON c.oid = t.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE rn.nspname = $1 AND rc.relname = $2 AND t.isleaf AND t.relid <> rc.oid
ORDER BY n.nspname, c.relname)sql";

constexpr std::string_view kTypes = R"sql(
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typdelim, t.typbasetype, t.typtypmod,
       CASE WHEN t.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc THEN t.typelem ELSE 0 END
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace)sql";

std::string text(const Rows& rows, size_t row, size_t column) {
  return std::string(rows.text(row, column));
}

// A column of PostgreSQL's one-byte "char" type.
char letter(const Rows& rows, size_t row, size_t column) {
  std::string_view value = rows.text(row, column);
  return value.empty() ? ' ' : value.front();
}

Result<Table> table_of(const Rows& rows, size_t row) {
  Table table;
  CNX_TRY(table.oid, rows.oid(row, 0));
  table.name = {text(rows, row, 1), text(rows, row, 2)};
  table.kind = static_cast<TableKind>(letter(rows, row, 3));
  if (!rows.is_null(row, 4)) {
    CNX_TRY(table.partition_root, rows.oid(row, 4));
  }
  CNX_TRY(table.persistent, rows.boolean(row, 5));
  table.replica_identity = static_cast<ReplicaIdentity>(letter(rows, row, 6));
  CNX_TRY(table.may_select, rows.boolean(row, 7));
  CNX_TRY(table.row_security, rows.boolean(row, 8));
  CNX_TRY(table.row_security_forced, rows.boolean(row, 9));
  CNX_TRY(table.row_security_applies, rows.boolean(row, 10));
  return table;
}

Result<TableColumn> column_of(const Rows& rows, size_t row) {
  TableColumn column;
  CNX_TRY(int64_t number, rows.integer(row, 1));
  column.number = static_cast<int16_t>(number);
  column.name = text(rows, row, 2);
  CNX_TRY(column.type, rows.oid(row, 3));
  CNX_TRY(int64_t modifier, rows.integer(row, 4));
  column.type_modifier = static_cast<int32_t>(modifier);
  CNX_TRY(column.not_null, rows.boolean(row, 5));
  CNX_TRY(column.generated, rows.boolean(row, 6));
  column.collation = text(rows, row, 7);
  CNX_TRY(column.base_type, rows.oid(row, 8));
  column.base_type_name = text(rows, row, 9);
  return column;
}

Result<TableKey> key_of(const Rows& rows, size_t row) {
  TableKey key;
  key.name = text(rows, row, 1);
  CNX_TRY(key.primary, rows.boolean(row, 2));
  CNX_TRY(key.immediate, rows.boolean(row, 3));
  CNX_TRY(key.valid, rows.boolean(row, 4));
  CNX_TRY(key.replica_identity, rows.boolean(row, 5));
  CNX_TRY(key.partial, rows.boolean(row, 6));
  CNX_TRY(key.columns, rows.texts(row, 7));
  return key;
}

Result<ForeignKey> foreign_key_of(const Rows& rows, size_t row) {
  ForeignKey key;
  key.name = text(rows, row, 1);
  CNX_TRY(key.referenced, rows.oid(row, 2));
  key.referenced_table = {text(rows, row, 3), text(rows, row, 4)};
  CNX_TRY(key.validated, rows.boolean(row, 5));
  CNX_TRY(key.columns, rows.texts(row, 6));
  CNX_TRY(key.referenced_columns, rows.texts(row, 7));
  CNX_TRY(key.update_cascades, rows.boolean(row, 8));
  return key;
}

Result<Policy> policy_of(const Rows& rows, size_t row) {
  Policy policy;
  policy.name = text(rows, row, 1);
  policy.command = letter(rows, row, 2);
  CNX_TRY(policy.permissive, rows.boolean(row, 3));
  CNX_TRY(policy.applies_to_us, rows.boolean(row, 4));
  policy.condition = text(rows, row, 5);
  return policy;
}

Result<TypeInfo> type_of(const Rows& rows, size_t row) {
  TypeInfo type;
  CNX_TRY(type.oid, rows.oid(row, 0));
  type.schema = text(rows, row, 1);
  type.name = text(rows, row, 2);
  type.kind = static_cast<TypeKind>(letter(rows, row, 3));
  type.category = letter(rows, row, 4);
  type.delimiter = letter(rows, row, 5);
  CNX_TRY(type.base, rows.oid(row, 6));
  CNX_TRY(int64_t modifier, rows.integer(row, 7));
  type.base_type_modifier = static_cast<int32_t>(modifier);
  CNX_TRY(type.element, rows.oid(row, 8));
  return type;
}

using ByOid = std::unordered_map<Oid, Table*>;

// Runs `sql` for the tables' oids and hands each row, read by `read`, to the list of its table.
template <typename Part>
Status read_parts(Session& session, std::string_view sql, const std::string& oids,
                  const ByOid& tables, std::vector<Part> Table::*parts,
                  Result<Part> (*read)(const Rows&, size_t), TimePoint deadline) {
  CNX_TRY(Rows rows, session.query(sql, {oids}, deadline));
  for (size_t i = 0; i < rows.size(); ++i) {
    CNX_TRY(Oid oid, rows.oid(i, 0));
    CNX_TRY(Part part, read(rows, i));
    auto table = tables.find(oid);
    if (table != tables.end()) (table->second->*parts).push_back(std::move(part));
  }
  return {};
}

Result<std::vector<Table>> read_in_transaction(Session& session,
                                               const std::vector<TableName>& names,
                                               TimePoint deadline) {
  std::vector<std::string> schemas;
  std::vector<std::string> relations;
  for (const TableName& name : names) {
    schemas.push_back(name.schema);
    relations.push_back(name.name);
  }
  CNX_TRY(Rows rows,
          session.query(kTables, {array_text(schemas), array_text(relations)}, deadline));
  std::vector<Table> tables;
  std::vector<std::string> oids;
  for (size_t i = 0; i < rows.size(); ++i) {
    CNX_TRY(Table table, table_of(rows, i));
    oids.push_back(std::to_string(table.oid.value()));
    tables.push_back(std::move(table));
  }
  ByOid by_oid;
  for (Table& table : tables) by_oid.emplace(table.oid, &table);
  std::string all = array_text(oids);
  CNX_TRY(read_parts(session, kColumns, all, by_oid, &Table::columns, column_of, deadline));
  CNX_TRY(read_parts(session, kKeys, all, by_oid, &Table::keys, key_of, deadline));
  CNX_TRY(read_parts(session, kForeignKeys, all, by_oid, &Table::foreign_keys, foreign_key_of,
                     deadline));
  CNX_TRY(read_parts(session, kPolicies, all, by_oid, &Table::policies, policy_of, deadline));
  return tables;
}

}  // namespace

const TableKey* Table::primary_key() const {
  auto found = std::find_if(keys.begin(), keys.end(), [](const TableKey& k) { return k.primary; });
  return found == keys.end() ? nullptr : &*found;
}

const TableColumn* Table::column(std::string_view column_name) const {
  auto found = std::find_if(columns.begin(), columns.end(),
                            [&](const TableColumn& c) { return c.name == column_name; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> Table::identity_columns() const {
  std::vector<std::string> names;
  if (replica_identity == ReplicaIdentity::full) {
    for (const TableColumn& each : columns) names.push_back(each.name);
  }
  bool by_index = replica_identity == ReplicaIdentity::index;
  if (!by_index && replica_identity != ReplicaIdentity::primary_key) return names;
  for (const TableKey& key : keys) {
    bool chosen = by_index ? key.replica_identity : key.primary;
    if (chosen && key.immediate && key.valid) return key.columns;
  }
  return names;
}

Result<std::vector<Table>> read_tables(Session& session, const std::vector<TableName>& names,
                                       TimePoint deadline) {
  if (session.in_transaction()) return read_in_transaction(session, names, deadline);
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  auto tables = read_in_transaction(session, names, deadline);
  Status ended = session.execute(tables ? "COMMIT" : "ROLLBACK", deadline);
  if (tables && !ended) return fail(std::move(ended).error());
  return tables;
}

Result<std::vector<TableName>> read_partitions(Session& session, const TableName& root,
                                               TimePoint deadline) {
  CNX_TRY(Rows rows, session.query(kPartitions, {root.schema, root.name}, deadline));
  std::vector<TableName> leaves;
  for (size_t i = 0; i < rows.size(); ++i) leaves.push_back({text(rows, i, 0), text(rows, i, 1)});
  return leaves;
}

Result<TypeCatalog> read_types(Session& session, TimePoint deadline) {
  CNX_TRY(Rows rows, session.query(kTypes, deadline));
  TypeCatalog catalog;
  for (size_t i = 0; i < rows.size(); ++i) {
    CNX_TRY(TypeInfo type, type_of(rows, i));
    catalog.add(std::move(type));
  }
  return catalog;
}

std::string own_rows(const Table& table) {
  return (table.kind == TableKind::partitioned ? "" : "ONLY ") + quote_table(table.name);
}

bool may_read_all_rows_with_row_security(const Table& table) {
  bool admitted = false;
  for (const Policy& policy : table.policies) {
    if (!policy.applies_to_us || (policy.command != 'r' && policy.command != '*')) continue;
    if (!policy.permissive) return false;
    admitted = admitted || policy.condition == "true";
  }
  return admitted;
}

}  // namespace cnx::postgres
