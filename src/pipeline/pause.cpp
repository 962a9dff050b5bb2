#include "pipeline/pause.hpp"

#include "pipeline/ground.hpp"
#include "pipeline/schema.hpp"
#include "record/dead_letters.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
// One channel for all pipelines of the database; the payload is the pipeline's name.
constexpr std::string_view kListen = "LISTEN contextnexus_pipelines";

constexpr std::string_view kRead =
    "SELECT coalesce(pg_catalog.to_char(paused_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), "
    "coalesce(paused_by, '') FROM contextnexus.pipelines WHERE name = $1";
// The row's lock keeps two at a time apart; who comes second finds that it was so already.
constexpr std::string_view kSet =
    "WITH before AS (SELECT paused_at IS NOT NULL AS was FROM contextnexus.pipelines WHERE name = $1 FOR UPDATE) "
    "UPDATE contextnexus.pipelines p SET "
    "paused_at = CASE WHEN $2::boolean THEN coalesce(p.paused_at, pg_catalog.now()) END, "
    "paused_by = CASE WHEN $2::boolean THEN coalesce(p.paused_by, session_user::text) END, updated_at = pg_catalog.now() "
    "FROM before WHERE p.name = $1 RETURNING before.was, pg_catalog.pg_notify('contextnexus_pipelines', p.name)";

TimePoint soon() { return Clock::now() + kStepMax; }

}  // namespace

Result<std::optional<PauseState>> read_pause(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(int version, read_engine_version(session, deadline));
  if (version < kEngineVersion) return std::optional<PauseState>();
  CNX_TRY(postgres::Rows rows, session.query(kRead, {pipeline}, deadline));
  if (rows.empty()) return std::optional<PauseState>();
  return std::optional(PauseState{std::string(rows.text(0, 0)), std::string(rows.text(0, 1))});
}

Result<PauseChange> set_paused(const PipelineOptions& options, bool paused) {
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(check_engine_version(session, soon()));
  CNX_TRY(std::optional<PauseState> known, read_pause(session, options.name, soon()));
  if (!known) {
    return fail(Error(ErrorKind::invalid, "this database knows no pipeline of that name")
                    .with("pipeline", options.name)
                    .advise("contextnexus init makes one; --pipeline names another"));
  }
  CNX_TRY(postgres::Rows rows, session.query(kSet, {options.name, paused ? "true" : "false"}, soon()));
  if (rows.empty()) return fail(ErrorKind::state, "the pipeline was dropped at this moment");
  CNX_TRY(bool was, rows.boolean(0, 0));
  CNX_TRY(std::optional<PauseState> now, read_pause(session, options.name, soon()));
  return PauseChange{.state = now.value_or(PauseState()), .changed = was != paused};
}

Status PauseWatch::listen() {
  CNX_TRY(session_.execute(kListen, soon()));
  CNX_TRY(session_.execute("LISTEN " + std::string(record::kDeadLettersChannel), soon()));
  return read();
}

Result<bool> PauseWatch::paused() {
  bool heard = false;
  while (true) {
    CNX_TRY(std::optional<postgres::Notification> notification, session_.try_read_notification());
    if (!notification) break;
    if (notification->payload != pipeline_) continue;
    if (notification->channel == record::kDeadLettersChannel) {
      letter_news_ = true;
    } else {
      heard = true;
    }
  }
  if (heard) CNX_TRY(read());
  return state_.paused();
}

Status PauseWatch::read() {
  CNX_TRY(std::optional<PauseState> now, read_pause(session_, pipeline_, soon()));
  state_ = now.value_or(PauseState());
  CNX_TRY(request_, read_request(session_, pipeline_, soon()));
  return {};
}

Status PauseWatch::end_request(const ResyncRequest& begun) {
  CNX_TRY(pipeline::end_request(session_, pipeline_, begun, soon()));
  return read();
}

}  // namespace cnx::pipeline
