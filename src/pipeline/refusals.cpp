#include "pipeline/refusals.hpp"

#include <fmt/format.h>

#include "apply/poison_search.hpp"
#include "pipeline/trial.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using stream::RetryClass;

// A row of fewer bytes is not what the server's memory is full of.
constexpr size_t kLargeRow = size_t{1} << 20;
// So often all rows of a batch can be applied when they are tried, and it is refused all the same.
constexpr int kNothingFoundMax = 3;

}  // namespace

Status Refusals::settle(PassRefusal&& refusal, Catalog& catalog, const cypher::Plan& plan, postgres::Session& session) {
  if (!refusal.rows.empty()) return letters_.add(session, refusal.rows);
  const Error& error = refusal.batch->error;
  const RetryClass retry = stream::retry_class(error);
  const apply::Batch& batch = refusal.batch->batch;
  std::optional<apply::Narrowing>& narrowing = batch.segment ? copy_ : stream_;
  if (std::optional<apply::Narrowing> next = apply::narrower(narrowing, batch, retry)) {
    telemetry::log_warning("batch_cut",
                           fmt::format("a batch of {} rows was refused: {}; it is cut smaller, {} rows at a time", batch.rows,
                                       error.describe(), next->rows),
                           telemetry::fields_of(error));
    narrowing = std::move(next);
    return {};
  }
  if (retry == RetryClass::smaller) return fail(error);
  return isolate(refusal, catalog, plan, session);
}

Status Refusals::isolate(PassRefusal& refusal, Catalog& catalog, const cypher::Plan& plan, postgres::Session& session) {
  apply::RefusedBatch& refused = *refusal.batch;
  apply::KeptRows kept(refused.batch, *catalog.model, catalog.types, refusal.replaces);
  if (stream::retry_class(refused.error) == RetryClass::in_pieces) return too_large(refused, kept, session);
  Trial trial(options_, plan);
  CNX_TRY(apply::Poison poison,
          apply::find_poison(kept.size(), letters_.enough(), [&](size_t count, const std::vector<size_t>& found) -> Result<std::optional<apply::Refusal>> {
            CNX_TRY(mapping::Mutations mutations, kept.merge(count, found));
            std::vector<mapping::LackingRow> lacking = mapping::lacking_rows(mutations);
            Result<std::optional<apply::Refusal>> tried = trial.run(std::move(mutations));
            if (!tried && tried.error().code() == apply::kEntityMissing) lacking_ = std::move(lacking);
            return tried;
          }));
  if (poison.rows.empty()) return nothing_found(refused, kept, session);
  nothing_found_ = 0;
  std::vector<apply::RefusedRow> rows;
  for (size_t i = 0; i < poison.rows.size(); ++i) {
    Result<apply::RefusedRow> named = kept.name(poison.rows[i]);
    if (!named) return fail(std::move(named.error()).wrap(poison.refusals[i].error.describe()));
    apply::RefusedRow& row = *named;
    row.refusal = std::move(poison.refusals[i]);
    row.after = poison.rows[i] - (i == 0 ? 0 : poison.rows[i - 1] + 1);
    rows.push_back(std::move(row));
  }
  return letters_.add(session, rows);
}

// Nothing smaller is left to be tried.
Status Refusals::too_large(apply::RefusedBatch& refused, apply::KeptRows& kept, postgres::Session& session) {
  size_t largest = 0;
  size_t read_again = 0;
  for (size_t row = 0; row < kept.size(); ++row) {
    if (kept.bytes(row) > kept.bytes(largest)) largest = row;
    read_again += kept.was_read_again(row) ? 1 : 0;
  }
  if (read_again > 1) {
    letters_.rows().try_fewer();
    return {};
  }
  if (kept.size() == 0 || kept.bytes(largest) < kLargeRow) {
    return fail(Error(ErrorKind::unavailable, refused.error.code(),
                      "Neo4j has too little memory even for a small transaction: " + refused.error.describe())
                    .advise("see who uses it (SHOW TRANSACTIONS), or give it more: dbms.memory.transaction.total.max"));
  }
  CNX_TRY(apply::RefusedRow row, kept.name(largest));
  // What is of that size stays where it is.
  row.values.clear();
  row.refusal = {refused.error, refused.statement};
  return letters_.add(session, {std::move(row)});
}

// Whatever was the matter is over, or shows at the commit alone. One row by itself is known for all that; of several nobody can
// say which, and they stand and fall together.
Status Refusals::nothing_found(apply::RefusedBatch& refused, apply::KeptRows& kept, postgres::Session& session) {
  if (refused.batch.from.position != nothing_found_at_) nothing_found_ = 0;
  nothing_found_at_ = refused.batch.from.position;
  if (++nothing_found_ < kNothingFoundMax) return {};
  nothing_found_ = 0;
  if (kept.size() == 1) {
    CNX_TRY(apply::RefusedRow row, kept.name(0));
    row.refusal = {refused.error, refused.statement};
    return letters_.add(session, {std::move(row)});
  }
  return fail(Error(ErrorKind::state, refused.error.code(),
                    "a transaction is refused as a whole, and each of its rows could be applied: " + refused.error.describe())
                  .with("position", refused.batch.to.position.to_string())
                  .with("rows", std::to_string(kept.size()))
                  .advise("a constraint that is checked at the commit, or a plugin of the server, refuses it: mend that"));
}

}  // namespace cnx::pipeline
