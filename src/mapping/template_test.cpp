#include "mapping/template.hpp"

#include <gtest/gtest.h>

namespace cnx::mapping {
namespace {

using Part = Template::Part;

TEST(ATemplate, is_text_with_columns_in_braces) {
  EXPECT_EQ(parse_template("s3://{storage_key}").value().parts,
            (std::vector<Part>{{false, "s3://"}, {true, "storage_key"}}));
  EXPECT_EQ(parse_template("{a}{b}").value().parts, (std::vector<Part>{{true, "a"}, {true, "b"}}));
  EXPECT_EQ(parse_template("plain").value().parts, (std::vector<Part>{{false, "plain"}}));
}

TEST(ATemplate, says_a_brace_by_two) {
  EXPECT_EQ(parse_template("{{{a}}}").value().parts,
            (std::vector<Part>{{false, "{"}, {true, "a"}, {false, "}"}}));
  EXPECT_EQ(parse_template("{{a}}").value().parts, (std::vector<Part>{{false, "{a}"}}));
}

TEST(ATemplate, with_braces_that_do_not_fit_is_refused) {
  for (const char* text : {"{", "}", "{a", "a}", "{}", "{a{b}", "{a}}", "{{a}", "x {", "{{{"}) {
    EXPECT_FALSE(parse_template(text)) << text;
  }
}

}  // namespace
}  // namespace cnx::mapping
