// A connection that reads the simulated slot: pgoutput bytes, keep-alives, and all that goes wrong on the way.
#pragma once

#include <deque>
#include <functional>

#include "capture/logical/replication_port.hpp"
#include "simulated_postgres.hpp"
#include "wire.hpp"

namespace cnx::simulation {

// The name that the write-back's transactions carry.
inline constexpr const char* kOwnOrigin = "contextnexus_history";

struct SlotOptions {
  Faults faults;
  Planted planted = Planted::nothing;
  // The source that the position is of, as the graph says it.
  capture::HeldPosition held;
  // Judges each confirmation as it is sent.
  std::function<void(const postgres::StatusUpdate&)> on_status;
};

class SimulatedSlot final : public capture::ReplicationPort {
 public:
  static constexpr int kDescriptor = 1001;

  SimulatedSlot(SimulatedPostgres& postgres, SlotOptions options) : postgres_(postgres), options_(std::move(options)) {}
  ~SimulatedSlot() override { close(); }

  Result<capture::Opened> open(change::Position held, TimePoint deadline) override;
  Result<std::optional<postgres::StreamMessage>> try_read() override;
  Status send_status(const postgres::StatusUpdate& update) override;
  Status flush() override { return {}; }
  int descriptor() const override { return kDescriptor; }
  bool wants_write() const override { return false; }
  void close() override;

  // poll(2) would say so.
  bool readable() const;
  void heal() {
    options_.faults.heal();
    silent_until_ = TimePoint::min();
  }
  // Status came more often than the server is to be bothered with.
  bool bothered() const { return bothered_; }

 private:
  bool unlucky() { return options_.faults.strikes(postgres_.random_, options_.faults.loss); }
  bool broken() const { return !open_ || incarnation_ != postgres_.incarnation_; }
  bool asks_again() const;
  void queue_transaction();
  void plant(std::vector<SourceChange>& changes);
  void describe(WireForm form);
  std::optional<postgres::StreamMessage> next_message();
  postgres::KeepAlive keep_alive(bool reply_requested);

  SimulatedPostgres& postgres_;
  SlotOptions options_;
  bool open_ = false;
  bool bothered_ = false;
  uint64_t incarnation_ = 0;
  std::optional<bool> described_;  // With, or without, the filler.
  size_t next_ = 0;                // The next transaction to be queued.
  std::deque<Bytes> queued_;
  change::Lsn told_;  // By the last keep-alive.
  bool answer_due_ = false;
  TimePoint asked_at_ = TimePoint::min();
  TimePoint status_at_ = TimePoint::min();
  TimePoint silent_until_ = TimePoint::min();
};

}  // namespace cnx::simulation
