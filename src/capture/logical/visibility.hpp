// Which transactions a snapshot sees, as pg_current_snapshot() prints it: "xmin:xmax:xip,xip,…". Never judged by an LSN:
// the order of commits is not the order in which they become visible. No I/O.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/ids.hpp"

namespace cnx::capture {

class SnapshotVisibility {
 public:
  // ErrorKind::malformed for a text that PostgreSQL does not print.
  static Result<SnapshotVisibility> parse(std::string_view text);

  // `xid`: of a top-level transaction, as Begin gives it. It lacks the epoch, which the snapshot knows: between two
  // transactions that one slot can bring lie fewer than 2^31, since the slot holds the catalog's horizon.
  bool sees(change::Xid xid) const;

 private:
  uint64_t xmin_ = 0;  // All below had ended.
  uint64_t xmax_ = 0;  // None from here on had.
  std::vector<uint64_t> running_;  // Between them, ascending.
};

}  // namespace cnx::capture
