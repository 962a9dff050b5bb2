#include "history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "mapping/load.hpp"

namespace cnx::simulation {
namespace {

using capture::SourceState;

constexpr int kSteps = 1'500;
// When faults stop, lag must be zero after so long: the longest back-offs of both sides, and the idle advance.
constexpr Duration kRecoveryMax = std::chrono::seconds(60);
// A stop drains what was handed on.
constexpr Duration kStopMax = std::chrono::seconds(30);
// So often a start says what is the matter before a person has chosen.
constexpr int kRefusalsMost = 3;

const mapping::Mapping& history_mapping() {
  static const mapping::Mapping kLoaded = [] {
    auto loaded = mapping::load(mapping_text(), "history.yaml");
    CNX_CHECK(loaded.has_value(), "the histories' mapping can be read");
    return *std::move(loaded);
  }();
  return kLoaded;
}

}  // namespace

History::History(uint64_t seed, Planted planted) : world_(seed, planted) {
  // Small enough that batches are cut everywhere, large transactions go in pieces, and so do removals.
  options_.batch = {.rows_target = 1 + random() % 12,
                    .bytes_target = 50 + random() % 2'000,
                    .rows_first = 1 + random() % 12,
                    .transaction_elements_max = 10 + random() % 80,
                    .piece_rows = 1 + random() % 7};
  options_.events = {.items_max = 1 + random() % 40, .bytes_max = 500 + random() % 20'000};
  options_.only_woken = once_in(2);
  world_.faults = {.loss = static_cast<int>(random() % 30),
                   .refusal = static_cast<int>(random() % 20),
                   .slowness = static_cast<int>(1 + random() % 8),
                   .pause = static_cast<int>(random() % 3)};
  if (once_in(4)) {
    options_.batch.transaction_elements_max = 100'000;
    world_.faults.memory = false;
  }
  if (once_in(2)) world_.graph.set_removal_limits(1 + random() % 8, 1 + random() % 4);
  world_.postgres.now = now_;
  for (uint64_t i = random() % 5; i > 0; --i) commit();
}

void History::run(Tally& tally) {
  tally_ = &tally;
  start();
  for (int i = 0; i < kSteps && !broken(); ++i) {
    disturb();
    advance();
    world_.checks.look();
  }
  if (!broken()) settle();
  if (!broken()) stop_at_the_end();
  tally.pieces += static_cast<int>(world_.graph.transaction_pieces());
  tally.removals += static_cast<int>(world_.graph.pieces());
  tally.letters += static_cast<int>(world_.postgres.letters().size());
  tally.copies_continued += world_.graph.content().segments.size() > kTables.size() ? 1 : 0;
}

std::string History::trace() const {
  std::string text;
  for (const TraceEntry& entry : world_.traced) {
    const double seconds = std::chrono::duration<double>(entry.at.time_since_epoch()).count();
    text += fmt::format("  {:10.3f} s  graph at {}, confirmed {}: {}\n", seconds, entry.position.to_string(), entry.confirmed.to_string(),
                        entry.what);
  }
  // The transactions of that time.
  if (world_.traced.empty()) return text;
  for (const SourceTransaction& each : world_.postgres.transactions()) {
    if (each.end_lsn > world_.traced.front().position.lsn && each.final_lsn <= lane().position.lsn) text += "  " + describe(each);
  }
  return text;
}

bool History::is_consistent() const {
  return lane().phase == apply::Phase::stream && lane().position >= change::Position{world_.graph.consistent_from(), 0};
}

void History::start() {
  if (engine_ && lane().phase == apply::Phase::snapshot) ++tally_->copies_killed;
  if (engine_) tally_->read_again += static_cast<int>(engine_->read_again());
  engine_.reset();
  options_.wanted = once_in(4) ? world_.postgres.wal_end() : change::Lsn();
  engine_ = std::make_unique<Engine>(world_, history_mapping(), options_);
  stopping_ = false;
  world_.trace("the engine starts");
}

void History::commit() {
  const size_t commands = once_in(10) ? random() % 60 : random() % 6;
  // Rows that no graph takes come once it follows: a copy that meets them is another test's (tests/integration).
  world_.postgres.commit(commands, once_in(3), is_consistent() && !gap_);
}

void History::disturb() {
  // A database that was set back, and whose log grows past the graph's position before anybody looks, is not told from one that
  // was not.
  if (!gap_ && once_in(20)) commit();
  if (!gap_ && once_in(60)) world_.postgres.write_elsewhere(random() % (32u << 20));
  if (!gap_ && once_in(80)) world_.postgres.commit_own(once_in(3));
  if (once_in(200)) world_.postgres.alter();
  if (once_in(400)) world_.graph.restart();
  // Not while the two sides do not fit together: a slot that is set back may make them fit.
  if (!gap_ && once_in(800)) world_.postgres.begin_stop();
  if (!gap_ && once_in(400)) {
    world_.postgres.crash();
    world_.trace("PostgreSQL crashes");
    ++tally_->crashes;
  }
  replace_engine();
  if (gap_) return;
  if (once_in(200)) back_up();
  if (once_in(1'500)) tear_apart();
}

void History::replace_engine() {
  if (once_in(200)) {  // kill -9
    start();
    ++tally_->kills;
  }
  if (!stopping_ && once_in(400)) {
    engine_->stop();
    stopping_ = true;
    ++tally_->stops;
    world_.trace("the engine is asked to stop");
  }
  // Another instance takes over, and this one does not know it yet.
  if (once_in(600)) {
    deposed_ = std::move(engine_);
    deposed_->depose();
    start();
    ++tally_->takeovers;
  }
  if (once_in(300)) deposed_.reset();
}

void History::back_up() {
  if (lane().phase != apply::Phase::stream) return;
  if (once_in(2)) {
    backup_ = Backup{world_.graph.content(), world_.checks.mark(), world_.graph.copies()};
  } else {
    image_ = world_.postgres.image();
  }
}

// The two sides are moved apart, by an accident or by a person.
void History::tear_apart() {
  if (lane().phase != apply::Phase::stream) return;
  const uint64_t choice = random() % 8;
  if (choice < 3) return restore_graph();
  if (choice == 3) return restore_postgres();
  // What is under way is rolled back, so that nothing but the engine could move the graph.
  world_.graph.restart();
  if (choice == 4) {
    world_.postgres.lose_slot();
    begin_gap("the slot is lost", {SourceState::slot_lost});
  } else if (choice == 5) {
    world_.postgres.drop_slot();
    begin_gap("the slot is dropped", {SourceState::slot_missing});
  } else if (choice == 6) {
    world_.postgres.replace_cluster();
    begin_gap("PostgreSQL is another cluster", {SourceState::database_replaced});
  } else if (lane().position.lsn < world_.postgres.wal_end()) {
    world_.postgres.recreate_slot();
    begin_gap("the slot is made again", {SourceState::slot_ahead, SourceState::slot_recreated, SourceState::slot_advanced,
                                         SourceState::graph_restored});
  } else {
    start();
  }
}

void History::restore_graph() {
  if (!backup_ || backup_->copies != world_.graph.copies()) return;
  deposed_.reset();
  world_.postgres.crash();  // So that what the slot has confirmed is what it has on disk.
  world_.graph.restore(backup_->graph);
  world_.trace("the graph is restored from a backup");
  if (world_.postgres.confirmed() <= lane().position.lsn) {
    // The slot still has all that the graph lacks now.
    world_.checks.set_back(backup_->mark);
    ++tally_->restored;
    return start();
  }
  const std::vector<SourceState> names = {SourceState::graph_restored, SourceState::slot_ahead, SourceState::slot_advanced};
  if (once_in(2)) return begin_gap("the graph was restored", names);
  // The engine runs on, and finds out by itself.
  world_.checks.begin_gap();
  gap_ = Gap{"the graph was restored below a running engine", names};
}

void History::restore_postgres() {
  if (!image_ || image_->wal_end >= lane().position.lsn) return;
  world_.graph.restart();
  world_.postgres.restore(*image_);
  begin_gap("PostgreSQL was restored", {SourceState::graph_ahead, SourceState::database_restored});
}

void History::begin_gap(const char* cause, std::vector<SourceState> names) {
  world_.trace(cause);
  deposed_.reset();
  engine_.reset();
  world_.checks.begin_gap();
  gap_ = Gap{cause, std::move(names)};
  start();
}

// A person has chosen, and ended whoever else ran: drop --graph, init, run.
void History::cure() {
  deposed_.reset();
  world_.trace("a person has the graph built anew");
  world_.checks.end_gap();
  gap_.reset();
  backup_.reset();
  image_.reset();
  world_.graph.empty(std::to_string(world_.postgres.system_identifier()));
  ++tally_->gaps;
  start();
}

void History::pass_time() {
  const bool long_wait = once_in(100);
  now_ += std::chrono::milliseconds(random() % (long_wait ? 5'000 : 40));
  world_.postgres.now = now_;
}

void History::advance() {
  pass_time();
  if (deposed_ && once_in(3)) {
    const Engine::State state = deposed_->step(now_);
    if (state == Engine::State::failed) ++tally_->deposed_failures;
    if (state != Engine::State::running) deposed_.reset();
    return;
  }
  switch (engine_->step(now_)) {
    case Engine::State::running:
      return;
    case Engine::State::ended:
      if (!stopping_) world_.checks.violate("contract", "nobody asked the engine to end");
      return start();
    case Engine::State::failed:
      return take_failure();
  }
}

void History::take_failure() {
  const Error& error = engine_->error();
  world_.trace("the engine fails: " + error.describe());
  const std::optional<SourceState> state = capture::source_state_of(error);
  if (!gap_) {
    // A copy does not survive a stop, and says so.
    const bool in_copy = stopping_ && lane().phase != apply::Phase::stream;
    if (!in_copy) world_.checks.violate(state ? "I9" : "contract", "the engine failed: " + error.describe());
    return start();
  }
  if (!state) return start();  // It met the other graph before it asked.
  if (std::find(gap_->names.begin(), gap_->names.end(), *state) == gap_->names.end()) {
    world_.checks.violate("I9", gap_->cause + ", and is called " + std::string(to_string(*state)));
  }
  if (++gap_->refusals < kRefusalsMost) return start();
  cure();
}

// One step in which the clock is moved on where nothing but time would wake a stage.
void History::advance_alone() {
  if (!engine_->may_step(now_)) {
    if (engine_->due() == kNever) return world_.checks.violate("I8", "nothing will ever wake the engine");
    now_ = std::max(now_, engine_->due());
  } else {
    now_ += std::chrono::microseconds(random() % 1'000);
  }
  world_.postgres.now = now_;
  const Engine::State state = engine_->step(now_);
  if (state == Engine::State::failed) world_.checks.violate("contract", "the engine failed: " + engine_->error().describe());
  ended_ = state == Engine::State::ended;
  world_.checks.look();
}

bool History::caught_up() const {
  return lane().phase == apply::Phase::stream && world_.postgres.confirmed() >= world_.postgres.wal_end();
}

// I8: when faults stop, lag goes to zero by itself, and the idle slot moves.
void History::settle() {
  world_.faults.heal();
  deposed_.reset();
  world_.postgres.crash();  // Whatever shutdown was under way is over.
  if (gap_) {
    cure();
  } else if (stopping_) {
    start();
  }
  engine_->heal();
  const TimePoint limit = now_ + kRecoveryMax;
  while (!caught_up() && !broken()) {
    if (now_ >= limit) {
      return world_.checks.violate("I8", "lag does not go to zero: the graph is at " + lane().position.to_string() + ", confirmed is " +
                                             world_.postgres.confirmed().to_string() + " of " + world_.postgres.wal_end().to_string());
    }
    advance_alone();
  }
  if (!broken()) world_.checks.at_rest();
}

void History::stop_at_the_end() {
  for (uint64_t i = random() % 10; i > 0; --i) world_.postgres.commit(random() % 6, once_in(3), false);
  for (uint64_t i = random() % 50; i > 0 && !broken(); --i) advance_alone();
  engine_->stop();
  const TimePoint limit = now_ + kStopMax;
  for (ended_ = false; !ended_ && !broken();) {
    if (now_ >= limit) return world_.checks.violate("I8", "a stop does not come to its end");
    advance_alone();
  }
  const change::Position position = lane().position;
  if (broken() || engine_->cut_short() || position.ordinal > 0 || world_.postgres.confirmed() == position.lsn) return;
  world_.checks.violate("I1", "stopped at " + position.to_string() + ", and confirmed is " + world_.postgres.confirmed().to_string());
}

}  // namespace cnx::simulation
