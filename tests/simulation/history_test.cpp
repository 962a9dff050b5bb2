// Histories: the real stages over a simulated PostgreSQL and a simulated graph, stepped from one
// thread in an order drawn from a seed, under a virtual clock, with servers that fail and an engine
// that is killed, stopped and replaced at any step. One seed is one history; a failing one is
// printed, and CNX_SEED repeats it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "engine.hpp"
#include "mapping/load.hpp"

namespace cnx::simulation {
namespace {

constexpr std::string_view kMapping = R"(
version: 1
name: history
tables:
  counted: {node: Counted, key: id, cypher: UNWIND $rows AS row RETURN row}
)";

// When faults stop, lag must be zero after so long: the longest back-offs of both sides, and the
// idle advance.
constexpr Duration kRecoveryMax = std::chrono::seconds(60);
// A stop drains what was handed on.
constexpr Duration kStopMax = std::chrono::seconds(30);

// What a history was made of, so that a test can tell that everything happened.
struct Tally {
  int kills = 0;
  int stops = 0;
  int takeovers = 0;
  int copies = 0;
  int copies_killed = 0;
  int copies_continued = 0;
  int pieces = 0;
  int crashes = 0;
  int deposed_failures = 0;
};

class History {
 public:
  History(uint64_t seed, Tally& tally) : world_(seed), tally_(tally) {
    auto mapping = mapping::load(kMapping, "history.yaml");
    EXPECT_TRUE(mapping) << mapping::format(mapping.error());
    world_.mapping = *std::move(mapping);
    // Small enough that batches are cut everywhere and large transactions go in pieces.
    options_.batch = {.rows_target = 1 + random() % 12,
                      .bytes_target = 50 + random() % 400,
                      .rows_first = 1 + random() % 12,
                      .transaction_elements_max = 5 + random() % 30,
                      .piece_rows = 1 + random() % 7};
    options_.events = {.items_max = 1 + random() % 40, .bytes_max = 500 + random() % 20'000};
    options_.loss_per_mille = static_cast<int>(random() % 30);
    options_.only_woken = once_in(world_.random, 2);
    for (uint64_t i = random() % 5; i > 0; --i) commit();
  }

  void run() {
    start();
    for (int i = 0; i < 2'000 && !failed(); ++i) {
      disturb();
      advance();
      check();
    }
    if (!failed()) settle();
    if (!failed()) stop_at_the_end();
  }

 private:
  uint64_t random() { return world_.random(); }
  static bool failed() { return ::testing::Test::HasFailure(); }
  const apply::LanePosition& lane() const { return world_.graph.stored().lane; }

  void start() {
    if (engine_ && lane().phase == apply::Phase::snapshot) ++tally_.copies_killed;
    if (lane().phase != apply::Phase::stream) ++tally_.copies;
    engine_.reset();
    options_.wanted = once_in(world_.random, 4) ? world_.postgres.wal_end() : change::Lsn();
    engine_ = std::make_unique<Engine>(world_, options_);
    stopping_ = false;
    was_streaming_ = false;
  }

  void commit() {
    const size_t count = once_in(world_.random, 10) ? random() % 80 : random() % 6;
    world_.postgres.commit(count, once_in(world_.random, 3));
  }

  void disturb() {
    if (once_in(world_.random, 20)) commit();
    if (once_in(world_.random, 60)) world_.postgres.write_elsewhere(random() % (32u << 20));
    if (once_in(world_.random, 400)) world_.graph.restart();
    if (once_in(world_.random, 800)) world_.postgres.begin_stop();
    if (once_in(world_.random, 400)) {
      world_.postgres.crash();
      ++tally_.crashes;
    }
    if (once_in(world_.random, 200)) {  // kill -9
      start();
      ++tally_.kills;
    }
    if (!stopping_ && once_in(world_.random, 400)) {
      engine_->stop();
      stopping_ = true;
      ++tally_.stops;
    }
    // Another instance takes over, and this one does not know it yet.
    if (once_in(world_.random, 600)) {
      deposed_ = std::move(engine_);
      deposed_->depose();
      start();
      ++tally_.takeovers;
    }
    if (once_in(world_.random, 300)) deposed_.reset();
  }

  void pass_time() {
    const bool long_wait = once_in(world_.random, 100);
    now_ += std::chrono::milliseconds(random() % (long_wait ? 5'000 : 40));
    world_.postgres.now = now_;
  }

  void advance() {
    pass_time();
    if (deposed_ && once_in(world_.random, 3)) {
      const Engine::State state = deposed_->step(now_);
      if (state == Engine::State::failed) ++tally_.deposed_failures;
      if (state != Engine::State::running) deposed_.reset();
      return;
    }
    switch (engine_->step(now_)) {
      case Engine::State::running:
        return;
      case Engine::State::ended:
        EXPECT_TRUE(stopping_) << "nobody asked the engine to end";
        start();
        return;
      case Engine::State::failed:
        // A copy does not survive a stop, and says so.
        EXPECT_TRUE(stopping_ && lane().phase != apply::Phase::stream)
            << "the engine failed: " << engine_->error().describe();
        start();
    }
  }

  // I2, I4, I6: the graph shows what the source was at the position: each effect once, in order,
  // none left out. I1: nothing beyond it is confirmed.
  void check() {
    if (lane().phase != apply::Phase::stream) return;
    const change::Position position = lane().position;
    ASSERT_LE(world_.postgres.confirmed(), position.lsn) << "at " << position.to_string();
    if (was_streaming_ && position == checked_) return;
    was_streaming_ = true;
    checked_ = position;
    if (lane().partial) ++tally_.pieces;
    ASSERT_EQ(lane().partial, position.ordinal > 0) << "at " << position.to_string();
    ASSERT_TRUE(world_.expectation.advance(world_.postgres.transactions(), position))
        << "no place for a position: " << position.to_string();
    if (copy_ != world_.graph.copies()) {
      copy_ = world_.graph.copies();
      compared_ = 0;
      shown_by_copy_.reset();
    }
    // Not yet consistent: copied rows show what the position has not reached.
    if (position < change::Position{world_.graph.consistent_from(), 0}) return;
    if (world_.graph.segments().size() > 1) ++tally_.copies_continued;
    compare_effects(position);
    ASSERT_EQ(world_.graph.nodes(), world_.expectation.rows()) << "at " << position.to_string();
  }

  // Of the changes behind the slot, those that the row's segment showed as it was copied.
  size_t effects_shown_by_copy() const {
    using Kind = SimulatedChange::Kind;
    const auto& transactions = world_.postgres.transactions();
    size_t shown = 0;
    for (size_t i = world_.postgres.slot_made_after(); i < transactions.size(); ++i) {
      for (const SimulatedChange& done : transactions[i].changes) {
        if (done.kind != Kind::insert && done.kind != Kind::update && done.kind != Kind::move) continue;
        const int64_t key = done.kind == Kind::move ? done.new_key : done.key;
        for (const change::Segment& segment : world_.graph.segments()) {
          if (segment.snapshot.empty() || !*change::contains(segment, {std::to_string(key)})) continue;
          shown += world_.postgres.saw(segment.snapshot, i) ? 1 : 0;
        }
      }
    }
    return shown;
  }

  // Effects are only ever added: what was compared before is not compared again.
  void compare_effects(change::Position position) {
    const std::vector<int64_t>& seen = world_.graph.effects();
    const std::vector<int64_t>& wanted = world_.expectation.effects();
    // Effects that the copied rows showed before were not applied again.
    if (!shown_by_copy_) {
      shown_by_copy_ = effects_shown_by_copy();
      if (*shown_by_copy_ > 0) compared_ = seen.size();
    }
    ASSERT_EQ(seen.size() + *shown_by_copy_, wanted.size()) << "at " << position.to_string();
    for (; compared_ < seen.size(); ++compared_) {
      ASSERT_EQ(seen[compared_], wanted[compared_ + *shown_by_copy_])
          << "effect " << compared_ << " at " << position.to_string();
    }
  }

  // One step in which the clock is moved on where nothing but time would wake a stage.
  void advance_alone() {
    if (!engine_->may_step(now_)) {
      ASSERT_NE(engine_->due(), kNever) << "nothing will ever wake the engine";
      now_ = std::max(now_, engine_->due());
    } else {
      now_ += std::chrono::microseconds(random() % 1000);
    }
    world_.postgres.now = now_;
    const Engine::State state = engine_->step(now_);
    ASSERT_NE(state, Engine::State::failed) << engine_->error().describe();
    ended_ = state == Engine::State::ended;
  }

  bool caught_up() const {
    return lane().phase == apply::Phase::stream &&
           world_.postgres.confirmed() >= world_.postgres.wal_end();
  }

  // I8: when faults stop, lag goes to zero by itself, and the idle slot moves.
  void settle() {
    deposed_.reset();
    if (stopping_) start();
    options_.loss_per_mille = 0;
    engine_->heal();
    world_.postgres.crash();  // Whatever shutdown was under way is over.
    const TimePoint limit = now_ + kRecoveryMax;
    while (!caught_up() && !failed()) {
      ASSERT_LT(now_, limit) << "lag does not go to zero: the graph is at "
                             << lane().position.to_string() << ", confirmed is "
                             << world_.postgres.confirmed().to_string() << " of "
                             << world_.postgres.wal_end().to_string();
      advance_alone();
      check();
    }
    ASSERT_EQ(world_.graph.nodes(), world_.postgres.rows());
  }

  void stop_at_the_end() {
    for (uint64_t i = random() % 10; i > 0; --i) commit();
    for (uint64_t i = random() % 50; i > 0 && !failed(); --i) advance_alone();
    engine_->stop();
    const TimePoint limit = now_ + kStopMax;
    for (ended_ = false; !ended_ && !failed();) {
      ASSERT_LT(now_, limit) << "a stop does not come to its end";
      advance_alone();
      check();
    }
    const change::Position position = lane().position;
    EXPECT_TRUE(position.ordinal > 0 || world_.postgres.confirmed() == position.lsn)
        << "at " << position.to_string() << ", confirmed "
        << world_.postgres.confirmed().to_string();
  }

  World world_;
  Tally& tally_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> deposed_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  bool stopping_ = false;
  bool ended_ = false;
  bool was_streaming_ = false;
  change::Position checked_;
  size_t compared_ = 0;
  int copy_ = 0;
  std::optional<size_t> shown_by_copy_;
};

// A broken invariant ends the process: the seed is said first.
volatile std::sig_atomic_t seed_under_way = 0;

void say_seed(int) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "repeat it with CNX_SEED=%ld\n",
                                   static_cast<long>(seed_under_way));
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text, static_cast<size_t>(length));
}

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(History, each_transaction_takes_effect_once_whole_and_in_order) {
  std::signal(SIGABRT, say_seed);
  const bool one = std::getenv("CNX_SEED") != nullptr;
  const uint64_t first = from_environment("CNX_SEED", 1);
  const uint64_t count = one ? 1 : from_environment("CNX_SEEDS", 400);
  Tally tally;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("repeat it with CNX_SEED=" + std::to_string(seed));
    seed_under_way = static_cast<std::sig_atomic_t>(seed);
    History(seed, tally).run();
    if (HasFailure()) return;
  }
  std::signal(SIGABRT, SIG_DFL);
  if (one) return;
  // Everything that a history can be made of was there.
  EXPECT_GT(tally.kills, 0);
  EXPECT_GT(tally.stops, 0);
  EXPECT_GT(tally.takeovers, 0);
  EXPECT_GT(tally.crashes, 0);
  EXPECT_GT(tally.copies_killed, 0);
  EXPECT_GT(tally.copies_continued, 0);
  EXPECT_GT(tally.pieces, 0);
  EXPECT_GT(tally.deposed_failures, 0);
}

}  // namespace
}  // namespace cnx::simulation
