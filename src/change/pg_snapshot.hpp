// PostgreSQL's pg_snapshot: which transactions a read has seen. What the stream tells later of one
// that is visible in it, the row that was read already shows (design: I4). LSNs are never compared
// for this: commit order is not visibility order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/ids.hpp"

namespace cnx::change {

// A value; immutable once parsed, any thread.
class PgSnapshot {
 public:
  // Sees nothing.
  PgSnapshot() = default;
  // "xmin:xmax:xip,xip,…", as pg_current_snapshot() prints it: 64-bit transaction ids, epoch
  // included. ErrorKind::malformed for anything else.
  static Result<PgSnapshot> parse(std::string_view text);
  std::string to_string() const;

  // Whether the read saw a *committed* transaction. The stream's 32-bit id is taken as the one
  // nearest to the snapshot, which is right while the two are less than 2^31 transactions apart;
  // PostgreSQL lets no ids live longer.
  bool sees(Xid xid) const;

  friend bool operator==(const PgSnapshot&, const PgSnapshot&) = default;

 private:
  uint64_t xmin_ = 0;
  uint64_t xmax_ = 0;
  std::vector<uint64_t> running_;  // Sorted; each within [xmin, xmax).
};

}  // namespace cnx::change
