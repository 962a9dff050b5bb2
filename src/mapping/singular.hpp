// The singular of an English word, for labels: customers → customer. What it does not know to be a
// plural stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace cnx::mapping {

// `word` in small letters; others come back unchanged. A word that is singular already (status,
// address, series) does too.
std::string singular(std::string_view word);

}  // namespace cnx::mapping
