#include "pipeline/ownership.hpp"

#include <fmt/format.h>

#include "base/failpoint.hpp"
#include "pipeline/copy.hpp"
#include "pipeline/ground.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
// A paused pipeline looks so often whether it was resumed.
constexpr Duration kPauseLook = std::chrono::milliseconds(500);

TimePoint soon() { return Clock::now() + kStepMax; }

}  // namespace

Result<bool> Ownership::take() {
  pause_.reset();
  session_.reset();
  CNX_TRY(bool anew, lease_.take());
  reach("lock_taken");
  is_new_ = is_new_ || anew;
  if (stop_.asked) return is_new_;
  CNX_TRY(postgres::Session session, open_session(options_, soon()));
  // What is remembered here is on this server's disk; nobody waits for a standby.
  CNX_TRY(session.execute("SET synchronous_commit = local", soon()));
  session_ = std::move(session);
  pause_.emplace(*session_, options_.name);
  CNX_TRY(pause_->listen());
  return std::exchange(is_new_, false);
}

Result<bool> Ownership::paused_or_lost() {
  CNX_TRY(lease_.check());
  CNX_TRY(bool paused, pause_->paused());
  CNX_TRY(watch_.look(*session_, system_, held_));
  return paused;
}

Status Ownership::wait_while_paused() {
  CNX_TRY(bool paused, paused_or_lost());
  if (!paused) return {};
  const PauseState& state = pause_->state();
  if (run_options_.once) {
    return fail(Error(ErrorKind::state, "the pipeline is paused").with("since", state.paused_at)
                    .advise("contextnexus resume lets it go on"));
  }
  const std::string why = fmt::format("paused since {} by {}", state.paused_at, state.paused_by);
  telemetry::log_warning("paused", why + ": nothing is read or applied, and PostgreSQL keeps its log until contextnexus resume",
                         {{"since", state.paused_at}, {"by", state.paused_by}});
  figures_.set(telemetry::Activity::paused, why);
  while (!stop_.asked) {
    CNX_TRY(paused, paused_or_lost());
    if (!paused) {
      telemetry::log_info("resumed", "resumed");
      figures_.set(telemetry::Activity::starting);
      return {};
    }
    pause(stop_, kPauseLook);
  }
  return {};
}

}  // namespace cnx::pipeline
