// What a pipeline is made of: two databases, a mapping, a name.
#pragma once

#include <string>

#include "apply/batch_stage.hpp"
#include "base/clock.hpp"
#include "bolt/options.hpp"
#include "capture/logical/logical_stage.hpp"
#include "mapping/rules.hpp"
#include "pipeline/circuit_breaker.hpp"
#include "postgres/options.hpp"
#include "record/sync_stage.hpp"

namespace cnx::pipeline {

struct DeadLetterOptions {
  // So many may be open: one more stops the line.
  size_t open_max = 1'000;
  // So many changes may be held behind one: its table is held from then on, and copied anew once the letter is settled.
  size_t held_changes_max = 10'000;
  CircuitBreakerOptions breaker;
  // Whether a letter keeps the row's values.
  bool keep_values = false;
};

struct PipelineOptions {
  // [a-z0-9_]{1,63}: it is also the name of the slot and of the publication. Default: the product's.
  std::string name = "contextnexus";
  postgres::ConnectionOptions postgres;
  bolt::Options neo4j;
  mapping::Mapping mapping;

  // How the stages work; what a run itself decides in them (start, wanted, seeds, callbacks) is set over it.
  apply::BatchOptions batch;
  capture::LogicalOptions logical;
  record::SyncOptions write_back;
  DeadLetterOptions dead_letters;

  // The making of a slot waits for every transaction that is open; after so long it gives up and says for which.
  Duration slot_wait_max = std::chrono::minutes(30);

  const std::string& slot() const { return name; }
  const std::string& publication() const { return name; }
};

}  // namespace cnx::pipeline
