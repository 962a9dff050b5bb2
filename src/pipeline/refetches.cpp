#include "pipeline/refetches.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/failpoint.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/refetch.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kReadMax = std::chrono::seconds(30);
// At one position: each time may find other rows, but not for ever.
constexpr int kTimesMax = 10;

bool is_same(const mapping::RowKey& x, const mapping::RowKey& y) { return x.table == y.table && x.values == y.values; }

}  // namespace

Status Refetches::read(const Catalog& catalog, const std::vector<mapping::LackingRow>& lacking) {
  const TimePoint deadline = Clock::now() + kReadMax;
  CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
  CNX_TRY(std::optional<apply::PositionNode> position,
          apply::read_position(graph, apply::lane_key(options_.name), deadline));
  if (!position) return fail(ErrorKind::state, "the graph has no position for this pipeline any more");
  const change::Position at = position->stored.lane.position;
  times_ = at == at_ ? times_ + 1 : 1;
  at_ = at;
  if (times_ > kTimesMax) {
    return fail(Error(ErrorKind::state, "rows were read again, and the graph still lacks what an UPDATE left out")
                    .with("position", at.to_string())
                    .advise("contextnexus drop --graph, then init and run build the graph anew"));
  }
  // Of an attempt that failed.
  (void)conflicts_.take_decisions();
  CNX_TRY(std::vector<apply::RefetchedRow> rows, refetch(options_, catalog, graph, lacking, at, conflicts_, deadline));
  if (rows.empty() && conflicts_.has_decisions()) return {};
  if (rows.empty()) {
    return fail(ErrorKind::state, "an UPDATE met an entity that the graph lacks, or a conflict, and then did not");
  }
  telemetry::log_info("refetched", fmt::format("read {} rows again whose nodes or relationships the graph lacked, or which met a conflict there", rows.size()),
                      {{"rows", rows.size()}, {"position", at.to_string()}});
  add(std::move(rows));
  reach("row_read_again");
  return {};
}

Status Refetches::begin(const Catalog& catalog, bolt::Connection& graph, const apply::StoredPosition& start,
                        const std::function<Status()>& wait_until_seen) {
  forget_until(start.lane.position.lsn);
  CNX_TRY(std::vector<mapping::RowKey> ahead, apply::rows_ahead(start.ahead));
  std::vector<mapping::LackingRow> rows;
  for (const mapping::RowKey& key : ahead) {
    const bool known = std::any_of(rows_.begin(), rows_.end(), [&](const apply::RefetchedRow& row) { return is_same(row.key, key); });
    // A table that is held is read again whole.
    if (!known && !catalog.held.contains(key.table)) rows.push_back({.row = key, .node = nullptr, .node_key = {}});
  }
  if (rows.empty()) return {};
  CNX_TRY(wait_until_seen());
  CNX_TRY(std::vector<apply::RefetchedRow> read,
          refetch(options_, catalog, graph, rows, start.lane.position, conflicts_, Clock::now() + kReadMax));
  telemetry::log_info("rows_ahead", fmt::format("read {} rows again, of which the graph had a later state than its position's", read.size()),
                      {{"rows", read.size()}, {"position", start.lane.position.to_string()}});
  add(std::move(read));
  return {};
}

void Refetches::add(std::vector<apply::RefetchedRow>&& rows) {
  for (const apply::RefetchedRow& row : rows) {
    std::erase_if(rows_, [&](const apply::RefetchedRow& older) { return is_same(older.key, row.key); });
  }
  rows_.insert(rows_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
}

void Refetches::forget(const postgres::TableName& table) {
  std::erase_if(rows_, [&](const apply::RefetchedRow& row) { return row.key.table == table; });
}

void Refetches::forget_until(change::Lsn position) {
  std::erase_if(rows_, [&](const apply::RefetchedRow& row) { return row.until <= position; });
}

}  // namespace cnx::pipeline
