// The position node: where the lane stands in the graph, and whose graph it is.
// `:ContextNexusPosition {key}`, written in the same Neo4j transaction as the data, first, as a
// compare-and-set (I2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apply/graph_port.hpp"
#include "bolt/connection.hpp"
#include "change/ids.hpp"

namespace cnx::apply {

// A later form of our marks gets a higher number, and an older binary refuses it.
constexpr int64_t kPositionFormat = 2;

// Which source the position belongs to (I2). A position of another source means nothing here.
struct Source {
  std::string system_identifier;
  int64_t timeline = 0;
  std::string database;
  int64_t database_oid = 0;  // 0: not known.
  std::string slot;
  std::string fingerprint;  // Of the mapping.
};

struct PositionNode {
  StoredPosition stored;
  Source source;
  int64_t commit_microseconds = 0;  // Of the newest transaction applied; 0: none yet.
  change::Lsn consistent_point;     // Of the slot that the copy was made with; 0/0: not copied yet.
  int64_t format = kPositionFormat;
  int64_t recorded_epoch = 0;       // The last one of which PostgreSQL has said that it is on disk there; 0: none.
};

// "<pipeline>/0": one lane.
std::string lane_key(std::string_view pipeline);

// What a record of one of our nodes holds: ErrorKind::state where it is not as this program writes it.
Result<int64_t> integer_of(const bolt::Value& value);
Result<std::string> text_of(const bolt::Value& value);

// All block until `deadline`. Errors: those of the connection; ErrorKind::unsupported for a format
// that is newer than ours.
Result<std::optional<PositionNode>> read_position(bolt::Connection& connection,
                                                  std::string_view lane, TimePoint deadline);
// Makes the node where there is none, in phase initial; leaves one that is there as it is.
Status make_position(bolt::Connection& connection, std::string_view lane, const Source& source,
                     TimePoint deadline);
// A new owner: raises the epoch and returns where the lane stands by then. A position that was read
// before is no start: the owner before may have had a transaction under way, which is waited for
// here. ErrorKind::state where there is no node. The new epoch is above `above`, too: that of an
// owner of whom a graph that was restored knows nothing.
Result<StoredPosition> raise_epoch(bolt::Connection& connection, std::string_view lane,
                                   TimePoint deadline, int64_t above = 0);
Status remove_position(bolt::Connection& connection, std::string_view lane, TimePoint deadline);

// {lane, lsn, text, system, timeline, database, databaseOid, slot, fingerprint, format}: what names a source, for a statement.
bolt::Map source_parameters(std::string_view lane, const Source& source, change::Lsn lsn);

// The compare-and-set that leads every transaction, and its parameters. It takes the node's lock
// first, so that a transaction still running from a lost connection is waited for; a missing node,
// another position or another epoch is a division by zero, which fails the transaction and with it
// the COMMIT that was already sent.
std::string_view compare_and_set_text();
Bytes compare_and_set_parameters(std::string_view lane, const Batch& batch, int64_t epoch);

}  // namespace cnx::apply
