// What the statement texts of several files are put together from. Private to cypher/.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "mapping/model.hpp"

namespace cnx::cypher {

// The statement in the language that all texts are in.
std::string text(std::string body);
// "(variable:Label {key: value})".
std::string node_pattern(std::string_view variable, const mapping::NodeTable& table,
                         std::string_view value);
// An expression: the names as a list of strings.
std::string name_list(const std::set<std::string>& names);
// What a stub has: a node with no more is nobody's but ours.
std::set<std::string> stub_properties(const mapping::NodeTable& table);

}  // namespace cnx::cypher
