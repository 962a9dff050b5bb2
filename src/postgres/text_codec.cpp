#include "postgres/text_codec.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "postgres/text_array.hpp"
#include "postgres/text_forms.hpp"
#include "postgres/text_temporal.hpp"

namespace cnx::postgres {
namespace {

using change::Unfit;
using change::Value;

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<Value> parse_bytes(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  text.remove_prefix(2);
  Bytes bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    int high = hex_digit(text[2 * i]);
    int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return bytes;
}

// "-$1,234.56" under lc_monetary=C, to "-1234.56".
std::optional<Value> parse_money(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  if (text.starts_with('-')) {
    plain += '-';
    text.remove_prefix(1);
  }
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  for (size_t i = 0; i < whole.size(); ++i) {
    bool comma = (whole.size() - i) % 4 == 0;  // Before each three digits from the right.
    bool fits = comma ? i > 0 && whole[i] == ',' : whole[i] >= '0' && whole[i] <= '9';
    if (!fits) return std::nullopt;
    if (!comma) plain += whole[i];
  }
  if (whole.empty()) return std::nullopt;
  if (point == std::string_view::npos) return plain;
  std::string_view cents = text.substr(point + 1);
  if (cents.empty() || cents.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return plain.append(text.substr(point));
}

std::optional<Value> parse_boolean(std::string_view text) {
  if (text == "t") return true;
  if (text == "f") return false;
  return std::nullopt;
}

std::optional<Value> parse_whole_numeric(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return Unfit{std::string(text)};
  return parse_integer(text);
}

std::optional<Value> parse_scalar(ValueForm form, std::string_view text) {
  switch (form) {
    case ValueForm::text:
      return std::string(text);
    case ValueForm::boolean:
      return parse_boolean(text);
    case ValueForm::integer:
      return parse_integer(text);
    case ValueForm::whole_numeric:
      return parse_whole_numeric(text);
    case ValueForm::floating:
      return parse_floating(text);
    case ValueForm::bytes:
      return parse_bytes(text);
    case ValueForm::money:
      return parse_money(text);
    case ValueForm::date:
      return parse_date(text);
    case ValueForm::time:
      return parse_time(text);
    case ValueForm::time_with_zone:
      return parse_time_with_zone(text);
    case ValueForm::timestamp:
      return parse_timestamp(text);
    case ValueForm::timestamp_with_zone:
      return parse_timestamp_with_zone(text);
    case ValueForm::interval:
      return parse_interval(text);
    case ValueForm::as_float:
      return read_float(text);
    case ValueForm::as_point:
      return read_point(text);
    case ValueForm::as_vector:
      return read_floats(text, FloatList::finite);
    case ValueForm::as_float_list:
      return read_floats(text, FloatList::any);
    case ValueForm::as_fields:
      return read_fields(text);
    case ValueForm::list:
      break;  // A list inside a list: the graph has none.
  }
  return Unfit{std::string(text)};
}

std::optional<Value> parse_list(const Codec& codec, std::string_view text) {
  auto shape = shape_of_array(text, codec.delimiter);
  if (!shape) return std::nullopt;
  bool no_such_list = codec.element == ValueForm::bytes || codec.element == ValueForm::list;
  if (!shape->flat || shape->nulls || (no_such_list && shape->items > 0)) {
    return Unfit{std::string(text)};
  }
  change::List list;
  list.items.reserve(shape->items);
  ArrayItems items(text, codec.delimiter);
  for (size_t i = 0; i < shape->items; ++i) {
    auto item = parse_scalar(codec.element, items.next());
    if (!item) return std::nullopt;
    if (std::holds_alternative<Unfit>(*item)) return Unfit{std::string(text)};
    list.items.push_back(*std::move(item));
  }
  return list;
}

bool form_may_be_unfit(ValueForm form) {
  switch (form) {
    case ValueForm::text:
    case ValueForm::boolean:
    case ValueForm::integer:
    case ValueForm::floating:
    case ValueForm::bytes:
    case ValueForm::money:
      return false;
    default:
      return true;
  }
}

// numeric(p,s) is ((p << 16) | s) + 4, s in eleven bits with its sign (since PostgreSQL 15).
ValueForm numeric_form(int32_t type_modifier) {
  constexpr int32_t kHeader = 4;
  constexpr int32_t kScaleMask = 0x7FF;
  constexpr int32_t kWholeDigitsMax = 18;  // What an INTEGER of 64 bits holds whatever the digits.
  if (type_modifier < kHeader) return ValueForm::text;
  int32_t precision = ((type_modifier - kHeader) >> 16) & 0xFFFF;
  int32_t scale = (type_modifier - kHeader) & kScaleMask;
  return scale == 0 && precision <= kWholeDigitsMax ? ValueForm::whole_numeric : ValueForm::text;
}

// By oid: names can be taken by anybody in another schema.
ValueForm scalar_form(change::Oid type, int32_t type_modifier) {
  switch (type.value()) {
    case 16:
      return ValueForm::boolean;
    case 17:
      return ValueForm::bytes;
    case 20:
    case 21:
    case 23:
    case 26:
      return ValueForm::integer;  // int8, int2, int4, oid
    case 700:
    case 701:
      return ValueForm::floating;
    case 790:
      return ValueForm::money;
    case 1082:
      return ValueForm::date;
    case 1083:
      return ValueForm::time;
    case 1114:
      return ValueForm::timestamp;
    case 1184:
      return ValueForm::timestamp_with_zone;
    case 1186:
      return ValueForm::interval;
    case 1266:
      return ValueForm::time_with_zone;
    case 1700:
      return numeric_form(type_modifier);
    default:
      return ValueForm::text;
  }
}

}  // namespace

Result<Codec> codec_for(const TypeCatalog& catalog, change::Oid type, int32_t type_modifier) {
  CNX_TRY(ResolvedType resolved, catalog.resolve(type, type_modifier));
  if (resolved.type->element.value() == 0) {
    return Codec{scalar_form(resolved.type->oid, resolved.type_modifier)};
  }
  // The modifier of an array is its elements'; a domain as the element brings its own.
  CNX_TRY(ResolvedType element, catalog.resolve(resolved.type->element, resolved.type_modifier));
  Codec codec;
  codec.form = ValueForm::list;
  codec.element = element.type->element.value() != 0
                      ? ValueForm::list
                      : scalar_form(element.type->oid, element.type_modifier);
  codec.delimiter = resolved.type->delimiter;
  return codec;
}

Codec codec_as(ValueForm form, const Codec& own) {
  return {.form = form, .element = own.form};
}

Result<Value> decode(const Codec& codec, std::string_view text) {
  const bool money = codec.form == ValueForm::as_float && codec.element == ValueForm::money;
  if (money) {
    // Of "-$1,234.56" the plain decimal.
    auto plain = parse_money(text);
    auto number = plain ? parse_floating(std::get<std::string>(*plain)) : std::nullopt;
    return number ? Value(*number) : Value(Unfit{std::string(text)});
  }
  auto value =
      codec.form == ValueForm::list ? parse_list(codec, text) : parse_scalar(codec.form, text);
  if (value) return *std::move(value);
  std::string name(to_string(codec.form));
  if (codec.form == ValueForm::list) name += " of " + std::string(to_string(codec.element));
  return fail(ErrorKind::malformed, "not the text of a value of type " + name);
}

bool may_be_unfit(const Codec& codec) {
  return form_may_be_unfit(codec.form);
}

std::string_view to_string(ValueForm form) {
  switch (form) {
    case ValueForm::text:
      return "text";
    case ValueForm::boolean:
      return "boolean";
    case ValueForm::integer:
      return "integer";
    case ValueForm::whole_numeric:
      return "numeric without a fraction";
    case ValueForm::floating:
      return "floating point";
    case ValueForm::bytes:
      return "bytea";
    case ValueForm::money:
      return "money";
    case ValueForm::date:
      return "date";
    case ValueForm::time:
      return "time";
    case ValueForm::time_with_zone:
      return "time with time zone";
    case ValueForm::timestamp:
      return "timestamp";
    case ValueForm::timestamp_with_zone:
      return "timestamp with time zone";
    case ValueForm::interval:
      return "interval";
    case ValueForm::list:
      return "array";
    case ValueForm::as_float:
      return "float, as the mapping asks";
    case ValueForm::as_point:
      return "point, as the mapping asks";
    case ValueForm::as_vector:
      return "vector, as the mapping asks";
    case ValueForm::as_float_list:
      return "list of floats, as the mapping asks";
    case ValueForm::as_fields:
      return "fields, as the mapping asks";
  }
  return "text";
}

}  // namespace cnx::postgres
