#include "simulated_copy.hpp"

#include <cstring>
#include <string>

#include "simulated_postgres.hpp"

namespace cnx::simulation {
namespace {

using stream::Step;

change::RelationPtr counted_relation() {
  constexpr change::Oid kInt8{20};
  auto relation = std::make_shared<change::Relation>();
  relation->oid = change::Oid(SimulatedPostgres::kTable);
  relation->schema = "public";
  relation->name = "counted";
  relation->columns = {{.name = "id", .type = kInt8, .identity = true},
                       {.name = "value", .type = kInt8}};
  return relation;
}

}  // namespace

SimulatedCopy::SimulatedCopy(stream::Queue<change::Event>& events, const Rows& rows,
                             change::Segment segment)
    : events_(events), relation_(counted_relation()), segment_(std::move(segment)) {
  for (const auto& row : rows) {
    if (*change::contains(segment_, {std::to_string(row.first)})) rows_.push_back(row);
  }
}

Step SimulatedCopy::step(TimePoint) {
  if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
  if (stopping_) {
    events_.close();
    return Step::done();
  }
  change::Event event = change::SegmentEnd{};
  if (next_ == 0) {
    event = change::SegmentBegin{.key = segment_.key, .key_columns = {0}};
  } else if (next_ <= rows_.size()) {
    const std::string key = std::to_string(rows_[next_ - 1].first);
    const std::string value = std::to_string(rows_[next_ - 1].second);
    auto* memory = static_cast<char*>(std::malloc(key.size() + value.size()));
    std::memcpy(memory, key.data(), key.size());
    std::memcpy(memory + key.size(), value.data(), value.size());
    using Kind = change::DatumView::Kind;
    change::SnapshotRow row;
    row.relation = relation_;
    row.buffer = change::Buffer(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
    row.buffer_bytes = static_cast<uint32_t>(key.size() + value.size());
    row.row = {{Kind::text, {memory, key.size()}},
               {Kind::text, {memory + key.size(), value.size()}}};
    event = std::move(row);
  }
  const size_t bytes = change::weight(event);
  if (!events_.try_push(std::move(event), bytes)) return Step::wait_until(kNever);
  if (next_++ <= rows_.size()) return Step::progressed();
  events_.close();
  return Step::done();
}

}  // namespace cnx::simulation
