#include "postgres/copy_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cnx::postgres {
namespace {

using change::DatumView;

// The columns, each in brackets; NULL as a dash.
std::string shown(std::string line, size_t columns) {
  auto row = decode_copy_line({line.data(), line.size()}, columns);
  if (!row) return std::string(to_string(row.error().kind()));
  std::string out;
  for (const DatumView& datum : *row) {
    out += datum.kind == DatumView::Kind::null ? "-" : "[" + std::string(datum.text) + "]";
  }
  return out;
}

TEST(CopyText, columns_are_split_at_tabs) {
  EXPECT_EQ(shown("1\ta b\t\n", 3), "[1][a b][]");
  EXPECT_EQ(shown("\n", 1), "[]");
  EXPECT_EQ(shown("\n", 0), "");
}

TEST(CopyText, null_is_told_from_the_text_that_looks_like_it) {
  EXPECT_EQ(shown("\\N\t\\\\N\tN\tNULL\n", 4), "-[\\N][N][NULL]");
}

TEST(CopyText, escapes_become_the_bytes_they_stand_for) {
  EXPECT_EQ(shown("\\b\\f\\n\\r\\t\\v\\\\\tx\n", 2), "[\b\f\n\r\t\v\\][x]");
  EXPECT_EQ(shown("\\101\\60\\0603\\x41\\x4a\\x4Ag\\xg\\q\n", 1), "[A003AJJgxgq]");
}

TEST(CopyText, another_number_of_columns_is_malformed) {
  EXPECT_EQ(shown("1\t2\n", 1), "malformed");
  EXPECT_EQ(shown("1\t2\n", 3), "malformed");
  EXPECT_EQ(shown("1\n", 0), "malformed");
  EXPECT_EQ(shown("1\n", SIZE_MAX), "malformed");
}

TEST(CopyText, an_escape_cut_short_is_malformed) {
  EXPECT_EQ(shown("a\\\n", 1), "malformed");
}

TEST(CopyText, random_bytes_end_in_a_row_or_an_error) {
  constexpr uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  constexpr std::string_view kLikely = "\\\t\nNx019abf";
  for (int i = 0; i < 20'000; ++i) {
    std::string line;
    for (uint64_t length = random() % 24; length > 0; --length) {
      line += random() % 4 == 0 ? static_cast<char>(random()) : kLikely[random() % kLikely.size()];
    }
    auto row = decode_copy_line({line.data(), line.size()}, random() % 5);
    EXPECT_TRUE(row || row.error().kind() == ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace cnx::postgres
