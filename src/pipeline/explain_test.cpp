// The order in which statements are told is the one in which a batch sends them.
#include <gmock/gmock.h>

#include "cypher/plan.hpp"
#include "mapping/load.hpp"
#include "pipeline/explained_statements.hpp"

namespace cnx::pipeline {
namespace {

using ::testing::ElementsAreArray;

constexpr uint32_t kInteger = 23;

constexpr const char* kShop =
    "version: 1\nname: shop\ntables:\n"
    "  customers: {node: Customer, key: id}\n"
    "  orders: {node: Order, key: id, version: version, relationships: [PLACED: {from: {customers: "
    "customer_id}}]}\n"
    "  likes: {relationship: LIKES, from: {customers: customer_id}, to: {orders: order_id}}\n";

postgres::Table table(const std::string& name, const std::vector<std::string>& columns) {
  postgres::Table made;
  made.name = {"public", name};
  for (const std::string& column : columns) {
    made.columns.push_back({.name = column, .type = change::Oid(kInteger)});
  }
  return made;
}

// One upsert of each kind: inserted, updated, updated without all columns.
template <typename Upsert>
std::vector<Upsert> one_of_each(Upsert upsert) {
  std::vector<Upsert> upserts(3, upsert);
  upserts[0].inserted = true;
  upserts[2].lacks_columns = true;
  return upserts;
}

std::vector<std::string> names(const std::vector<cypher::Statement>& statements) {
  std::vector<std::string> texts;
  for (const cypher::Statement& statement : statements) texts.push_back(*statement.name);
  return texts;
}

std::vector<std::string> names(const std::vector<ExplainedStatement>& statements) {
  std::vector<std::string> texts;
  int step = 0;
  for (const ExplainedStatement& statement : statements) {
    EXPECT_GE(statement.step, step) << statement.name;
    step = statement.step;
    texts.push_back(statement.name);
  }
  return texts;
}

class Explained : public ::testing::Test {
 protected:
  Explained() {
    auto loaded = mapping::load(kShop, "shop.yaml");
    EXPECT_TRUE(loaded) << mapping::format(loaded.error());
    mapping_ = *std::move(loaded);
    auto model = mapping::Model::make(
        mapping_, {table("customers", {"id"}), table("orders", {"id", "customer_id", "version"}),
                   table("likes", {"customer_id", "order_id"})});
    EXPECT_TRUE(model);
    model_ = *std::move(model);
  }

  template <typename Table>
  static mapping::Binding bind(Table& table, const std::vector<std::string>& columns) {
    auto relation = std::make_shared<change::Relation>();
    for (const std::string& column : columns) {
      relation->columns.push_back({.name = column, .type = change::Oid(kInteger)});
    }
    auto bound = mapping::bind(table, relation, postgres::TypeCatalog::built_in());
    EXPECT_TRUE(bound);
    return *std::move(bound);
  }

  mapping::Mapping mapping_;
  std::unique_ptr<mapping::Model> model_;
};

TEST_F(Explained, a_node_is_told_in_the_order_of_a_batch_that_does_everything) {
  mapping::NodeTable& orders = *model_->find_node({"public", "orders"});
  mapping::NodeUpsert upsert{.key = int64_t{3}, .key_before = int64_t{3}};
  upsert.ends = {{.key = int64_t{7}}};
  std::vector<mapping::NodeUpsert> upserts = one_of_each(upsert);
  upserts.push_back({.key = int64_t{4}, .key_before = int64_t{4}, .inserted = true, .ends = {{}}});
  mapping::NodeMutations everything{.table = &orders,
                                    .truncated = true,
                                    .removed = {int64_t{1}},
                                    .takeovers = {{int64_t{1}, int64_t{2}}},
                                    .key_changes = {{int64_t{1}, int64_t{2}}},
                                    .upserts = upserts,
                                    .other_changed = {true}};
  cypher::Plan plan(*model_);
  EXPECT_THAT(names(node_statements(bind(orders, {"id", "customer_id", "version"}))),
              ElementsAreArray(names(plan.statements({.nodes = {everything}}))));
}

TEST_F(Explained, a_relationship_is_told_in_the_order_of_a_batch_that_does_everything) {
  mapping::RelationshipTable& likes = *model_->find_relationship({"public", "likes"});
  mapping::RelationshipKey key{int64_t{1}, int64_t{2}, {}};
  mapping::RelationshipMutations everything{
      .table = &likes,
      .truncated = true,
      .removed = {key},
      .upserts = one_of_each(mapping::RelationshipUpsert{.key = key})};
  cypher::Plan plan(*model_);
  EXPECT_THAT(names(relationship_statements(bind(likes, {"customer_id", "order_id"}))),
              ElementsAreArray(names(plan.statements({.relationships = {everything}}))));
}

}  // namespace
}  // namespace cnx::pipeline
