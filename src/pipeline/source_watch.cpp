#include "pipeline/source_watch.hpp"

#include <set>

#include "pipeline/findings.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

// What lasts is told again.
constexpr Duration kToldAgain = std::chrono::minutes(10);

}  // namespace

Status SourceWatch::judge(const SourceLook& seen, postgres::SystemIdentity system, std::optional<capture::HeldPosition> held,
                          int server_version) {
  if (!held) return {};
  system.wal_end = std::max(seen.wal_end, held->position.lsn);  // It may have been read before the position.
  return capture::to_status(capture::judge_source({.held = std::move(held),
                                                   .record = seen.record,
                                                   .system = std::move(system),
                                                   .server_version = server_version,
                                                   .slot = seen.slot}));
}

void SourceWatch::count(const SourceLook& seen) {
  figures_.source_wal_end = seen.wal_end.value();
  figures_.retained_wal_bytes = seen.slot ? seen.slot->retained_wal_bytes.value_or(-1) : -1;
  figures_.safe_wal_bytes = seen.slot ? seen.slot->safe_wal_bytes.value_or(-1) : -1;
}

void SourceWatch::tell(const SourceLook& seen, TimePoint now) {
  std::set<std::string> there;
  for (const SourceWarning& warning : source_warnings(seen, options_.source)) {
    there.insert(warning.code);
    auto [known, is_new] = told_.try_emplace(warning.code, TimePoint::min());
    if (!is_new && now < known->second) continue;
    known->second = now + kToldAgain;
    telemetry::log_warning("source_warning", warning.code + ": " + warning.message + "; " + warning.advice, {{"code", warning.code}});
  }
  std::erase_if(told_, [&](const auto& entry) {
    const bool over = !there.contains(entry.first);
    if (over) telemetry::log_info("source_warning_over", entry.first + ": it is over", {{"code", entry.first}});
    return over;
  });
}

Status SourceWatch::give_up(const SourceLook& seen) const {
  if (options_.source.retained_wal_action != "drop_slot" || !seen.slot) return {};
  const int64_t kept = seen.slot->retained_wal_bytes.value_or(0);
  if (kept <= static_cast<int64_t>(options_.source.retained_wal_bytes_max)) return {};
  return fail(Error(ErrorKind::state, kGiveUpSlot,
                    "it was dropped by this program, since PostgreSQL kept " + bytes_text(static_cast<double>(kept)) +
                        " of log for it (source.retained_wal_action)"));
}

}  // namespace cnx::pipeline
