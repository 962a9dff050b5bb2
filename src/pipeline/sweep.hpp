// Removes what is left over of a table in the graph: nodes or relationships that none of its rows makes any more.
#pragma once

#include "apply/table_states.hpp"
#include "pipeline/copy_rounds.hpp"
#include "pipeline/table_keys.hpp"

namespace cnx::pipeline {

// All block, and may be repeated. Nobody else writes meanwhile: between two passes, by the owner.

// Holds the graph's keys against the table's, and those of tables beside it (tables_beside): what no row has goes. Of a table
// that is not there any more, all that is not another's. `source`: the snapshot under which the table was copied; none: one
// of its own. With a table beside it that is held nothing is removed, since its rows are not known.
Status sweep_table(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                   const apply::TableState& state, const std::optional<KeySource>& source);

// Of a table that is followed, and of which rows may have gone without a message: the graph is older than any snapshot, and a key
// that no row has now may be one that the stream is still to remove, or to change. So it is looked at twice.
struct GoneRows {
  // 16 MB. More are found when these are removed.
  static constexpr size_t kMost = 1'000'000;
  std::vector<KeyDigest> keys;  // Sorted. Of the graph's, those that no row has.
  // Once the position is here nothing of the stream is about these rows any more: what of them still has no row is removed.
  change::Lsn until;
};
Result<GoneRows> find_gone_rows(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                                const apply::TableState& state);
Status remove_gone_rows(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                        const apply::TableState& state, const GoneRows& gone);

// As for_each_slice of table_keys.hpp, until a stop is asked for. `source`: none is a snapshot of its own.
Status for_each_slice(CopyContext& context, const std::vector<const postgres::Table*>& tables,
                      const std::optional<KeySource>& source, const std::function<Status(const TableKeys&)>& work);

}  // namespace cnx::pipeline
