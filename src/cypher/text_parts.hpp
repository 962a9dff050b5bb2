// What statement texts are put together from.
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
// "MATCH (variable:Label {key: value}) USING INDEX SEEK …".
std::string match_node(std::string_view variable, const mapping::NodeTable& table, std::string_view value);
// "MATCH (a)-[r:TYPE {_cnx_key: row.y}]->(b) USING INDEX SEEK …".
std::string match_own_key(const mapping::RelationshipTable& table);
// Continues statements that have bound a and b: binds r to each relationship between them, "-[r:TYPE]->" being its arrow. As
// a MATCH it might become a join of all that each end has.
std::string each_between(const std::string& arrow);
// A condition: the variable has the label ("p:`Label`"), and `condition`; never what a plan starts from.
std::string only_where(const std::string& label, const std::string& condition);
// An expression: the names as a list of strings.
std::string name_list(const std::set<std::string>& names);
// What a stub has: a node with no more is nobody's but ours.
std::set<std::string> stub_properties(const mapping::NodeTable& table);

// Continues a statement in which `variable` is bound to nodes that just lost a relationship of ours.
std::string drop_lonely_stubs(std::string_view variable, const std::set<std::string>& ours);
// " ON CREATE SET …" of a MERGE that may make a stub; `tenant` is an expression.
std::string on_create_stub(std::string_view variable, const mapping::NodeTable& table, std::string_view tenant);
// The expression of what an UPDATE writes, and the end of its statement that counts refused rows.
std::string guarded(std::string_view variable, std::string_view row, const std::string& version);
std::string count_refused(std::string_view variable, std::string_view row, const std::string& version);

}  // namespace cnx::cypher
