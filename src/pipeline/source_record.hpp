// What PostgreSQL remembers of a pipeline (contextnexus.pipelines): which owner began last, where one ended, and what a person
// asked for. A role that may not write it loses what it would have told, and nothing else.
#pragma once

#include <string>

#include "apply/segments.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "capture/logical/source_state.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// All block until `deadline`; kinds as Session.

// Empty where the database has no such table, row or right.
Result<capture::SourceRecord> read_record(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

// The slot is to be dropped by the owner, for this reason.
Status record_given_up(postgres::Session& session, const std::string& pipeline, const std::string& why, TimePoint deadline);
// The graph is filled from the beginning, or read again behind a new slot: what was remembered means nothing any more.
Status forget_record(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

// What this process has told of itself as the owner. One thread.
class OwnerRecord {
 public:
  // With which PostgreSQL knows this owner; 0: it does not, or cannot.
  int64_t epoch() const { return epoch_; }
  // Others may have been owners meanwhile.
  void forget() { epoch_ = 0; }

  // This owner begins: what earlier ones write is refused from then on, and the graph knows that PostgreSQL has it on disk. Once,
  // until forget() or end(), since it is a write. Where it may not be written, or a later owner has begun, nothing is told.
  Status begin(postgres::Session& session, bolt::Connection& graph, const apply::CopyOwner& owner, TimePoint deadline);
  // It has come to its end with the graph there. Nothing where a later one has begun.
  Status end(postgres::Session& session, const std::string& pipeline, change::Lsn reached, TimePoint deadline);

 private:
  int64_t epoch_ = 0;
};

}  // namespace cnx::pipeline
