// What a new owner writes into the position node about the source: by the owner of an epoch alone (apply/segments.hpp).
#pragma once

#include <string>

#include "apply/segments.hpp"

namespace cnx::apply {

// All block until `deadline`. Errors: those of the connection; ErrorKind::state where there is another owner.

// PostgreSQL has this epoch on disk: one that says an older one later was set back.
Status note_recorded_epoch(bolt::Connection& connection, const CopyOwner& owner, TimePoint deadline);

// The source goes on on another timeline, with the same log up to the position. Also names the database by its number where
// that was not known.
Status follow_source(bolt::Connection& connection, const CopyOwner& owner, const Source& source, TimePoint deadline);

// A gap lies between the position and the log that can be read: the position goes to `start`, where a new slot begins, and
// every table that is followed is to be read again and swept, for `reason`. In one transaction; what was under way of other
// copies is forgotten.
Status begin_again(bolt::Connection& connection, const CopyOwner& owner, const Source& source, change::Lsn start,
                   const std::string& reason, TimePoint deadline);

}  // namespace cnx::apply
