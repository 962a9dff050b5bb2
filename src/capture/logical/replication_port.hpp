// What logical capture needs of PostgreSQL: the slot's stream from a position on, and a way to say
// what is durable. Implemented over a real slot (slot_connection) and, for simulation, over
// pgoutput bytes from a model.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/replication.hpp"

namespace cnx::capture {

struct Opened {
  Duration status_interval{};  // How often status must flow: a quarter of wal_sender_timeout.
  change::Lsn confirmed;       // The slot's: every transaction whose commit stands there or behind it comes.
};

// One thread.
class ReplicationPort {
 public:
  virtual ~ReplicationPort() = default;

  // Connects, checks that the source is the one that `held` belongs to and that its slot is not
  // beyond it (I9), and starts the stream. Blocks until `deadline` at most. ErrorKind::state where
  // the two sides do not fit together.
  virtual Result<Opened> open(change::Position held, TimePoint deadline) = 0;
  virtual Result<std::optional<postgres::StreamMessage>> try_read() = 0;
  virtual Status send_status(const postgres::StatusUpdate& update) = 0;
  virtual Status flush() = 0;
  virtual int descriptor() const = 0;
  virtual bool wants_write() const = 0;
  virtual void close() = 0;
};

}  // namespace cnx::capture
