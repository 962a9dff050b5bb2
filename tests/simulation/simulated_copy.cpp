#include "simulated_copy.hpp"

#include <cstdlib>
#include <cstring>

#include "capture/snapshot/snapshot_stage.hpp"

namespace cnx::simulation {

using stream::Step;

change::SnapshotRow snapshot_row(const change::RelationPtr& relation, const Row& row) {
  using Kind = change::DatumView::Kind;
  size_t bytes = 1;
  for (const auto& value : row) bytes += value ? value->size() : 0;
  auto* memory = static_cast<char*>(std::malloc(bytes));
  change::SnapshotRow made;
  made.relation = relation;
  made.buffer = change::Buffer(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
  made.buffer_bytes = static_cast<uint32_t>(bytes);
  for (const auto& value : row) {
    if (!value) {
      made.row.push_back({Kind::null, {}});
      continue;
    }
    std::memcpy(memory, value->data(), value->size());
    made.row.push_back({Kind::text, {memory, value->size()}});
    memory += value->size();
  }
  return made;
}

SimulatedCopy::SimulatedCopy(stream::Queue<change::Event>& events, const std::vector<postgres::Table>& tables, const Tables& rows,
                             const std::vector<change::Segment>& segments)
    : events_(events) {
  for (const Table table : kTables) {
    const change::RelationPtr relation = capture::relation_of(tables[static_cast<size_t>(table)]);
    for (const change::Segment& segment : segments) {
      if (segment.done || segment.table != relation->name) continue;
      change::SegmentBegin begin{.key = segment.key, .key_columns = {}};
      for (size_t i = 0; i < key_columns(table); ++i) begin.key_columns.push_back(static_cast<uint16_t>(i));
      to_say_.emplace_back(std::move(begin));
      for (const auto& [key, row] : rows_of(rows, table)) {
        if (*change::contains(segment, key)) to_say_.emplace_back(snapshot_row(relation, row));
      }
      to_say_.emplace_back(change::SegmentEnd{});
    }
  }
}

Step SimulatedCopy::step(TimePoint) {
  if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
  if (stopping_ || next_ == to_say_.size()) {
    events_.close();
    return Step::done();
  }
  const size_t bytes = change::weight(to_say_[next_]);
  if (!events_.try_push(std::move(to_say_[next_]), bytes)) return Step::wait_until(kNever);
  ++next_;
  return Step::progressed();
}

}  // namespace cnx::simulation
