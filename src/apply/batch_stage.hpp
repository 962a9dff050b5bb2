// Cuts the stream of events into batches: consecutive whole transactions, by rows, bytes and what
// the lane can take now. A row alone goes on at once; behind a busy lane a backlog grows into large
// batches. A transaction above the limits is a batch of its own, in numbered pieces.
#pragma once

#include <deque>
#include <map>
#include <variant>
#include <vector>

#include "apply/batch.hpp"
#include "apply/batch_options.hpp"
#include "apply/batch_sizes.hpp"
#include "apply/dead_rows.hpp"
#include "apply/refused_row.hpp"
#include "change/event.hpp"
#include "mapping/bindings.hpp"
#include "mapping/merge.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::apply {

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
  // After a failure with kRowsRefused: what has to be a dead letter before the next pass. Once the stage's thread has ended.
  std::vector<RefusedRow> take_refused() { return std::move(refused_); }

 private:
  stream::Step give_up(Error error);
  Result<bool> take(change::Event&& event);
  Status take_refetched();
  Status take_row(change::RowChange&& row);
  void take_truncate(change::Truncate&& truncate);
  using Item = std::variant<change::RowChange, change::Truncate>;
  Status merge_item(Item&& item);
  Status merge_row(change::RowChange&& row);
  Status merge_truncate(change::Truncate&& truncate);
  Status refuse(RefusedRow&& row, Error why);
  template <typename MakeRow>
  Status checked(Status&& merged, MakeRow make_row);
  void tell_notes();
  void tell_recovered(change::Lsn whole);
  Status commit(const change::Commit& commit);
  void begin_segment(change::SegmentBegin&& begin);
  Status take_snapshot(change::SnapshotRow&& row);
  void end_segment(const change::SegmentEnd& end);
  Result<const mapping::Binding*> binding_of(const change::RelationPtr& relation);
  void count_row(const change::RelationPtr& relation, const mapping::Binding& binding,
                 const std::vector<change::DatumView>& row);
  bool keeps() const { return sizes_.is_narrow(from_.position); }
  bool is_enough() const;
  bool piece_is_due() const;
  Status cut_piece();
  LanePosition as_reached(LanePosition to);
  void close(LanePosition to);
  bool hand_on();

  stream::Queue<change::Event>& events_;
  stream::Queue<Batch>& batches_;
  BatchOptions options_;
  BatchSizes sizes_;

  mapping::Merge merge_;
  RefetchedRows refetched_;
  DeadRows dead_;
  bool refetched_taken_ = false;
  LanePosition from_;  // Where the batch being made starts.
  LanePosition to_;    // Where its last whole transaction ends.
  change::Lsn partial_until_;  // Of a removal in pieces that an engine before this one began.
  size_t transactions_ = 0;
  int64_t commit_microseconds_ = 0;
  int64_t oldest_commit_microseconds_ = 0;
  change::Lsn final_lsn_;
  // Of the batch being made. The pointer is the key: it is shared by all rows of a table.
  std::map<change::RelationPtr, size_t> table_rows_;
  std::map<std::string, size_t, std::less<>> tenant_rows_;

  // The segment of the copy that the rows belong to, and where its key stands in them.
  std::optional<SegmentProgress> segment_;
  std::vector<uint16_t> segment_key_;

  // The transaction that is open: its rows are merged once it is whole, or piece by piece.
  std::optional<change::Begin> open_;
  std::deque<Item> rows_;
  size_t rows_bytes_ = 0;
  size_t rows_elements_ = 0;
  bool in_pieces_ = false;

  mapping::Bindings bindings_;
  change::RelationPtr unexpected_;
  std::vector<RefusedRow> refused_;
  // Of the batch being made; of changes that pass by, in the transaction that is open; of those that were applied before.
  mapping::AuditedRows audited_;
  mapping::AuditedRows passed_by_;
  mapping::AuditedRows recovered_;
  std::vector<KeptRow> kept_;  // Of the batch being made, where it is narrow.
  std::vector<Batch> finished_;  // Waiting for room, oldest first.
};

}  // namespace cnx::apply
