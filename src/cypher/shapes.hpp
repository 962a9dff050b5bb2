// The texts of one table by the columns of its rows, made where they are first met. Private to
// cypher/.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "cypher/upsert_texts.hpp"

namespace cnx::cypher {

// Any thread; what it returns lives as long as it does.
template <typename Table, typename Texts>
class Shapes {
 public:
  struct Shape {
    Columns columns;
    Texts texts;
  };

  explicit Shapes(const Table& table) : table_(&table) {}

  const Shape& of(const mapping::Properties& properties, std::string_view key_property,
                  Companions companions) {
    const std::lock_guard lock(mutex_);
    for (const Shape& shape : shapes_) {
      if (fits(shape.columns, properties, companions)) return shape;
    }
    Columns columns = columns_of(properties, key_property, companions);
    // Every text is one more plan in the server: each left-out TOAST column doubles their number.
    if (shapes_.size() == kShapesMax) columns = {.list = {}, .as_map = true};
    return shapes_.emplace_back(columns, upsert_texts(*table_, columns));
  }

 private:
  static constexpr size_t kShapesMax = 16;

  const Table* table_;
  std::mutex mutex_;
  std::deque<Shape> shapes_;
};

using NodeShapes = Shapes<mapping::NodeTable, NodeUpsertTexts>;
using RelationshipShapes = Shapes<mapping::RelationshipTable, RelationshipUpsertTexts>;

// Rows that go into one statement.
template <typename Shape, typename Upsert>
struct ShapedRows {
  const Shape* shape = nullptr;
  std::vector<const Upsert*> rows;
};

// `upserts` by the columns that they have, in the order in which those are met.
template <typename AllShapes, typename Upsert>
std::vector<ShapedRows<typename AllShapes::Shape, Upsert>> by_shape(
    AllShapes& shapes, std::vector<const Upsert*> upserts, std::string_view key_property,
    Companions companions) {
  std::vector<ShapedRows<typename AllShapes::Shape, Upsert>> groups;
  size_t last = 0;  // Mostly all rows have the columns of the row before.
  for (const Upsert* upsert : upserts) {
    if (groups.empty() || !fits(groups[last].shape->columns, upsert->properties, companions)) {
      const auto& shape = shapes.of(upsert->properties, key_property, companions);
      last = 0;
      while (last < groups.size() && groups[last].shape != &shape) ++last;
      if (last == groups.size()) groups.push_back({&shape, {}});
    }
    groups[last].rows.push_back(upsert);
  }
  return groups;
}

}  // namespace cnx::cypher
