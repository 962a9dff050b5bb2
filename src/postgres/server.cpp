#include "postgres/server.hpp"

#include <utility>

namespace cnx::postgres {
namespace {

constexpr int kLocaleProviderSince = 150000;

// In pg_settings a time is in milliseconds and max_slot_wal_keep_size in megabytes, whatever was
// written.
constexpr std::string_view kServer = R"sql(
SELECT pg_catalog.current_setting('wal_level'), pg_catalog.current_database(),
       pg_catalog.current_setting('server_encoding'), pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('max_replication_slots')::pg_catalog.int8,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots),
       pg_catalog.current_setting('max_wal_senders')::pg_catalog.int8,
       (SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'),
       (SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings
        WHERE name = 'max_slot_wal_keep_size'),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END,
       current_user, r.rolsuper, r.rolreplication, r.rolbypassrls,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)sql";

Result<std::string> read_collation(Session& session, TimePoint deadline) {
  std::string libc = session.server_version() >= kLocaleProviderSince
                         ? "CASE WHEN datlocprovider = 'c' THEN datcollate ELSE '' END"
                         : "datcollate";
  CNX_TRY(Rows rows, session.query("SELECT " + libc +
                                       " FROM pg_catalog.pg_database"
                                       " WHERE datname = pg_catalog.current_database()",
                                   deadline));
  return rows.empty() ? std::string() : std::string(rows.text(0, 0));
}

// Asked apart: a role without the right gets an error, which would end the rest.
Result<std::optional<uint64_t>> read_system_identifier(Session& session, TimePoint deadline) {
  constexpr std::string_view kInsufficientPrivilege = "42501";
  auto rows =
      session.query("SELECT system_identifier FROM pg_catalog.pg_control_system()", deadline);
  if (!rows && rows.error().code() == kInsufficientPrivilege) return std::nullopt;
  if (!rows) return fail(std::move(rows).error());
  CNX_TRY(int64_t identifier,
          rows->integer(0, 0));  // An int8 that PostgreSQL also prints unsigned.
  return static_cast<uint64_t>(identifier);
}

}  // namespace

Result<ServerInfo> read_server(Session& session, TimePoint deadline) {
  ServerInfo server;
  server.version = session.server_version();
  CNX_TRY(Rows rows, session.query(kServer, deadline));
  if (rows.size() != 1) return fail(ErrorKind::state, "the current role is not in pg_roles");
  server.wal_level = std::string(rows.text(0, 0));
  server.database = std::string(rows.text(0, 1));
  server.encoding = std::string(rows.text(0, 2));
  CNX_TRY(server.in_recovery, rows.boolean(0, 3));
  CNX_TRY(server.replication_slots_max, rows.integer(0, 4));
  CNX_TRY(server.replication_slots_used, rows.integer(0, 5));
  CNX_TRY(server.wal_senders_max, rows.integer(0, 6));
  CNX_TRY(int64_t timeout, rows.integer(0, 7));
  server.wal_sender_timeout = std::chrono::milliseconds(timeout);
  CNX_TRY(int64_t keep_megabytes, rows.integer(0, 8));
  if (keep_megabytes >= 0) server.slot_wal_keep_bytes_max = keep_megabytes * 1024 * 1024;
  CNX_TRY(server.wal_end, rows.lsn(0, 9));
  server.role = std::string(rows.text(0, 10));
  CNX_TRY(server.role_superuser, rows.boolean(0, 11));
  CNX_TRY(server.role_replication, rows.boolean(0, 12));
  CNX_TRY(server.role_bypasses_row_security, rows.boolean(0, 13));
  CNX_TRY(server.role_may_create, rows.boolean(0, 14));
  CNX_TRY(server.collation, read_collation(session, deadline));
  CNX_TRY(server.system_identifier, read_system_identifier(session, deadline));
  return server;
}

}  // namespace cnx::postgres
