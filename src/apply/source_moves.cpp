#include "apply/source_moves.hpp"

namespace cnx::apply {
namespace {

constexpr std::string_view kNoteEpoch = "SET p.recordedEpoch = $epoch";
constexpr std::string_view kFollow =
    "SET p.timeline = $timeline, p.database = $database, p.databaseOid = $databaseOid";
// A held table stays held: it is read again when it is released.
constexpr std::string_view kBeginAgain =
    "SET p.lsn = $lsn, p.lsnText = $text, p.ordinal = 0, p.phase = 'stream', p.partial = false, p.partialUntil = null, "
    "p.consistentPoint = $text, p.systemIdentifier = $system, p.timeline = $timeline, p.database = $database, "
    "p.databaseOid = $databaseOid, p.slot = $slot, p.commitLsn = null, p.committedAt = null, "
    "p.recordedEpoch = null WITH p "
    "CALL (p) { MATCH (s:ContextNexusSegment {pipeline: $pipeline}) DELETE s } WITH p "
    "CALL (p) { MATCH (l:ContextNexusPosition) WHERE l.key STARTS WITH $prefix DELETE l } WITH p "
    "MATCH (t:ContextNexusTable {pipeline: $pipeline}) WHERE t.state <> 'held' "
    "SET t.state = 'copying', t.reason = $reason, t.advice = '', t.since = $text, t.due = 0, t.sweep = true";

bolt::Map parameters_of(const Source& source, change::Lsn lsn) {
  bolt::Map parameters;
  for (const bolt::MapEntry& entry : source_parameters("", source, lsn)) {
    if (entry.key != "lane") parameters.add(entry.key, entry.value);
  }
  return parameters;
}

}  // namespace

Status note_recorded_epoch(bolt::Connection& connection, const CopyOwner& owner, TimePoint deadline) {
  CNX_TRY(run_owned(connection, owner, kNoteEpoch, {}, deadline));
  return {};
}

Status follow_source(bolt::Connection& connection, const CopyOwner& owner, const Source& source, TimePoint deadline) {
  CNX_TRY(run_owned(connection, owner, kFollow, parameters_of(source, change::Lsn()), deadline));
  return {};
}

Status begin_again(bolt::Connection& connection, const CopyOwner& owner, const Source& source, change::Lsn start,
                   const std::string& reason, TimePoint deadline) {
  bolt::Map parameters = parameters_of(source, start);
  parameters.add("reason", reason);
  CNX_TRY(run_owned(connection, owner, kBeginAgain, parameters, deadline));
  return {};
}

}  // namespace cnx::apply
