// A row that cannot be applied, as a dead letter will say it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "change/ids.hpp"
#include "mapping/mutation.hpp"

namespace cnx::apply {

// What a graph refused, and which of its statements it was.
struct Refusal {
  Error error{ErrorKind::internal, ""};
  std::string statement;  // Its name; empty: none, or the commit.
};

struct RefusedRow {
  mapping::RowKey key;
  change::Position position;  // Of its change. 0/0: it was copied.
  std::string operation;      // insert, update or copy; retry: it was read again.
  Refusal refusal;
  size_t after = 0;  // So many rows between it and the refused one before could be applied.
  // All of its columns as PostgreSQL printed them; nullopt inside is NULL. What was not told is not there. Never logged.
  std::vector<std::pair<std::string, std::optional<std::string>>> values;
};

// The code of a stage's failure where rows have to become dead letters before it can go on; they are with the stage.
constexpr std::string_view kRowsRefused = "rows refused";

}  // namespace cnx::apply
