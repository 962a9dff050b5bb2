#include "engine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "apply/kept_rows.hpp"
#include "apply/poison_search.hpp"
#include "base/check.hpp"
#include "capture/snapshot/snapshot_stage.hpp"

namespace cnx::simulation {

using stream::Step;

namespace {

// So many letters are searched for at once.
constexpr size_t kPoisonMost = 100;
// A planted fault's: as good as none.
constexpr stream::QueueLimits kNoLimits{.items_max = 1'000'000, .bytes_max = 1u << 30};

}  // namespace

// The stages of a copy, or of following the changes, between their queues.
struct Engine::Pass {
  Pass(World& world, const EngineOptions& options, Engine& engine, apply::StoredPosition start, const Tables& rows)
      : following(start.lane.phase == apply::Phase::stream),
        events(world.planted == Planted::hoards ? kNoLimits : options.events),
        batches({.items_max = 1, .bytes_max = 1 << 20}),
        graph(world.graph, world.faults, engine.model_) {
    apply::BatchOptions batch_options = options.batch;
    batch_options.start = start.lane;
    batch_options.dead = engine.dead_keys();
    batch_options.narrowing = following ? engine.stream_narrowing_ : engine.copy_narrowing_;
    if (following) batch_options.refetched = engine.refetched_;
    batch_options.on_dead_notes = [&world, epoch = start.epoch](std::vector<apply::DeadNote>&& notes) {
      if (!world.postgres.is_owner(epoch)) return;
      for (const apply::DeadNote& note : notes) {
        if (note.ended) world.postgres.end_letter(note.key, note.position);
      }
    };
    batch.emplace(events, batches, *engine.model_, engine.types_, batch_options);
    lane.emplace(batches, graph, acknowledgement, lane_counters, apply::LaneOptions{.start = start, .seed = world.random()}, nullptr);
    if (following) {
      follow(world, options, engine, start);
    } else {
      copy.emplace(events, world.postgres.tables(), rows, world.graph.content().segments);
    }
    seats = {Seat{.stage = following ? static_cast<stream::Stage*>(&*logical) : &*copy}, Seat{.stage = &*batch}, Seat{.stage = &*lane}};
    events.on_room([this] { seats[0].woken = true; });
    events.on_readable([this] { seats[1].woken = true; });
    batches.on_room([this] { seats[1].woken = true; });
    batches.on_readable([this] { seats[2].woken = true; });
    acknowledgement.on_advance([this] { seats[0].woken = true; });
  }

  void follow(World& world, const EngineOptions& options, Engine& engine, const apply::StoredPosition& start) {
    acknowledgement.advance(start.lane.position);
    slot.emplace(world.postgres, SlotOptions{.faults = world.faults,
                                             .planted = world.planted,
                                             .held = world.graph.held(),
                                             .on_status = [&world](const postgres::StatusUpdate& update) { world.checks.hear(update); }});
    capture::LogicalOptions logical_options;
    logical_options.start = start.lane.position;
    logical_options.last = start.last;
    logical_options.seed = world.random();
    auto made = capture::CopiedRows::make(world.graph.content().segments);
    if (!made) return world.checks.violate("contract", made.error().describe());
    copied.emplace(*std::move(made));
    logical_options.wanted = std::max(options.wanted, copied->seen_until());
    logical_options.copied = &*copied;
    logical_options.told = &engine.told_;
    logical_options.passes_over = [](const change::RowChange&, std::string_view origin) { return origin == kOwnOrigin; };
    logical.emplace(*slot, events, acknowledgement, logical_counters, logical_options, nullptr);
  }

  bool following;
  stream::Queue<change::Event> events;
  stream::Queue<apply::Batch> batches;
  stream::Acknowledgement acknowledgement;
  capture::LogicalCounters logical_counters;
  apply::LaneCounters lane_counters;
  SimulatedGraph graph;
  std::optional<SimulatedSlot> slot;
  std::optional<SimulatedCopy> copy;
  std::optional<capture::CopiedRows> copied;
  std::optional<capture::LogicalStage> logical;
  std::optional<apply::BatchStage> batch;
  std::optional<apply::LaneStage> lane;
  std::array<Seat, 3> seats;
};

Engine::Engine(World& world, const mapping::Mapping& mapping, EngineOptions options) : world_(world), options_(std::move(options)) {
  auto model = mapping::Model::make(mapping, world.postgres.tables());
  CNX_CHECK(model.has_value(), "the histories' tables have a model");
  model_ = *std::move(model);
  start_pass();
}

Engine::~Engine() = default;

// As the pipeline starts: the two sides must fit together, the other owner is fenced off, then comes what the graph holds by then.
void Engine::start_pass() {
  pass_.reset();
  capture::SourceFacts facts = world_.postgres.facts(world_.graph.held());
  facts.streams = world_.graph.stored().lane.phase == apply::Phase::stream;
  Status fits = capture::to_status(capture::judge_source(facts));
  if (!fits && world_.planted != Planted::goes_on_over_a_gap) {
    error_ = std::move(fits.error());
    return;
  }
  apply::StoredPosition start = world_.graph.raise_epoch(facts.record.epoch.value_or(0));
  world_.postgres.record_epoch(start.epoch);
  world_.graph.record_epoch(start.epoch);
  Tables rows;
  if (start.lane.phase != apply::Phase::stream) {
    rows = prepare_copy(start.lane.phase == apply::Phase::snapshot);
    start.lane = world_.graph.stored().lane;
  }
  std::erase_if(refetched_, [&](const apply::RefetchedRow& row) { return row.until <= start.lane.position.lsn; });
  read_rows_ahead(start);
  began_at_ = start.lane.position;
  pass_ = std::make_unique<Pass>(world_, options_, *this, start, rows);
}

// What is to be copied, from the beginning or from where it was; nothing where all is.
Tables Engine::prepare_copy(bool under_way) {
  if (under_way && world_.graph.copied()) {
    world_.graph.end_copy();
    return {};
  }
  // A table that was truncated meanwhile is copied anew; here all of them are.
  if (under_way && !world_.postgres.truncated_since_slot()) {
    SimulatedPostgres::Snapshot snapshot = world_.postgres.take_snapshot();
    world_.graph.continue_copy(snapshot.text, snapshot.seen_until);
    return std::move(snapshot.rows);
  }
  const change::Lsn consistent_point = world_.postgres.make_slot();
  world_.graph.start_copy(world_.postgres.tables(), consistent_point);
  world_.checks.start(consistent_point);
  return world_.postgres.rows();
}

bool Engine::ready(const Seat& seat, TimePoint now) const {
  if (seat.done) return false;
  if (!options_.only_woken || seat.woken || now >= seat.waits.until) return true;
  if (!seat.waits.readable) return false;
  if (seat.waits.descriptor == SimulatedSlot::kDescriptor) return pass_->slot->readable();
  return pass_->graph.readable();
}

bool Engine::may_step(TimePoint now) const {
  if (!pass_) return true;
  return std::any_of(pass_->seats.begin(), pass_->seats.end(), [&](const Seat& seat) { return ready(seat, now); });
}

TimePoint Engine::due() const {
  TimePoint due = kNever;
  for (const Seat& seat : pass_->seats) {
    if (!seat.done) due = std::min(due, seat.waits.until);
  }
  return due;
}

Engine::State Engine::step(TimePoint now) {
  if (!pass_) return State::failed;  // It could not start.
  std::vector<Seat*> candidates;
  for (Seat& seat : pass_->seats) {
    if (ready(seat, now)) candidates.push_back(&seat);
  }
  if (candidates.empty()) return State::running;
  Seat& seat = *candidates[world_.random() % candidates.size()];
  seat.woken = false;
  const uint64_t before = world_.graph.commits();
  Step step = seat.stage->step(now);
  if (world_.graph.commits() != before) world_.trace("applied");
  world_.checks.weigh(pass_->events.bytes(), options_.events.bytes_max);
  if (pass_->slot && pass_->slot->bothered()) world_.checks.violate("contract", "status is sent more often than every 100 ms");
  switch (step.kind) {
    case Step::Kind::progressed:
      seat.woken = true;
      return State::running;
    case Step::Kind::waiting:
      seat.waits = std::move(step);
      return State::running;
    case Step::Kind::failed:
      world_.trace(std::string(seat.stage->name()) + " failed: " + step.error->describe());
      return after_failure(*std::move(step.error));
    case Step::Kind::done:
      seat.done = true;
      break;
  }
  const bool all = std::all_of(pass_->seats.begin(), pass_->seats.end(), [](const Seat& each) { return each.done; });
  return all ? next_pass() : State::running;
}

Engine::State Engine::next_pass() {
  // What it began with was another pass's to confirm.
  cut_short_ = stopping_ && world_.graph.stored().lane.position == began_at_;
  if (pass_->following || stopping_ || last_pass_) return State::ended;
  copy_narrowing_.reset();
  start_pass();
  return State::running;
}

// What a pass could not do by itself is done between two of them.
Engine::State Engine::after_failure(Error error) {
  std::vector<mapping::LackingRow> lacking = pass_->lane->lacking();
  std::optional<apply::RefusedBatch> refused = pass_->lane->take_refused();
  const std::vector<apply::RefusedRow> rows = pass_->batch->take_refused();
  pass_.reset();
  const bool curable = !lacking.empty() || refused || !rows.empty();
  if (!curable || last_pass_) {
    error_ = std::move(error);
    return State::failed;
  }
  cut_short_ = stopping_;
  if (stopping_) return State::ended;
  for (const apply::RefusedRow& row : rows) write_letter(row);
  if (refused && lacking.empty()) lacking = settle(*refused);
  if (!lacking.empty()) read_rows_again(lacking);
  start_pass();
  return State::running;
}

// Rows of nodes that are missing, and those of relationships: behind everything that the stream has told of.
void Engine::read_rows_again(const std::vector<mapping::LackingRow>& lacking) {
  ++times_read_again_;
  // A transaction of the pass before may still be done: what follows it goes from there.
  read_rows_again(lacking, world_.graph.raise_epoch(0).lane.position);
}

// Those that an engine before this one read, and whose read saw more than there is at the position.
void Engine::read_rows_ahead(const apply::StoredPosition& start) {
  auto ahead = apply::rows_ahead(start.ahead);
  if (!ahead) return world_.checks.violate("contract", ahead.error().describe());
  std::vector<mapping::LackingRow> rows;
  for (mapping::RowKey& key : *ahead) {
    const bool known = std::any_of(refetched_.begin(), refetched_.end(), [&](const apply::RefetchedRow& each) {
      return each.key.table == key.table && each.key.values == key.values;
    });
    if (!known) rows.push_back({.row = std::move(key), .node = nullptr, .node_key = {}});
  }
  if (!rows.empty()) read_rows_again(rows, start.lane.position);
}

void Engine::read_rows_again(const std::vector<mapping::LackingRow>& lacking, change::Position at) {
  SimulatedPostgres::Snapshot snapshot = world_.postgres.take_snapshot();
  while (!told_.are_seen_by(*change::PgSnapshot::parse(snapshot.text))) snapshot = world_.postgres.take_snapshot();
  for (const mapping::LackingRow& each : lacking) {
    if (each.node != nullptr && world_.graph.has_node(*each.node, each.node_key)) continue;
    for (const Table table : kTables) {
      const postgres::Table& described = world_.postgres.tables()[static_cast<size_t>(table)];
      if (described.name != each.row.table) continue;
      apply::RefetchedRow row{.key = each.row, .relation = capture::relation_of(described), .values = {}, .snapshot = {}, .until = {}, .at = at};
      auto found = rows_of(snapshot.rows, table).find(each.row.values);
      if (found != rows_of(snapshot.rows, table).end()) row.values = found->second;
      row.snapshot = *change::PgSnapshot::parse(snapshot.text);
      row.until = snapshot.seen_until;
      world_.trace("read again under " + snapshot.text + ": " + fmt::format("{} {}", each.row.table.name, fmt::join(each.row.values, ",")) +
                   (row.values ? "" : ", gone"));
      std::erase_if(refetched_, [&](const apply::RefetchedRow& older) {
        return older.key.table == row.key.table && older.key.values == row.key.values;
      });
      refetched_.push_back(std::move(row));
    }
  }
  world_.checks.read_again_until(snapshot.seen_until);
}

std::vector<mapping::LackingRow> Engine::settle(apply::RefusedBatch& refused) {
  std::optional<apply::Narrowing>& narrowing = refused.batch.segment ? copy_narrowing_ : stream_narrowing_;
  const stream::RetryClass retry = stream::retry_class(refused.error);
  if (auto next = apply::narrower(narrowing, refused.batch, retry)) {
    narrowing = std::move(next);
    return {};
  }
  // Nothing smaller is left to be tried: once more.
  if (retry != stream::RetryClass::dead_letter) return {};
  return isolate(refused.batch);
}

std::vector<mapping::LackingRow> Engine::isolate(const apply::Batch& batch) {
  std::vector<mapping::LackingRow> lacking;
  apply::KeptRows kept(batch, *model_, types_, false);
  auto poison = apply::find_poison(kept.size(), kPoisonMost, [&](size_t count, const std::vector<size_t>& found) -> Result<std::optional<apply::Refusal>> {
    CNX_TRY(mapping::Mutations mutations, kept.merge(count, found));
    std::vector<mapping::LackingRow> lacks = mapping::lacking_rows(mutations);
    std::optional<Error> failed = world_.graph.try_out({model_, std::move(mutations)});
    if (!failed) return std::optional<apply::Refusal>();
    if (failed->code() != apply::kEntityMissing) return std::optional(apply::Refusal{*std::move(failed), {}});
    lacking = std::move(lacks);
    return fail(*std::move(failed));
  });
  if (!poison) return lacking;
  for (size_t row : poison->rows) {
    auto named = kept.name(row);
    if (named) write_letter(*named);
  }
  return {};
}

// In PostgreSQL before anything passes the row; now and then the answer is lost, and the same is written again.
void Engine::write_letter(const apply::RefusedRow& row) {
  const int times = once_in(world_.random, 5) ? 2 : 1;
  for (int i = 0; i < times; ++i) world_.postgres.write_letter({.key = row.key, .since = row.position, .ended = {}});
}

std::vector<apply::DeadKey> Engine::dead_keys() const {
  std::vector<apply::DeadKey> keys;
  for (const Letter& letter : world_.postgres.letters()) {
    if (letter.ended && *letter.ended <= world_.graph.stored().lane.position) continue;
    keys.push_back({.key = letter.key, .since = letter.since, .lasting = false});
  }
  return keys;
}

void Engine::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (!pass_) return;
  pass_->seats[0].stage->stop();
  pass_->seats[0].woken = true;
}

void Engine::heal() {
  if (!pass_) return;
  pass_->graph.heal();
  if (pass_->slot) pass_->slot->heal();
}

}  // namespace cnx::simulation
