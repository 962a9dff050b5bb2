// The text of a JSON object to its top-level members; what is below them stays text. Checks the grammar (RFC 8259), since a
// column of type text may hold anything.
//
//   object = ws "{" ws [ member *( "," member ) ] "}" ws      member = ws string ws ":" ws value ws
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnx::postgres {

struct JsonMember {
  std::string name;        // Decoded.
  std::string_view value;  // As it stands in the text, without white space around it.
};

// In the order of the text; a name may stand there twice (json keeps that, jsonb does not). nullopt: not the text of an
// object, or a name that UTF-8 cannot hold. Views into `text`.
std::optional<std::vector<JsonMember>> members_of_json_object(std::string_view text);

// What a JSON string with its quotes says, in UTF-8; nullopt where it holds half of a surrogate pair, which UTF-8 cannot.
std::optional<std::string> decode_json_string(std::string_view quoted);

}  // namespace cnx::postgres
