// Whether text may be sent: Neo4j stores invalid UTF-8 in silence (seen on 5.26), so it is refused
// on this side.
#pragma once

#include <string_view>

namespace bolt {

// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong form, no surrogate, nothing above
// U+10FFFF. NUL is allowed.
bool is_utf8(std::string_view text);

}  // namespace bolt
