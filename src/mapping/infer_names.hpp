// From the names of a database to those of a graph: labels, relationship types, and what a column's
// name says. Pure; knows no table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postgres/quote.hpp"

namespace cnx::mapping {

// The words of a name in small ASCII letters: order_details, OrderDetails and "Order Details" are
// [order, details]. A name with other signs in it is one word, as it stands; none is empty.
std::vector<std::string> words_of(std::string_view name);

// The same with each word in the singular: what two spellings of one thing have in common.
std::vector<std::string> normal_words(std::string_view name);

// order_details → OrderDetail. Lawful: no name of the engine's.
std::string label_of(std::string_view table);
// The same without the singular, for a schema's name before a label: sales_eu → SalesEu.
std::string pascal_case(std::string_view name);

// order_details → ORDER_DETAIL; the last word in the singular.
std::string type_of_table(std::string_view table);
// created_by → CREATED_BY.
std::string upper_snake(std::string_view name);
std::string upper_snake(const std::vector<std::string>& words);

// HAS_CUSTOMER of customer; REPORTS_TO of reports_to, since that is a phrase already.
std::string type_of_base(std::string_view base);

// customer_id → customer. `prefix` is what all columns of the table begin with ("m_"); it goes too.
// Empty where nothing is left (id).
std::string base_of_column(std::string_view column, std::string_view prefix);

// "m_" where every name begins with it and there are several names; else empty.
std::string shared_prefix(const std::vector<std::string>& columns);

// Whether a name is one of those that the engine keeps: `_cnx_…`, `…__pg`.
bool belongs_to_engine(std::string_view name);
// `name`, or what is nearest to it and not the engine's.
std::string lawful(std::string name);

// A name for an SQL statement that a person is to run: in quotes only where it has to be.
std::string sql_name(const std::string& name);
std::string sql_name(const postgres::TableName& table);

// Control characters: a mapping file cannot say such a name.
bool is_sayable(std::string_view name);

// Whether a column's name and type look like a secret. `beside_password`: the table also has a
// column for a password, so that a plain `hash` is one of that.
bool looks_secret(std::string_view column, unsigned type_oid, bool beside_password);

}  // namespace cnx::mapping
