// The order in which statements are told is the one in which a batch sends them.
#include <gmock/gmock.h>

#include <set>

#include "cypher/plan.hpp"
#include "mapping/load.hpp"
#include "pipeline/explained_statements.hpp"

namespace cnx::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsSupersetOf;

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

  mapping::Mapping mapping_;
  std::unique_ptr<mapping::Model> model_;
};

TEST_F(Explained, a_node_is_told_in_the_order_of_a_batch_that_does_everything) {
  const mapping::NodeTable& orders = *model_->find_node({"public", "orders"});
  mapping::NodeUpsert upsert{.key = int64_t{3}, .key_before = int64_t{3}};
  upsert.ends = {{.key = int64_t{7}}};
  mapping::NodeMutations everything{.table = &orders,
                                    .truncated = true,
                                    .removed = {int64_t{1}},
                                    .takeovers = {{int64_t{1}, int64_t{2}}},
                                    .key_changes = {{int64_t{1}, int64_t{2}}},
                                    .given_up = {{int64_t{1}}},
                                    .upserts = one_of_each(upsert)};
  // No foreign key makes the rows of "likes" follow.
  mapping::LeftBehind left{.table = &orders, .reference = &orders.staying.at(0), .rows = {{int64_t{1}, {}}}};
  cypher::Plan plan(*model_);
  const std::vector<std::string> told = names(node_statements(plan.texts(orders)));
  const std::vector<std::string> sent = names(plan.statements({.left_behind = {left}, .nodes = {everything}}));
  // A batch sends some twice. No batch sends both ways to update and to insert: what fits other rows is told beside it.
  EXPECT_THAT(told, IsSupersetOf(std::set<std::string>(sent.begin(), sent.end())));
  EXPECT_THAT(told, ElementsAre("unlink all Order.PLACED", "unlink Order.PLACED", "leave behind LIKES at its end",
                                "remove all Order", "remove Order", "take over Order", "change key Order", "insert Order with PLACED", "insert Order",
                                "update Order with its relationships", "update Order", "update existing Order",
                                "link Order.PLACED"));
}

TEST_F(Explained, a_relationship_is_told_in_the_order_of_a_batch_that_does_everything) {
  const mapping::RelationshipTable& likes = *model_->find_relationship({"public", "likes"});
  mapping::RelationshipKey key{int64_t{1}, int64_t{2}, {}};
  mapping::RelationshipMutations everything{
      .table = &likes,
      .truncated = true,
      .removed = {key},
      .upserts = one_of_each(mapping::RelationshipUpsert{.key = key})};
  cypher::Plan plan(*model_);
  EXPECT_THAT(names(relationship_statements(plan.texts(likes))),
              ElementsAreArray(names(plan.statements({.relationships = {everything}}))));
}

}  // namespace
}  // namespace cnx::pipeline
