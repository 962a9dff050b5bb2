#include "bolt/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bolt {
namespace {

TEST(Utf8, accepts_what_unicode_has) {
  using std::string_view_literals::operator""sv;
  for (std::string_view text :
       {""sv, "plain text of more than eight bytes"sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv,
        "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv,
        "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, refuses_overlong_forms_surrogates_and_what_lies_beyond) {
  for (std::string_view text :
       {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC2\x41"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8, refuses_every_truncation_at_every_offset) {
  for (std::string sequence : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (size_t before = 0; before < 17; ++before) {
      for (size_t length = 1; length < sequence.size(); ++length) {
        std::string text = std::string(before, 'x') + sequence.substr(0, length);
        EXPECT_FALSE(is_utf8(text)) << before << " " << length;
        EXPECT_FALSE(is_utf8(text + "xxxxxxxx")) << before << " " << length;
      }
      EXPECT_TRUE(is_utf8(std::string(before, 'x') + sequence + "xxxxxxxxx"));
    }
  }
}

}  // namespace
}  // namespace bolt
