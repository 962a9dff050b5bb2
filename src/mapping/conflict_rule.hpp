// What is done where an UPDATE meets what somebody else wrote in the graph, as a mapping says it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/quote.hpp"

namespace cnx::mapping {

enum class ConflictStrategy {
  postgres_wins,    // The row is written over it.
  graph_wins,       // The graph keeps what it has.
  last_write_wins,  // The later one of two timestamps.
  refetch,          // The row is read again, and written as it is now.
  manual,           // The graph keeps what it has until a person has chosen.
  custom,           // A function in PostgreSQL says what is written.
  configured,       // Another of these, which a table in PostgreSQL names for the row.
};

inline constexpr std::array kConflictStrategies = {
    std::string_view("postgres_wins"), std::string_view("graph_wins"), std::string_view("last_write_wins"),
    std::string_view("refetch"),       std::string_view("manual"),     std::string_view("custom"),
    std::string_view("configured")};
// None where the mapping language has no such word.
std::optional<ConflictStrategy> find_conflict_strategy(std::string_view word);
std::string_view to_word(ConflictStrategy strategy);

// Where the strategy of `configured` is looked up: the row of `table` whose columns `by` are those of the row in question. NULL in one
// of them stands for every value; the row with the fewest NULLs counts. Without any: postgres_wins.
struct ConflictLookup {
  postgres::TableName table = {};
  std::string column = {};      // That names the strategy.
  std::vector<std::string> by = {};  // Columns of both tables; of a row whose table lacks one, NULL alone fits.
};

// It changes nothing of what is written where nobody else writes, and so is no part of the fingerprint.
struct ConflictRule {
  ConflictStrategy strategy = ConflictStrategy::postgres_wins;
  std::string timestamp_column = {};       // Of last_write_wins, also where that is configured.
  postgres::TableName function = {};       // Of custom, likewise.
  ConflictLookup lookup = {};              // Of configured.
  bool detects_changes = false;            // Also what was changed beside the version: the old row is compared with the graph.
  int line = 0;                            // Where the mapping file says it; 0: nowhere.
};

// What the statement of an UPDATE does about a conflict.
enum class Guard {
  none,       // Nothing could be found: there is no version, and no comparison.
  overwrite,  // Writes, and reports it.
  latest,     // Writes where the row's timestamp is not older, and reports it.
  keep,       // Writes nothing, and reports it.
  decide,     // Fails the transaction: it is decided outside, and tried again.
};
Guard guard_of(ConflictStrategy strategy);

}  // namespace cnx::mapping
