#include "mapping/infer_names.hpp"

#include <algorithm>
#include <array>

#include "mapping/singular.hpp"

namespace cnx::mapping {
namespace {

using Word = std::string_view;

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
bool is_separator(char c) {
  return c == '_' || c == ' ' || c == '-';
}

char lower(char c) {
  return is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
char raise(char c) {
  return is_small(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string lowered(Word text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), lower);
  return made;
}

bool is_odd(Word name) {
  return !std::all_of(name.begin(), name.end(), [](char c) {
    return is_small(c) || is_capital(c) || is_digit(c) || is_beyond_ascii(c) || is_separator(c);
  });
}

// OrderDetails, orderDetails, HTTPServer: where a new word begins.
bool begins_word(Word name, size_t i) {
  if (i == 0 || !is_capital(name[i])) return false;
  if (!is_capital(name[i - 1])) return !is_separator(name[i - 1]);
  return i + 1 < name.size() && is_small(name[i + 1]);
}

std::string pascal(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) {
    made += raise(word.front());
    made += word.substr(1);
  }
  return made;
}

std::vector<std::string> singular_words(Word name) {
  std::vector<std::string> words = words_of(name);
  words.back() = singular(words.back());
  return words;
}

bool has(const std::vector<std::string>& words, Word word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool has_pair(const std::vector<std::string>& words, Word first, Word second) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == first && words[i + 1] == second) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> words_of(std::string_view name) {
  if (is_odd(name)) return {std::string(name)};
  std::vector<std::string> words;
  std::string word;
  auto end_word = [&] {
    if (!word.empty()) words.push_back(lowered(word));
    word.clear();
  };
  for (size_t i = 0; i < name.size(); ++i) {
    if (is_separator(name[i]) || begins_word(name, i)) end_word();
    if (!is_separator(name[i])) word += name[i];
  }
  end_word();
  if (words.empty()) words.emplace_back(name);
  return words;
}

std::vector<std::string> normal_words(std::string_view name) {
  std::vector<std::string> words = words_of(name);
  for (std::string& word : words) word = singular(word);
  return words;
}

std::string pascal_case(std::string_view name) {
  return is_odd(name) ? lawful(std::string(name)) : lawful(pascal(words_of(name)));
}

std::string label_of(std::string_view table) {
  constexpr Word kEngineLabels = "ContextNexus";
  std::string label = lawful(is_odd(table) ? std::string(table) : pascal(singular_words(table)));
  return label.starts_with(kEngineLabels) ? "Table" + label : label;
}

std::string upper_snake(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) {
    if (!made.empty()) made += '_';
    std::transform(word.begin(), word.end(), std::back_inserter(made), raise);
  }
  return made;
}

std::string upper_snake(std::string_view name) {
  return upper_snake(words_of(name));
}

std::string type_of_table(std::string_view table) {
  // Names that are verbs rather than plurals.
  constexpr std::array kVerbs = {Word("likes"),    Word("knows"),    Word("follows"),
                                 Word("owns"),     Word("contains"), Word("includes"),
                                 Word("uses"),     Word("requires"), Word("supports"),
                                 Word("mentions"), Word("precedes")};
  std::vector<std::string> words = words_of(table);
  const bool verb = std::find(kVerbs.begin(), kVerbs.end(), words.back()) != kVerbs.end();
  return lawful(upper_snake(verb ? words : singular_words(table)));
}

std::string type_of_base(std::string_view base) {
  constexpr std::array kEndings = {Word("to"),   Word("by"), Word("in"),  Word("of"),
                                   Word("from"), Word("at"), Word("via"), Word("for")};
  constexpr std::array kBeginnings = {Word("has"), Word("is"), Word("belongs")};
  const std::vector<std::string> words = words_of(base);
  const bool phrase =
      words.size() > 1 &&
      (std::find(kEndings.begin(), kEndings.end(), words.back()) != kEndings.end() ||
       std::find(kBeginnings.begin(), kBeginnings.end(), words.front()) != kBeginnings.end());
  return lawful((phrase ? "" : "HAS_") + upper_snake(words));
}

std::string base_of_column(std::string_view column, std::string_view prefix) {
  Word base = column;
  if (!prefix.empty() && base.starts_with(prefix)) base.remove_prefix(prefix.size());
  if (lowered(base) == "id") return {};
  for (Word ending : {"_id", "_ID", "_Id", "Id", "ID", "_no", "_code"}) {
    if (base.ends_with(ending)) return std::string(base.substr(0, base.size() - ending.size()));
  }
  // personid; what is shorter may be a word of its own (bid, grid).
  constexpr size_t kShortest = 6;
  if (base.size() >= kShortest && base.ends_with("id")) base.remove_suffix(2);
  return std::string(base);
}

std::string shared_prefix(const std::vector<std::string>& columns) {
  if (columns.size() < 2) return {};
  const size_t end = columns.front().find('_');
  if (end == 0 || end == std::string::npos) return {};
  // Two columns may well begin alike by chance: customer_id, customer_note.
  constexpr size_t kShort = 5, kFew = 3;
  if (columns.size() < kFew && end > kShort) return {};
  const std::string prefix = columns.front().substr(0, end + 1);
  const bool all = std::all_of(columns.begin(), columns.end(), [&](const std::string& column) {
    return column.size() > prefix.size() && column.starts_with(prefix);
  });
  return all ? prefix : std::string();
}

bool belongs_to_engine(std::string_view name) {
  return name.starts_with("_cnx_") || name.ends_with("__pg");
}

std::string lawful(std::string name) {
  while (name.starts_with("_cnx_")) name.erase(0, 1);
  if (name.ends_with("__pg")) name += '_';
  return name;
}

std::string sql_name(const std::string& name) {
  const bool plain = !name.empty() && !is_digit(name.front()) &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) { return is_small(c) || is_digit(c) || c == '_'; });
  return plain ? name : postgres::quote_identifier(name);
}

std::string sql_name(const postgres::TableName& table) {
  return sql_name(table.schema) + "." + sql_name(table.name);
}

bool is_sayable(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool looks_secret(std::string_view column, unsigned type_oid, bool beside_password) {
  constexpr unsigned kBoolean = 16, kDate = 1082, kTime = 1083, kTimestamp = 1114,
                     kTimestampTz = 1184, kInterval = 1186, kTimeTz = 1266;
  constexpr std::array kNever = {kBoolean,     kDate,     kTime,  kTimestamp,
                                 kTimestampTz, kInterval, kTimeTz};
  if (std::find(kNever.begin(), kNever.end(), type_oid) != kNever.end()) return false;
  const std::vector<std::string> words = words_of(column);
  // What counts, numbers or points to a secret is none.
  for (Word harmless :
       {"id", "count", "type", "attempts", "version", "length", "expires", "hint"}) {
    if (words.size() > 1 && words.back() == harmless) return false;
  }
  for (Word secret : {"password", "passwd", "pwd", "passphrase", "secret", "token", "salt",
                      "apikey", "cvv", "cvc", "ssn", "creditcard", "cardnumber", "privatekey"}) {
    if (has(words, secret)) return true;
  }
  if (has_pair(words, "api", "key") || has_pair(words, "private", "key") ||
      has_pair(words, "credit", "card") || has_pair(words, "card", "number")) {
    return true;
  }
  return words.back() == "hash" && (words.size() > 1 || beside_password);
}

}  // namespace cnx::mapping
