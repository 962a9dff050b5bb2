// Counts the graph's stubs now and then, for a metric: over a connection of its own, since the lane's is busy, and without
// holding up anything. What it cannot learn stays unknown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bolt/connection.hpp"
#include "mapping/model.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/options.hpp"
#include "stream/stage.hpp"

namespace cnx::pipeline {

class StubCount final : public stream::Stage {
 public:
  // Options and figures must outlive it.
  StubCount(const PipelineOptions& options, const mapping::Model& model, Figures& figures);

  std::string_view name() const override { return "stub count"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  void begin(TimePoint now);
  stream::Step go_on(TimePoint now);
  stream::Step rest(TimePoint until);

  const PipelineOptions& options_;
  Figures& figures_;
  std::vector<std::string> texts_;  // One a label.
  std::optional<bolt::Connection> graph_;
  bool stopping_ = false;
  bool counting_ = false;
  TimePoint begun_{};
  int64_t counted_ = 0;
};

}  // namespace cnx::pipeline
