// A PostgreSQL that emits pgoutput bytes from a list of transactions over one slot, and fails as
// its seed says: lost connections, a crash that forgets the last confirmations, a shutdown that
// waits for whoever reads.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "capture/logical/replication_port.hpp"
#include "capture/logical/source_state.hpp"
#include "source_model.hpp"

namespace cnx::simulation {

// What survives every kill of the engine.
class SimulatedPostgres {
 public:
  // `public.counted (id bigint, value bigint)`, mapped, and a table that is not.
  static constexpr uint32_t kTable = 4711;
  static constexpr uint32_t kElsewhere = 4712;

  explicit SimulatedPostgres(Random& random) : random_(random), skips_empty_(once_in(random, 2)) {}

  // A transaction of so many changes. `close`: its commit record begins where the one before it
  // ends.
  void commit(size_t changes, bool close);
  // Log of other tables: only keep-alives speak of it.
  void write_elsewhere(uint64_t bytes) { wal_end_ = change::Lsn(wal_end_.value() + bytes); }
  // Makes the slot anew: a copy of `rows()` as of its consistent point goes with it.
  change::Lsn make_slot();
  // A snapshot, as a new session would take it: of the last transactions some have committed in the log and are not visible
  // yet.
  struct Snapshot {
    std::string text;
    Rows rows;
    change::Lsn seen_until;
  };
  Snapshot take_snapshot();
  bool truncated_since_slot() const;
  // Whether the transaction (by its number in transactions()) was visible in that snapshot, as it was taken.
  bool saw(const std::string& snapshot, size_t transaction) const {
    return taken_.at(snapshot).contains(transaction);
  }
  size_t slot_made_after() const { return slot_made_after_; }
  void confirm(change::Lsn lsn);
  // The slot is written to disk now and then: a crash forgets what was confirmed since.
  void crash();
  // A shutdown: the server waits until all it sent is confirmed, or nobody reads any more.
  void begin_stop() { stopping_ = true; }

  const std::vector<SimulatedTransaction>& transactions() const { return transactions_; }
  const Rows& rows() const { return rows_; }
  change::Lsn wal_end() const { return wal_end_; }
  change::Lsn confirmed() const { return confirmed_; }

  TimePoint now{};

 private:
  friend class SimulatedSlot;

  Random& random_;
  bool skips_empty_;  // Since PostgreSQL 15 a transaction without rows of ours is not spoken of.
  std::vector<SimulatedTransaction> transactions_;
  size_t slot_made_after_ = 0;  // So many transactions.
  std::map<std::string, std::set<size_t>> taken_;
  Rows rows_;
  int64_t last_value_ = 0;
  change::Lsn wal_end_{1000};
  change::Lsn confirmed_{1000};
  change::Lsn on_disk_{1000};
  bool stopping_ = false;
  uint64_t incarnation_ = 0;  // Connections of an older one are broken.
  const void* reader_ = nullptr;
  int refusals_ = 0;  // So many more connections are refused.
};

class SimulatedSlot final : public capture::ReplicationPort {
 public:
  static constexpr int kDescriptor = 1001;

  // `on_status` judges each confirmation as it is sent. Chances of a lost connection are in per
  // mille a call.
  SimulatedSlot(SimulatedPostgres& postgres, int loss_per_mille,
                std::function<void(change::Lsn)> on_status)
      : postgres_(postgres), loss_per_mille_(loss_per_mille), on_status_(std::move(on_status)) {}
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
  void heal() { loss_per_mille_ = 0; }

  // The source that every engine of a history belongs to.
  static capture::HeldPosition source();

 private:
  bool unlucky() { return static_cast<int>(postgres_.random_() % 1000) < loss_per_mille_; }
  bool broken() const { return !open_ || incarnation_ != postgres_.incarnation_; }
  bool asks_again() const;
  void queue_transaction();
  Bytes bytes_of(const SimulatedChange& change) const;
  void describe();
  std::optional<postgres::StreamMessage> next_message();
  postgres::KeepAlive keep_alive(bool reply_requested);

  SimulatedPostgres& postgres_;
  int loss_per_mille_;
  std::function<void(change::Lsn)> on_status_;
  bool open_ = false;
  uint64_t incarnation_ = 0;
  bool described_ = false;
  size_t next_ = 0;  // The next transaction to be queued.
  std::deque<Bytes> queued_;
  change::Lsn told_;  // By the last keep-alive.
  bool answer_due_ = false;
  TimePoint asked_at_ = TimePoint::min();
  TimePoint status_at_ = TimePoint::min();
};

}  // namespace cnx::simulation
