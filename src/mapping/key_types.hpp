// Types whose text is a key as it stands (R4): integers, uuid, text, varchar.
#pragma once

#include "change/ids.hpp"

namespace cnx::mapping {

inline bool is_integer_key(change::Oid type) {
  constexpr uint32_t kInt8 = 20, kInt2 = 21, kInt4 = 23;
  return type.value() == kInt2 || type.value() == kInt4 || type.value() == kInt8;
}

inline bool is_plain_key(change::Oid type) {
  constexpr uint32_t kText = 25, kVarchar = 1043, kUuid = 2950;
  return is_integer_key(type) || type.value() == kText || type.value() == kVarchar ||
         type.value() == kUuid;
}

}  // namespace cnx::mapping
