// What is done when a pass has ended because the graph refused a batch: the next pass cuts it smaller there, until it does, or until
// one transaction, or some rows of a copy, stand alone; then the rows at fault are looked for by trying, and become dead letters.
#pragma once

#include <optional>
#include <vector>

#include "apply/kept_rows.hpp"
#include "apply/lane_stage.hpp"
#include "apply/narrowing.hpp"
#include "cypher/plan.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

// Of a pass, or a copy, that has ended.
struct PassRefusal {
  std::optional<apply::RefusedBatch> batch;  // By the graph.
  std::vector<apply::RefusedRow> rows;       // By the batch stage: they cannot even be put into a batch.
  bool replaces = false;                     // A copy whose rows replace what is there.
  bool any() const { return batch.has_value() || !rows.empty(); }
};

// One thread, the pipeline's.
class Refusals {
 public:
  // Both must outlive it.
  Refusals(const PipelineOptions& options, DeadLetters& letters) : options_(options), letters_(letters) {}

  // How the next pass, or copy, cuts its batches.
  const std::optional<apply::Narrowing>& of_stream() const { return stream_; }
  const std::optional<apply::Narrowing>& of_copy() const { return copy_; }
  // A copy came to its end, or its turn did, and nothing was refused: the next one need not be narrow.
  void end_copy() { copy_.reset(); }

  // After success the next pass may go on where this one ended. Else the error is the refusal's, or one that came of it: to be tried
  // again as its class says. Its code is kEntityMissing where rows have to be read again first: take_lacking(). Blocks.
  Status settle(PassRefusal&& refusal, Catalog& catalog, const cypher::Plan& plan, postgres::Session& session);
  std::vector<mapping::LackingRow> take_lacking() { return std::move(lacking_); }

 private:
  Status isolate(PassRefusal& refusal, Catalog& catalog, const cypher::Plan& plan, postgres::Session& session);
  Status too_large(apply::RefusedBatch& refused, apply::KeptRows& kept, postgres::Session& session);
  Status nothing_found(apply::RefusedBatch& refused, apply::KeptRows& kept, postgres::Session& session);

  const PipelineOptions& options_;
  DeadLetters& letters_;
  std::optional<apply::Narrowing> stream_;
  std::optional<apply::Narrowing> copy_;
  std::vector<mapping::LackingRow> lacking_;
  int nothing_found_ = 0;  // In a row, of the batch that begins there.
  change::Position nothing_found_at_;
};

}  // namespace cnx::pipeline
