#include "command/program.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command/report_text.hpp"

namespace cnx::command {
namespace {

TEST(ThePageOfTheCommandLine, is_what_the_program_prints) {
  std::ifstream stream(CNX_TEST_DATA "/../../docs/cli.md", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == command_line_page()) << "stale: contextnexus docs cli > docs/cli.md";
}

TEST(AnError, ends_with_the_code_of_its_kind) {
  EXPECT_EQ(exit_code(Error(ErrorKind::invalid, "")), ExitCode::usage);
  EXPECT_EQ(exit_code(Error(ErrorKind::state, "")), ExitCode::state);
  EXPECT_EQ(exit_code(Error(ErrorKind::unavailable, "")), ExitCode::unavailable);
  EXPECT_EQ(exit_code(Error(ErrorKind::timeout, "")), ExitCode::unavailable);
  for (ErrorKind other : {ErrorKind::server, ErrorKind::malformed, ErrorKind::unsupported, ErrorKind::internal}) {
    EXPECT_EQ(exit_code(Error(other, "")), ExitCode::failed);
  }
}

Error refused() {
  return Error(ErrorKind::server, "28P01", "password authentication failed \xff\n")
      .advise("give another")
      .wrap("connecting");
}

TEST(AnError, is_told_to_a_person_with_its_advice) {
  EXPECT_EQ(error_text(Error(ErrorKind::state, "broken").with("slot", "x")), "contextnexus: broken [slot=x]");
  EXPECT_NE(error_text(refused()).find("\n  give another"), std::string::npos);
}

TEST(AnError, is_one_line_of_json_to_a_machine_whatever_bytes_it_holds) {
  const std::string line = error_json(refused(), 1);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["error"]["kind"], "server");
  EXPECT_EQ(json["error"]["code"], "28P01");
  EXPECT_EQ(json["error"]["advice"], "give another");
}

}  // namespace
}  // namespace cnx::command
