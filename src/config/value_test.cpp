#include "config/value.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace cnx::config {
namespace {

Environment variables(std::map<std::string, std::string> known) {
  return [known = std::move(known)](const std::string& name) -> std::optional<std::string> {
    auto at = known.find(name);
    if (at == known.end()) return std::nullopt;
    return at->second;
  };
}

const Environment kVariables = variables({{"A", "one"}, {"B_2", "two"}, {"EMPTY", ""}, {"NESTED", "${A}"}});

std::string replaced(std::string_view text) {
  auto read = replace_variables(text, kVariables);
  return read ? *read : "fault: " + read.error().message;
}

TEST(Variables, are_replaced_wherever_they_stand) {
  EXPECT_EQ(replaced("${A}"), "one");
  EXPECT_EQ(replaced("x${A}y${B_2}z"), "xoneytwoz");
  EXPECT_EQ(replaced("no variable, $5, $, {A}"), "no variable, $5, $, {A}");
  EXPECT_EQ(replaced(""), "");
  EXPECT_EQ(replaced("${EMPTY}"), "");
}

TEST(Variables, may_have_another_value_where_they_are_not_set_or_empty) {
  EXPECT_EQ(replaced("${NONE:-other}"), "other");
  EXPECT_EQ(replaced("${EMPTY:-other}"), "other");
  EXPECT_EQ(replaced("${A:-other}"), "one");
  EXPECT_EQ(replaced("${NONE:-}"), "");
}

TEST(Variables, are_not_looked_into_again) { EXPECT_EQ(replaced("${NESTED}"), "${A}"); }

TEST(Variables, can_be_written_as_characters) {
  EXPECT_EQ(replaced("$${A}"), "${A}");
  EXPECT_EQ(replaced("$${A}${A}"), "${A}one");
}

TEST(Variables, that_are_not_set_or_not_well_written_are_faults) {
  EXPECT_EQ(replaced("${NONE}"), "fault: the variable NONE is not set");
  EXPECT_EQ(replaced("${A"), "fault: a `${` is not closed");
  EXPECT_EQ(replaced("${}"), "fault: `${` is not followed by a variable's name");
  EXPECT_EQ(replaced("${1A}"), "fault: `${` is not followed by a variable's name");
  EXPECT_EQ(replaced("${a b}"), "fault: `${` is not followed by a variable's name");
}

std::string set(std::string_view key, std::string_view text, Settings& settings) {
  auto done = set_option(*find_option(key), text, "", settings);
  return done ? "" : done.error().message;
}

TEST(AValue, is_read_by_its_form) {
  Settings settings;
  EXPECT_EQ(set("apply.batch_rows", "500", settings), "");
  EXPECT_EQ(settings.pipeline.batch.rows_target, 500U);
  EXPECT_EQ(set("apply.batch_bytes", "1 MiB", settings), "");
  EXPECT_EQ(settings.pipeline.batch.bytes_target, 1U << 20);
  EXPECT_EQ(set("run.drain_seconds_max", "1.5", settings), "");
  EXPECT_EQ(settings.run.drain_max, std::chrono::milliseconds(1500));
  EXPECT_EQ(set("write_back.enabled", "false", settings), "");
  EXPECT_FALSE(settings.run.write_back);
  EXPECT_EQ(set("log.format", "json", settings), "");
  EXPECT_EQ(settings.log.format, "json");
}

TEST(AValue, outside_of_its_form_is_a_fault_that_says_the_form) {
  Settings settings;
  const std::string rows = "`apply.batch_rows` is a whole number from 1 to 100000";
  for (const char* text : {"0", "100001", "-1", "1.5", "ten", "1 ", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(set("apply.batch_rows", text, settings), rows) << text;
  }
  for (const char* text : {"1TiB", "MiB", "-1MiB", "17179869184GiB", "1"}) {
    EXPECT_NE(set("apply.batch_bytes", text, settings), "") << text;
  }
  for (const char* text : {"nan", "inf", "-1", "3601", "1s"}) {
    EXPECT_EQ(set("run.drain_seconds_max", text, settings), "`run.drain_seconds_max` is seconds from 0 to 3600") << text;
  }
  EXPECT_EQ(set("write_back.enabled", "yes", settings), "`write_back.enabled` is `true` or `false`");
  EXPECT_EQ(set("log.level", "loud", settings), "`log.level` is `error`, `warning`, `info`, `debug` or `trace`");
  EXPECT_EQ(set("pipeline", "", settings), "`pipeline` is empty");
}

TEST(AValue, of_every_option_may_be_its_default) {
  for (const Option& option : options()) {
    std::string text = default_text(option.form);
    if (text.empty()) continue;
    Settings settings;
    EXPECT_EQ(set(option.key, text, settings), "") << option.key;
    EXPECT_EQ(default_text(option.form), text);
  }
}

class ASecretFile : public testing::Test {
 protected:
  void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
  void TearDown() override { std::remove(path_.c_str()); }
  const std::string path_ = testing::TempDir() + "contextnexus_secret_test";
};

TEST_F(ASecretFile, is_its_first_line) {
  for (std::string_view text : {"hush", "hush\n", "hush\r\n", "hush\nmore\n"}) {
    write(text);
    auto read = read_secret_file(path_);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reveal(), "hush");
  }
}

TEST_F(ASecretFile, that_is_missing_empty_or_huge_is_a_fault_that_names_it) {
  for (std::string_view text : {std::string(""), std::string("\n"), std::string(70'000, 'x')}) {
    write(text);
    auto read = read_secret_file(path_);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().describe().find(path_), std::string::npos);
    EXPECT_EQ(read.error().describe().find("xxx"), std::string::npos);
  }
  EXPECT_FALSE(read_secret_file(path_ + ".none"));
  EXPECT_FALSE(read_secret_file("/"));
}

TEST_F(ASecretFile, is_kept_with_its_text_so_that_it_can_be_read_again) {
  write("hush");
  Settings settings;
  EXPECT_EQ(set("neo4j.password", "file:" + path_, settings), "");
  EXPECT_EQ(settings.neo4j_password.text.reveal(), "hush");
  EXPECT_EQ(settings.neo4j_password.file, path_);
  EXPECT_EQ(set("neo4j.password", "plain", settings), "");
  EXPECT_EQ(settings.neo4j_password.file, "");
}

}  // namespace
}  // namespace cnx::config
