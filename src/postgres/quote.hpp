// The one place where a name or a text becomes part of an SQL statement.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace cnx::postgres {

// A table is always this pair, never a joined string (cases.md 18).
struct TableName {
  std::string schema;
  std::string name;
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

// For messages only: the parts unquoted and joined.
std::string to_string(const TableName& table);

// Always quoted, so that no name is folded or taken for a keyword. `name` holds no NUL (PostgreSQL
// has none in names).
std::string quote_identifier(std::string_view name);
std::string quote_table(const TableName& table);

// For texts that cannot be parameters (utility statements). Relies on standard_conforming_strings,
// which every connection sets.
std::string quote_literal(std::string_view text);

// The text of a text[] with these elements, for a parameter.
std::string array_text(const std::vector<std::string>& elements);

// What the replication protocol calls publication_names: each name quoted, joined by commas; not
// yet a literal.
std::string quote_names(const std::vector<std::string>& names);

// ErrorKind::invalid for a name that PostgreSQL would refuse or cut: outside [a-z0-9_]{1,63}.
Status check_slot_name(std::string_view name);

}  // namespace cnx::postgres
