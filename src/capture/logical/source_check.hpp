// Do the position in the graph and the slot in PostgreSQL belong together (I9)? Asked at start and
// at every connect.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "change/ids.hpp"
#include "postgres/replication.hpp"
#include "postgres/slot.hpp"

namespace cnx::capture {

struct HeldPosition {
  change::Position position;
  // The source that it belongs to.
  std::string system_identifier;
  int64_t timeline = 0;
  std::string database;
  std::string slot;
};

// Pure. ErrorKind::state says which of the two is not as it should be, with the cures; nothing may
// move until a person has chosen one.
Status check_source(const HeldPosition& held, const postgres::SystemIdentity& system,
                    const std::optional<postgres::SlotState>& slot);

}  // namespace cnx::capture
