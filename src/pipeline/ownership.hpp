// What a run holds on PostgreSQL while it is the pipeline's owner: the lease, a session to ask on, and an ear for what people
// want and for what becomes of the source.
#pragma once

#include <functional>
#include <optional>

#include "pipeline/figures.hpp"
#include "pipeline/lease.hpp"
#include "pipeline/pause.hpp"
#include "pipeline/source_watch.hpp"

namespace cnx::pipeline {

// One thread.
class Ownership {
 public:
  // Where the graph stands, for the look at the source; none: it is not to be judged now.
  using Held = std::function<std::optional<capture::HeldPosition>()>;

  // All must outlive it.
  Ownership(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop, Figures& figures, Held held)
      : options_(options),
        run_options_(run_options),
        stop_(stop),
        figures_(figures),
        held_(std::move(held)),
        lease_(options, run_options, stop, figures),
        watch_(options, figures) {}

  // Waits until the pipeline is ours (lease.hpp), or a stop is asked for. true: somebody else may have worked in between.
  Result<bool> take();
  postgres::Session& session() { return *session_; }
  Lease& lease() { return lease_; }
  // The server that the slot is on.
  void use(postgres::SystemIdentity system) { system_ = std::move(system); }

  // The lease's session, and the one to ask on, also tell when PostgreSQL shuts down: they are lost then, at once, while a
  // walsender would be waited for until all that was sent is confirmed, which without Neo4j would be for ever. Losing one ends
  // the pass, and with it the replication connection; a new start goes on from the position. True: the pipeline was paused, and
  // what is under way is to be finished. A source that does not fit any more is an error as well.
  Result<bool> paused_or_lost();
  // The lock is kept, and PostgreSQL its log; nothing else is.
  Status wait_while_paused();
  bool paused() const { return pause_->state().paused(); }
  // As PauseWatch.
  bool take_letter_news() { return pause_->take_letter_news(); }

  // Whether tables were asked to be read again; and that it was begun with.
  bool resync_asked() const { return pause_->resync_asked(); }
  Status end_request(const ResyncRequest& request) { return pause_->end_request(request); }

 private:
  const PipelineOptions& options_;
  const RunOptions& run_options_;
  StopRequest& stop_;
  Figures& figures_;
  Held held_;
  Lease lease_;
  bool is_new_ = false;  // Nobody was told of it yet.
  std::optional<postgres::Session> session_;
  std::optional<PauseWatch> pause_;  // On that session.
  SourceWatch watch_;
  postgres::SystemIdentity system_;
};

}  // namespace cnx::pipeline
