#include "pipeline/read_again.hpp"

#include "apply/source_moves.hpp"
#include "base/failpoint.hpp"
#include "pipeline/copy.hpp"
#include "pipeline/old_slot.hpp"
#include "pipeline/slot_wait.hpp"
#include "pipeline/source_record.hpp"
#include "record/ledger.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using capture::SourceJudgement;
using capture::SourceState;

constexpr Duration kStepMax = std::chrono::seconds(30);

TimePoint soon() { return Clock::now() + kStepMax; }

// Kept as the tables' reason while they are read.
std::string reason_of(const SourceJudgement& judgement) {
  std::string reason = std::string(to_string(judgement.state)) + ": " + judgement.happened;
  if (judgement.missing) reason += "; changes of the log from " + judgement.missing->to_string() + " may be missing";
  if (judgement.surplus) reason += "; changes of the log from " + judgement.surplus->to_string() + " are no more";
  return reason;
}

}  // namespace

bool is_to_be_read_again(const SourceJudgement& judgement, bool all_asked, const SourceOptions& options) {
  if (judgement.may_go_on()) return false;
  // That it is the right database is for a person alone to say.
  if (judgement.state == SourceState::database_replaced) return all_asked;
  return capture::is_gap(judgement.state) && (all_asked || options.gap_action == "resync");
}

Status read_all_again(CopyContext& context, const SourceJudgement& judgement) {
  const PipelineOptions& options = context.options;
  const std::string reason = reason_of(judgement);
  telemetry::log_warning("all_read_again", reason + "; every table is read again behind a new slot",
                         {{"state", to_string(judgement.state)}});
  CNX_TRY(bolt::Connection graph, open_graph(options, soon()));
  const int64_t above = context.ground.record.epoch.value_or(0);
  CNX_TRY(apply::StoredPosition start, apply::raise_epoch(graph, apply::lane_key(options.name), soon(), above));
  const apply::CopyOwner owner{.pipeline = options.name, .epoch = start.epoch};
  CNX_TRY(drop_old_slot(options, context.lease_pid, context.stop));
  if (context.stop.asked) return {};
  reach("resync_slot_dropped");
  CNX_TRY(postgres::ReplicationStream stream, postgres::ReplicationStream::open(options.postgres, soon()));
  CNX_TRY(postgres::CreatedSlot slot, make_slot(stream, options, context.stop));
  reach("resync_slot_made");
  CNX_TRY(apply::begin_again(graph, owner, source_of(options, context.ground.system), slot.consistent_point, reason, soon()));
  reach("resync_position_moved");
  // Nodes may be others than those whose element ids the rows have.
  CNX_TRY(record::mark_filled(context.owner, options.name, soon()));
  return forget_record(context.owner, options.name, soon());
}

Status follow_source(const PipelineOptions& options, const postgres::SystemIdentity& system, TimePoint deadline) {
  CNX_TRY(bolt::Connection graph, open_graph(options, deadline));
  CNX_TRY(apply::StoredPosition start, apply::raise_epoch(graph, apply::lane_key(options.name), deadline));
  return apply::follow_source(graph, {.pipeline = options.name, .epoch = start.epoch}, source_of(options, system), deadline);
}

}  // namespace cnx::pipeline
