// Cuts the stream of events into batches: consecutive whole transactions, by rows, bytes and what
// the lane can take now. A row alone goes on at once; behind a busy lane a backlog grows into large
// batches. A transaction above the limits is a batch of its own, in numbered pieces.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <unordered_map>
#include <variant>
#include <vector>

#include "apply/batch.hpp"
#include "apply/refetched_rows.hpp"
#include "change/event.hpp"
#include "mapping/merge.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::apply {

struct BatchOptions {
  LanePosition start;
  // A batch is closed once it has so many rows. Neo4j's CPU a row falls up to 4,000 rows a
  // transaction and rises beyond; twice as many rows are also twice as long invisible
  // (docs/benchmarks.md).
  size_t rows_target = 2'000;
  // Or so many bytes of rows.
  size_t bytes_target = 4u << 20;
  // The first batch is closed at so many rows, and each later one at four times as many, up to rows_target. A server that
  // was just started plans every statement anew, a fifth of a second each on two cores, and a large batch has some of
  // every kind: small ones are in the graph, and stay there, before an engine that is killed again and again ends.
  size_t rows_first = 1;
  // One transaction with more is applied in pieces (I3): of nodes and relationships, of bytes.
  size_t transaction_elements_max = 100'000;
  size_t transaction_bytes_max = 32u << 20;
  // A piece has so many rows, or bytes_target of them: no more than is needed, since a piece is
  // held several times over (rows, mutations, parameters, what is being sent).
  size_t piece_rows = 5'000;
  // Rows of the copy replace what the graph has of them: a table is read again.
  bool copy_replaces = false;
  // Tables whose changes pass by (I6).
  std::set<mapping::TableName> held;
  // Whether the relation describes the table as the pass was begun with; empty: any does.
  std::function<bool(const change::Relation&)> expects;
  // Those read at `start` lead the first batch; of all, what the stream tells later is passed over.
  std::vector<RefetchedRow> refetched;
};

// The code of the stage's failure where a table is described otherwise than the pass was begun with: nothing of it was
// taken, and the catalog is to be looked at again.
constexpr std::string_view kTableChanged = "table changed";

class BatchStage final : public stream::Stage {
 public:
  // All must outlive the stage; the model is this stage's alone while it runs.
  BatchStage(stream::Queue<change::Event>& events, stream::Queue<Batch>& batches,
             mapping::Model& model, const postgres::TypeCatalog& types, BatchOptions options);

  std::string_view name() const override { return "batch"; }
  stream::Step step(TimePoint now) override;
  void stop() override {}
  // After a failure with kTableChanged: the relation. Once the stage's thread has ended.
  const change::RelationPtr& unexpected() const { return unexpected_; }

 private:
  stream::Step give_up(Error error);
  Result<bool> take(change::Event&& event);
  Status take_refetched();
  Status take_row(change::RowChange&& row);
  void take_truncate(change::Truncate&& truncate);
  Status merge_row(const std::variant<change::RowChange, change::Truncate>& item);
  Status commit(const change::Commit& commit);
  void begin_segment(change::SegmentBegin&& begin);
  Status take_snapshot(const change::SnapshotRow& row);
  void end_segment(const change::SegmentEnd& end);
  Result<const mapping::Binding*> binding_of(const change::RelationPtr& relation);
  bool is_enough() const;
  bool piece_is_due() const;
  Status cut_piece();
  LanePosition as_reached(LanePosition to);
  void close(LanePosition to);
  bool hand_on();

  stream::Queue<change::Event>& events_;
  stream::Queue<Batch>& batches_;
  mapping::Model& model_;
  const postgres::TypeCatalog& types_;
  BatchOptions options_;

  mapping::Merge merge_;
  RefetchedRows refetched_;
  bool refetched_taken_ = false;
  LanePosition from_;  // Where the batch being made starts.
  LanePosition to_;    // Where its last whole transaction ends.
  change::Lsn partial_until_;  // Of a removal in pieces that an engine before this one began.
  size_t transactions_ = 0;
  int64_t commit_microseconds_ = 0;

  // The segment of the copy that the rows belong to, and where its key stands in them.
  std::optional<SegmentProgress> segment_;
  std::vector<uint16_t> segment_key_;

  // The transaction that is open: its rows are merged once it is whole, or piece by piece.
  std::optional<change::Begin> open_;
  std::deque<std::variant<change::RowChange, change::Truncate>> rows_;
  size_t rows_bytes_ = 0;
  size_t rows_elements_ = 0;
  bool in_pieces_ = false;

  std::unordered_map<change::Oid, mapping::Binding> bindings_;
  change::RelationPtr unexpected_;
  size_t rows_enough_;  // A batch is closed at so many rows, until rows_target is reached.
  std::vector<Batch> finished_;  // Waiting for room, oldest first.
};

}  // namespace cnx::apply
