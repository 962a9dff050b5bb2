#include "cypher/led.hpp"

#include <gtest/gtest.h>

#include "bolt/packstream.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

constexpr std::string_view kLead = "CYPHER 5 MATCH (p) SET p.at = CASE WHEN p.at = $at THEN $to ELSE 1/0 END";

class LedTest : public ::testing::Test {
 protected:
  LedTest() {
    bolt::Packer lead(lead_);
    lead.map_header(2);
    lead.string("at");
    lead.integer(1);
    lead.string("to");
    lead.integer(2);
    bolt::Packer packer(statement_.parameters);
    packer.map_header(1);
    packer.string("batch");
    packer.string("rows");
  }

  std::string text_ = text("UNWIND $batch AS row MERGE (n {id: row})");
  Bytes lead_;
  Statement statement_{.text = &text_, .parameters = {}, .rows = 1};
};

TEST_F(LedTest, is_one_text_in_order_with_the_parameters_of_both) {
  const std::optional<Led> one = led(kLead, lead_, statement_);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->text,
            "CYPHER 5 replan=skip MATCH (p) SET p.at = CASE WHEN p.at = $at THEN $to ELSE 1/0 END WITH count(*) AS led UNWIND $batch AS row "
            "MERGE (n {id: row})");
  auto parameters = bolt::unpack(one->parameters, {});
  ASSERT_TRUE(parameters) << parameters.error().describe();
  EXPECT_EQ(*parameters, bolt::Value(bolt::Map{{"at", 1}, {"to", 2}, {"batch", "rows"}}));
}

TEST_F(LedTest, a_division_by_zero_would_not_say_whose_it_is) {
  statement_.needs_entity = true;
  EXPECT_FALSE(led(kLead, lead_, statement_));
  statement_.needs_entity = false;
  statement_.fails_on_conflict = true;
  EXPECT_FALSE(led(kLead, lead_, statement_));
}

TEST_F(LedTest, a_users_statement_stays_as_it_is) {
  statement_.is_users = true;
  EXPECT_FALSE(led(kLead, lead_, statement_));
  statement_.is_users = false;
  text_ = "UNWIND $batch AS row MERGE (n {id: row})";
  EXPECT_FALSE(led(kLead, lead_, statement_));
}

TEST_F(LedTest, a_map_that_is_not_small_is_left_alone) {
  statement_.parameters.clear();
  bolt::Packer(statement_.parameters).map_header(16);
  EXPECT_FALSE(led(kLead, lead_, statement_));
  EXPECT_FALSE(led(kLead, {}, statement_));
}

}  // namespace
}  // namespace cnx::cypher
