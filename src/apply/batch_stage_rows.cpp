// The half of batch_stage.hpp that takes rows: whether one counts, whether it can be applied, and into the merge with it.
#include "apply/batch_stage.hpp"
#include "apply/kept_rows.hpp"

namespace cnx::apply {

namespace {

// So many changes that were applied before are told at a time: a transaction of them may be of any size.
constexpr size_t kRecoveredAtOnce = 1'000;

}  // namespace

// At the watermark: where the lane stood when the rows were read.
Status BatchStage::take_refetched() {
  for (const RefetchedRow& row : refetched_.rows()) {
    if (row.at != options_.start.position || dead_.contains(row.key)) continue;
    CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
    if (binding == nullptr || row.keeps_graph) continue;
    CNX_TRY(checked(merge_refetched(row, *binding, merge_), [&] { return refused_row(row); }));
    if (options_.audits_rows) audited_.add_read_again(row.key, row.relation, row.at);
    if (keeps()) kept_.push_back(row);
  }
  return {};
}

// It has to be a dead letter before it is passed.
Status BatchStage::refuse(RefusedRow&& row, Error why) {
  Error error = Error(ErrorKind::state, std::string(kRowsRefused), "a row cannot be applied")
                    .with("table", postgres::to_string(row.key.table))
                    .with("position", row.position.to_string());
  row.refusal.error = std::move(why);
  if (!options_.keep_values) row.values.clear();
  refused_.push_back(std::move(row));
  return fail(std::move(error));
}

// A value that cannot be read is its row's fault alone.
template <typename MakeRow>
Status BatchStage::checked(Status&& merged, MakeRow make_row) {
  if (merged || merged.error().kind() != ErrorKind::malformed) return std::move(merged);
  return refuse(make_row(), std::move(merged.error()));
}

void BatchStage::tell_recovered(change::Lsn whole) {
  if (!recovered_.empty()) options_.on_recovered(recovered_.take(), whole);
}

void BatchStage::tell_notes() {
  if (dead_.has_notes() && options_.on_dead_notes) options_.on_dead_notes(dead_.take_notes());
}

Status BatchStage::take_row(change::RowChange&& row) {
  CNX_CHECK(open_.has_value(), "a row belongs to a transaction");
  // Applied already: the rest of a transaction of which pieces are in the graph, or what the audit asks for again. Its table may
  // have been another then, and nothing is asked of it.
  if (row.position <= from_.position) {
    if (options_.on_recovered) recovered_.add(row, mapping::AuditedAs::recovered);
    if (recovered_.size() >= kRecoveredAtOnce) tell_recovered({});
    return {};
  }
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  if (binding == nullptr) {
    const bool held = options_.held.contains({row.relation->schema, row.relation->name});
    if (held && options_.audits_rows) passed_by_.add(row, mapping::AuditedAs::held);
    return {};
  }
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
  const Verdict verdict = dead_.judge(*binding, row);
  // Of the letter's own change there is no note: it is no change that is held behind it.
  const bool held = dead_.has_notes();
  tell_notes();
  switch (verdict) {
    case Verdict::as_it_is:
      break;
    case Verdict::passes_by:
      if (held && options_.audits_rows) passed_by_.add(row, mapping::AuditedAs::held);
      return {};
    case Verdict::as_removal:
      row.operation = change::Operation::remove;
      row.row.clear();
      break;
    case Verdict::overwrites:
      row.overwrites = true;
      break;
    case Verdict::needs_letter:
      return refuse(refused_row(*binding, row),
                    Error(ErrorKind::state, "the row took another key while a change of it was a dead letter"));
  }
  rows_bytes_ += change::weight(row);
  rows_elements_ += binding->elements();
  rows_.push_back(std::move(row));
  in_pieces_ = in_pieces_ || sizes_.is_too_large({rows_.size(), rows_bytes_, rows_elements_}, from_.position);
  return {};
}

void BatchStage::take_truncate(change::Truncate&& truncate) {
  CNX_CHECK(open_.has_value(), "a TRUNCATE belongs to a transaction");
  if (truncate.position <= from_.position) {
    if (options_.on_recovered) recovered_.add(truncate, mapping::AuditedAs::recovered);
    return;
  }
  for (const change::RelationPtr& relation : truncate.relations) {
    dead_.truncate({relation->schema, relation->name}, truncate.position);
  }
  tell_notes();
  rows_.push_back(std::move(truncate));
}

void BatchStage::count_row(const change::RelationPtr& relation, const mapping::Binding& binding,
                           const std::vector<change::DatumView>& row) {
  ++table_rows_[relation];
  const auto column = static_cast<size_t>(binding.tenant_column);
  if (!options_.counts_tenants || binding.tenant_column < 0 || column >= row.size()) return;
  if (row[column].kind != change::DatumView::Kind::text) return;
  auto found = tenant_rows_.find(row[column].text);
  if (found == tenant_rows_.end()) found = tenant_rows_.emplace(row[column].text, 0).first;
  ++found->second;
}

Status BatchStage::merge_item(Item&& item) {
  if (auto* truncate = std::get_if<change::Truncate>(&item)) return merge_truncate(std::move(*truncate));
  return merge_row(std::move(std::get<change::RowChange>(item)));
}

Status BatchStage::merge_truncate(change::Truncate&& truncate) {
  // Bound, so that the names of its properties are known: a node that has to stay as a stub keeps
  // none of them.
  for (const change::RelationPtr& relation : truncate.relations) CNX_TRY(binding_of(relation));
  std::erase_if(truncate.relations, [&](const change::RelationPtr& relation) {
    return options_.held.contains({relation->schema, relation->name});
  });
  std::vector<RefetchedRow> newer;
  for (const change::RelationPtr& relation : truncate.relations) {
    const mapping::TableName table{relation->schema, relation->name};
    merge_.truncate(table);
    // A row that was read behind the TRUNCATE is newer than it; what the graph had of it instead is gone by it.
    for (const RefetchedRow& row : refetched_.rows()) {
      if (row.key.table != table || !row.snapshot.sees(open_->xid) || dead_.contains(row.key)) continue;
      CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
      if (binding == nullptr) continue;
      CNX_TRY(merge_refetched(row, *binding, merge_));
      if (keeps()) newer.push_back(row);
    }
  }
  if (options_.audits_rows) audited_.add(truncate, mapping::AuditedAs::tried);
  if (!keeps()) return {};
  kept_.push_back(std::move(truncate));
  for (RefetchedRow& row : newer) kept_.push_back(std::move(row));
  return {};
}

Status BatchStage::merge_row(change::RowChange&& row) {
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  CNX_TRY(checked(merge_.add(*binding, row), [&] { return refused_row(*binding, row); }));
  count_row(row.relation, *binding, row.row.empty() ? row.old_row : row.row);
  if (options_.audits_rows) audited_.add(row, mapping::AuditedAs::tried);
  if (keeps()) kept_.push_back(std::move(row));
  return {};
}

Status BatchStage::take_snapshot(change::SnapshotRow&& row) {
  CNX_CHECK(segment_.has_value(), "a row of the copy belongs to a segment");
  CNX_TRY(const mapping::Binding* binding, binding_of(row.relation));
  CNX_CHECK(binding != nullptr, "only mapped tables are copied");
  count_row(row.relation, *binding, row.row);
  const bool dead = !dead_.empty() && dead_.contains(mapping::row_key(*binding, row.row));
  if (!dead) CNX_TRY(checked(merge_.add(*binding, row, options_.copy_replaces), [&] { return refused_row(*binding, row); }));
  segment_->last.resize(segment_key_.size());
  for (size_t i = 0; i < segment_key_.size(); ++i) segment_->last[i] = row.row[segment_key_[i]].text;
  to_ = {.position = {from_.position.lsn, from_.position.ordinal + 1},
         .phase = Phase::snapshot,
         .partial = false};
  if (keeps() && !dead) kept_.push_back(std::move(row));
  if (is_enough()) close(to_);
  return {};
}

// Null where the table has no form in the graph, or is held.
Result<const mapping::Binding*> BatchStage::binding_of(const change::RelationPtr& relation) {
  if (const mapping::Binding* known = bindings_.known(relation)) return known;
  const mapping::TableName name{relation->schema, relation->name};
  if (!bindings_.has_form(name) || options_.held.contains(name)) return nullptr;
  if (options_.expects && !options_.expects(*relation)) {
    unexpected_ = relation;
    return fail(Error(ErrorKind::state, std::string(kTableChanged), "a table is another than it was")
                    .with("table", postgres::to_string(name)));
  }
  return bindings_.bind(relation);
}

}  // namespace cnx::apply
