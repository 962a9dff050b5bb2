// One table, `public.counted (id bigint, value bigint)`, as a mapping, a model and events: what a
// test of batches needs. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "change/event.hpp"
#include "mapping/load.hpp"
#include "mapping/model.hpp"

namespace cnx::apply::testing {

inline constexpr std::string_view kCountedMapping = R"(
version: 1
name: counted
tables:
  counted: {node: Counted, key: id}
)";

class CountedTable {
 public:
  explicit CountedTable(std::string_view text = kCountedMapping) {
    auto loaded = mapping::load(text, "counted.yaml");
    EXPECT_TRUE(loaded) << mapping::format(loaded.error());
    if (!loaded) return;
    mapping_ = *std::move(loaded);
    postgres::Table table;
    table.oid = change::Oid(4711);
    table.name = {"public", "counted"};
    table.columns = {{.number = 1, .name = "id", .type = kInt8},
                     {.number = 2, .name = "value", .type = kInt8}};
    auto model = mapping::Model::make(mapping_, {table});
    EXPECT_TRUE(model) << model.error().describe();
    if (model) model_ = *std::move(model);
    relation = described("counted", 4711);
  }
  CountedTable(const CountedTable&) = delete;
  CountedTable& operator=(const CountedTable&) = delete;

  mapping::Model& model() { return *model_; }

  // A table of the same columns; one of another name is not mapped.
  static change::RelationPtr described(std::string name, uint32_t oid) {
    auto made = std::make_shared<change::Relation>();
    made->oid = change::Oid(oid);
    made->schema = "public";
    made->name = std::move(name);
    made->columns = {{.name = "id", .type = kInt8, .identity = true},
                     {.name = "value", .type = kInt8}};
    return made;
  }

  // An inserted row at a position; `value` is PostgreSQL's text.
  change::RowChange row(change::Position position, int64_t id, const std::string& value) const {
    change::RowChange row;
    row.position = position;
    row.relation = relation;
    fill(row, id, value);
    return row;
  }
  change::SnapshotRow snapshot_row(int64_t id, const std::string& value) const {
    change::SnapshotRow row;
    row.relation = relation;
    fill(row, id, value);
    return row;
  }

  change::RelationPtr relation;

 private:
  static constexpr change::Oid kInt8{20};

  template <typename Row>
  static void fill(Row& row, int64_t id, const std::string& value) {
    const std::string key = std::to_string(id);
    const size_t bytes = key.size() + value.size();
    auto* memory = static_cast<char*>(std::malloc(bytes + 1));
    std::memcpy(memory, key.data(), key.size());
    std::memcpy(memory + key.size(), value.data(), value.size());
    row.buffer = change::Buffer(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
    row.buffer_bytes = static_cast<uint32_t>(bytes);
    using Kind = change::DatumView::Kind;
    row.row = {{Kind::text, std::string_view(memory, key.size())},
               {Kind::text, std::string_view(memory + key.size(), value.size())}};
  }

  mapping::Mapping mapping_;
  std::unique_ptr<mapping::Model> model_;
};

}  // namespace cnx::apply::testing
