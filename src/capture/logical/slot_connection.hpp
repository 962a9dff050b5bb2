// The replication port over a real slot.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "capture/logical/replication_port.hpp"
#include "capture/logical/source_state.hpp"
#include "postgres/options.hpp"

namespace cnx::capture {

struct SlotConnectionOptions {
  postgres::ConnectionOptions connection;
  HeldPosition source;  // Which source the slot belongs to; its position is given at each open().
  std::string publication;
  // Asked where somebody else reads the slot: may end him where he is one of ours that was left behind. May be empty.
  std::function<void(postgres::Session&, TimePoint deadline)> free_slot;
};

// An error's code: PostgreSQL failed over and nothing was lost, but the position has to say so before the stream goes on.
inline constexpr const char* kFailedOver = "failed over";

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
  Status check(change::Position held, const postgres::SystemIdentity& system,
               const std::optional<postgres::SlotState>& slot, int server_version) const;

  SlotConnectionOptions options_;
  std::optional<postgres::ReplicationStream> stream_;
};

}  // namespace cnx::capture
