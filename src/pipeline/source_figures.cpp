#include "pipeline/source_figures.hpp"

#include "postgres/slot.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kInterval = std::chrono::seconds(10);
constexpr Duration kAskMax = std::chrono::seconds(30);

}  // namespace

Status SourceFigures::look(postgres::Session& session) {
  const TimePoint now = Clock::now();
  if (now < due_) return {};
  due_ = now + kInterval;
  Status asked = ask(session, now + kAskMax);
  if (!asked && asked.error().kind() != ErrorKind::server) return asked;
  return {};
}

Status SourceFigures::ask(postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_current_wal_flush_lsn()", deadline));
  CNX_TRY(change::Lsn end, rows.lsn(0, 0));
  CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, slot_, deadline));
  figures_.source_wal_end = end.value();
  figures_.retained_wal_bytes = slot ? slot->retained_wal_bytes.value_or(-1) : -1;
  figures_.safe_wal_bytes = slot ? slot->safe_wal_bytes.value_or(-1) : -1;
  return {};
}

}  // namespace cnx::pipeline
