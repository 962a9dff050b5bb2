#include "postgres/quote.hpp"

#include <algorithm>

namespace cnx::postgres {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out;
  out.reserve(text.size() + 2);
  out += quote;
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string to_string(const TableName& table) {
  return table.schema + "." + table.name;
}

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string quote_table(const TableName& table) {
  return quote_identifier(table.schema) + "." + quote_identifier(table.name);
}

std::string quote_literal(std::string_view text) {
  return quoted(text, '\'');
}

std::string array_text(const std::vector<std::string>& elements) {
  std::string out = "{";
  for (const std::string& element : elements) {
    if (out.size() > 1) out += ",";
    out += '"';
    for (char c : element) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::string quote_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ",";
    out += quote_identifier(name);
  }
  return out;
}

Status check_slot_name(std::string_view name) {
  constexpr size_t kNameMax = 63;  // NAMEDATALEN - 1.
  bool valid =
      !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (valid) return {};
  return fail(Error(ErrorKind::invalid,
                    "'" + std::string(name) + "' cannot be the name of a replication slot")
                  .advise("Use 1 to 63 of the characters a-z, 0-9 and _."));
}

}  // namespace cnx::postgres
