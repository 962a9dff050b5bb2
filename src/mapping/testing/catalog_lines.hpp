// A catalog for a test, said in a line a table. For tests only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "postgres/table_list.hpp"

namespace cnx::mapping::testing {

// Builds a list of tables step by step. Columns of a key become NOT NULL.
class CatalogLines {
 public:
  postgres::DescribedTable& table(const std::string& name, const std::vector<std::string>& columns,
                                  const std::string& schema = "public") {
    postgres::DescribedTable& made = list_.tables.emplace_back();
    made.table.oid = change::Oid(static_cast<uint32_t>(20000 + list_.tables.size()));
    made.table.name = {schema, name};
    made.table.may_select = true;
    for (const std::string& column : columns) add_column(made.table, column);
    return made;
  }

  // "name" is an int4; "name:type" another.
  static void add_column(postgres::Table& table, const std::string& text) {
    static const std::map<std::string, uint32_t> kTypes = {
        {"bool", 16},     {"int8", 20},   {"int4", 23},      {"text", 25},   {"varchar", 1043},
        {"bpchar", 1042}, {"date", 1082}, {"numeric", 1700}, {"uuid", 2950}, {"tsvector", 3614}};
    const size_t colon = text.rfind(':');
    const bool typed = colon != std::string::npos && kTypes.contains(text.substr(colon + 1));
    table.columns.push_back({.number = static_cast<int16_t>(table.columns.size() + 1),
                             .name = typed ? text.substr(0, colon) : text,
                             .type = change::Oid(typed ? kTypes.at(text.substr(colon + 1)) : 23)});
  }

  static postgres::TableKey& key(postgres::DescribedTable& in,
                                 const std::vector<std::string>& columns, bool primary = true) {
    postgres::Table& table = in.table;
    for (postgres::TableColumn& column : table.columns) {
      for (const std::string& name : columns)
        column.not_null = column.not_null || column.name == name;
    }
    table.keys.push_back(
        {.name = table.name.name + (primary ? "_pkey" : "_key" + std::to_string(table.keys.size())),
         .columns = columns,
         .primary = primary});
    return table.keys.back();
  }

  static void refer(postgres::DescribedTable& from, const std::vector<std::string>& columns,
                    const postgres::TableName& to, const std::vector<std::string>& referenced) {
    postgres::Table& table = from.table;
    table.foreign_keys.push_back(
        {.name = table.name.name + "_fkey" + std::to_string(table.foreign_keys.size()),
         .columns = columns,
         .referenced_table = to,
         .referenced_columns = referenced});
  }

  postgres::TableList& list() { return list_; }

 private:
  postgres::TableList list_ = [] {
    postgres::TableList list{"shop", {}};
    list.tables.reserve(1000);  // What table() returns stays valid.
    return list;
  }();
};

}  // namespace cnx::mapping::testing
