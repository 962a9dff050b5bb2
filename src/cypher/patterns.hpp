// The parts of which the texts are made. Private to cypher/.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "mapping/model.hpp"

namespace cnx::cypher {

inline constexpr std::string_view kStub = "_cnx_stub";

// `body` led by the language of our texts, so that a server whose default is another reads them
// alike.
std::string text(std::string body);

// "(n:`Child` {`id`: row[0]})".
std::string node_pattern(std::string_view variable, const mapping::NodeTable& table,
                         std::string_view value);

// "<-[r:`HAS`]-", from the child's side; `variable` may be empty.
std::string arrow(std::string_view variable, const mapping::ForeignKey& key);

// " ON CREATE SET p.`_cnx_stub` = true, p.`tenant` = row[1]".
std::string on_create_stub(std::string_view variable, const mapping::NodeTable& table,
                           std::string_view tenant);

// What a stub of the table has of ours.
std::set<std::string> stub_properties(const mapping::NodeTable& table);

// Continues a statement in which `variable` is bound to nodes that just lost a relationship of
// ours: a stub goes with its last relationship, unless somebody else's properties hang on it.
std::string drop_lonely_stubs(std::string_view variable, const std::set<std::string>& ours);

}  // namespace cnx::cypher
