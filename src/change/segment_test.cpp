#include "change/segment.hpp"

#include <gtest/gtest.h>

namespace cnx::change {
namespace {

const std::vector<KeyColumn> kPair = {{"tenant", KeyOrder::bytes}, {"number", KeyOrder::integer}};

Segment between(KeyBound above, KeyBound upto) {
  Segment segment;
  segment.key_columns = kPair;
  segment.above = std::move(above);
  segment.upto = std::move(upto);
  return segment;
}

TEST(CompareKeys, integers_compare_as_numbers) {
  const std::vector<KeyColumn> one = {{"id", KeyOrder::integer}};
  EXPECT_TRUE(*compare_keys(one, {"9"}, {"10"}) < 0);
  EXPECT_TRUE(*compare_keys(one, {"-9223372036854775808"}, {"9223372036854775807"}) < 0);
  EXPECT_TRUE(*compare_keys(one, {"7"}, {"7"}) == 0);
}

TEST(CompareKeys, bytes_compare_as_unsigned_and_a_prefix_comes_first) {
  const std::vector<KeyColumn> one = {{"id", KeyOrder::bytes}};
  EXPECT_TRUE(*compare_keys(one, {"Z"}, {"a"}) < 0);
  EXPECT_TRUE(*compare_keys(one, {"z"}, {"\xC3\xA4"}) < 0);
  EXPECT_TRUE(*compare_keys(one, {"\\x00"}, {"\\x00ff"}) < 0);
  EXPECT_TRUE(*compare_keys(one, {""}, {"a"}) < 0);
}

TEST(CompareKeys, the_first_column_that_differs_decides) {
  EXPECT_TRUE(*compare_keys(kPair, {"a", "10"}, {"b", "2"}) < 0);
  EXPECT_TRUE(*compare_keys(kPair, {"a", "10"}, {"a", "2"}) > 0);
}

TEST(CompareKeys, what_is_no_integer_is_malformed) {
  for (const char* text : {"", "x", "1x", "99999999999999999999", "+1", " 1"}) {
    Result<std::strong_ordering> order = compare_keys(kPair, {"a", text}, {"a", "1"});
    ASSERT_FALSE(order) << text;
    EXPECT_EQ(order.error().kind(), ErrorKind::malformed);
  }
}

TEST(Contains, the_upper_bound_belongs_to_the_segment_and_the_lower_does_not) {
  const Segment segment = between({"a", "5"}, {"c"});
  EXPECT_FALSE(*contains(segment, {"a", "5"}));
  EXPECT_TRUE(*contains(segment, {"a", "6"}));
  EXPECT_TRUE(*contains(segment, {"c", "1000"}));
  EXPECT_FALSE(*contains(segment, {"d", "1"}));
}

TEST(Contains, each_key_is_in_exactly_one_of_segments_that_share_their_bounds) {
  const std::vector<Segment> segments = {between({}, {"b"}), between({"b"}, {"b2", "7"}), between({"b2", "7"}, {})};
  for (const KeyBound& key : {KeyBound{"a", "1"}, {"b", "1"}, {"b1", "1"}, {"b2", "7"}, {"b2", "8"}, {"c", "-3"}}) {
    int in = 0;
    for (const Segment& segment : segments) in += *contains(segment, key) ? 1 : 0;
    EXPECT_EQ(in, 1) << key[0] << "," << key[1];
  }
}

}  // namespace
}  // namespace cnx::change
