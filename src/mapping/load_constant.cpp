// `{constant: value}`: a value of the mapping's own, typed as YAML writes it: plain 5, 1.5 and true are an integer, a float and a
// boolean, anything else and whatever is quoted is a string.
#include <charconv>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

void take_digits(std::string_view& text) {
  const size_t end = text.find_first_not_of("0123456789");
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
}

bool take_one_of(std::string_view& text, std::string_view letters) {
  if (text.empty() || letters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// [sign] digits [. digits] [e [sign] digits]: no date and no "1.2.3".
bool is_number(std::string_view text) {
  auto digits = [&] {
    const size_t before = text.size();
    take_digits(text);
    return text.size() < before;
  };
  take_one_of(text, "+-");
  if (!digits()) return false;
  if (take_one_of(text, ".") && !digits()) return false;
  if (!take_one_of(text, "eE")) return text.empty();
  take_one_of(text, "+-");
  return digits() && text.empty();
}

template <typename N>
std::optional<N> parse(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  N number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<change::Value> plain_value(Draft& draft, const Scalar& scalar) {
  const std::string& text = scalar.text;
  if (text == "true" || text == "false") return change::Value(text == "true");
  if (!is_number(text)) return change::Value(text);
  const bool is_whole = text.find_first_of(".eE") == std::string::npos;
  if (is_whole) {
    if (auto whole = parse<int64_t>(text)) return change::Value(*whole);
  } else if (auto number = parse<double>(text)) {
    return change::Value(*number);
  }
  draft.reader.fault(scalar.mark, "the constant `" + text + "` is beyond what Neo4j's numbers hold",
                     "in quotes it is a text");
  return std::nullopt;
}

}  // namespace

std::optional<change::Value> read_constant(Draft& draft, const MapEntry& field, std::vector<MapEntry> map) {
  const std::string what = "the property `" + field.key.text + "`";
  Fields fields(draft.reader, std::move(map), what, keys::kConstant, keys::kElsewhere);
  const MapEntry* entry = fields.find("constant");
  if (entry == nullptr) return std::nullopt;
  const bool quoted = entry->value.IsScalar() && entry->value.Tag() == "!";
  if (quoted && entry->value.Scalar().empty()) return change::Value(std::string());
  auto scalar = fields.text("constant");
  if (!scalar) return std::nullopt;
  if (quoted) return change::Value(scalar->text);
  return plain_value(draft, *scalar);
}

}  // namespace cnx::mapping
