// Histories of one table with rows that the graph refuses, drawn by RapidCheck, followed as the pipeline follows them: pass after
// pass, cut smaller where a batch was refused, until the rows at fault are found and passed by. A graph in memory takes the
// mutations. RC_PARAMS="seed=… max_success=…" repeats a failing one or looks longer.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

#include "apply/batch_stage.hpp"
#include "apply/kept_rows.hpp"
#include "apply/poison_search.hpp"
#include "apply/testing/counted_table.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using change::Operation;
using change::Position;
using stream::RetryClass;

constexpr int64_t kPoison = 666;
constexpr int64_t kKeys = 6;

struct Row {
  Operation operation = Operation::insert;
  int64_t id = 0;
  std::string old_id;  // Of a key change; text, since a change's old row is a view.
  int64_t value = 0;
};
struct Transaction {
  Lsn final_lsn;
  std::vector<Row> rows;
  bool truncates = false;  // Before its rows.
  Lsn end() const { return Lsn(final_lsn.value() + 48); }
};
using Rows = std::map<int64_t, int64_t>;

// What PostgreSQL has, and what it said.
struct Source {
  Rows rows;
  std::vector<Transaction> log;
};

// Each transaction changes a key at most once: a value that is overwritten within it is never seen by anybody.
Source any_source() {
  Source source;
  const int transactions = *rc::gen::inRange(1, 25);
  for (int t = 0; t < transactions; ++t) {
    Transaction made{.final_lsn = Lsn(1000 + static_cast<uint64_t>(t) * 100), .rows = {}};
    made.truncates = *rc::gen::inRange(0, 15) == 0;
    if (made.truncates) source.rows.clear();
    std::set<int64_t> touched;
    const int rows = *rc::gen::inRange(0, 6);
    for (int r = 0; r < rows; ++r) {
      const int64_t id = *rc::gen::inRange<int64_t>(0, kKeys);
      const int64_t other = *rc::gen::inRange<int64_t>(0, kKeys);
      const int64_t value = *rc::gen::inRange(0, 4) == 0 ? kPoison : *rc::gen::inRange<int64_t>(1, 600);
      const int what = *rc::gen::inRange(0, 4);
      if (touched.contains(id)) continue;
      if (!source.rows.contains(id)) {
        made.rows.push_back({Operation::insert, id, {}, value});
        source.rows[id] = value;
      } else if (what == 0) {
        made.rows.push_back({Operation::remove, id, {}, 0});
        source.rows.erase(id);
      } else if (what == 1 && !touched.contains(other) && !source.rows.contains(other)) {
        made.rows.push_back({Operation::update, other, std::to_string(id), value});
        source.rows.erase(id);
        source.rows[other] = value;
        touched.insert(other);
      } else {
        made.rows.push_back({Operation::update, id, {}, value});
        source.rows[id] = value;
      }
      touched.insert(id);
    }
    source.log.push_back(std::move(made));
  }
  return source;
}

class Line {
 public:
  Line(const Source& source, size_t memory_rows) : source_(source), memory_rows_(memory_rows) {}

  // Until everything is passed.
  void run(const BatchOptions& sizes) {
    for (int pass = 0; !(position_.position == Position{source_.log.back().end(), 0}) || !refetched_.empty(); ++pass) {
      RC_ASSERT(pass < 2000);
      follow(sizes);
    }
  }

  // As the table of letters does: the row is gone, and the graph knows.
  void close_ended() {
    for (const DeadNote& note : notes_) {
      if (!note.ended || position_.position < note.position) continue;
      std::erase_if(letters_, [&](const DeadKey& letter) {
        return letter.key.values == note.key.values && letter.since <= note.position;
      });
    }
  }

  // What is wrong is mended, and every letter is tried again. A transaction of nothing follows, which the rows go along with.
  void retry_all(Source& source) {
    cured_ = true;
    memory_rows_ = 1000;
    source.log.push_back({.final_lsn = Lsn(source.log.back().final_lsn.value() + 100), .rows = {}});
    for (const DeadKey& letter : std::exchange(letters_, {})) {
      RefetchedRow row{.key = letter.key, .relation = table_.relation};
      const int64_t id = std::stoll(letter.key.values.at(0));
      if (source.rows.contains(id)) row.values = {letter.key.values.at(0), std::to_string(source.rows.at(id))};
      row.snapshot = change::PgSnapshot::parse("1000:1000:").value();
      row.until = source.log.back().final_lsn;
      row.at = position_.position;
      refetched_.push_back(std::move(row));
    }
  }

  const Rows& graph() const { return graph_; }
  const std::vector<DeadKey>& letters() const { return letters_; }

 private:
  void follow(const BatchOptions& sizes) {
    close_ended();
    stream::Queue<change::Event> events({});
    stream::Queue<Batch> batches({});
    BatchOptions options = sizes;
    options.start = position_;
    options.dead = letters_;
    options.narrowing = narrowing_;
    options.refetched = refetched_;
    options.on_dead_notes = [this](std::vector<DeadNote>&& notes) {
      for (DeadNote& note : notes) notes_.push_back(std::move(note));
    };
    BatchStage stage(events, batches, table_.model(), types_, options);
    for (const Transaction& transaction : source_.log) {
      if (position_.position < Position{transaction.end(), 0}) push(events, transaction);
    }
    events.close();
    while (true) {
      const stream::Step step = stage.step({});
      while (std::optional<Batch> batch = batches.try_pop()) {
        if (!apply(std::move(*batch))) return;
      }
      if (step.kind == stream::Step::Kind::done) return;
      if (step.kind != stream::Step::Kind::failed) continue;
      RC_ASSERT(step.error->code() == kRowsRefused);
      for (const RefusedRow& row : stage.take_refused()) add_letter(row);
      return;
    }
  }

  void push(stream::Queue<change::Event>& events, const Transaction& transaction) {
    auto add = [&](change::Event&& event) { RC_ASSERT(events.try_push(std::move(event), 1)); };
    add(change::Begin{transaction.final_lsn, change::Xid(7), 1000});
    uint64_t ordinal = 0;
    if (transaction.truncates) {
      add(change::Truncate{.position = {transaction.final_lsn, ++ordinal}, .relations = {table_.relation}});
    }
    for (const Row& row : transaction.rows) {
      change::RowChange change = table_.row({transaction.final_lsn, ++ordinal}, row.id, std::to_string(row.value));
      change.operation = row.operation;
      if (row.operation == Operation::remove) change.old_row = std::exchange(change.row, {});
      if (!row.old_id.empty()) change.old_row = {{change::DatumView::Kind::text, row.old_id}, {}};
      add(std::move(change));
    }
    add(change::Commit{transaction.end()});
  }

  // Whether it was, and the pass goes on.
  bool apply(Batch&& batch) {
    RC_ASSERT(batch.from.position == position_.position);
    RC_ASSERT(position_.position < batch.to.position);
    const bool poisoned = refuses(batch.mutations);
    const bool too_large = !poisoned && batch.rows > memory_rows_ && batch.kept.size() != 1;
    if (poisoned || too_large) {
      settle(batch, poisoned ? RetryClass::dead_letter : RetryClass::in_pieces);
      return false;
    }
    execute(batch.mutations, graph_);
    position_ = batch.to;
    refetched_.clear();
    return true;
  }

  void settle(const Batch& batch, RetryClass retry) {
    if (auto next = narrower(narrowing_, batch, retry)) {
      narrowing_ = next;
      return;
    }
    RC_ASSERT(retry == RetryClass::dead_letter);
    KeptRows kept(batch, table_.model(), types_, false);
    Result<Poison> poison =
        find_poison(kept.size(), 1000, [&](size_t count, const std::vector<size_t>& found) -> Result<std::optional<Refusal>> {
          Result<mapping::Mutations> mutations = kept.merge(count, found);
          RC_ASSERT(mutations.has_value());
          return refuses(*mutations) ? std::optional(Refusal()) : std::nullopt;
        });
    RC_ASSERT(poison.has_value());
    RC_ASSERT(!poison->rows.empty());
    for (size_t row : poison->rows) add_letter(kept.name(row).value());
  }

  // As the table of letters takes it: one a key, and one that is refused again has not ended.
  void add_letter(const RefusedRow& row) {
    for (DeadKey& letter : letters_) {
      if (letter.key.values != row.key.values) continue;
      letter.lasting = true;
      letter.since = std::min(letter.since, row.position);
      std::erase_if(notes_, [&](const DeadNote& note) { return note.key.values == row.key.values; });
      return;
    }
    letters_.push_back({row.key, row.position});
  }

  static int64_t value_of(const mapping::NodeUpsert& upsert) {
    for (const mapping::Property& property : upsert.properties) {
      if (property.name->name == "value") return std::get<int64_t>(property.value);
    }
    return -1;
  }
  bool refuses(const mapping::Mutations& mutations) const {
    if (cured_) return false;
    for (const mapping::NodeMutations& node : mutations.nodes) {
      for (const mapping::NodeUpsert& upsert : node.upserts) {
        if (value_of(upsert) == kPoison) return true;
      }
    }
    return false;
  }
  static void execute(const mapping::Mutations& mutations, Rows& graph) {
    for (const mapping::NodeMutations& node : mutations.nodes) {
      if (node.truncated) graph.clear();
      for (const mapping::Key& key : node.removed) graph.erase(std::get<int64_t>(key));
      Rows moved;
      for (const mapping::KeyChange& change : node.key_changes) {
        auto found = graph.extract(std::get<int64_t>(change.from));
        if (!found.empty()) moved[std::get<int64_t>(change.to)] = found.mapped();
      }
      for (const auto& [key, value] : moved) graph[key] = value;
      for (const mapping::NodeUpsert& upsert : node.upserts) graph[std::get<int64_t>(upsert.key)] = value_of(upsert);
    }
  }

 private:
  testing::CountedTable table_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  const Source& source_;
  size_t memory_rows_;
  bool cured_ = false;
  Rows graph_;
  LanePosition position_{.position = {Lsn(500), 0}};
  std::optional<Narrowing> narrowing_;
  std::vector<DeadKey> letters_;
  std::vector<DeadNote> notes_;
  std::vector<RefetchedRow> refetched_;
};

void expect_the_rest_is_applied() {
  Source source = any_source();
  const size_t memory_rows = *rc::gen::element<size_t>(1, 2, 3, 5, 1000);
  BatchOptions sizes;
  sizes.rows_target = *rc::gen::element<size_t>(1, 2, 5, 100);
  sizes.rows_first = *rc::gen::element<size_t>(1, 100);
  sizes.transaction_elements_max = *rc::gen::element<size_t>(2, 100);
  sizes.piece_rows = *rc::gen::inRange<size_t>(1, 4);
  Line line(source, memory_rows);
  line.run(sizes);
  line.close_ended();
  std::set<int64_t> dead;
  for (const DeadKey& letter : line.letters()) dead.insert(std::stoll(letter.key.values.at(0)));
  for (int64_t id = 0; id < kKeys; ++id) {
    RC_LOG() << "key " << id << (dead.contains(id) ? " is dead" : "") << "\n";
    if (dead.contains(id)) continue;
    RC_ASSERT(line.graph().contains(id) == source.rows.contains(id));
    if (source.rows.contains(id)) RC_ASSERT(line.graph().at(id) == source.rows.at(id));
  }
  // No poison is in the graph, and no letter is of a row that nothing was the matter with.
  for (const auto& [id, value] : line.graph()) RC_ASSERT(value != kPoison);
  std::set<int64_t> ever;
  for (const Transaction& transaction : source.log) {
    for (const Row& row : transaction.rows) {
      // A dead row takes its letter along to another key.
      const bool moves = !row.old_id.empty() && ever.contains(std::stoll(row.old_id));
      if (row.value == kPoison || moves) ever.insert(row.id);
    }
  }
  for (int64_t id : dead) RC_ASSERT(ever.contains(id));
  line.retry_all(source);
  line.run(sizes);
  RC_ASSERT(line.graph() == source.rows);
}

TEST(DeadLetterLine, the_rest_is_applied_in_order_and_what_is_tried_again_is_right) {
  EXPECT_TRUE(rc::check(expect_the_rest_is_applied));
}

}  // namespace
}  // namespace cnx::apply
