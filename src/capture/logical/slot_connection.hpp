// The replication port over a real slot.
#pragma once

#include <optional>
#include <string>

#include "capture/logical/replication_port.hpp"
#include "capture/logical/source_check.hpp"
#include "postgres/options.hpp"

namespace cnx::capture {

struct SlotConnectionOptions {
  postgres::ConnectionOptions connection;
  HeldPosition source;  // Which source the slot belongs to; its position is given at each open().
  std::string publication;
};

// One thread.
class SlotConnection final : public ReplicationPort {
 public:
  explicit SlotConnection(SlotConnectionOptions options) : options_(std::move(options)) {}

  Result<Opened> open(change::Position held, TimePoint deadline) override;
  Result<std::optional<postgres::StreamMessage>> try_read() override { return stream_->try_read(); }
  Status send_status(const postgres::StatusUpdate& update) override {
    return stream_->send_status(update);
  }
  Status flush() override { return stream_->flush(); }
  int descriptor() const override { return stream_ ? stream_->fd() : -1; }
  bool wants_write() const override { return stream_ && stream_->wants_write(); }
  void close() override { stream_.reset(); }

 private:
  SlotConnectionOptions options_;
  std::optional<postgres::ReplicationStream> stream_;
};

}  // namespace cnx::capture
