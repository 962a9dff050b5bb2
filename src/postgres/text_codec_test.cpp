#include "postgres/text_codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace cnx::postgres {
namespace {

using namespace change;

constexpr uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt4 = 23, kText = 25, kOid = 26,
                   kPoint = 600, kFloat8 = 701, kMoney = 790, kBytesArray = 1001, kIntArray = 1007,
                   kTextArray = 1009, kBoxArray = 1020, kFloatArray = 1022, kBpchar = 1042,
                   kDate = 1082, kTime = 1083, kTimestamp = 1114, kDateArray = 1182,
                   kTimestamptz = 1184, kInterval = 1186, kNumericArray = 1231, kTimetz = 1266,
                   kNumeric = 1700, kUuid = 2950, kJsonb = 3802, kJsonbArray = 3807;

constexpr int32_t numeric_modifier(int32_t precision, int32_t scale) {
  return ((precision << 16) | (scale & 0x7FF)) + 4;
}

Value value(uint32_t type, std::string_view text, int32_t modifier = -1) {
  static const TypeCatalog catalog = TypeCatalog::built_in();
  auto codec = codec_for(catalog, Oid(type), modifier);
  EXPECT_TRUE(codec);
  auto result = decode(*codec, text);
  EXPECT_TRUE(result) << text;
  if (result && std::holds_alternative<Unfit>(*result)) {
    EXPECT_TRUE(may_be_unfit(*codec));
    EXPECT_EQ(std::get<Unfit>(*result).text, text);
  }
  return result ? *result : Value(Null{});
}

bool malformed(uint32_t type, std::string_view text, int32_t modifier = -1) {
  auto codec = codec_for(TypeCatalog::built_in(), Oid(type), modifier);
  auto result = decode(*codec, text);
  return !result && result.error().kind() == ErrorKind::malformed;
}

bool is_unfit(const Value& v) {
  return std::holds_alternative<Unfit>(v);
}
Value string(std::string_view text) {
  return std::string(text);
}
Value integer(int64_t number) {
  return number;
}

TEST(TextCodec, integers_are_integers_to_their_limits) {
  EXPECT_EQ(value(kInt4, "-2147483648"), integer(-2147483648));
  EXPECT_EQ(value(kInt8, "-9223372036854775808"), integer(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(value(kInt8, "9223372036854775807"), integer(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(value(kOid, "4294967295"), integer(4294967295));
  for (const char* text : {"", "1.0", "+1", " 1", "1 ", "9223372036854775808", "x"}) {
    EXPECT_TRUE(malformed(kInt8, text)) << text;
  }
}

TEST(TextCodec, a_numeric_follows_its_modifier_and_never_its_value) {
  EXPECT_EQ(value(kNumeric, "42"), string("42"));
  EXPECT_EQ(value(kNumeric, "42", numeric_modifier(18, 0)), integer(42));
  EXPECT_EQ(value(kNumeric, "42", numeric_modifier(19, 0)), string("42"));
  EXPECT_EQ(value(kNumeric, "1.50", numeric_modifier(8, 2)), string("1.50"));
  EXPECT_EQ(value(kNumeric, "4000", numeric_modifier(2, -3)), string("4000"));
  EXPECT_EQ(value(kNumeric, "999999999999999999", numeric_modifier(18, 0)),
            integer(999999999999999999));
}

TEST(TextCodec, a_numeric_keeps_every_digit_and_its_special_words) {
  for (const char* text : {"123456789012345678901234567890.123456789012345678901234567890", "1.10",
                           "-0.00", "0.00000000000000000001", "NaN", "-Infinity"}) {
    EXPECT_EQ(value(kNumeric, text), string(text));
  }
  EXPECT_TRUE(is_unfit(value(kNumeric, "NaN", numeric_modifier(10, 0))));
}

TEST(TextCodec, floats_keep_nan_infinity_and_their_last_digit) {
  EXPECT_EQ(value(kFloat8, "0.30000000000000004"), Value(0.1 + 0.2));
  EXPECT_EQ(value(kFloat8, "1e-300"), Value(1e-300));
  EXPECT_EQ(value(kFloat8, "5e-324"), Value(std::numeric_limits<double>::denorm_min()));
  EXPECT_EQ(value(kFloat8, "-Infinity"), Value(-std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(std::get<double>(value(kFloat8, "NaN"))));
  EXPECT_TRUE(std::signbit(std::get<double>(value(kFloat8, "-0"))));
  for (const char* text : {"", "inf", "nan", "-", "1e", "0x1p3", "1.5 ", "1e999"}) {
    EXPECT_TRUE(malformed(kFloat8, text)) << text;
  }
}

TEST(TextCodec, texts_are_untouched) {
  EXPECT_EQ(value(kBpchar, "ab   "), string("ab   "));
  EXPECT_EQ(value(kText, ""), string(""));
  EXPECT_EQ(value(kUuid, "00000000-0000-0000-0000-000000000001"),
            string("00000000-0000-0000-0000-000000000001"));
  EXPECT_EQ(value(kJsonb, "\"FIRST\""), string("\"FIRST\""));
  EXPECT_EQ(value(kJsonb, "null"), string("null"));
  EXPECT_EQ(value(kPoint, "(1e-300,NaN)"), string("(1e-300,NaN)"));
  EXPECT_EQ(value(kBool, "t"), Value(true));
  EXPECT_EQ(value(kBool, "f"), Value(false));
  EXPECT_TRUE(malformed(kBool, "true"));
}

TEST(TextCodec, bytea_becomes_its_bytes) {
  EXPECT_EQ(value(kBytea, "\\x00ff5c27"),
            Value(Bytes{std::byte{0}, std::byte{0xFF}, std::byte{0x5C}, std::byte{0x27}}));
  EXPECT_EQ(value(kBytea, "\\x"), Value(Bytes{}));
  for (const char* text : {"", "\\x0", "\\xzz", "00ff", "\\000\\377A"}) {
    EXPECT_TRUE(malformed(kBytea, text)) << text;
  }
}

TEST(TextCodec, money_is_a_plain_decimal) {
  EXPECT_EQ(value(kMoney, "-$1,234.56"), string("-1234.56"));
  EXPECT_EQ(value(kMoney, "-$92,233,720,368,547,758.08"), string("-92233720368547758.08"));
  EXPECT_EQ(value(kMoney, "$0.00"), string("0.00"));
  for (const char* text :
       {"", "$", "1.00", "$1234.56", "$1,23.00", "$,123.00", "$1.", "1.234,56 €"}) {
    EXPECT_TRUE(malformed(kMoney, text)) << text;
  }
}

TEST(TextCodec, dates_are_proleptic_gregorian_with_a_year_zero) {
  EXPECT_EQ(value(kDate, "1970-01-01"), Value(Date{0}));
  EXPECT_EQ(value(kDate, "2024-02-29"), Value(Date{19782}));
  EXPECT_EQ(value(kDate, "1582-10-10"), Value(Date{-141432}));
  EXPECT_EQ(value(kDate, "0001-12-31 BC"), Value(Date{-719163}));
  EXPECT_EQ(value(kDate, "4713-01-01 BC"), Value(Date{-2440550}));
  EXPECT_EQ(value(kDate, "5874897-12-31"), Value(Date{2145042905}));
  EXPECT_TRUE(is_unfit(value(kDate, "infinity")));
  EXPECT_TRUE(is_unfit(value(kDate, "-infinity")));
  for (const char* text :
       {"", "2023-02-29", "2023-13-01", "2023-00-01", "2023-01-00", "01/02/2024", "0000-01-01",
        "2023-1-1", "2023-01-01 AD", "2023-01-01x", "12345678-01-01"}) {
    EXPECT_TRUE(malformed(kDate, text)) << text;
  }
}

TEST(TextCodec, times_keep_microseconds_and_twenty_four_oclock_is_unfit) {
  EXPECT_EQ(value(kTime, "00:00:00"), Value(LocalTime{0}));
  EXPECT_EQ(value(kTime, "23:59:59.999999"), Value(LocalTime{86'399'999'999'000}));
  EXPECT_TRUE(is_unfit(value(kTime, "24:00:00")));
  EXPECT_EQ(value(kTimetz, "12:00:00.5-03:30"), Value(ZonedTime{43'200'500'000'000, -12'600}));
  EXPECT_EQ(value(kTimetz, "12:00:00+05:53:28"), Value(ZonedTime{43'200'000'000'000, 21'208}));
  EXPECT_EQ(value(kTimetz, "12:00:00+00"), Value(ZonedTime{43'200'000'000'000, 0}));
  EXPECT_TRUE(is_unfit(value(kTimetz, "24:00:00+00")));
  for (const char* text : {"", "24:00:01", "24:00:00.1", "25:00:00", "12:60:00", "12:00",
                           "12:00:00.", "12:00:00.1234567", "12:00:00+00"}) {
    EXPECT_TRUE(malformed(kTime, text)) << text;
  }
}

TEST(TextCodec, timestamps_know_no_zone_and_zoned_ones_are_instants) {
  EXPECT_EQ(value(kTimestamp, "2024-03-31 02:30:00"), Value(LocalDateTime{1711852200, 0}));
  EXPECT_EQ(value(kTimestamp, "0001-12-31 23:59:59.5 BC"),
            Value(LocalDateTime{-62135596801, 500'000'000}));
  EXPECT_EQ(value(kTimestamptz, "2024-10-27 01:30:00+00"), Value(ZonedDateTime{1729992600, 0}));
  EXPECT_EQ(value(kTimestamptz, "2024-10-27 02:30:00+01"), Value(ZonedDateTime{1729992600, 0}));
  EXPECT_EQ(value(kTimestamptz, "294276-12-31 23:59:59.999999+00"),
            Value(ZonedDateTime{9224318015999, 999'999'000}));
  EXPECT_EQ(value(kTimestamptz, "1969-12-31 23:59:59.25+00"),
            Value(ZonedDateTime{-1, 250'000'000}));
  EXPECT_TRUE(is_unfit(value(kTimestamptz, "-infinity")));
  EXPECT_TRUE(is_unfit(value(kTimestamp, "infinity")));
  EXPECT_TRUE(malformed(kTimestamp, "2024-07-01 12:00:00+00"));
  EXPECT_TRUE(malformed(kTimestamptz, "2024-07-01 12:00:00"));
  EXPECT_TRUE(malformed(kTimestamptz, "01/07/2024 09:30:00 NDT"));
}

TEST(TextCodec, intervals_keep_months_days_and_seconds_apart_with_their_signs) {
  EXPECT_EQ(value(kInterval, "1 year 2 mons -3 days +04:05:06.000007"),
            Value(Interval{14, -3, 14706, 7000}));
  EXPECT_EQ(value(kInterval, "-00:00:00.000001"), Value(Interval{0, 0, -1, 999'999'000}));
  EXPECT_EQ(value(kInterval, "178000000 years"), Value(Interval{2'136'000'000, 0, 0, 0}));
  EXPECT_EQ(value(kInterval, "00:00:00"), Value(Interval{}));
  EXPECT_EQ(value(kInterval, "-1 mons +1 day -00:00:01.5"),
            Value(Interval{-1, 1, -2, 500'000'000}));
  EXPECT_EQ(value(kInterval, "2562047788:00:54.775807"),
            Value(Interval{0, 0, 9'223'372'036'854, 775'807'000}));
  EXPECT_TRUE(is_unfit(value(kInterval, "infinity")));
  for (const char* text : {"", "1", "1 fortnight", "+0-1 +2 -0:00:01.5", "1 day 1 year", "P1D",
                           "1 day ", "1 day 00:00"}) {
    EXPECT_TRUE(malformed(kInterval, text)) << text;
  }
}

TEST(TextCodec, arrays_become_lists_of_their_elements) {
  EXPECT_EQ(value(kIntArray, "{1,-2}"), Value(List{{integer(1), integer(-2)}}));
  EXPECT_EQ(value(kTextArray, R"({a,"NULL","a,b","q\"x","back\\slash","",null})"),
            Value(List{{string("a"), string("NULL"), string("a,b"), string("q\"x"),
                        string("back\\slash"), string(""), string("null")}}));
  EXPECT_EQ(value(kFloatArray, "{1.5,Infinity}"),
            Value(List{{Value(1.5), Value(std::numeric_limits<double>::infinity())}}));
  EXPECT_EQ(value(kBoxArray, "{(1,1),(0,0);(2,2),(1,1)}"),
            Value(List{{string("(1,1),(0,0)"), string("(2,2),(1,1)")}}));
  EXPECT_EQ(value(kNumericArray, "{1.10}"), Value(List{{string("1.10")}}));
  EXPECT_EQ(value(kNumericArray, "{1,2}", numeric_modifier(5, 0)),
            Value(List{{integer(1), integer(2)}}));
  EXPECT_EQ(value(kJsonbArray, R"({"{\"a\": 1}"})"), Value(List{{string("{\"a\": 1}")}}));
}

TEST(TextCodec, an_empty_array_is_an_empty_list) {
  EXPECT_EQ(value(kTextArray, "{}"), Value(List{}));
  EXPECT_EQ(value(kBytesArray, "{}"), Value(List{}));
}

TEST(TextCodec, arrays_that_no_list_can_hold_are_unfit) {
  for (const char* text : {R"({NULL,"NULL"})", "{{a,b},{c,d}}", "[0:1]={a,b}", "[2:2]={a}",
                           "[-3:-2][0:0]={{a},{b}}", "{a,NULL}"}) {
    EXPECT_TRUE(is_unfit(value(kTextArray, text))) << text;
  }
  EXPECT_TRUE(is_unfit(value(kBytesArray, R"({"\\x00"})")));
  EXPECT_TRUE(is_unfit(value(kDateArray, "{2024-01-01,infinity}")));
  EXPECT_TRUE(is_unfit(value(kNumericArray, "{1,NaN}", numeric_modifier(5, 0))));
}

TEST(TextCodec, broken_arrays_are_malformed) {
  for (const char* text :
       {"",        "{",       "}",         "{a",       "{a,}",     "{,a}",           "{a}}",
        "{a}{b}",  "{{a}",    "{\"a}",     "a",        "{\"a\"b}", "{a\"b\"}",       "[0:1]",
        "[0:1]={", "[0]={a}", "[a:b]={a}", "{a b,{}}", "[]={a}",   "{{{{{{{a}}}}}}}"}) {
    EXPECT_TRUE(malformed(kTextArray, text)) << text;
  }
  EXPECT_TRUE(malformed(kIntArray, "{1,x}"));
}

TEST(TextCodec, domains_are_taken_off_whatever_they_stand_on) {
  TypeCatalog catalog = TypeCatalog::built_in();
  auto add = [&](uint32_t oid, TypeKind kind, uint32_t base, int32_t modifier, uint32_t element) {
    TypeInfo type;
    type.oid = Oid(oid);
    type.kind = kind;
    type.base = Oid(base);
    type.base_type_modifier = modifier;
    type.element = Oid(element);
    catalog.add(type);
  };
  add(20001, TypeKind::domain, kInt4, -1, 0);
  add(20002, TypeKind::domain, kNumeric, numeric_modifier(10, 0), 0);
  add(20003, TypeKind::domain, 20002, -1, 0);
  add(20004, TypeKind::base, 0, -1, 20003);  // An array of a domain over a domain.
  add(20005, TypeKind::domain, kIntArray, -1, 0);
  add(20006, TypeKind::base, 0, -1, 20005);  // An array of a domain over an array.
  add(20007, TypeKind::domain, 29999, -1, 0);
  auto form = [&](uint32_t oid) { return codec_for(catalog, Oid(oid), -1)->form; };
  EXPECT_EQ(form(20001), ValueForm::integer);
  EXPECT_EQ(form(20003), ValueForm::whole_numeric);
  EXPECT_EQ(form(20005), ValueForm::list);
  EXPECT_EQ(codec_for(catalog, Oid(20004), -1)->element, ValueForm::whole_numeric);
  Codec nested = *codec_for(catalog, Oid(20006), -1);
  EXPECT_TRUE(is_unfit(*decode(nested, R"({"{1,2}"})")));
  EXPECT_EQ(codec_for(catalog, Oid(20007), -1).error().kind(), ErrorKind::state);
  EXPECT_EQ(codec_for(catalog, Oid(29999), -1).error().kind(), ErrorKind::state);
}

TEST(TextCodec, random_texts_end_in_a_value_or_an_error) {
  constexpr uint64_t kSeed = 1582;
  std::mt19937_64 random(kSeed);
  constexpr std::string_view kLikely = "0123456789-+:. ,{}\"\\xBCmonyearsdNUL$[]=;infty";
  std::vector<Codec> codecs;
  for (uint32_t type : {kInt8, kNumeric, kFloat8, kBool, kBytea, kMoney, kDate, kTime, kTimetz,
                        kTimestamp, kTimestamptz, kInterval, kTextArray, kDateArray, kBytesArray}) {
    codecs.push_back(*codec_for(TypeCatalog::built_in(), Oid(type), -1));
  }
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (uint64_t length = random() % 30; length > 0; --length) {
      text += random() % 8 == 0 ? static_cast<char>(random()) : kLikely[random() % kLikely.size()];
    }
    const Codec& codec = codecs[random() % codecs.size()];
    auto result = decode(codec, text);
    if (!result) {
      EXPECT_EQ(result.error().kind(), ErrorKind::malformed);
    } else if (is_unfit(*result)) {
      EXPECT_TRUE(may_be_unfit(codec));
    }
  }
}

}  // namespace
}  // namespace cnx::postgres
