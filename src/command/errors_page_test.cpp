#include "command/errors_page.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace cnx::command {
namespace {

TEST(ThePageOfErrors, is_what_the_program_prints) {
  std::ifstream stream(CNX_TEST_DATA "/../../docs/errors.md", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == errors_page()) << "stale: contextnexus docs errors > docs/errors.md";
}

TEST(ThePageOfErrors, says_what_is_done_about_a_code) {
  const std::string page = errors_page();
  for (const char* part : {"| `Neo.ClientError.Cluster.NotALeader` | reconnect |", "| `57P…` | reconnect |",
                           "| `Neo.TransientError.Transaction.DeadlockDetected` | smaller |", "“too large to index” | dead letter |"}) {
    EXPECT_THAT(page, ::testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace cnx::command
