#include "mapping/infer_keys.hpp"

#include <algorithm>
#include <tuple>

#include "mapping/infer_names.hpp"
#include "mapping/key_form.hpp"

namespace cnx::mapping {
namespace {

using postgres::Table;
using postgres::TableColumn;
using postgres::TableKey;

bool beside_password(const Table& table) {
  return std::any_of(table.columns.begin(), table.columns.end(), [](const TableColumn& column) {
    return looks_secret(column.name, column.type.value(), false);
  });
}

// What keeps a key from being one of the graph's; empty: nothing.
std::string fault_of(const Table& table, const TableKey& key) {
  if (!key.valid) return "is not valid: CREATE INDEX CONCURRENTLY failed";
  if (key.partial) return "holds only for some rows (WHERE)";
  if (!key.immediate)
    return "is DEFERRABLE: two rows may hold one key for a while, and the log does not say which "
           "of them a change means";
  const bool hashed = beside_password(table);
  for (const std::string& name : key.columns) {
    const TableColumn* column = table.column(name);
    if (column == nullptr || !column->not_null) return "may be NULL";
    if (column->generated) return "is generated, and the log does not carry it";
    if (!is_sayable(name)) return "has control characters in its name";
    if (looks_secret(name, column->type.value(), hashed)) return "looks like a secret";
  }
  return {};
}

bool is_told(const std::vector<std::string>& identity, const TableKey& key) {
  return std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& column) {
    return std::find(identity.begin(), identity.end(), column) != identity.end();
  });
}

auto rank(const Table& table, const TableKey& key) {
  bool plain = true;
  for (const std::string& name : key.columns) {
    const TableColumn* column = table.column(name);
    plain = plain && column != nullptr && is_single({key_form(*column)});
  }
  return std::tuple(!key.primary, key.columns.size(), !plain, key.name);
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

KeyChoice untold(const Table& table, const TableKey& key) {
  KeyChoice none;
  none.reason = "it has " +
                std::string(key.primary ? "a primary key (" : "no primary key but a unique one (") +
                list(key.columns) + "), and a REPLICA IDENTITY that does not tell it: " +
                (table.identity_columns().empty()
                     ? "PostgreSQL would refuse UPDATE and DELETE once the table is published"
                     : "the log would not say which row was removed");
  none.cure = "ALTER TABLE " + sql_name(table.name) + " REPLICA IDENTITY " +
              (key.primary ? "DEFAULT" : "USING INDEX " + sql_name(key.name)) + ", and infer again";
  return none;
}

}  // namespace

KeyChoice choose_key(const Table& table) {
  std::vector<const TableKey*> keys;
  for (const TableKey& key : table.keys) {
    if (!key.columns.empty()) keys.push_back(&key);
  }
  std::sort(keys.begin(), keys.end(), [&](const TableKey* a, const TableKey* b) {
    return rank(table, *a) < rank(table, *b);
  });
  const std::vector<std::string> identity = table.identity_columns();
  const TableKey* fit = nullptr;
  std::string primary_fault;
  for (const TableKey* key : keys) {
    const std::string fault = fault_of(table, *key);
    if (key->primary) primary_fault = fault;
    if (!fault.empty()) continue;
    if (fit == nullptr) fit = key;
    if (!is_told(identity, *key)) continue;
    KeyChoice choice;
    choice.columns = key->columns;
    if (!key->primary) {
      choice.remark =
          "The key is that of the index " + key->name + ": " +
          (primary_fault.empty() ? table.primary_key() == nullptr
                                       ? std::string("there is no primary key.")
                                       : std::string("the log tells it with every change.")
                                 : "the primary key " + primary_fault + ".");
    }
    return choice;
  }
  if (fit != nullptr) return untold(table, *fit);
  KeyChoice none;
  if (const TableKey* primary = table.primary_key()) {
    none.reason = "its primary key (" + list(primary->columns) + ") " + primary_fault;
    none.cure = primary->immediate ? "give it another unique key on NOT NULL columns, make that "
                                     "its REPLICA IDENTITY, and infer again"
                                   : "make the key NOT DEFERRABLE, and infer again";
  } else {
    none.reason =
        "it has no primary key, nor a unique one on NOT NULL columns, so that a row could not be "
        "found again";
    none.cure = "give it a primary key, and infer again";
  }
  return none;
}

}  // namespace cnx::mapping
