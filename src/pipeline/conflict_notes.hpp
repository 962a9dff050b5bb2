// What is told of a conflict, to whoever keeps account of them.
#pragma once

#include <string>
#include <string_view>

#include "change/ids.hpp"
#include "mapping/conflict_rule.hpp"
#include "postgres/quote.hpp"

namespace cnx::pipeline {

enum class ConflictOutcome {
  postgres,  // The row was written over what the graph had.
  graph,     // The graph keeps what it has.
  function,  // What the user's function said is written.
  waits,     // For a person.
  failed,    // The user's function failed: a dead letter.
};
constexpr std::string_view to_string(ConflictOutcome outcome) {
  switch (outcome) {
    case ConflictOutcome::postgres:
      return "postgres";
    case ConflictOutcome::graph:
      return "graph";
    case ConflictOutcome::function:
      return "function";
    case ConflictOutcome::waits:
      return "waits";
    case ConflictOutcome::failed:
      return "failed";
  }
  return "";
}

// A conflict may be told again where its batch is: its position, table and key say that it is the same.
struct ConflictNote {
  postgres::TableName table;
  std::string key;            // Of its node or relationship; two ends with a comma between. Not for the log.
  change::Position position;  // Where its batch ends, or before which it was decided.
  mapping::ConflictStrategy strategy = mapping::ConflictStrategy::postgres_wins;
  ConflictOutcome outcome = ConflictOutcome::postgres;
};

}  // namespace cnx::pipeline
