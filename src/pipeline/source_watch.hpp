// The look at the source while the pipeline runs, copies or is paused: what is wrong ends the pass with its state, what is worth
// a warning is told once, again every while, and when it is over.
#pragma once

#include <map>
#include <string>

#include "pipeline/figures.hpp"
#include "pipeline/source_look.hpp"

namespace cnx::pipeline {

// An error's code: more log is kept than source.retained_wal_bytes_max, and the slot is to be dropped.
inline constexpr const char* kGiveUpSlot = "give up slot";

// One thread.
class SourceWatch {
 public:
  // Both must outlive it. What is seen is also a figure (figures.hpp).
  SourceWatch(const PipelineOptions& options, Figures& figures) : options_(options), figures_(figures) {}

  // Where the time has come. `held`: where the graph stands, asked after the slot was read, so that the slot cannot be ahead of
  // it by an answer that is under way; none: nothing is judged. Errors: a source's state, kGiveUpSlot, and those of the session.
  template <typename Held>
  Status look(postgres::Session& session, const postgres::SystemIdentity& system, const Held& held) {
    const TimePoint now = Clock::now();
    if (now < next_) return {};
    next_ = now + options_.source.look_interval;
    CNX_TRY(SourceLook seen, look_at_source(session, options_, now + kLookMax));
    count(seen);
    CNX_TRY(judge(seen, system, held(), session.server_version()));
    tell(seen, now);
    return give_up(seen);
  }

 private:
  static constexpr Duration kLookMax = std::chrono::seconds(30);

  static Status judge(const SourceLook& seen, postgres::SystemIdentity system, std::optional<capture::HeldPosition> held,
                      int server_version);
  void count(const SourceLook& seen);
  void tell(const SourceLook& seen, TimePoint now);
  Status give_up(const SourceLook& seen) const;

  const PipelineOptions& options_;
  Figures& figures_;
  TimePoint next_ = TimePoint::min();
  std::map<std::string, TimePoint> told_;  // By code: when it is told again.
};

}  // namespace cnx::pipeline
