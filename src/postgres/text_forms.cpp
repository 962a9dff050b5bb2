#include "postgres/text_forms.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include "postgres/text_array.hpp"
#include "postgres/text_json.hpp"

namespace cnx::postgres {
namespace {

using change::Unfit;
using change::Value;

// A name becomes a token of the store's, which keeps it for good.
constexpr size_t kLongestFieldName = 1024;

Value unfit(std::string_view text) {
  return Unfit{std::string(text)};
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// "[1, 2]": no quotes and no nesting, since its items are numbers.
std::optional<change::List> bracketed(std::string_view text) {
  text = text.substr(1, text.size() - 2);
  change::List list;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    auto number = parse_floating(trimmed(text.substr(0, comma)));
    if (!number) return std::nullopt;
    list.items.emplace_back(*number);
    text.remove_prefix(comma);
    if (text == ",") return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);
  }
  return list;
}

std::optional<change::List> braced(std::string_view text) {
  constexpr char kDelimiter = ',';
  auto shape = shape_of_array(text, kDelimiter);
  if (!shape || !shape->flat || shape->nulls) return std::nullopt;
  change::List list;
  list.items.reserve(shape->items);
  ArrayItems items(text, kDelimiter);
  for (size_t i = 0; i < shape->items; ++i) {
    auto number = parse_floating(items.next());
    if (!number) return std::nullopt;
    list.items.emplace_back(*number);
  }
  return list;
}

std::optional<Value> json_number(std::string_view text) {
  if (text.find_first_of(".eE") == std::string_view::npos) {
    int64_t whole = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error == std::errc{} && end == text.data() + text.size()) return Value(whole);
  }
  if (auto number = parse_floating(text)) return Value(*number);
  return std::nullopt;
}

std::optional<Value> json_value(std::string_view text) {
  switch (text.front()) {
    case '"':
      if (auto decoded = decode_json_string(text)) return Value(*std::move(decoded));
      return std::nullopt;
    case 't':
      return Value(true);
    case 'f':
      return Value(false);
    case 'n':
      return Value(change::Null{});
    case '{':
    case '[':
      return Value(std::string(text));
    default:
      return json_number(text);
  }
}

// `<property>_<name>` must be a name that Neo4j holds, and none of the engine's own.
bool is_field_name(std::string_view name) {
  return name.size() <= kLongestFieldName && name.find('\0') == std::string_view::npos && name != "_pg" &&
         !name.ends_with("__pg");
}

}  // namespace

std::optional<double> parse_floating(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return kInfinity;
  if (text == "-Infinity") return -kInfinity;
  // from_chars also reads "inf" and "nan", which PostgreSQL never prints.
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Value read_float(std::string_view text) {
  if (auto number = parse_floating(text)) return *number;
  return unfit(text);
}

Value read_point(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return unfit(text);
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos) return unfit(text);
  auto x = parse_floating(text.substr(1, comma - 1));
  auto y = parse_floating(text.substr(comma + 1, text.size() - comma - 2));
  if (!x || !y || !std::isfinite(*x) || !std::isfinite(*y)) return unfit(text);
  return change::Point{.x = *x, .y = *y};
}

Value read_floats(std::string_view text, FloatList kind) {
  const bool brackets = text.size() >= 2 && text.starts_with('[') && text.ends_with(']');
  auto list = brackets ? bracketed(text) : braced(text);
  if (!list) return unfit(text);
  if (kind == FloatList::finite) {
    const bool finite = std::all_of(list->items.begin(), list->items.end(), [](const Value& item) {
      return std::isfinite(std::get<double>(item));
    });
    if (list->items.empty() || !finite) return unfit(text);
  }
  return *std::move(list);
}

Value read_fields(std::string_view text) {
  auto members = members_of_json_object(text);
  if (!members) return unfit(text);
  change::Fields fields;
  std::unordered_map<std::string_view, size_t> met;
  fields.items.reserve(members->size());
  for (JsonMember& member : *members) {
    auto value = json_value(member.value);
    if (!value || !is_field_name(member.name)) return unfit(text);
    auto [at, is_new] = met.try_emplace(member.name, fields.items.size());
    if (is_new) {
      fields.items.push_back({member.name, *std::move(value)});
    } else {
      fields.items[at->second].value = *std::move(value);
    }
  }
  return fields;
}

}  // namespace cnx::postgres
