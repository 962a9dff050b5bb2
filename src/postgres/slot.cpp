#include "postgres/slot.hpp"

#include "postgres/quote.hpp"

namespace cnx::postgres {
namespace {

constexpr int kTwoPhaseSince = 140000;
constexpr int kInvalidationReasonSince = 170000;
constexpr int kFailoverSince = 170000;

std::string slot_query(int version) {
  std::string two_phase = version >= kTwoPhaseSince ? "two_phase" : "false";
  std::string reason =
      version >= kInvalidationReasonSince ? "coalesce(invalidation_reason, '')" : "''";
  std::string failover = version >= kFailoverSince ? "failover" : "false";
  return "SELECT coalesce(plugin, ''), coalesce(database, ''), slot_type = 'logical', temporary, "
         "active,"
         " active_pid, restart_lsn, confirmed_flush_lsn, coalesce(wal_status, ''), safe_wal_size,"
         " CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE"
         " (pg_catalog.pg_current_wal_lsn() - restart_lsn)::pg_catalog.int8 END, " +
         two_phase + ", " + reason + ", " + failover +
         ", coalesce((SELECT t.total_txns FROM pg_catalog.pg_stat_replication_slots t WHERE"
         " t.slot_name = s.slot_name), 0) FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1";
}

Result<std::optional<change::Lsn>> optional_lsn(const Rows& rows, size_t column) {
  if (rows.is_null(0, column)) return std::nullopt;
  CNX_TRY(change::Lsn lsn, rows.lsn(0, column));
  return lsn;
}

Result<std::optional<int64_t>> optional_integer(const Rows& rows, size_t column) {
  if (rows.is_null(0, column)) return std::nullopt;
  CNX_TRY(int64_t number, rows.integer(0, column));
  return number;
}

}  // namespace

Result<std::optional<SlotState>> read_slot(Session& session, const std::string& name,
                                           TimePoint deadline) {
  CNX_TRY(Rows rows, session.query(slot_query(session.server_version()), {name}, deadline));
  if (rows.empty()) return std::nullopt;
  SlotState slot;
  slot.name = name;
  slot.plugin = std::string(rows.text(0, 0));
  slot.database = std::string(rows.text(0, 1));
  CNX_TRY(slot.logical, rows.boolean(0, 2));
  CNX_TRY(slot.temporary, rows.boolean(0, 3));
  CNX_TRY(slot.active, rows.boolean(0, 4));
  CNX_TRY(slot.active_pid, optional_integer(rows, 5));
  CNX_TRY(slot.restart_lsn, optional_lsn(rows, 6));
  CNX_TRY(slot.confirmed_flush, optional_lsn(rows, 7));
  slot.wal_status = std::string(rows.text(0, 8));
  CNX_TRY(slot.safe_wal_bytes, optional_integer(rows, 9));
  CNX_TRY(slot.retained_wal_bytes, optional_integer(rows, 10));
  CNX_TRY(slot.two_phase, rows.boolean(0, 11));
  slot.invalidation_reason = std::string(rows.text(0, 12));
  CNX_TRY(slot.failover, rows.boolean(0, 13));
  CNX_TRY(slot.decoded_transactions, rows.integer(0, 14));
  return slot;
}

Status drop_slot(Session& session, const std::string& name, TimePoint deadline) {
  CNX_TRY(check_slot_name(name));
  return session.execute("SELECT pg_catalog.pg_drop_replication_slot($1)", {name}, deadline);
}

}  // namespace cnx::postgres
