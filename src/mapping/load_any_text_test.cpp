// Text that is no mapping, or hardly one: load answers, whatever it is given.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <tuple>

#include "mapping/builtin.hpp"
#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

// Whatever the text, there is an answer: rules with a fingerprint, or faults in the order of the
// file.
void expect_an_answer(const std::string& text) {
  auto mapping = load(text, "f");
  if (mapping) {
    EXPECT_EQ(mapping->fingerprint.size(), 64u);
    return;
  }
  const auto& faults = mapping.error();
  EXPECT_FALSE(faults.empty());
  EXPECT_TRUE(std::is_sorted(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  })) << format(faults);
}

constexpr unsigned kSeed = 20240611;

TEST(AnyText, is_answered_when_the_built_in_file_is_damaged) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  using namespace std::string_view_literals;
  constexpr std::string_view kBytes = "{}[]:,&*!|>'\"%@`#-? \n\t\\\xff\xc3x\0"sv;
  for (int round = 0; round < 300; ++round) {
    std::string text(builtin_mapping_text());
    for (auto edits = 1 + random() % 8; edits > 0; --edits) {
      size_t at = random() % text.size();
      size_t length = 1 + random() % 20;
      switch (random() % 4) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 2:
          text.insert(at, 1, kBytes[random() % kBytes.size()]);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), length));
          break;
      }
      if (text.empty()) text = "x";
    }
    expect_an_answer(text);
  }
}

TEST(AnyText, is_answered_when_it_is_made_of_the_languages_words) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  constexpr std::array<std::string_view, 36> kWords = {"version",
                                                       "name",
                                                       "tables",
                                                       "defaults",
                                                       "naming",
                                                       "node",
                                                       "relationship",
                                                       "graph",
                                                       "from",
                                                       "to",
                                                       "key",
                                                       "include",
                                                       "exclude",
                                                       "properties",
                                                       "relationships",
                                                       "tenant",
                                                       "cypher",
                                                       "template",
                                                       "choose",
                                                       "when",
                                                       "otherwise",
                                                       "schema",
                                                       "table",
                                                       "none",
                                                       "null",
                                                       "1",
                                                       "a",
                                                       "{",
                                                       "}",
                                                       "[",
                                                       "]",
                                                       ": ",
                                                       ", ",
                                                       "\n",
                                                       "\n  ",
                                                       "\n  - "};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    if (random() % 2 == 0) text = "version: 1\nname: n\ntables:\n  a: {node: A, key: id, ";
    for (auto words = random() % 40; words > 0; --words) text += kWords[random() % kWords.size()];
    if (random() % 2 == 0) text += "}\n";
    expect_an_answer(text);
  }
}

TEST(AnyText, is_answered_when_it_is_bytes) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 64, '\0');
    for (char& c : text)
      c = static_cast<char>(random() % 4 == 0 ? random() % 256 : 32 + random() % 95);
    expect_an_answer(text);
  }
}

TEST(AnyText, is_answered_when_it_is_cut_anywhere) {
  std::string_view text = builtin_mapping_text();
  for (size_t length = 0; length < text.size(); length += 7) {
    expect_an_answer(std::string(text.substr(0, length)));
  }
}

TEST(AnyText, is_answered_when_it_is_nested_deeply) {
  for (const char* open : {"[", "{", "- ", "{a: ", "? "}) {
    std::string text;
    for (int depth = 0; depth < 20'000; ++depth) text += open;
    expect_an_answer(text);
    expect_an_answer("version: 1\nname: n\ntables:\n  a: " + text);
  }
}

}  // namespace
}  // namespace cnx::mapping
