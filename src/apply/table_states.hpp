// What the graph remembers of each mapped table, `(:ContextNexusTable {key: "<pipeline>/<schema>.<table>"})`: as what its
// rows were read, what of them stands in the graph, and whether they are followed. Changed only by the pipeline's owner.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apply/segments.hpp"
#include "postgres/quote.hpp"

namespace cnx::apply {

struct TableState {
  enum class State {
    streaming,  // Its changes are applied.
    copying,    // Its rows are being read again; its changes are, where that read has not seen them.
    held,       // Its changes pass by; it is copied anew when it is released.
  };
  postgres::TableName name;
  State state = State::streaming;
  std::string reason;  // Why it is held, or read again.
  std::string advice;
  std::string since;   // A position: from there on.
  std::string shape;   // As pipeline/table_shape writes it.
  std::string rule;    // A hash of the mapping's rule.
  std::string form;    // As pipeline/graph_form writes it.
  // Names that its nodes or relationships may have, but the key's.
  std::vector<std::string> properties;
  std::vector<std::string> field_prefixes;  // And those that begin so: of flattened ones.
  // What no column makes any more of both; it is taken off once the position is here. 0/0: nothing waits.
  std::vector<std::string> stale_properties;
  std::vector<std::string> stale_prefixes;
  change::Lsn due;
  // What no row makes is to be removed: with the end of its copy; of a table that is gone, as soon as nothing is under way; of
  // one that is followed, when the position is at `due`.
  bool sweep = false;
  friend bool operator==(const TableState&, const TableState&) = default;
};

std::string_view to_string(TableState::State state);

// All block until `deadline`. Errors: those of the connection; ErrorKind::state for a node that is not as this program
// writes it.
Result<std::vector<TableState>> read_table_states(bolt::Connection& connection, std::string_view pipeline,
                                                  TimePoint deadline);
// These in the place of all that is there, and the mapping's fingerprint in the position. As the owner: ErrorKind::state
// where there is a new one.
Status write_table_states(bolt::Connection& connection, const CopyOwner& owner, const std::vector<TableState>& states,
                          const std::string& fingerprint, TimePoint deadline);
// There is no more pipeline: whoever asks.
Status remove_table_states(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline);

}  // namespace cnx::apply
