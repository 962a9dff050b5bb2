#include "mapping/fault.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cnx::mapping {
namespace {

constexpr std::array kWords = {std::string_view("relationships"), std::string_view("properties"),
                               std::string_view("exclude"), std::string_view("key")};

TEST(ASuggestion, is_the_nearest_known_word) {
  EXPECT_EQ(nearest("propertys", kWords), "properties");
  EXPECT_EQ(nearest("relationship", kWords), "relationships");
  EXPECT_EQ(nearest("Key", kWords), "key");
  EXPECT_EQ(nearest("kye", kWords), "key") << "two neighbours swapped are one mistake";
}

TEST(ASuggestion, is_not_made_for_a_word_that_resembles_none) {
  EXPECT_EQ(nearest("banana", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), kWords), "");
  EXPECT_EQ(did_you_mean("banana", kWords), "");
  EXPECT_EQ(did_you_mean("exclud", kWords), "did you mean `exclude`?");
}

TEST(Faults, are_printed_one_a_line_as_compilers_do) {
  std::vector<Fault> faults = {{"a.yaml", 3, 7, "unknown key `nod`", "did you mean `node`?"},
                               {"a.yaml", 0, 0, "the file is longer than 4 MiB", ""}};
  EXPECT_EQ(format(faults),
            "a.yaml:3:7: unknown key `nod` (did you mean `node`?)\n"
            "a.yaml: the file is longer than 4 MiB\n");
}

}  // namespace
}  // namespace cnx::mapping
