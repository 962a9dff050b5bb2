// How the columns of a key become one value in the graph (R4): one column of an integer type, uuid,
// text or varchar is the key as it stands, under its own property; any other key is one text under
// `_cnx_key`. What PostgreSQL holds equal is one key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postgres/catalog.hpp"
#include "postgres/type_catalog.hpp"

namespace cnx::mapping {

inline constexpr std::string_view kKeyProperty = "_cnx_key";

enum class KeyForm {
  integer,  // int2, int4, int8.
  plain,    // uuid, text, varchar: equal where the text is.
  trimmed,  // char(n): equal without the spaces that fill it up.
  folded,   // citext: equal in lower case.
  number,   // numeric, float4, float8: equal without trailing zeros and without the sign of zero.
  printed,  // Any other type: by the text that PostgreSQL prints under R5.
};

// Of a type with its domains taken off.
KeyForm key_form(change::Oid base_type, std::string_view base_type_name);
KeyForm key_form(const postgres::TableColumn& column);
// Of a column that is no key in PostgreSQL, and names a node that rows share: a text of any length, which no index takes as it
// stands, is `printed`.
KeyForm shared_key_form(const postgres::TableColumn& column);
// ErrorKind::state: the catalog lacks the type and has to be read again.
Result<KeyForm> key_form(const postgres::TypeCatalog& types, change::Oid type);

// Whether a column may hold the key of another table's: a foreign key may lead from an integer to a numeric, and a key that is
// an integer in the graph is found by one.
bool may_lead_to(KeyForm mine, KeyForm theirs);

// Whether a key of these columns is kept under the column's own property.
bool is_single(const std::vector<KeyForm>& forms);

// What is one for all texts that PostgreSQL holds equal in a key column of that form.
std::string canonical(KeyForm form, std::string_view text);
// The text under `_cnx_key`: each column as `length:text`, the length in bytes, in the key's order;
// from 1 kB on `sha256:` and its digest, since an index takes 8 kB. As many texts as forms.
std::string key_text(const std::vector<KeyForm>& forms, const std::vector<std::string_view>& texts);

}  // namespace cnx::mapping
