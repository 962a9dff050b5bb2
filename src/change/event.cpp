#include "change/event.hpp"

namespace cnx::change {
namespace {

// The event's own frame: it counts, so that a flood of tiny rows is bounded as well.
constexpr size_t kFrameBytes = 96;

size_t row_weight(size_t buffer_bytes, size_t data) {
  return kFrameBytes + buffer_bytes + data * sizeof(DatumView);
}

}  // namespace

std::string describe(const Relation& relation) {
  auto word = [](const std::string& text) { return std::to_string(text.size()) + ":" + text; };
  std::string text = std::to_string(relation.oid.value()) + static_cast<char>(relation.identity);
  text += word(relation.schema) + word(relation.name);
  for (const Column& column : relation.columns) {
    text += word(column.name) + std::to_string(column.type.value()) + "/" + std::to_string(column.type_modifier) +
            (column.identity ? "*" : ",");
  }
  return text;
}

size_t weight(const RowChange& row) {
  return row_weight(row.buffer_bytes, row.old_row.size() + row.row.size());
}

size_t weight(const Event& event) {
  if (const auto* row = std::get_if<RowChange>(&event)) return weight(*row);
  if (const auto* row = std::get_if<SnapshotRow>(&event)) {
    return row_weight(row->buffer_bytes, row->row.size());
  }
  return kFrameBytes;
}

}  // namespace cnx::change
