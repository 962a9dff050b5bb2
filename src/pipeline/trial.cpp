#include "pipeline/trial.hpp"

#include <poll.h>

#include "pipeline/pass.hpp"
#include "stream/retry_class.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kOpenMax = std::chrono::seconds(30);

}  // namespace

Trial::Trial(const PipelineOptions& options, const cypher::Plan& plan) : graph_(graph_options(options), plan) {}

Result<std::optional<apply::Refusal>> Trial::run(mapping::Mutations&& mutations) {
  if (mutations.empty()) return std::optional<apply::Refusal>();
  if (!open_) CNX_TRY(graph_.open(Clock::now() + kOpenMax));
  apply::Batch batch;
  batch.mutations = std::move(mutations);
  const std::unique_ptr<apply::PreparedBatch> prepared = graph_.prepare(batch);
  graph_.submit(batch, *prepared, {.kind = apply::Part::Kind::trial}, 0, Clock::now());
  Result<apply::Applied> applied = wait();
  // After a failure the connection is over.
  open_ = applied.has_value();
  if (applied) return std::optional<apply::Refusal>();
  if (stream::retry_class(applied.error()) != stream::RetryClass::dead_letter) return fail(std::move(applied.error()));
  return std::optional(apply::Refusal{std::move(applied.error()), graph_.failed_statement()});
}

Result<apply::Applied> Trial::wait() {
  while (true) {
    CNX_TRY(std::optional<apply::Applied> applied, graph_.poll(Clock::now()));
    if (applied) return *applied;
    pollfd descriptor{graph_.descriptor(), POLLIN, 0};
    if (graph_.wants_write()) descriptor.events |= POLLOUT;
    ::poll(&descriptor, 1, poll_timeout(graph_.deadline(), Clock::now()));
  }
}

}  // namespace cnx::pipeline
