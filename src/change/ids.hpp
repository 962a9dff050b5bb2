// PostgreSQL's numbers as strong types, and the position that orders everything (design: I2, R6).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/strong.hpp"

namespace cnx::change {

using Oid = Strong<struct OidTag, uint32_t>;
using Xid = Strong<struct XidTag, uint32_t>;

// A place in PostgreSQL's write-ahead log.
class Lsn : public Strong<struct LsnTag, uint64_t> {
 public:
  using Strong::Strong;
  // "X/Y" in hexadecimal, as PostgreSQL prints it; anything else is ErrorKind::malformed.
  static Result<Lsn> parse(std::string_view text);
  std::string to_string() const;
};

// What is at or below the stored position is applied. Compared as a pair, never by LSN alone:
//   (Commit's end_lsn, 0)   after a whole transaction
//   (final_lsn, n)          after the n-th row message of a transaction applied in pieces
//   (wal_end, 0)            after an idle advance
//   (0/0, n)                while rows that were there before are copied: n batches of them, for each lane of the copy
//   (consistent point, 0)   once they are, at the start of the stream
struct Position {
  Lsn lsn;
  uint64_t ordinal = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
  // "X/Y" or "X/Y+n".
  std::string to_string() const;
};

}  // namespace cnx::change

template <>
struct std::hash<cnx::change::Lsn> {
  std::size_t operator()(cnx::change::Lsn lsn) const { return std::hash<uint64_t>{}(lsn.value()); }
};
