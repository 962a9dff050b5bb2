// Forms that a mapping asks for: what each makes of PostgreSQL's text, and that nothing is an error.
#include "postgres/text_forms.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "postgres/text_codec.hpp"
#include "postgres/text_json.hpp"

namespace cnx::postgres {
namespace {

using change::Field;
using change::Fields;
using change::List;
using change::Null;
using change::Point;
using change::Unfit;
using change::Value;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value unfit(const char* text) {
  return Unfit{text};
}
Value floats(std::vector<double> numbers) {
  List list;
  for (double number : numbers) list.items.emplace_back(number);
  return list;
}
Value text(const char* value) {
  return std::string(value);
}

TEST(AsFloat, takes_what_a_double_reaches) {
  EXPECT_EQ(read_float("1.10"), Value(1.1));
  EXPECT_EQ(read_float("-7"), Value(-7.0));
  EXPECT_EQ(read_float("123456789012345678901234567890.5"), Value(123456789012345678901234567890.5));
  EXPECT_EQ(read_float("1e-07"), Value(1e-07));
  EXPECT_EQ(read_float("-Infinity"), Value(-kInfinity));
  EXPECT_TRUE(std::isnan(std::get<double>(read_float("NaN"))));
}

TEST(AsFloat, leaves_what_is_no_number_or_out_of_reach_as_text) {
  const std::string huge = "1" + std::string(400, '0');
  EXPECT_EQ(read_float(huge), Value(Unfit{huge}));
  for (const char* value : {"", "t", "abc", " 1", "1 ", "0x10", "inf", "nan", "+1", "1,5", "2024-01-01"}) {
    EXPECT_EQ(read_float(value), unfit(value)) << value;
  }
}

TEST(AsFloat, of_money_is_its_decimal) {
  const Codec codec = codec_as(ValueForm::as_float, Codec{ValueForm::money});
  EXPECT_EQ(decode(codec, "-$1,234.56").value(), Value(-1234.56));
  EXPECT_EQ(decode(codec, "?").value(), unfit("?"));
  std::string huge = "$1";
  for (int i = 0; i < 120; ++i) huge += ",000";
  EXPECT_EQ(decode(codec, huge).value(), Value(Unfit{huge}));
}

TEST(AsPoint, is_cartesian_and_finite) {
  EXPECT_EQ(read_point("(1.5,-2)"), Value(Point{.srid = 7203, .x = 1.5, .y = -2}));
  EXPECT_EQ(read_point("(1e-300,1e+300)"), Value(Point{.srid = 7203, .x = 1e-300, .y = 1e300}));
  for (const char* value : {"(NaN,1)", "(1,Infinity)", "(1e-300,NaN)", "()", "(1)", "(1,2,3)", "1,2", "", "(", ")", "(,)", "((1,2),(3,4))"}) {
    EXPECT_EQ(read_point(value), unfit(value)) << value;
  }
}

TEST(AsVector, reads_arrays_and_vectors) {
  for (FloatList kind : {FloatList::any, FloatList::finite}) {
    EXPECT_EQ(read_floats("{1,2.5,-3e-05}", kind), floats({1, 2.5, -3e-05}));
    EXPECT_EQ(read_floats("[1,2.5]", kind), floats({1, 2.5}));
    EXPECT_EQ(read_floats("[1, 2.5]", kind), floats({1, 2.5})) << "as jsonb prints it";
    for (const char* value : {"{1,NULL}", "{{1,2},{3,4}}", "[0:1]={1,2}", "[2:2]={1}", "{a}", "[1,null]", "[1,]", "[,1]", "[1,,2]",
                              "[[1]]", "{1:0.5}/3", "", "[", "{", "1", "[1,2", "{1,2", "[ ]x"}) {
      EXPECT_EQ(read_floats(value, kind), unfit(value)) << value;
    }
  }
}

TEST(AsVector, is_finite_and_not_empty_where_a_list_may_be_otherwise) {
  for (const char* value : {"{}", "[]", "{NaN}", "{1,-Infinity}"}) {
    EXPECT_EQ(read_floats(value, FloatList::finite), unfit(value)) << value;
    EXPECT_TRUE(std::holds_alternative<List>(read_floats(value, FloatList::any))) << value;
  }
  EXPECT_EQ(read_floats("{}", FloatList::any), Value(List{}));
}

TEST(Flatten, fields_have_the_types_of_json) {
  EXPECT_EQ(read_fields(R"({"a": "x\u00e9\ud83d\ude00\n", "b": 5, "c": 1.50, "d": true, "e": null, "f": {"g": [1, "}"]}, "h": [], "": "n"})"),
            Value(Fields{{{"a", text("x\xC3\xA9\xF0\x9F\x98\x80\n")}, {"b", Value(int64_t{5})}, {"c", Value(1.5)}, {"d", Value(true)},
                          {"e", Value(Null{})}, {"f", text(R"({"g": [1, "}"]})")}, {"h", text("[]")}, {"", text("n")}}}));
  EXPECT_EQ(read_fields(" { } "), Value(Fields{}));
}

TEST(Flatten, numbers_are_integers_where_they_are_whole_and_have_64_bits) {
  EXPECT_EQ(read_fields(R"({"a": -9223372036854775808, "b": 9223372036854775808, "c": 1e2, "d": -0})"),
            Value(Fields{{{"a", Value(std::numeric_limits<int64_t>::min())}, {"b", Value(9223372036854775808.0)}, {"c", Value(100.0)},
                          {"d", Value(int64_t{0})}}}));
}

TEST(Flatten, of_a_name_that_is_there_twice_the_last_counts) {
  EXPECT_EQ(read_fields(R"({"a": 1, "b": 2, "\u0061": 3})"),
            Value(Fields{{{"a", Value(int64_t{3})}, {"b", Value(int64_t{2})}}}));
}

TEST(Flatten, a_string_may_hold_what_neo4j_holds) {
  EXPECT_EQ(read_fields(R"({"z": "\u0000\"\\\/"})"), Value(Fields{{{"z", Value(std::string("\0\"\\/", 4))}}}));
}

TEST(Flatten, what_is_no_object_or_has_a_field_without_a_value_is_unfit) {
  for (const char* value :
       {"null", "5", "\"x\"", "[]", "", "{", "}", "{}x", "{]", R"({"a"})", R"({"a":})", R"({"a": 1,})", R"({a: 1})", R"({"a": 01})",
        R"({"a": 1.})", R"({"a": .5})", R"({"a": +1})", R"({"a": tru})", R"({"a": [1 2]})", R"({"a": [1,]})", R"({"a": {"b"}})",
        R"({"a": {"b": 1]})", "{\"a\": \"\n\"}", R"({"a": "\x"})", R"({"a": "\u12"})", R"({"a": "\ud800"})", R"({"a": "\udc00"})",
        R"({"\ud800": 1})", R"({"\u0000": 1})", R"({"_pg": 1})", R"({"x__pg": 1})", R"({"a" 1})", R"({"a": NaN})"}) {
    EXPECT_EQ(read_fields(value), unfit(value)) << value;
  }
  const std::string huge = R"({"a": 1)" + std::string(400, '0') + "}";
  EXPECT_EQ(read_fields(huge), Value(Unfit{huge}));
  const std::string name(1025, 'n');
  EXPECT_TRUE(std::holds_alternative<Unfit>(read_fields("{\"" + name + "\": 1}")));
}

TEST(Flatten, depth_costs_no_stack) {
  const std::string deep = "{\"a\": " + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  EXPECT_TRUE(std::holds_alternative<Fields>(read_fields(deep)));
}

TEST(Forms, random_texts_are_values_and_never_errors) {
  constexpr uint64_t kSeed = 1789;
  std::mt19937_64 random(kSeed);
  constexpr std::string_view kLikely = "{}[]()\":,\\u0d8ctruefalsn.eE+-19 NULL";
  for (int i = 0; i < 50'000; ++i) {
    std::string value = random() % 2 == 0 ? "{\"" : "";
    for (uint64_t length = random() % 24; length > 0; --length) {
      value += random() % 16 == 0 ? static_cast<char>(random()) : kLikely[random() % kLikely.size()];
    }
    for (ValueForm form : {ValueForm::as_float, ValueForm::as_point, ValueForm::as_vector, ValueForm::as_float_list,
                           ValueForm::as_fields, ValueForm::text}) {
      const Codec codec = codec_as(form, Codec{ValueForm::money});
      auto result = decode(codec, value);
      ASSERT_TRUE(result) << value;
      const auto* left = std::get_if<Unfit>(&*result);
      if (left != nullptr) {
        EXPECT_EQ(left->text, value);
        EXPECT_TRUE(may_be_unfit(codec));
      }
    }
  }
}

}  // namespace
}  // namespace cnx::postgres
