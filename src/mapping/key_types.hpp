// Types whose text is a key as it stands (R4): integers, uuid, text, varchar. By the oid of
// pg_catalog's types, which is the same in every server.
#pragma once

#include "change/ids.hpp"

namespace cnx::mapping {

inline constexpr uint32_t kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kVarchar = 1043,
                          kUuid = 2950;

inline bool is_integer_type(change::Oid type) {
  return type.value() == kInt2 || type.value() == kInt4 || type.value() == kInt8;
}
inline bool is_key_type(change::Oid type) {
  return is_integer_type(type) || type.value() == kText || type.value() == kVarchar ||
         type.value() == kUuid;
}

}  // namespace cnx::mapping
