#include "command/types_page.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/form_name.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::command {
namespace {

using change::Value;

constexpr std::string_view kHead = R"(# What PostgreSQL's types become

This page is made by `contextnexus docs types`; a test fails where it is stale, and another one writes every example into a table and reads
it back from the graph, once copied and once streamed.

The form of a property follows from the column's type and its modifier alone, never from the value. A value that the graph's type cannot hold
leaves the property absent, and `<property>__pg` holds PostgreSQL's text of it; when the value fits again, that goes in the same write. NULL:
both are absent. Types that are not named here (of extensions, too) become a STRING of PostgreSQL's own text, and arrays a LIST of what their
elements become. A mapping may ask for another form: `as: float`, `point`, `vector`, `list<float>`, `flatten`, `string`
(mappings/README.md).

`mood` is an enum, `address` a composite type, `positive` a domain over integer, `scores` a domain over `numeric(3,0)[]`; `citext`, `hstore`
are the extensions'.

| PostgreSQL | Neo4j | companion | PostgreSQL's text | in the graph |
|---|---|---|---|---|
)";

// Oids of types that are no built-in ones are each server's own; these stand for them.
constexpr uint32_t kMood = 100001, kAddress = 100002, kPositive = 100003, kScores = 100004, kCitext = 100005, kHstore = 100006,
                   kMoods = 100007;

struct Row {
  std::string_view type;  // As in CREATE TABLE.
  uint32_t oid;
  int32_t modifier;
  std::vector<std::string_view> examples;  // As PostgreSQL prints them.
};

// pg_attribute.atttypmod of numeric(precision, scale).
constexpr int32_t numeric(int32_t precision, int32_t scale) { return ((precision << 16) | scale) + 4; }
// Of varchar(length) and char(length).
constexpr int32_t length(int32_t length) { return length + 4; }

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"boolean", 16, -1, {"t", "f"}},
      {"smallint", 21, -1, {"-32768"}},
      {"integer", 23, -1, {"2147483647"}},
      {"bigint", 20, -1, {"-9223372036854775808"}},
      {"oid", 26, -1, {"4294967295"}},
      {"numeric(18,0)", 1700, numeric(18, 0), {"999999999999999999", "NaN"}},
      {"numeric(19,0)", 1700, numeric(19, 0), {"9999999999999999999"}},
      {"numeric(10,2)", 1700, numeric(10, 2), {"1.10", "0.00", "NaN"}},
      {"numeric", 1700, -1, {"123456789012345678901234567890.1234567890", "0.00000000000000000001", "-Infinity"}},
      {"real", 700, -1, {"0.1", "3.4028235e+38"}},
      {"double precision", 701, -1, {"0.30000000000000004", "-Infinity", "NaN", "5e-324"}},
      {"money", 790, -1, {"-$1,234.56", "-$92,233,720,368,547,758.08"}},
      {"text", 25, -1, {"", " spaces stay ", "it's"}},
      {"varchar(10)", 1043, length(10), {"Straße"}},
      {"char(5)", 1042, length(5), {"ab   "}},
      {"\"char\"", 18, -1, {"x"}},
      {"name", 19, -1, {"pg_class"}},
      {"uuid", 2950, -1, {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {"bytea", 17, -1, {"\\x00ff5c27", "\\x"}},
      {"date", 1082, -1, {"2024-02-29", "4713-01-01 BC", "1582-10-10", "5874897-12-31", "infinity"}},
      {"time", 1083, -1, {"00:00:00", "23:59:59.999999", "24:00:00"}},
      {"time with time zone", 1266, -1, {"04:05:06.789-03:30", "24:00:00+00"}},
      {"timestamp", 1114, -1, {"2024-03-31 02:30:00", "0001-12-31 23:59:59.5 BC", "294276-12-31 23:59:59.999999", "-infinity"}},
      {"timestamp(0)", 1114, 0, {"2024-03-31 02:30:00"}},
      {"timestamp with time zone", 1184, -1, {"2024-10-27 01:30:00+00", "4714-11-24 00:00:00+00 BC", "infinity"}},
      {"interval", 1186, -1, {"1 year 2 mons -3 days +04:05:06.000007", "-00:00:00.000001", "178000000 years", "00:00:00"}},
      {"json", 114, -1, {R"({"b":1e400, "b": "\u0000"})", "null"}},
      {"jsonb", 3802, -1, {R"({"a": [1.10], "b": null})", R"("FIRST")"}},
      {"jsonpath", 4072, -1, {"$.\"a\"[*]"}},
      {"xml", 142, -1, {"<a>b</a>"}},
      {"inet", 869, -1, {"192.168.0.1/24", "::1"}},
      {"cidr", 650, -1, {"10.0.0.0/8"}},
      {"macaddr", 829, -1, {"08:00:2b:01:02:03"}},
      {"macaddr8", 774, -1, {"08:00:2b:01:02:03:04:05"}},
      {"bit(3)", 1560, 3, {"101"}},
      {"bit varying(5)", 1562, 5, {"10", ""}},
      {"point", 600, -1, {"(1.5,-2)", "(1e-300,NaN)"}},
      {"line", 628, -1, {"{1,-1,0}"}},
      {"lseg", 601, -1, {"[(0,0),(1,1)]"}},
      {"box", 603, -1, {"(1,1),(0,0)"}},
      {"path", 602, -1, {"((0,0),(1,1))"}},
      {"polygon", 604, -1, {"((0,0),(1,1),(1,0))"}},
      {"circle", 718, -1, {"<(0,0),1>"}},
      {"tsvector", 3614, -1, {"'fat':2 'rat':3"}},
      {"tsquery", 3615, -1, {"'fat' & 'rat'"}},
      {"int4range", 3904, -1, {"[1,5)", "empty"}},
      {"tstzrange", 3910, -1, {R"(["2024-01-01 00:00:00+00",infinity))"}},
      {"nummultirange", 4532, -1, {"{[1,2),[5,6)}"}},
      {"pg_lsn", 3220, -1, {"16/B374D848"}},
      {"boolean[]", 1000, -1, {"{t,f}"}},
      {"integer[]", 1007, -1, {"{1,2,3}", "{}", "{1,NULL}", "{{1,2},{3,4}}", "[0:1]={1,2}"}},
      {"numeric(5,0)[]", 1231, numeric(5, 0), {"{1,20}", "{NaN}"}},
      {"numeric[]", 1231, -1, {"{1.10,NaN}"}},
      {"real[]", 1021, -1, {"{0.1,NaN}"}},
      {"text[]", 1009, -1, {R"({"a,b","q\"x","",NULL2,"NULL"})", R"({NULL,"NULL"})"}},
      {"date[]", 1182, -1, {"{2024-01-01,2024-01-02}", "{2024-01-01,infinity}"}},
      {"timestamp with time zone[]", 1185, -1, {R"({"2024-10-27 01:30:00+00"})"}},
      {"interval[]", 1187, -1, {R"({"1 mon","02:00:00"})"}},
      {"uuid[]", 2951, -1, {"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}},
      {"jsonb[]", 3807, -1, {R"({"{\"a\": 1}"})", R"({"{}",NULL})"}},
      {"bytea[]", 1001, -1, {R"({"\\x00ff"})", "{}"}},
      {"box[]", 1020, -1, {"{(1,1),(0,0);(2,2),(1,1)}"}},
      {"mood", kMood, -1, {"happy"}},
      {"mood[]", kMoods, -1, {"{happy,sad}"}},
      {"address", kAddress, -1, {R"((1,"a,""b",))"}},
      {"positive", kPositive, -1, {"5"}},
      {"scores", kScores, -1, {"{1,100}"}},
      {"citext", kCitext, -1, {"MiXed"}},
      {"hstore", kHstore, -1, {R"("a"=>"1", "b"=>NULL)"}},
  };
  return kRows;
}

postgres::TypeCatalog catalog() {
  using postgres::TypeKind;
  auto catalog = postgres::TypeCatalog::built_in();
  auto oid = [](uint32_t number) { return change::Oid(number); };
  catalog.add({.oid = oid(kMood), .schema = "public", .name = "mood", .kind = TypeKind::enumeration, .category = 'E'});
  catalog.add({.oid = oid(kMoods), .schema = "public", .name = "_mood", .category = 'A', .element = oid(kMood)});
  catalog.add({.oid = oid(kAddress), .schema = "public", .name = "address", .kind = TypeKind::composite, .category = 'C'});
  catalog.add({.oid = oid(kPositive), .schema = "public", .name = "positive", .kind = TypeKind::domain, .category = 'N', .base = oid(23)});
  catalog.add({.oid = oid(kScores), .schema = "public", .name = "scores", .kind = TypeKind::domain, .category = 'A', .base = oid(1231),
               .base_type_modifier = numeric(3, 0)});
  catalog.add({.oid = oid(kCitext), .schema = "public", .name = "citext", .category = 'S'});
  catalog.add({.oid = oid(kHstore), .schema = "public", .name = "hstore"});
  return catalog;
}

// Cypher's escapes: https://neo4j.com/docs/cypher-manual/current/syntax/expressions/
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

// Of the proleptic Gregorian calendar, from days since 1970-01-01: Howard Hinnant, "chrono-compatible low-level date algorithms",
// civil_from_days. std::chrono's years end at 32767.
std::string date_text(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march + (month_from_march < 10 ? 3 : -9);
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const char* sign = year < 0 ? "-" : year > 9999 ? "+" : "";
  return fmt::format("{}{:04}-{:02}-{:02}", sign, std::abs(year), month, day);
}

// "02:30:00", with a fraction where there is one.
std::string time_text(int64_t seconds, int64_t nanoseconds) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (nanoseconds != 0) {
    text += fmt::format(".{:09}", nanoseconds);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

constexpr int64_t kDay = 86400;

std::string moment_text(int64_t seconds, int64_t nanoseconds) {
  const int64_t days = (seconds >= 0 ? seconds : seconds - kDay + 1) / kDay;
  return date_text(days) + "T" + time_text(seconds - days * kDay, nanoseconds);
}

std::string offset_text(int32_t seconds) {
  const int32_t size = std::abs(seconds);
  return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

std::string duration_text(const change::Interval& value) {
  constexpr int64_t kNanoseconds = 1000000000;
  int64_t seconds = value.seconds, nanoseconds = value.nanoseconds;
  const bool negative = seconds < 0 && nanoseconds > 0;
  if (negative) {
    seconds += 1;
    nanoseconds = kNanoseconds - nanoseconds;
  }
  std::string fraction = nanoseconds == 0 ? "" : fmt::format(".{:09}", nanoseconds);
  if (!fraction.empty()) fraction.erase(fraction.find_last_not_of('0') + 1);
  const char* sign = negative && seconds == 0 ? "-" : "";
  return fmt::format("P{}M{}DT{}{}{}S", value.months, value.days, sign, seconds, fraction);
}

std::string float_text(double value) {
  if (std::isnan(value)) return "toFloat('NaN')";
  if (std::isinf(value)) return value < 0 ? "toFloat('-Infinity')" : "toFloat('Infinity')";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// An expression of Cypher with that value; Cypher has none of bytes, those are told as such.
struct Expression {
  std::string operator()(change::Null) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return float_text(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const Bytes& value) const {
    std::string text = "bytes";
    for (size_t i = 0; i < value.size(); ++i) {
      text += fmt::format("{}{:02x}", i == 0 ? " " : "", static_cast<unsigned>(value[i]));
    }
    return text;
  }
  std::string operator()(const change::Date& value) const { return "date('" + date_text(value.days) + "')"; }
  std::string operator()(const change::LocalTime& value) const { return "localtime('" + time_of_day(value.nanoseconds) + "')"; }
  std::string operator()(const change::ZonedTime& value) const {
    return "time('" + time_of_day(value.nanoseconds) + offset_text(value.offset_seconds) + "')";
  }
  std::string operator()(const change::LocalDateTime& value) const {
    return "localdatetime('" + moment_text(value.seconds, value.nanoseconds) + "')";
  }
  std::string operator()(const change::ZonedDateTime& value) const {
    return "datetime('" + moment_text(value.seconds, value.nanoseconds) + "Z')";
  }
  std::string operator()(const change::Interval& value) const { return "duration('" + duration_text(value) + "')"; }
  std::string operator()(const change::Point& value) const {
    return "point({x: " + float_text(value.x) + ", y: " + float_text(value.y) + "})";
  }
  std::string operator()(const change::List& value) const {
    std::string text = "[";
    for (const Value& item : value.items) text += (text.size() > 1 ? ", " : "") + std::visit(*this, static_cast<const Value::variant&>(item));
    return text + "]";
  }
  std::string operator()(const change::Unfit& value) const { return "__pg: " + quoted(value.text); }
  std::string operator()(const change::Fields&) const { return "its fields"; }

  static std::string time_of_day(int64_t nanoseconds) {
    return time_text(nanoseconds / 1000000000, nanoseconds % 1000000000);
  }
};

// In a table's cell: Markdown's code takes no bar.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text.empty() ? "(empty)" : "`` " + text + " ``";
}

}  // namespace

std::string types_page() {
  const postgres::TypeCatalog types = catalog();
  std::string page(kHead);
  for (const Row& row : rows()) {
    const auto codec = postgres::codec_for(types, change::Oid(row.oid), row.modifier);
    if (!codec) continue;  // A test counts the types.
    for (std::string_view example : row.examples) {
      const auto value = postgres::decode(*codec, example);
      page += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.type, pipeline::form_name(*codec),
                          postgres::may_be_unfit(*codec) ? "yes" : "never", cell(std::string(example)),
                          value ? cell(std::visit(Expression{}, static_cast<const Value::variant&>(*value))) : "not a text of it");
    }
  }
  return page;
}

}  // namespace cnx::command
