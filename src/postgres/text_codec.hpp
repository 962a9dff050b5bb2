// PostgreSQL's text of a value to the value that the graph takes: one codec a type (cases.md R1 to
// R3). The stream, COPY and every query print a value by the same output function under the same
// settings (R5), so one codec serves them all, also where a mapping asks for another form (`as: …`,
// text_forms.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "change/value.hpp"
#include "postgres/type_catalog.hpp"

namespace cnx::postgres {

enum class ValueForm : uint8_t {
  text,            // STRING, untouched.
  boolean,         // BOOLEAN.
  integer,         // INTEGER: int2, int4, int8, oid.
  whole_numeric,   // INTEGER: numeric(p,0) with p ≤ 18. NaN is unfit.
  floating,        // FLOAT, also NaN and infinities. float4: its text as a double, 0.1 stays 0.1.
  bytes,           // Bytes.
  money,           // STRING of the plain decimal: "-1234.56".
  date,            // DATE. Infinity is unfit.
  time,            // LOCAL TIME. 24:00:00 is unfit.
  time_with_zone,  // ZONED TIME. 24:00:00 is unfit.
  timestamp,       // LOCAL DATETIME. Infinity is unfit.
  timestamp_with_zone,  // ZONED DATETIME at Z. Infinity is unfit.
  interval,             // DURATION. Infinity (PostgreSQL 17) is unfit.
  list,  // LIST of `element`. Unfit: NULL inside, several dimensions, lower bounds other than 1, an
         // unfit element, and whatever is not empty where the graph has no list of such elements.
  // What a mapping asks for, whatever the column's type: text_forms.hpp says what is unfit.
  as_float,       // FLOAT.
  as_point,       // Cartesian POINT.
  as_vector,      // LIST of finite FLOATs, not empty.
  as_float_list,  // LIST of FLOAT.
  as_fields,      // Several properties, of a JSON object's fields.
};

// A value type, made once a column.
struct Codec {
  ValueForm form = ValueForm::text;
  ValueForm element = ValueForm::text;  // Of a list; of `as_float`: the column's own form.
  char delimiter = ',';                 // Of a list.
  friend bool operator==(const Codec&, const Codec&) = default;
};

// By the type and its modifier alone (R1); domains are taken off. ErrorKind::state: the catalog
// lacks the type and has to be read again.
Result<Codec> codec_for(const TypeCatalog& catalog, change::Oid type, int32_t type_modifier);

// The codec of a column whose own is `own`, where the mapping asks for `form`.
Codec codec_as(ValueForm form, const Codec& own);

// What `text` says, not NULL; change::Unfit where the graph's type cannot hold it. Pure; does not
// throw. malformed: not a text of that type under R5 (the message names the type, never the value).
Result<change::Value> decode(const Codec& codec, std::string_view text);

// Whether decode() can answer with Unfit: such a property has a companion (R3).
bool may_be_unfit(const Codec& codec);

// "timestamp with time zone", for messages.
std::string_view to_string(ValueForm form);

}  // namespace cnx::postgres
