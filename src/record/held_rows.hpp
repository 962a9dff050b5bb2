// Rows that the graph goes on without until a person has settled them, and the changes that are held behind them: what dead
// letters and conflicts have in common, in the table of either. The engine's own writes come from the pipeline's owner alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/ids.hpp"
#include "mapping/mutation.hpp"
#include "postgres/session.hpp"

namespace cnx::record {

// A table of them, and what it calls their states; one that ended without having been settled is `superseded` in each.
struct HeldTable {
  const char* name;
  const char* open;
  const char* asked;  // A person wants the row in the graph, as it is then.
  const char* done;   // It is.
};

// By which a row is found whatever its key's length.
std::string digest_of(const mapping::RowKey& key);
// "{1,2}", as an array of bigint.
std::string ids_text(const std::vector<int64_t>& ids);
Result<change::Position> position_of(const postgres::Rows& rows, size_t row, size_t column);

struct HeldRow {
  int64_t id = 0;
  mapping::RowKey key;
  change::Position position;
  bool retrying = false;
  bool lasting = false;  // No removal ends it; dead letters alone have it.
  change::Lsn retry_at;  // Where the graph has to be for that.
  uint64_t attempts = 1;
  uint64_t held_changes = 0;
  change::Position held_until;
  std::optional<change::Position> ended;  // Met by this process.
};
// Those that have not ended. Blocks.
Result<std::vector<HeldRow>> read_held(postgres::Session& session, const HeldTable& table, const std::string& pipeline, TimePoint deadline);

struct HeldNews {
  int64_t id = 0;
  uint64_t held_changes = 0;  // More, up to `held_until`.
  change::Position held_until;
  std::optional<change::Position> ended;
};
Status add_news(postgres::Session& session, const HeldTable& table, const std::vector<HeldNews>& news, TimePoint deadline);

// Of those that ended at or below the position. Blocks.
Status supersede_ended(postgres::Session& session, const HeldTable& table, const std::string& pipeline, change::Position reached, TimePoint deadline);
// All of these tables: they are read anew. Blocks.
Status supersede_tables(postgres::Session& session, const HeldTable& table, const std::string& pipeline, const std::vector<postgres::TableName>& tables,
                        TimePoint deadline);
// The rows are in the graph. Blocks.
Status mark_applied(postgres::Session& session, const HeldTable& table, const std::vector<int64_t>& ids, TimePoint deadline);

}  // namespace cnx::record
