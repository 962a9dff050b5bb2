#include "pipeline/held_rows.hpp"

#include <map>

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
constexpr Duration kNewsInterval = std::chrono::seconds(1);

TimePoint soon() { return Clock::now() + kStepMax; }

bool is_same(const mapping::RowKey& x, const mapping::RowKey& y) {
  return x.table == y.table && x.columns == y.columns && x.values == y.values;
}

size_t count_endings(const std::vector<apply::DeadNote>& notes) {
  return static_cast<size_t>(std::count_if(notes.begin(), notes.end(), [](const apply::DeadNote& note) { return note.ended; }));
}

}  // namespace

Status HeldRows::load(postgres::Session& session, change::Position reached) {
  tried_.clear();
  tried_at_.reset();
  CNX_TRY(write_news(session, true));
  endings_ = 0;  // What could not be written before is told again: the graph has not passed it.
  CNX_TRY(record::supersede_ended(session, table_, options_.name, reached, soon()));
  CNX_TRY(rows_, record::read_held(session, table_, options_.name, soon()));
  show();
  return {};
}

void HeldRows::show() const {
  uint64_t held = 0;
  uint64_t retrying = 0;
  for (const record::HeldRow& row : rows_) {
    held += row.held_changes;
    retrying += row.retrying ? 1 : 0;
  }
  counters_.retrying = retrying;
  counters_.open = rows_.size();
  counters_.held_changes = held;
}

Status HeldRows::forget(postgres::Session& session, const TablePlan& plan) {
  std::vector<postgres::TableName> tables(plan.anew.begin(), plan.anew.end());
  for (const apply::TableState& state : plan.left) tables.push_back(state.name);
  return record::supersede_tables(session, table_, options_.name, tables, soon());
}

std::vector<apply::DeadKey> HeldRows::keys(bool tries) const {
  std::vector<apply::DeadKey> keys;
  for (const record::HeldRow& row : rows_) {
    const bool tried = tries && std::find(tried_.begin(), tried_.end(), row.id) != tried_.end();
    if (!tried) keys.push_back({.key = row.key, .since = row.position, .lasting = row.lasting, .conflict = conflicts_});
  }
  return keys;
}

std::vector<mapping::LackingRow> HeldRows::to_try(const Catalog& catalog, change::Lsn at) {
  std::vector<mapping::LackingRow> rows;
  tried_.clear();
  for (const record::HeldRow& row : rows_) {
    const bool followed = find_table(catalog.tables, row.key.table) != nullptr && !catalog.held.contains(row.key.table);
    if (!row.retrying || !followed || row.retry_at > at) continue;
    rows.push_back({.row = row.key, .node = nullptr, .node_key = {}});
    tried_.push_back(row.id);
    if (rows.size() >= tried_at_once_) break;
  }
  return rows;
}

std::optional<change::Lsn> HeldRows::next_try(change::Lsn at) const {
  std::optional<change::Lsn> next;
  for (const record::HeldRow& row : rows_) {
    if (row.retrying && row.retry_at > at && (!next || row.retry_at < *next)) next = row.retry_at;
  }
  return next;
}

Result<std::vector<record::HeldRow>> HeldRows::reach(postgres::Session& session, change::Position reached) {
  std::vector<record::HeldRow> applied;
  CNX_TRY(close_ended(session, reached));
  if (!tried_at_ || reached <= *tried_at_) return applied;
  tried_at_.reset();
  CNX_TRY(record::mark_applied(session, table_, tried_, soon()));
  std::erase_if(rows_, [&](const record::HeldRow& row) {
    const bool tried = std::find(tried_.begin(), tried_.end(), row.id) != tried_.end();
    if (tried) applied.push_back(row);
    return tried;
  });
  show();
  return applied;
}

bool HeldRows::has_more(change::Lsn at) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const record::HeldRow& row) { return row.retrying && row.retry_at <= at; });
}

Status HeldRows::close_ended(postgres::Session& session, change::Position reached) {
  const size_t before = rows_.size();
  std::erase_if(rows_, [&](const record::HeldRow& row) { return row.ended && *row.ended <= reached; });
  if (rows_.size() == before) return {};
  show();
  return record::supersede_ended(session, table_, options_.name, reached, soon());
}

const record::HeldRow* HeldRows::find(const mapping::RowKey& key) const {
  auto found = std::find_if(rows_.begin(), rows_.end(), [&](const record::HeldRow& row) { return is_same(row.key, key); });
  return found == rows_.end() ? nullptr : &*found;
}

record::HeldRow* HeldRows::to_change(const mapping::RowKey& key) {
  return const_cast<record::HeldRow*>(find(key));
}

void HeldRows::hear(const std::vector<apply::DeadNote>& notes) {
  std::lock_guard lock(mutex_);
  heard_.insert(heard_.end(), notes.begin(), notes.end());
  endings_ += count_endings(notes);
}

Result<bool> HeldRows::write_news(postgres::Session& session, bool last) {
  const TimePoint now = Clock::now();
  if (!last && endings_are_written() && now < written_at_ + kNewsInterval) return false;
  written_at_ = now;
  std::vector<apply::DeadNote> heard;
  {
    std::lock_guard lock(mutex_);
    heard.swap(heard_);
  }
  if (heard.empty()) return false;
  std::map<int64_t, News> news;
  for (const apply::DeadNote& note : heard) {
    record::HeldRow* row = to_change(note.key);
    // What comes again was counted before.
    if (row == nullptr || (!note.ended && note.position <= row->held_until)) continue;
    News& each = news[row->id];
    if (note.ended) {
      each.ended = row->ended = note.position;
    } else {
      ++each.held;
      ++row->held_changes;
      row->held_until = note.position;
    }
    each.held_until = row->held_until;
  }
  std::vector<record::HeldNews> written;
  for (const auto& [id, each] : news) written.push_back({id, each.held, each.held_until, each.ended});
  CNX_TRY(record::add_news(session, table_, written, soon()));
  endings_ -= count_endings(heard);
  show();
  return std::any_of(rows_.begin(), rows_.end(), [&](const record::HeldRow& row) {
    return !row.retrying && row.held_changes > options_.dead_letters.held_changes_max && news.contains(row.id);
  });
}

}  // namespace cnx::pipeline
