#include "apply/batch_stage.hpp"

#include <algorithm>
#include <utility>

#include "base/failpoint.hpp"

namespace cnx::apply {

using stream::Step;

namespace {

// Merged rows are larger than their text: names, keys, and the vectors that hold them.
size_t batch_weight(const Batch& batch) {
  return batch.bytes * 3 + batch.rows * 200 + batch.audited.size() * (sizeof(mapping::AuditedRow) + 40) + 1;
}

}  // namespace

BatchStage::BatchStage(stream::Queue<change::Event>& events, stream::Queue<Batch>& batches,
                       mapping::Model& model, const postgres::TypeCatalog& types,
                       BatchOptions options)
    : events_(events),
      batches_(batches),
      options_(std::move(options)),
      sizes_(options_),
      merge_(model),
      refetched_(std::move(options_.refetched)),
      dead_(std::exchange(options_.dead, {})),
      from_(options_.start),
      to_(options_.start),
      partial_until_(options_.start.partial_until),
      bindings_(model, types),
      audited_(model),
      passed_by_(model),
      recovered_(model) {}

Step BatchStage::step(TimePoint) {
  if (std::optional<Error> failure = batches_.failure()) return Step::failed(*failure);
  if (!finished_.empty() && !hand_on()) return Step::wait_until(kNever);
  if (!refetched_taken_) {
    refetched_taken_ = true;
    if (Status taken = take_refetched(); !taken) return give_up(std::move(taken.error()));
  }
  // Only so much at a time: what waits must see the lane's needs soon.
  constexpr int kEventsAtOnce = 256;
  for (int i = 0; i < kEventsAtOnce; ++i) {
    if (piece_is_due()) {
      if (Status cut = cut_piece(); !cut) return give_up(std::move(cut.error()));
      if (!hand_on()) break;
      continue;
    }
    std::optional<change::Event> event = events_.try_pop();
    if (!event) {
      if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
      const bool drained = events_.drained();
      // The lane has nothing to do, or nothing more will come: no reason to wait for company.
      if (!(to_ == from_) && (drained || batches_.empty_or_wakes())) {
        close(to_);
        hand_on();
        return Step::progressed();
      }
      if (drained) {
        if (!finished_.empty()) return Step::wait_until(kNever);
        batches_.close();
        return Step::done();
      }
      return Step::wait_until(kNever);
    }
    Result<bool> closed = take(std::move(*event));
    if (!closed) return give_up(std::move(closed.error()));
    if (*closed && !hand_on()) break;
  }
  return Step::progressed();
}

Step BatchStage::give_up(Error error) {
  batches_.fail(error);
  return Step::failed(std::move(error));
}

// Says whether a batch was finished.
Result<bool> BatchStage::take(change::Event&& event) {
  if (auto* row = std::get_if<change::RowChange>(&event)) {
    CNX_TRY(take_row(std::move(*row)));
  } else if (const auto* begin = std::get_if<change::Begin>(&event)) {
    CNX_CHECK(!open_, "a transaction begins after the one before it has ended");
    open_ = *begin;
  } else if (const auto* end = std::get_if<change::Commit>(&event)) {
    CNX_TRY(commit(*end));
  } else if (const auto* idle = std::get_if<change::Idle>(&event)) {
    CNX_CHECK(!open_, "an idle advance counts only with no transaction open");
    if (to_.position.lsn < idle->wal_end) to_.position = {idle->wal_end, 0};
  } else if (auto* snapshot_row = std::get_if<change::SnapshotRow>(&event)) {
    CNX_TRY(take_snapshot(std::move(*snapshot_row)));
  } else if (auto* segment_begin = std::get_if<change::SegmentBegin>(&event)) {
    begin_segment(std::move(*segment_begin));
  } else if (const auto* segment_end = std::get_if<change::SegmentEnd>(&event)) {
    end_segment(*segment_end);
  } else if (auto* truncate = std::get_if<change::Truncate>(&event)) {
    take_truncate(std::move(*truncate));
  }
  return !finished_.empty();
}

bool BatchStage::is_enough() const {
  return merge_.rows() >= sizes_.rows(from_.position) || merge_.bytes() >= sizes_.bytes(from_.position);
}

bool BatchStage::piece_is_due() const {
  return in_pieces_ && rows_.size() > 1 &&
         (rows_.size() > sizes_.piece_rows(from_.position) || rows_bytes_ > sizes_.bytes(from_.position));
}

// The open transaction is too large for one of Neo4j: what came before it is closed, and the first
// of its rows go on as a piece. The last rows wait for the commit, so that the last piece is the
// one that ends it.
Status BatchStage::cut_piece() {
  if (!(to_ == from_)) close(to_);
  merge_.begin_transaction();
  change::Position last;
  const size_t most = sizes_.piece_rows(from_.position);
  const size_t most_bytes = sizes_.bytes(from_.position);
  // At least one, whatever was read again and leads the piece.
  do {
    if (const auto* row = std::get_if<change::RowChange>(&rows_.front())) {
      last = row->position;
      rows_bytes_ -= change::weight(*row);
    } else {
      last = std::get<change::Truncate>(rows_.front()).position;
    }
    CNX_TRY(merge_item(std::move(rows_.front())));
    rows_.pop_front();
  } while (merge_.rows() < most && merge_.bytes() < most_bytes && rows_.size() > 1);
  audited_.add(passed_by_.take());
  commit_microseconds_ = oldest_commit_microseconds_ = open_->commit_microseconds;
  final_lsn_ = open_->final_lsn;
  close({.position = last, .phase = Phase::stream, .partial = true});
  return {};
}

Status BatchStage::commit(const change::Commit& commit) {
  CNX_CHECK(open_.has_value(), "a commit ends a transaction");
  if (commit.passed_over) {
    open_.reset();
    return {};
  }
  tell_recovered(std::min(commit.end_lsn, from_.position.lsn));
  LanePosition end{.position = {commit.end_lsn, 0}, .phase = Phase::stream, .partial = false};
  // What was read again goes along with the transaction behind it: a batch that moved no position could not be told from one
  // that was applied.
  const bool crowded = !merge_.empty() && merge_.rows() + rows_.size() > sizes_.rows(from_.position);
  const bool alone = keeps() && merge_.empty() && !rows_.empty();
  if (!(to_ == from_) && (crowded || alone)) close(to_);
  if (!rows_.empty()) merge_.begin_transaction();
  for (Item& item : rows_) CNX_TRY(merge_item(std::move(item)));
  audited_.add(passed_by_.take());
  rows_.clear();
  rows_bytes_ = 0;
  rows_elements_ = 0;
  refetched_.forget(commit.end_lsn);
  if (from_.position < end.position) {
    to_ = end;
    if (transactions_++ == 0) oldest_commit_microseconds_ = open_->commit_microseconds;
    commit_microseconds_ = open_->commit_microseconds;
    final_lsn_ = open_->final_lsn;
  }
  open_.reset();
  if (!(to_ == from_) && (in_pieces_ || is_enough())) close(to_);
  in_pieces_ = false;
  return {};
}

// A batch holds rows of one segment alone, so that one node says how far it is.
void BatchStage::begin_segment(change::SegmentBegin&& begin) {
  CNX_CHECK(to_ == from_, "a segment begins after the one before it has ended");
  segment_ = SegmentProgress{.key = std::move(begin.key), .last = {}, .done = false};
  segment_key_ = std::move(begin.key_columns);
}

void BatchStage::end_segment(const change::SegmentEnd& end) {
  CNX_CHECK(segment_.has_value(), "what ends has begun");
  segment_->done = end.whole;
  if (end.whole) ++to_.position.ordinal;
  if (!(to_ == from_)) close(to_);
  segment_.reset();
}

// What a removal in pieces left half done is whole only at the end that it was on its way to.
LanePosition BatchStage::as_reached(LanePosition to) {
  if (partial_until_ == change::Lsn()) return to;
  if (to.position.lsn < partial_until_) {
    to.partial = true;
    to.partial_until = partial_until_;
  } else {
    to.partial = to.position.ordinal != 0;
    to.partial_until = {};
    partial_until_ = {};
  }
  return to;
}

void BatchStage::close(LanePosition to) {
  to = as_reached(to);
  CNX_CHECK(!same_place(from_, to), "a batch moves the position: after a lost answer, that tells whether it was applied");
  Batch batch;
  batch.from = from_;
  batch.to = to;
  batch.rows = merge_.rows();
  batch.bytes = merge_.bytes();
  batch.transactions = transactions_;
  batch.commit_microseconds = commit_microseconds_;
  batch.oldest_commit_microseconds = oldest_commit_microseconds_;
  batch.final_lsn = final_lsn_;
  batch.table_rows.assign(table_rows_.begin(), table_rows_.end());
  batch.tenant_rows.assign(tenant_rows_.begin(), tenant_rows_.end());
  table_rows_.clear();
  tenant_rows_.clear();
  batch.mutations = merge_.take();
  if (segment_) batch.segment = segment_;
  batch.audited = audited_.take();
  batch.kept = std::exchange(kept_, {});
  batch.ahead = ahead_text(refetched_.rows(), to.position.lsn);
  finished_.push_back(std::move(batch));
  sizes_.grow(from_.position);
  from_ = to;
  to_ = to;
  transactions_ = 0;
  commit_microseconds_ = 0;
  oldest_commit_microseconds_ = 0;
  final_lsn_ = {};
  reach("batch_cut");
}

// Says whether everything finished was handed on.
bool BatchStage::hand_on() {
  size_t handed = 0;
  while (handed < finished_.size()) {
    size_t weight = batch_weight(finished_[handed]);
    if (!batches_.try_push(std::move(finished_[handed]), weight)) break;
    ++handed;
    reach("batch_handed_on");
  }
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<long>(handed));
  return finished_.empty();
}

}  // namespace cnx::apply
