#include "pipeline/table_shape.hpp"

#include <nlohmann/json.hpp>

namespace cnx::pipeline {
namespace {

using nlohmann::json;

// A partitioned table has no rows of its own, and says of no column that it was filled: its partitions do. Files are read from
// pg_class, which the snapshot shows as it shows columns: pg_relation_filenode() gives the file as it is by now, and an ALTER TABLE
// in between would be taken for a VACUUM FULL when its columns show.
constexpr std::string_view kShapes = R"sql(
SELECT n.nspname, c.relname, pg_catalog.json_build_object(
  'oid', c.oid::pg_catalog.int8, 'kind', c.relkind,
  'columns', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
             a.attnum, a.attname, a.atttypid::pg_catalog.int8, a.atttypmod, b.oid::pg_catalog.int8, b.typname,
             a.attgenerated <> '', a.attnotnull, coalesce(co.collname, ''), a.atthasmissing OR f.filled, a.xmin::pg_catalog.text)
             ORDER BY a.attnum), '[]')
    FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
    CROSS JOIN LATERAL (
      WITH RECURSIVE chain AS (
        SELECT t.oid, t.typname, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
        UNION ALL
        SELECT t.oid, t.typname, t.typtype, t.typbasetype FROM chain x JOIN pg_catalog.pg_type t ON t.oid = x.typbasetype
        WHERE x.typtype = 'd')
      SELECT chain.oid, chain.typname FROM chain WHERE chain.typtype <> 'd') b
    CROSS JOIN LATERAL (
      SELECT EXISTS (
        SELECT FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.relid
        WHERE c.relkind = 'p' AND pa.attname = a.attname AND pa.atthasmissing)) f(filled)
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'labels', (
    SELECT coalesce(pg_catalog.json_object_agg(e.oid::pg_catalog.text, e.enumlabel), '{}')
    FROM reached r JOIN pg_catalog.pg_enum e ON e.enumtypid = r.type WHERE r.relation = c.oid),
  'attributes', (
    SELECT coalesce(pg_catalog.json_object_agg(a.attrelid::pg_catalog.text || '.' || a.attnum,
                                               pg_catalog.concat_ws(' ', a.atttypid, a.atttypmod, a.attname)), '{}')
    FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.type AND t.typtype = 'c'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relation = c.oid),
  'published', (
    SELECT coalesce(pg_catalog.max(r.oid || ' ' || r.xmin), '')
    FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
    WHERE p.pubname = $3 AND r.prrelid = c.oid),
  'files', (
    SELECT coalesce(pg_catalog.json_object_agg(f.oid::pg_catalog.text, coalesce(nullif(s.relfilenode, 0)::pg_catalog.text, '')), '{}')
    FROM (SELECT c.oid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p) f(oid)
    LEFT JOIN pg_catalog.pg_class s ON s.oid = f.oid),
  'attached', (
    SELECT coalesce(pg_catalog.json_object_agg(h.inhrelid::pg_catalog.text, h.xmin::pg_catalog.text), '{}')
    FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_inherits h ON h.inhrelid = p.relid
    WHERE p.relid <> c.oid)
)::pg_catalog.text
FROM wanted w
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
WHERE c.relkind IN ('r', 'p'))sql";

// The types that a column's type leads to: under a domain, in an array, a composite or a range.
constexpr std::string_view kReached = R"sql(
WITH RECURSIVE wanted AS (SELECT * FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS w(schema, name)),
reached AS (
  SELECT a.attrelid AS relation, a.atttypid AS type
  FROM wanted w JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT r.relation, next.type
  FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.type
  CROSS JOIN LATERAL (
    SELECT t.typbasetype UNION ALL SELECT t.typelem
    UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
              WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) next(type)
  WHERE next.type <> 0))sql";

// Rights that the write-back alone needs are not in it: those are tried, and told, by it. Of rows that have no more to say, what
// they were written by tells whether they are the same; counts and sums do not depend on order.
constexpr std::string_view kMark = R"sql(
WITH wanted AS (SELECT * FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS w(schema, name)),
named AS (
  SELECT c.oid FROM wanted w JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name),
tables AS (
  SELECT oid FROM named UNION SELECT p.relid FROM named CROSS JOIN LATERAL pg_catalog.pg_partition_tree(named.oid) p),
rows AS (
  SELECT pg_catalog.concat_ws(' ', 'class', c.oid, c.relnamespace, c.relname, c.relkind, c.relreplident, c.relpersistence,
                              c.relrowsecurity, c.relforcerowsecurity, c.relfilenode,
                              pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS text
  FROM pg_catalog.pg_class c JOIN tables USING (oid)
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'column', a.attrelid, a.attnum, a.attisdropped, a.atttypid, a.atttypmod,
                                        a.attgenerated, a.atthasmissing, a.attname)
  FROM pg_catalog.pg_attribute a JOIN named ON named.oid = a.attrelid WHERE a.attnum > 0
  UNION ALL SELECT 'index ' || i.indexrelid || ' ' || i.xmin
  FROM pg_catalog.pg_index i JOIN named ON named.oid = i.indrelid
  UNION ALL SELECT 'foreign key ' || f.oid || ' ' || f.xmin
  FROM pg_catalog.pg_constraint f JOIN named ON named.oid = f.conrelid WHERE f.contype = 'f'
  UNION ALL SELECT 'policy ' || p.oid || ' ' || p.xmin
  FROM pg_catalog.pg_policy p JOIN named ON named.oid = p.polrelid
  UNION ALL SELECT 'partition ' || h.inhrelid || ' ' || h.xmin
  FROM pg_catalog.pg_inherits h JOIN tables ON tables.oid = h.inhrelid
  UNION ALL SELECT 'enum ' || count(*) || ' ' || coalesce(sum(pg_catalog.hashtext(e.oid || ' ' || e.xmin)), 0)
  FROM pg_catalog.pg_enum e
  UNION ALL SELECT 'composite ' || count(*) || ' ' || coalesce(sum(pg_catalog.hashtext(a.attrelid || ' ' || a.attnum || ' ' || a.xmin)), 0)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'c'
  UNION ALL SELECT 'publication ' || p.oid || ' ' || p.xmin FROM pg_catalog.pg_publication p WHERE p.pubname = $3
  UNION ALL SELECT 'published ' || r.prrelid || ' ' || r.xmin
  FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $3)
SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(text, chr(10) ORDER BY text), '')) FROM rows)sql";

postgres::Parameters parameters_of(const std::vector<postgres::TableName>& names, const std::string& publication) {
  std::vector<std::string> schemas;
  std::vector<std::string> tables;
  for (const postgres::TableName& name : names) {
    schemas.push_back(name.schema);
    tables.push_back(name.name);
  }
  return {postgres::array_text(schemas), postgres::array_text(tables), publication};
}

Error strange_shape(const postgres::TableName& name) {
  return Error(ErrorKind::state, "what the graph remembers of a table is not as this program writes it")
      .with("table", postgres::to_string(name))
      .advise("contextnexus drop --graph, then init and run build the graph anew");
}

ShapeColumn column_of(const json& value) {
  ShapeColumn shape;
  postgres::TableColumn& column = shape.column;
  column.number = value.at(0).get<int16_t>();
  column.name = value.at(1).get<std::string>();
  column.type = change::Oid(value.at(2).get<uint32_t>());
  column.type_modifier = value.at(3).get<int32_t>();
  column.base_type = change::Oid(value.at(4).get<uint32_t>());
  column.base_type_name = value.at(5).get<std::string>();
  column.generated = value.at(6).get<bool>();
  column.not_null = value.at(7).get<bool>();
  column.collation = value.at(8).get<std::string>();
  shape.filled = value.at(9).get<bool>();
  shape.mark = value.at(10).get<std::string>();
  return shape;
}

json to_json(const ShapeColumn& shape) {
  const postgres::TableColumn& column = shape.column;
  return json::array({column.number, column.name, column.type.value(), column.type_modifier, column.base_type.value(),
                      column.base_type_name, column.generated, column.not_null, column.collation, shape.filled, shape.mark});
}

uint32_t oid_of(const std::string& text) { return static_cast<uint32_t>(std::stoul(text)); }

}  // namespace

Result<TableShape> shape_of(const postgres::TableName& name, std::string_view text) {
  // The library throws; nothing else here does.
  try {
    const json value = json::parse(text);
    TableShape shape;
    shape.name = name;
    shape.oid = change::Oid(value.at("oid").get<uint32_t>());
    shape.kind = static_cast<postgres::TableKind>(value.at("kind").get<std::string>().at(0));
    for (const json& column : value.at("columns")) shape.columns.push_back(column_of(column));
    shape.labels = value.at("labels").get<std::map<std::string, std::string>>();
    shape.published = value.at("published").get<std::string>();
    shape.attributes = value.at("attributes").get<std::map<std::string, std::string>>();
    for (const auto& [oid, file] : value.at("files").items()) {
      shape.files[oid_of(oid)] = file.get<std::string>();
      if (oid_of(oid) != shape.oid.value()) shape.partitions.insert(oid_of(oid));
    }
    // A program before this one did not write it.
    const json attached = value.value("attached", json::object());
    for (const auto& [oid, since] : attached.items()) shape.attached[oid_of(oid)] = since.get<std::string>();
    return shape;
  } catch (const std::exception&) {
    return fail(strange_shape(name));
  }
}

std::string to_text(const TableShape& shape) {
  json columns = json::array();
  for (const ShapeColumn& column : shape.columns) columns.push_back(to_json(column));
  json files = json::object();
  for (const auto& [oid, file] : shape.files) files[std::to_string(oid)] = file;
  json attached = json::object();
  for (const auto& [oid, since] : shape.attached) attached[std::to_string(oid)] = since;
  return json{{"oid", shape.oid.value()},
              {"kind", std::string(1, static_cast<char>(shape.kind))},
              {"columns", columns},
              {"labels", shape.labels},
              {"attributes", shape.attributes},
              {"published", shape.published},
              {"files", files},
              {"attached", attached}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<TableShape>> read_shapes(postgres::Session& session, const std::vector<postgres::TableName>& names,
                                            const std::string& publication, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query(std::string(kReached) + std::string(kShapes), parameters_of(names, publication), deadline));
  std::vector<TableShape> shapes;
  for (size_t i = 0; i < rows.size(); ++i) {
    const postgres::TableName name{std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
    CNX_TRY(TableShape shape, shape_of(name, rows.text(i, 2)));
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

postgres::Table table_of(const TableShape& shape) {
  postgres::Table table;
  table.oid = shape.oid;
  table.name = shape.name;
  table.kind = shape.kind;
  for (const ShapeColumn& each : shape.columns) table.columns.push_back(each.column);
  return table;
}

Result<std::string> read_catalog_mark(postgres::Session& session, const std::vector<postgres::TableName>& names,
                                      const std::string& publication, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows, session.query(std::string(kMark), parameters_of(names, publication), deadline));
  return std::string(rows.text(0, 0));
}

}  // namespace cnx::pipeline
