// One life of the engine in a history: the real stages between their queues, started from what the graph and the slot hold,
// stepped from one thread, thrown away at any moment. What pipeline/ does between two passes it does in a few lines of its own:
// asking the source's state, reading rows again, cutting batches smaller and writing dead letters.
#pragma once

#include <memory>
#include <optional>

#include "apply/batch_stage.hpp"
#include "apply/lane_stage.hpp"
#include "capture/logical/logical_stage.hpp"
#include "mapping/model.hpp"
#include "simulated_copy.hpp"
#include "simulated_slot.hpp"
#include "world.hpp"

namespace cnx::simulation {

struct EngineOptions {
  apply::BatchOptions batch;
  stream::QueueLimits events;
  // Steps a stage only where something has woken it, as the runner does: a wake-up that is missing then ends in silence. Else
  // any stage at any time.
  bool only_woken = false;
  change::Lsn wanted;
};

class Engine {
 public:
  enum class State { running, ended, failed };

  Engine(World& world, const mapping::Mapping& mapping, EngineOptions options);
  ~Engine();

  // A step of one of the stages.
  State step(TimePoint now);
  // When a stage is due though nothing wakes it; kNever: none.
  TimePoint due() const;
  bool may_step(TimePoint now) const;
  void stop();
  // It has lost the lock that owners hold: what it is at goes on, and nothing follows it.
  void depose() { last_pass_ = true; }
  void heal();
  const Error& error() const { return *error_; }
  // It was to stop, and something stood in the way of what was left.
  bool cut_short() const { return cut_short_; }
  size_t read_again() const { return times_read_again_; }

 private:
  struct Seat {
    stream::Stage* stage = nullptr;
    bool woken = true;
    bool done = false;
    stream::Step waits;
  };
  struct Pass;

  void start_pass();
  Tables prepare_copy(bool under_way);
  bool ready(const Seat& seat, TimePoint now) const;
  State next_pass();
  State after_failure(Error error);
  void read_rows_again(const std::vector<mapping::LackingRow>& lacking);
  void read_rows_again(const std::vector<mapping::LackingRow>& lacking, change::Position at);
  void read_rows_ahead(const apply::StoredPosition& start);
  std::vector<mapping::LackingRow> settle(apply::RefusedBatch& refused);
  std::vector<mapping::LackingRow> isolate(const apply::Batch& batch);
  void write_letter(const apply::RefusedRow& row);
  std::vector<apply::DeadKey> dead_keys() const;

  World& world_;
  EngineOptions options_;
  std::shared_ptr<mapping::Model> model_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  capture::ToldTransactions told_;
  std::vector<apply::RefetchedRow> refetched_;
  std::optional<apply::Narrowing> stream_narrowing_;
  std::optional<apply::Narrowing> copy_narrowing_;
  std::unique_ptr<Pass> pass_;
  size_t times_read_again_ = 0;
  bool stopping_ = false;
  bool last_pass_ = false;
  bool cut_short_ = false;
  change::Position began_at_;  // This pass.
  std::optional<Error> error_;
};

}  // namespace cnx::simulation
