// A pipeline that is paused reads and applies nothing. That it is so is kept in contextnexus.pipelines, so that it outlives
// the process; a running one hears of it by NOTIFY.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "pipeline/options.hpp"
#include "pipeline/resync_request.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

struct PauseState {
  std::string paused_at;  // In UTC: "2026-01-31T12:00:00Z"; empty: not paused.
  std::string paused_by;  // The role that did it.
  bool paused() const { return !paused_at.empty(); }
};

// As contextnexus.pipelines has it; nullopt where it does not know the pipeline. Blocks until `deadline`.
Result<std::optional<PauseState>> read_pause(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

struct PauseChange {
  PauseState state;      // As it is now.
  bool changed = false;  // false: it was so already.
};
// Pauses or resumes, and tells the running engine. ErrorKind::invalid: no such pipeline. Needs PostgreSQL alone.
Result<PauseChange> set_paused(const PipelineOptions& options, bool paused);

// The running engine's ear: what people have asked for. One thread.
class PauseWatch {
 public:
  // Both must outlive it.
  PauseWatch(postgres::Session& session, const std::string& pipeline) : session_(session), pipeline_(pipeline) {}

  // Begins to listen and reads how it stands. Blocks until a deadline of its own.
  Status listen();
  // How it stands now: takes what has arrived, and asks PostgreSQL only where something has. unavailable: the session is
  // lost.
  Result<bool> paused();
  const PauseState& state() const { return state_; }
  // Whether tables were asked to be read again, as of the last paused().
  bool resync_asked() const { return !request_.empty(); }
  // It has been begun with; another one may be there by now. Blocks until a deadline of its own.
  Status end_request(const ResyncRequest& begun);
  // Whether somebody has settled dead letters of the pipeline since the last call; paused() takes what has arrived.
  bool take_letter_news() { return std::exchange(letter_news_, false); }

 private:
  Status read();

  postgres::Session& session_;
  const std::string& pipeline_;
  PauseState state_;
  ResyncRequest request_;
  bool letter_news_ = false;
};

}  // namespace cnx::pipeline
