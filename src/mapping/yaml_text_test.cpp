#include "mapping/yaml_text.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <random>

namespace cnx::mapping {
namespace {

TEST(YamlText, plain_names_are_bare) {
  for (const char* name : {"customers", "Order", "_x", "a1", "städte", "заказы", "顧客"})
    EXPECT_EQ(yaml_scalar(name), name);
}

TEST(YamlText, what_yaml_would_misread_is_in_quotes) {
  for (const char* name :
       {"y",  "n",   "No",   "ON",    "off",   "true", "NULL", "none", "nan",        "~",
        "1",  "1e5", "0x1f", "1_000", "12:30", "-",    "- a",  "a: b", "a #b",       "#a",
        "&a", "*a",  "!a",   "|",     ">",     "%a",   "@a",   "`a",   "a,b",        "[a",
        "{a", "?",   "a b",  " a",    "a.b",   "'",    "<<",   "=",    "2024-01-01", "\xC2\xA0x"}) {
    EXPECT_EQ(yaml_scalar(name).front(), '"') << name;
  }
  EXPECT_EQ(yaml_scalar("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(yaml_scalar("a\xE2\x80\xA8z"), "\"a\\u2028z\"");
}

TEST(YamlText, a_scalar_reads_back_as_it_was) {
  const std::vector<std::string> pieces = {"a",
                                           "B",
                                           "_",
                                           "1",
                                           " ",
                                           ":",
                                           "#",
                                           "-",
                                           "'",
                                           "\"",
                                           "\\",
                                           "`",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           "&",
                                           "*",
                                           "!",
                                           "|",
                                           "%",
                                           "@",
                                           "é",
                                           "\xE2\x80\xA8",
                                           "\xC2\x85",
                                           "\xEF\xBB\xBF",
                                           "\xF0\x9F\x98\x80",
                                           "?",
                                           "~",
                                           "null",
                                           "\xE2\x80\xAE"};
  constexpr unsigned kSeed = 4711;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = 1 + random() % 6; count > 0; --count)
      text += pieces[random() % pieces.size()];
    const std::string scalar = yaml_scalar(text);
    EXPECT_EQ(YAML::Load("{" + scalar + ": [" + scalar + ", x]}").begin()->first.Scalar(), text)
        << scalar;
    EXPECT_EQ(YAML::Load(scalar + ":\n  - " + scalar + "\n").begin()->second[0].Scalar(), text)
        << scalar;
  }
}

TEST(YamlText, a_comment_is_the_first_line_that_says_something) {
  EXPECT_EQ(comment_text("\n  \r\nFirst.\nSecond.", 100), "First.");
  EXPECT_EQ(comment_text("a\xE2\x80\xA8node: Evil", 100), "a");
  EXPECT_EQ(comment_text("a\x01"
                         "b\xE2\x80\xAE"
                         "c",
                         100),
            "a b c");
  EXPECT_EQ(comment_text("  \n", 100), "");
  EXPECT_EQ(comment_text("éééé", 3), "ééé…");
  EXPECT_EQ(comment_text("ééé", 3), "ééé");
  EXPECT_EQ(comment_text("cut \xC3", 100), "cut");
}

TEST(YamlText, comments_are_broken_between_words) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word" + std::to_string(i) + " ";
  const std::string lines = comment_lines(text, 4);
  size_t begin = 0;
  while (begin < lines.size()) {
    const size_t end = lines.find('\n', begin);
    EXPECT_TRUE(lines.substr(begin, end - begin).starts_with("    # word"));
    EXPECT_LE(end - begin, 118u);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace cnx::mapping
