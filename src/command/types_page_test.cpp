#include "command/types_page.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace cnx::command {
namespace {

TEST(ThePageOfTypes, is_what_the_program_prints) {
  std::ifstream stream(CNX_TEST_DATA "/../../docs/types.md", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == types_page()) << "stale: contextnexus docs types > docs/types.md";
}

TEST(ThePageOfTypes, says_what_the_graph_has) {
  const std::string page = types_page();
  for (const char* row : {"| `date` | DATE | yes | `` 4713-01-01 BC `` | `` date('-4712-01-01') `` |",
                          "| `date` | DATE | yes | `` 5874897-12-31 `` | `` date('+5874897-12-31') `` |",
                          "| `interval` | DURATION | yes | `` -00:00:00.000001 `` | `` duration('P0M0DT-0.000001S') `` |",
                          "| `money` | STRING | never | `` -$1,234.56 `` | `` '-1234.56' `` |",
                          "| `integer[]` | LIST OF INTEGER | yes | `` {1,NULL} `` | `` __pg: '{1,NULL}' `` |",
                          "| `positive` | INTEGER | never | `` 5 `` | `` 5 `` |"}) {
    EXPECT_THAT(page, ::testing::HasSubstr(row));
  }
  EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr("not a text of it")));
}

}  // namespace
}  // namespace cnx::command
