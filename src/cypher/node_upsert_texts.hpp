// The texts that write a table's nodes: of rows as maps, whatever they hold, and of rows as lists, which name their columns. Private to
// cypher/.
#pragma once

#include "cypher/list_rows.hpp"
#include "cypher/texts.hpp"
#include "mapping/model.hpp"

namespace cnx::cypher {

Text insert_text(const mapping::NodeTable& table);
Text insert_linked_text(const mapping::NodeTable& table, const mapping::ForeignKey& key);
NodeUpdateTexts update_texts(const mapping::NodeTable& table, mapping::Guard guard);

// The same where takes_lists(). rows [k, columns…]; in the groups of `listed_insert_linked` too.
std::string listed_upsert(const mapping::NodeTable& table, mapping::Guard guard, const Columns& columns);
std::string listed_insert_linked(const mapping::NodeTable& table, const mapping::ForeignKey& key, const Columns& columns);
// rows [k, n, o of each foreign key, m of each where one of them is shared, columns…].
std::string listed_update_linked(const mapping::NodeTable& table, mapping::Guard guard, const Columns& columns);

// Whether a foreign key's other end is a node that rows share: it is made with more than its key.
bool has_shared_ends(const mapping::NodeTable& table);

}  // namespace cnx::cypher
