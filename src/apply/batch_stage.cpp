#include "apply/batch_stage.hpp"

#include <algorithm>

namespace cnx::apply {

using stream::Step;

namespace {

// From batch to batch, between rows_first and rows_target.
constexpr size_t kGrowth = 4;

// Merged rows are larger than their text: names, keys, and the vectors that hold them.
size_t batch_weight(const Batch& batch) {
  return batch.bytes * 3 + batch.rows * 200 + 1;
}

}  // namespace

BatchStage::BatchStage(stream::Queue<change::Event>& events, stream::Queue<Batch>& batches,
                       mapping::Model& model, const postgres::TypeCatalog& types,
                       BatchOptions options)
    : events_(events),
      batches_(batches),
      model_(model),
      types_(types),
      options_(std::move(options)),
      merge_(model),
      refetched_(std::move(options_.refetched)),
      from_(options_.start),
      to_(options_.start),
      partial_until_(options_.start.partial_until),
      rows_enough_(std::min(options_.rows_first, options_.rows_target)) {}

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
  } else if (const auto* snapshot_row = std::get_if<change::SnapshotRow>(&event)) {
    CNX_TRY(take_snapshot(*snapshot_row));
  } else if (auto* segment_begin = std::get_if<change::SegmentBegin>(&event)) {
    begin_segment(std::move(*segment_begin));
  } else if (const auto* segment_end = std::get_if<change::SegmentEnd>(&event)) {
    end_segment(*segment_end);
  } else if (auto* truncate = std::get_if<change::Truncate>(&event)) {
    take_truncate(std::move(*truncate));
  }
  return !finished_.empty();
}

// At the watermark: where the lane stood when the rows were read.
Status BatchStage::take_refetched() {
  for (const RefetchedRow& row : refetched_.rows()) {
    if (row.at != options_.start.position) continue;
    CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
    if (binding != nullptr) CNX_TRY(merge_refetched(row, *binding, merge_));
  }
  return {};
}

Status BatchStage::take_row(change::RowChange&& row) {
  CNX_CHECK(open_.has_value(), "a row belongs to a transaction");
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  if (binding == nullptr) return {};
  // Applied already: the rest of a transaction of which pieces are in the graph.
  if (row.position <= from_.position) return {};
  if (!refetched_.rows().empty()) row.over_copy = true;
  switch (refetched_.taken(row, open_->xid)) {
    case Taken::as_it_is:
      break;
    case Taken::not_at_all:
      return {};
    case Taken::as_removal:
      row.operation = change::Operation::remove;
      row.row.clear();
      break;
    case Taken::as_new:
      row.old_row.clear();
      break;
  }
  rows_bytes_ += change::weight(row);
  rows_elements_ += binding->elements();
  rows_.push_back(std::move(row));
  if (rows_elements_ >= options_.transaction_elements_max ||
      rows_bytes_ >= options_.transaction_bytes_max)
    in_pieces_ = true;
  return {};
}

void BatchStage::take_truncate(change::Truncate&& truncate) {
  CNX_CHECK(open_.has_value(), "a TRUNCATE belongs to a transaction");
  if (truncate.position <= from_.position) return;
  rows_.push_back(std::move(truncate));
}

Status BatchStage::merge_row(const std::variant<change::RowChange, change::Truncate>& item) {
  if (const auto* truncate = std::get_if<change::Truncate>(&item)) {
    for (const change::RelationPtr& relation : truncate->relations) {
      // Bound, so that the names of its properties are known: a node that has to stay as a stub
      // keeps none of them.
      CNX_TRY(binding_of(relation));
      const mapping::TableName table{relation->schema, relation->name};
      if (options_.held.contains(table)) continue;
      merge_.truncate(table);
      // A row that was read behind the TRUNCATE is newer than it.
      for (const RefetchedRow& row : refetched_.rows()) {
        if (row.key.table != table || !row.snapshot.sees(open_->xid)) continue;
        CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
        if (binding != nullptr) CNX_TRY(merge_refetched(row, *binding, merge_));
      }
    }
    return {};
  }
  const auto& row = std::get<change::RowChange>(item);
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  return merge_.add(*binding, row);
}

bool BatchStage::is_enough() const {
  return merge_.rows() >= rows_enough_ || merge_.bytes() >= options_.bytes_target;
}

bool BatchStage::piece_is_due() const {
  return in_pieces_ && rows_.size() > 1 &&
         (rows_.size() > options_.piece_rows || rows_bytes_ > options_.bytes_target);
}

// The open transaction is too large for one of Neo4j: what came before it is closed, and the first
// of its rows go on as a piece. The last rows wait for the commit, so that the last piece is the
// one that ends it.
Status BatchStage::cut_piece() {
  if (!(to_ == from_)) close(to_);
  merge_.begin_transaction();
  change::Position last;
  // At least one, whatever was read again and leads the piece.
  do {
    CNX_TRY(merge_row(rows_.front()));
    if (const auto* row = std::get_if<change::RowChange>(&rows_.front())) {
      last = row->position;
      rows_bytes_ -= change::weight(*row);
    } else {
      last = std::get<change::Truncate>(rows_.front()).position;
    }
    rows_.pop_front();
  } while (merge_.rows() < options_.piece_rows && merge_.bytes() < options_.bytes_target && rows_.size() > 1);
  commit_microseconds_ = open_->commit_microseconds;
  close({.position = last, .phase = Phase::stream, .partial = true});
  return {};
}

Status BatchStage::commit(const change::Commit& commit) {
  CNX_CHECK(open_.has_value(), "a commit ends a transaction");
  if (commit.passed_over) {
    open_.reset();
    return {};
  }
  LanePosition end{.position = {commit.end_lsn, 0}, .phase = Phase::stream, .partial = false};
  // Rows that were read again move no position: they go along with the transaction behind them.
  const bool moved = !(to_ == from_);
  if (moved && merge_.rows() + rows_.size() > rows_enough_) close(to_);
  if (!rows_.empty()) merge_.begin_transaction();
  for (const auto& item : rows_) CNX_TRY(merge_row(item));
  rows_.clear();
  rows_bytes_ = 0;
  rows_elements_ = 0;
  refetched_.forget(commit.end_lsn);
  if (from_.position < end.position) {
    to_ = end;
    ++transactions_;
    commit_microseconds_ = open_->commit_microseconds;
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

Status BatchStage::take_snapshot(const change::SnapshotRow& row) {
  CNX_CHECK(segment_.has_value(), "a row of the copy belongs to a segment");
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  CNX_CHECK(binding != nullptr, "only mapped tables are copied");
  CNX_TRY(merge_.add(*binding, row, options_.copy_replaces));
  segment_->last.resize(segment_key_.size());
  for (size_t i = 0; i < segment_key_.size(); ++i) segment_->last[i] = row.row[segment_key_[i]].text;
  to_ = {.position = {from_.position.lsn, from_.position.ordinal + 1},
         .phase = Phase::snapshot,
         .partial = false};
  if (is_enough()) close(to_);
  return {};
}

// Null where the table has no form in the graph.
Result<const mapping::Binding*> BatchStage::binding_of(const change::RelationPtr& relation) {
  auto found = bindings_.find(relation->oid);
  if (found != bindings_.end() && found->second.relation == relation) return &found->second;
  mapping::TableName name{relation->schema, relation->name};
  mapping::NodeTable* node = model_.find_node(name);
  mapping::RelationshipTable* relationship = model_.find_relationship(name);
  if ((node == nullptr && relationship == nullptr) || options_.held.contains(name)) return nullptr;
  if (options_.expects && !options_.expects(*relation)) {
    unexpected_ = relation;
    return fail(Error(ErrorKind::state, std::string(kTableChanged), "a table is another than it was")
                    .with("table", postgres::to_string(name)));
  }
  Result<mapping::Binding> bound = node != nullptr ? mapping::bind(*node, relation, types_)
                                                   : mapping::bind(*relationship, relation, types_);
  if (!bound) return fail(std::move(bound.error()));
  return &bindings_.insert_or_assign(relation->oid, std::move(*bound)).first->second;
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
  batch.mutations = merge_.take();
  if (segment_) batch.segment = segment_;
  finished_.push_back(std::move(batch));
  rows_enough_ = std::min(rows_enough_ * kGrowth, options_.rows_target);
  from_ = to;
  to_ = to;
  transactions_ = 0;
  commit_microseconds_ = 0;
}

// Says whether everything finished was handed on.
bool BatchStage::hand_on() {
  size_t handed = 0;
  while (handed < finished_.size()) {
    size_t weight = batch_weight(finished_[handed]);
    if (!batches_.try_push(std::move(finished_[handed]), weight)) break;
    ++handed;
  }
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<long>(handed));
  return finished_.empty();
}

}  // namespace cnx::apply
