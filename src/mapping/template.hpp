// Property templates: text with columns in braces.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "mapping/rules.hpp"

namespace cnx::mapping {

// "s3://{storage_key}" → the parts; `{{` and `}}` are braces themselves. Else what is wrong, in
// words.
tl::expected<Template, std::string> parse_template(std::string_view text);

}  // namespace cnx::mapping
