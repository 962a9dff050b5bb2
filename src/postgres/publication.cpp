#include "postgres/publication.hpp"

#include "postgres/row_filter.hpp"

namespace cnx::postgres {
namespace {

constexpr int kFiltersSince = 150000;  // Column lists and row filters.

Result<std::string> table_list(const std::vector<TableName>& tables, const std::map<TableName, std::string>& row_filters = {}) {
  if (tables.empty()) return fail(ErrorKind::invalid, "a publication needs at least one table");
  std::string list;
  for (const TableName& table : tables) {
    if (!list.empty()) list += ", ";
    list += quote_table(table);
    auto filter = row_filters.find(table);
    if (filter != row_filters.end()) list += " WHERE " + enclosed(filter->second);
  }
  return list;
}

std::string parameters(const PublicationOptions& options) {
  return std::string(
             "(publish = 'insert, update, delete, truncate', publish_via_partition_root = ") +
         (options.via_partition_root ? "true" : "false") + ")";
}

Status read_published(Session& session, Publication& publication, TimePoint deadline) {
  bool filters = session.server_version() >= kFiltersSince;
  std::string sql = filters ? "SELECT schemaname, tablename, attnames::pg_catalog.text[],"
                              " coalesce(rowfilter, '')"
                            : "SELECT schemaname, tablename, '{}'::pg_catalog.text[], ''";
  sql += " FROM pg_catalog.pg_publication_tables WHERE pubname = $1 ORDER BY 1, 2";
  CNX_TRY(Rows rows, session.query(sql, {publication.name}, deadline));
  for (size_t i = 0; i < rows.size(); ++i) {
    PublishedTable table;
    table.name = {std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
    if (!rows.is_null(i, 2)) {  // NULL for a table without columns.
      CNX_TRY(table.columns, rows.texts(i, 2));
    }
    table.row_filter = std::string(rows.text(i, 3));
    publication.tables.push_back(std::move(table));
  }
  return {};
}

}  // namespace

Result<std::optional<Publication>> read_publication(Session& session, const std::string& name,
                                                    TimePoint deadline) {
  CNX_TRY(
      Rows rows,
      session.query("SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot"
                    " FROM pg_catalog.pg_publication WHERE pubname = $1",
                    {name}, deadline));
  if (rows.empty()) return std::nullopt;
  Publication publication;
  publication.name = name;
  CNX_TRY(publication.all_tables, rows.boolean(0, 0));
  CNX_TRY(publication.insert, rows.boolean(0, 1));
  CNX_TRY(publication.update, rows.boolean(0, 2));
  CNX_TRY(publication.remove, rows.boolean(0, 3));
  CNX_TRY(publication.truncate, rows.boolean(0, 4));
  CNX_TRY(publication.via_partition_root, rows.boolean(0, 5));
  CNX_TRY(read_published(session, publication, deadline));
  return publication;
}

Result<std::string> create_publication_sql(const PublicationOptions& options) {
  CNX_TRY(std::string tables, table_list(options.tables, options.row_filters));
  return "CREATE PUBLICATION " + quote_identifier(options.name) + " FOR TABLE " + tables +
         " WITH " + parameters(options);
}

Status create_publication(Session& session, const PublicationOptions& options, TimePoint deadline) {
  CNX_TRY(std::string sql, create_publication_sql(options));
  return session.execute(sql, deadline);
}

Result<std::string> set_publication_sql(const PublicationOptions& options) {
  CNX_TRY(std::string tables, table_list(options.tables, options.row_filters));
  std::string alter = "ALTER PUBLICATION " + quote_identifier(options.name);
  return alter + " SET TABLE " + tables + "; " + alter + " SET " + parameters(options);
}

Status set_publication(Session& session, const PublicationOptions& options, TimePoint deadline) {
  CNX_TRY(std::string sql, set_publication_sql(options));
  // One text of two statements is one transaction: nobody sees half of it.
  return session.execute(sql, deadline);
}

Status add_to_publication(Session& session, const std::string& name,
                          const std::vector<TableName>& tables, TimePoint deadline) {
  CNX_TRY(std::string list, table_list(tables));
  return session.execute("ALTER PUBLICATION " + quote_identifier(name) + " ADD TABLE " + list,
                         deadline);
}

Status drop_publication(Session& session, const std::string& name, TimePoint deadline) {
  return session.execute("DROP PUBLICATION " + quote_identifier(name), deadline);
}

}  // namespace cnx::postgres
