// What a pipeline is made of: two databases, a mapping, a name.
#pragma once

#include <string>
#include <vector>

#include "apply/batch_stage.hpp"
#include "base/clock.hpp"
#include "bolt/options.hpp"
#include "capture/logical/logical_stage.hpp"
#include "mapping/rules.hpp"
#include "pipeline/circuit_breaker.hpp"
#include "postgres/options.hpp"
#include "record/sync_stage.hpp"

namespace cnx::pipeline {

// What is done about the source while the pipeline stands, runs, or does not fit it any more.
struct SourceOptions {
  // Log that PostgreSQL keeps for the slot is worth a warning from here on, or from half of max_slot_wal_keep_size on.
  size_t retained_wal_warn_bytes = size_t{4} << 30;
  // "warn", or "drop_slot": beyond retained_wal_bytes_max the primary's disk is worth more than the slot.
  std::string retained_wal_action = "warn";
  size_t retained_wal_bytes_max = size_t{64} << 30;
  // Where the graph lacks changes that cannot be read any more: "stop" until a person has chosen, or "resync" by itself.
  std::string gap_action = "stop";
  // A transaction, prepared or open, that is older holds log back, and is told.
  Duration transaction_warn = std::chrono::minutes(10);
  // So often all of this is looked at.
  Duration look_interval = std::chrono::seconds(10);
};

struct DeadLetterOptions {
  // So many may be open: one more stops the line.
  size_t open_max = 1'000;
  // So many changes may be held behind one: its table is held from then on, and copied anew once the letter is settled.
  size_t held_changes_max = 10'000;
  CircuitBreakerOptions breaker;
  // Whether a letter keeps the row's values.
  bool keep_values = false;
};

struct AuditOptions {
  // "all", "batches", "failures" or "off".
  std::string level = "batches";
  // Days of it that are kept; 0: all.
  size_t retention_days = 30;
  // What waits to be written may take so much; then the line waits.
  size_t queue_bytes_max = size_t{16} << 20;
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
  AuditOptions audit;

  SourceOptions source;
  // Whether standbys of PostgreSQL 17 and later keep the slot in step, so that it comes along with a failover: "on", "off", or
  // "auto": where the server can.
  std::string slot_failover = "auto";

  // The making of a slot waits for every transaction that is open; after so long it gives up and says for which.
  Duration slot_wait_max = std::chrono::minutes(30);

  const std::string& slot() const { return name; }
  const std::string& publication() const { return name; }
};

}  // namespace cnx::pipeline
