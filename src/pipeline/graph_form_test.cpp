// What the graph remembers of a table's form, and how it is read again.
#include "pipeline/graph_form.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"
#include "pipeline/copy_plan.hpp"

namespace cnx::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using mapping::testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id, tenant: tenant}
tables:
  people:
    node: Person
    nodes:
      - LIVES_AT: {to: [Home, Spot], properties: [street, {paid: {column: paid, as: float}}]}
      - TELLS: {from: Text, fields: about}
      - FROM: {to: Country, key: {name: country}}
  firms: {node: Firm, nodes: [{FROM: {to: Country, key: {name: country}}}]}
)";

class Forms : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(source_.error()) << source_.error()->describe(); }
  GraphForm people() { return form_of(source_.model(), {"public", "people"}); }

  Source source_{kMapping,
                 {"people (id int8, tenant text, street text, paid numeric, about text, country text)", "firms (id int8, tenant text, country text)"}};
};

TEST_F(Forms, of_a_table_have_its_further_nodes_and_all_that_leads_to_them) {
  const GraphForm form = people();
  EXPECT_EQ(form.label, "Person");
  EXPECT_THAT(form.links, UnorderedElementsAre(GraphForm::Link{"LIVES_AT", "Person", "Home"}, GraphForm::Link{"TELLS", "Text", "Person"},
                                               GraphForm::Link{"FROM", "Person", "Country"}));
  ASSERT_THAT(form.nodes, SizeIs(3));
  const GraphForm& country = form.nodes[0];
  EXPECT_TRUE(country.shared);
  EXPECT_THAT(country.properties, ElementsAre("name", "name__pg", "tenant__pg"));
  const GraphForm& home = form.nodes[1];
  EXPECT_THAT(home.properties, ElementsAre("paid", "paid__pg", "street"));
  EXPECT_THAT(home.more_labels, ElementsAre("Spot"));
  EXPECT_THAT(home.links, IsEmpty());
  EXPECT_TRUE(form.nodes[2].fields);
}

TEST_F(Forms, are_read_as_they_were_written) {
  const GraphForm form = people();
  const std::string text = to_text(form);
  auto read = form_of(std::string_view(text));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), text);
  ASSERT_THAT(read->nodes, SizeIs(3));
  EXPECT_EQ(read->nodes[1].properties, form.nodes[1].properties);
  EXPECT_TRUE(read->nodes[2].fields);
  EXPECT_TRUE(read->nodes[0].shared);
  // As a program wrote it that knew no further nodes.
  auto before = form_of(std::string_view(R"({"flattened":[],"key":"id","label":"A","labels":[],"links":[],"tenant":""})"));
  ASSERT_TRUE(before);
  EXPECT_THAT(before->nodes, IsEmpty());
}

TEST_F(Forms, tables_that_name_the_same_shared_node_are_not_beside_each_other) {
  EXPECT_THAT(tables_beside(source_.model(), {"public", "people"}), IsEmpty());
}

TEST_F(Forms, a_table_with_further_nodes_is_copied_once) {
  postgres::Table people;
  people.name = {"public", "people"};
  postgres::Table firms;
  firms.name = {"public", "firms"};
  EXPECT_THAT(copy_order({&firms, &people}, source_.model()), ElementsAre(&people, &firms));
}

}  // namespace
}  // namespace cnx::pipeline
