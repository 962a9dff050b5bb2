// One name for a change (or for a whole transaction) that every stage, log line, dead letter and audit row uses, and that a
// replay gives again.
#pragma once

#include <string>
#include <string_view>

#include "change/ids.hpp"

namespace cnx::change {

// A UUID of version 5 (RFC 9562 §5.5) from the cluster's system identifier, the database and the position, in the usual
// text form. The slot is not part of it: one made anew sends the same changes. A row's position is (final_lsn, its number),
// so its change has one id; (final_lsn, 0) names the transaction as a whole.
std::string correlation_id(std::string_view system_identifier, std::string_view database, const Position& position);

// Whose positions they are.
struct CorrelationSource {
  std::string system_identifier;  // Empty: not known, and nothing has an id.
  std::string database;
};
// Empty where the source is not known, or the position is of a copy (0/0): its rows have none. A batch has the id of the position
// where it ends, which is no row's but where the batch is a piece of a transaction: then it is its last row's.
std::string correlation_id(const CorrelationSource& source, const Position& position);

}  // namespace cnx::change
