// What PostgreSQL is asked now and then for metrics and health: how far its log goes, and how much of it the slot retains.
#pragma once

#include "pipeline/figures.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// One thread: whose session it asks on.
class SourceFigures {
 public:
  // Both must outlive it.
  SourceFigures(const std::string& slot, Figures& figures) : slot_(slot), figures_(figures) {}

  // Asks if it is time to; blocks until a deadline of its own. What the role may not see stays unknown; an error: the session
  // is of no more use.
  Status look(postgres::Session& session);

 private:
  Status ask(postgres::Session& session, TimePoint deadline);

  const std::string& slot_;
  Figures& figures_;
  TimePoint due_ = TimePoint::min();
};

}  // namespace cnx::pipeline
