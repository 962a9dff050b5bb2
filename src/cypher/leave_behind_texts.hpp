// The texts of what stays behind where nodes take other keys. Private to cypher/.
#pragma once

#include "cypher/texts.hpp"

namespace cnx::cypher {

// Of NodeTexts; each for one of the table's `staying`.
Text leave_behind_text(const mapping::NodeTable& table, const mapping::Reference& reference);
// Of NodeRemovalTexts.
Text leave_behind_in_pieces_text(const mapping::NodeTable& table, const mapping::Reference& reference);
Text left_size_text(const mapping::NodeTable& table, const mapping::Reference& reference);

}  // namespace cnx::cypher
