// contextnexus.dead_letters: rows that the graph refused, for the engine that passes them and for people who look at them. The
// engine's own writes come from the pipeline's owner alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/ids.hpp"
#include "mapping/mutation.hpp"
#include "postgres/session.hpp"
#include "record/held_rows.hpp"

namespace cnx::record {

// What the engine's role needs beside the tables' own columns.
inline constexpr const char* kDeadLettersTable = "contextnexus.dead_letters";
inline constexpr HeldTable kDeadLetters{.name = kDeadLettersTable, .open = "open", .asked = "retrying", .done = "applied"};

struct NewDeadLetter {
  mapping::RowKey key;
  change::Position position;   // 0/0: of a row that was copied.
  std::string correlation_id;  // Empty: none.
  std::string operation;
  std::string statement;
  std::string code;
  std::string reason;
  std::string values;  // JSON; empty: they are not kept.
};

// In one transaction, on disk when it returns. A key that has an open letter keeps it, and it is open (again) with this reason; so
// does a letter of the same position. Returns their ids. Blocks.
Result<std::vector<int64_t>> write_dead_letters(postgres::Session& session, const std::string& pipeline,
                                                const std::vector<NewDeadLetter>& letters, TimePoint deadline);

// The circuit breaker stopped the line at them. Blocks.
Status mark_stopped_line(postgres::Session& session, const std::vector<int64_t>& ids, TimePoint deadline);

struct DeadLetterFigures {
  int64_t open = 0;
  int64_t retrying = 0;
  int64_t held_changes = 0;
  int64_t stopped_line = 0;       // Open ones at which the circuit breaker stopped the line,
  std::string stopped_statement;  // and how they fail.
  std::string stopped_code;
};
Result<DeadLetterFigures> read_dead_letter_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline);
// Tables with an open letter behind which more changes than that are held. Blocks.
Result<std::vector<postgres::TableName>> read_held_back(postgres::Session& session, const std::string& pipeline, size_t changes_max,
                                                       TimePoint deadline);

// What a person looks for: all that is given must fit.
struct DeadLetterFilter {
  std::vector<std::string> ids;
  std::string table;  // "schema.table" or the name alone.
  std::string key;    // Its columns' values, joined by commas.
  std::string code;
  std::string since;  // A time as PostgreSQL reads it.
  bool closed = false;  // Those that ended as well.

  bool empty() const { return ids.empty() && table.empty() && key.empty() && code.empty() && since.empty(); }
};

struct DeadLetter {
  int64_t id = 0;
  std::string state;
  std::string table;  // schema.table
  std::vector<std::string> key_columns;
  std::vector<std::string> key_values;
  std::string position;  // "X/Y+n"; empty: it was copied.
  std::string correlation_id;
  std::string operation;
  std::string statement;
  std::string code;
  std::string reason;
  std::string values;  // JSON; empty: not kept.
  int64_t attempts = 0;
  int64_t held_changes = 0;
  bool stopped_line = false;
  std::string created_at;
  std::string updated_at;
  std::string closed_at;
  std::string closed_by;
};
// The oldest first. ErrorKind::server for a filter that PostgreSQL cannot read. Blocks.
Result<std::vector<DeadLetter>> find_dead_letters(postgres::Session& session, const std::string& pipeline,
                                                  const DeadLetterFilter& filter, size_t limit, TimePoint deadline);

// Open letters that fit: the running engine hears of it, and so does the audit where that is asked for. Return how many there were.
// Block.
Result<size_t> ask_for_retry(postgres::Session& session, const std::string& pipeline, const DeadLetterFilter& filter, bool audited,
                             TimePoint deadline);
Result<size_t> discard(postgres::Session& session, const std::string& pipeline, const DeadLetterFilter& filter, bool audited,
                       TimePoint deadline);

// On which the engine listens; the payload is the pipeline's name.
inline constexpr const char* kDeadLettersChannel = "contextnexus_dead_letters";

}  // namespace cnx::record
