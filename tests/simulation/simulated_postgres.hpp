// A PostgreSQL that emits pgoutput bytes from a list of transactions over one slot, and loses connections as its seed says.
#pragma once

#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "capture/logical/replication_port.hpp"

namespace cnx::simulation {

struct SimulatedRow {
  int64_t key;
  int64_t value;  // Unique over the whole history: what the graph must show once, in this order.
};

struct SimulatedTransaction {
  change::Lsn final_lsn;
  change::Lsn end_lsn;
  std::vector<SimulatedRow> rows;
};

// What survives every kill of the engine.
class SimulatedPostgres {
 public:
  // One table, `public.counted (id bigint, value bigint)`.
  static constexpr uint32_t kTable = 4711;

  // `close_lsns`: the next transaction's final_lsn equals this one's end_lsn (seen on real servers).
  void commit(std::vector<SimulatedRow> rows, bool close_lsns);
  // Log of other tables: only keep-alives speak of it.
  void write_elsewhere(uint64_t bytes) { wal_end_ = change::Lsn(wal_end_.value() + bytes); }

  const std::vector<SimulatedTransaction>& transactions() const { return transactions_; }
  change::Lsn wal_end() const { return wal_end_; }
  change::Lsn confirmed() const { return confirmed_; }
  void confirm(change::Lsn lsn) {
    if (lsn > confirmed_) confirmed_ = lsn;
  }

 private:
  std::vector<SimulatedTransaction> transactions_;
  change::Lsn wal_end_{1000};
  change::Lsn confirmed_{1000};
};

class SimulatedSlot final : public capture::ReplicationPort {
 public:
  // `on_confirm` judges each confirmation (I1). Chances of a lost connection are in per mille a call.
  SimulatedSlot(SimulatedPostgres& postgres, std::mt19937_64& random, int loss_per_mille,
                std::function<void(change::Lsn)> on_confirm)
      : postgres_(postgres), random_(random), loss_per_mille_(loss_per_mille), on_confirm_(std::move(on_confirm)) {}

  Result<capture::Opened> open(change::Position held, TimePoint deadline) override;
  Result<std::optional<postgres::StreamMessage>> try_read() override;
  Status send_status(const postgres::StatusUpdate& update) override;
  Status flush() override { return {}; }
  int descriptor() const override { return -1; }
  bool wants_write() const override { return false; }
  void close() override { open_ = false; }

 private:
  bool unlucky() { return static_cast<int>(random_() % 1000) < loss_per_mille_; }
  postgres::StreamMessage message(Bytes bytes) const;
  void queue_transaction(const SimulatedTransaction& transaction);

  SimulatedPostgres& postgres_;
  std::mt19937_64& random_;
  int loss_per_mille_;
  std::function<void(change::Lsn)> on_confirm_;
  bool open_ = false;
  bool described_ = false;
  size_t next_ = 0;
  change::Lsn told_;
  std::deque<Bytes> queued_;
};

}  // namespace cnx::simulation
