#include "pipeline/stub_count.hpp"

#include <set>

#include "cypher/quote.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {
namespace {

using stream::Step;

constexpr Duration kInterval = std::chrono::seconds(15);
// A graph without an index over the mark is read label by label: of a second's work there is one in so many.
constexpr int kShare = 100;
// After a failure: the line tells of it, if it has it too.
constexpr Duration kAfterFailure = std::chrono::minutes(1);
// Others wait for this stage where the line ends.
constexpr Duration kOpenMax = std::chrono::seconds(2);
constexpr Duration kCountMax = std::chrono::minutes(2);
constexpr char kNoParameters = '\xA0';

}  // namespace

StubCount::StubCount(const PipelineOptions& options, const mapping::Model& model, Figures& figures)
    : options_(options), figures_(figures) {
  std::set<std::string> labels;
  for (const mapping::NodeTable& node : model.nodes()) {
    if (!labels.insert(node.node->label).second) continue;
    texts_.push_back("CYPHER 5 MATCH (n:" + cypher::quote(node.node->label) + ") WHERE n._cnx_stub RETURN count(n)");
  }
}

Step StubCount::step(TimePoint now) {
  if (stopping_ || texts_.empty()) {
    if (graph_) graph_->close();
    graph_.reset();
    return stopping_ ? Step::done() : Step::wait_until(kNever);
  }
  if (counting_) return go_on(now);
  if (now < figures_.stubs_due) return Step::wait_until(figures_.stubs_due);
  if (!graph_) {
    Result<bolt::Connection> opened = open_graph(options_, now + kOpenMax);
    if (!opened) return rest(now + kAfterFailure);
    graph_ = std::move(*opened);
  }
  begin(now);
  return Step::progressed();
}

void StubCount::begin(TimePoint now) {
  const auto parameters = std::as_bytes(std::span(&kNoParameters, 1));
  bolt::TransactionOptions transaction;
  transaction.mode = bolt::TransactionOptions::Mode::read;
  transaction.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(kCountMax);
  transaction.metadata = bolt::Map{{"app", "contextnexus"}, {"pipeline", options_.name}};
  for (const std::string& text : texts_) {
    graph_->run(text, parameters, transaction);
    graph_->pull_all();
  }
  counting_ = true;
  begun_ = now;
  counted_ = 0;
}

Step StubCount::go_on(TimePoint now) {
  Result<bool> moved = graph_->pump(now);
  while (std::optional<bolt::Reply> reply = graph_->take_reply()) {
    if (!reply->ok()) return rest(now + kAfterFailure);
    if (reply->records.empty() || reply->records.front().empty()) continue;
    if (const auto* count = reply->records.front().front().get_if<int64_t>()) counted_ += *count;
  }
  if (!moved || now > begun_ + kCountMax) return rest(now + kAfterFailure);
  if (graph_->outstanding() > 0) {
    if (*moved) return Step::progressed();
    return Step::wait_until(std::min(begun_ + kCountMax, graph_->silence_deadline())).on(graph_->fd(), true, graph_->wants_write());
  }
  figures_.stubs = counted_;
  counting_ = false;
  figures_.stubs_due = now + std::max(kInterval, (now - begun_) * kShare);
  return Step::wait_until(figures_.stubs_due);
}

// The connection is of no use any more: what it still owes is not waited for.
Step StubCount::rest(TimePoint until) {
  if (graph_) graph_->close();
  graph_.reset();
  counting_ = false;
  figures_.stubs_due = until;
  return Step::wait_until(until);
}

}  // namespace cnx::pipeline
