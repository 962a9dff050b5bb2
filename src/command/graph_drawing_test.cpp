// The graph's model in three languages: nothing of it is missing, and no name breaks out of its place.
#include "command/graph_drawing.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "command/table_text.hpp"

namespace cnx::command {
namespace {

using pipeline::GraphModel;
using ::testing::HasSubstr;
using ::testing::Not;

GraphModel shop() {
  GraphModel model;
  model.name = "shop";
  model.nodes = {{.label = "Customer", .tables = {"public.customers"}, .key_property = "id", .properties = {{.name = "id", .form = "INTEGER"}, {.name = "name", .form = "STRING"}}},
                 {.label = "Order", .more_labels = {"Open"}, .tables = {"public.orders"}, .key_property = "id", .properties = {{.name = "id", .form = "INTEGER"}}}};
  model.relationships = {{.type = "PLACED", .start = 0, .end = 1, .made_by = {"public.orders (customer)"}, .properties = {{.name = "at", .form = "DATE"}}},
                         {.type = "REFERRED", .start = 0, .end = 0, .made_by = {"public.customers (referred_by)"}}};
  model.unmapped = {"public.settings"};
  return model;
}

GraphModel hostile() {
  GraphModel model = shop();
  model.nodes[0].label = "a\"]</text>{}`\n;&";
  model.nodes[1].properties[0].name = "b<script>";
  model.relationships[0].type = "c: --> n9 </svg>";
  return model;
}

TEST(GraphText, has_every_label_type_and_property) {
  EXPECT_EQ(text_of(shop(), 100),
            "shop: 2 labels, 2 relationships\n\n"
            "nodes\n"
            "  (:Customer {id})  from public.customers\n"
            "      id INTEGER, name STRING\n"
            "  (:Order and Open {id})  from public.orders\n"
            "      id INTEGER\n\n"
            "relationships\n"
            "  (:Customer)-[:PLACED]->(:Order)  from public.orders (customer)\n"
            "      at DATE\n"
            "  (:Customer)-[:REFERRED]->(:Customer)  from public.customers (referred_by)\n\n"
            "without a form in the graph\n"
            "  public.settings\n");
}

TEST(GraphText, fits_the_terminal) {
  GraphModel model = shop();
  for (int i = 0; i < 50; ++i) model.nodes[0].properties.push_back({.name = "property" + std::to_string(i), .form = "STRING"});
  for (size_t width : {40, 60, 80}) {
    std::istringstream lines(text_of(model, width));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("]->(") != std::string::npos) continue;  // One word.
      EXPECT_LE(length_of(line), width) << line;
    }
  }
}

TEST(GraphMermaid, is_a_class_diagram) {
  EXPECT_EQ(mermaid_of(shop()),
            "classDiagram\n"
            "  direction LR\n"
            "  class n0[\"Customer\"] {\n"
            "    *id INTEGER\n"
            "    name STRING\n"
            "  }\n"
            "  class n1[\"Order\"] {\n"
            "    <<Open>>\n"
            "    *id INTEGER\n"
            "  }\n"
            "  n0 --> n1 : PLACED\n"
            "  n0 --> n0 : REFERRED\n");
}

TEST(GraphMermaid, a_name_stays_in_its_place) {
  const std::string text = mermaid_of(hostile());
  EXPECT_THAT(text, HasSubstr("class n0[\"a#34;#93;#60;#47;text#62;#123;#125;#96;#10;#59;#38;\"] {\n"));
  EXPECT_THAT(text, HasSubstr("n0 --> n1 : c#58; #45;#45;#62; n9 #60;#47;svg#62;\n"));
}

TEST(GraphSvg, has_a_box_for_each_label_and_an_arrow_for_each_relationship) {
  const std::string text = svg_of(shop());
  auto count = [&](const std::string& word) {
    size_t found = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<rect "), 3u);  // And the ground.
  EXPECT_EQ(count("marker-end"), 2u);
  for (const char* word : {">Customer<", ">Order<", ">:Open<", ">PLACED<", ">REFERRED<", "name STRING"}) EXPECT_THAT(text, HasSubstr(word));
  EXPECT_EQ(text, svg_of(shop()));
}

TEST(GraphSvg, a_name_stays_in_its_place) {
  const std::string text = svg_of(hostile());
  EXPECT_THAT(text, HasSubstr("a&quot;]&lt;/text&gt;{}` ;&amp;"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_EQ(text.find("</svg>"), text.size() - 7);
}

TEST(GraphSvg, of_nothing_is_a_picture_too) { EXPECT_THAT(svg_of(GraphModel{}), HasSubstr("<svg ")); }

TEST(GraphSvg, circles_of_relationships_end) {
  GraphModel model;
  for (int i = 0; i < 30; ++i) model.nodes.push_back({.label = "L" + std::to_string(i), .key_property = "id"});
  for (size_t i = 0; i < 30; ++i) {
    model.relationships.push_back({.type = "NEXT", .start = i, .end = (i + 1) % 30});
    model.relationships.push_back({.type = "BACK", .start = (i + 7) % 30, .end = i});
  }
  EXPECT_THAT(svg_of(model), HasSubstr(">L29<"));
}

}  // namespace
}  // namespace cnx::command
