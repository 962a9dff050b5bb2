// The simulated PostgreSQL: its log of transactions, its slot, what its snapshots see, the dead letters that the engine keeps
// there. What survives every kill of the engine; simulated_slot.hpp is a connection that reads the slot.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "capture/logical/source_state.hpp"
#include "change/segment.hpp"
#include "mapping/mutation.hpp"
#include "workload.hpp"

namespace cnx::simulation {

// A row of contextnexus.dead_letters.
struct Letter {
  mapping::RowKey key;
  change::Position since;
  std::optional<change::Position> ended;  // The row is gone by then.
};

class SimulatedPostgres {
 public:
  SimulatedPostgres(Random& random, References references);

  // A transaction of about so many commands. `close`: its commit record begins where the one before it ends.
  void commit(size_t commands, bool close, bool poison);
  // The write-back's: it changes nothing that the graph shows.
  void commit_own(bool close);
  // Log of other tables: only keep-alives speak of it.
  void write_elsewhere(uint64_t bytes) { wal_end_ = change::Lsn(wal_end_.value() + bytes); }
  // ALTER TABLE counted ADD, or DROP, COLUMN filler.
  void alter() { has_filler_ = !has_filler_; }
  void confirm(change::Lsn lsn);
  // The slot is written to disk now and then: a crash forgets what was confirmed since.
  void crash();
  // A shutdown: the server waits until all it sent is confirmed, or nobody reads any more.
  void begin_stop() { stopping_ = true; }

  // Makes the slot anew, at the log's end; rows that no graph takes are mended before, and their letters are done with.
  change::Lsn make_slot();
  // What a person, or an accident, does to it.
  void lose_slot() { break_off(); slot_.wal_status = "lost"; }
  void drop_slot() { break_off(); slot_is_there_ = false; }
  void recreate_slot();
  void replace_cluster() { break_off(); ++system_identifier_; }
  uint64_t system_identifier() const { return system_identifier_; }
  // As a backup of that moment, restored.
  struct Image;
  Image image() const;
  void restore(const Image& image);

  // A snapshot, as a new session would take it: of the last transactions some have committed in the log and are not visible yet.
  struct Snapshot {
    std::string text;
    Tables rows;
    change::Lsn seen_until;
  };
  Snapshot take_snapshot();
  bool truncated_since_slot() const;
  // Whether the transaction (by its number in transactions()) was visible in that snapshot, as it was taken.
  bool saw(const std::string& snapshot, size_t transaction) const { return taken_.at(snapshot).contains(transaction); }

  // All that a start, and each connect, asks before anything moves.
  capture::SourceFacts facts(const capture::HeldPosition& held) const;
  void record_epoch(int64_t epoch) { record_.epoch = epoch; }
  // The engine's own writes come from the pipeline's owner alone.
  bool is_owner(int64_t epoch) const { return record_.epoch == epoch; }

  // Unique by key while it is open.
  void write_letter(const Letter& letter);
  void end_letter(const mapping::RowKey& key, change::Position at);
  const std::vector<Letter>& letters() const { return letters_; }

  const std::vector<postgres::Table>& tables() const { return catalog_; }
  References references() const { return references_; }
  const std::vector<SourceTransaction>& transactions() const { return transactions_; }
  const Tables& rows() const { return rows_; }
  change::Lsn wal_end() const { return wal_end_; }
  change::Lsn confirmed() const { return *slot_.confirmed_flush; }
  size_t slot_made_after() const { return slot_made_after_; }

  TimePoint now{};

 private:
  friend class SimulatedSlot;

  void write(std::vector<SourceChange> changes, bool close);
  void break_off() { ++incarnation_; reader_ = nullptr; }
  std::optional<std::set<std::string>> touched(const SourceTransaction& transaction) const;

  Random& random_;
  const References references_;
  const std::vector<postgres::Table> catalog_;
  const bool skips_empty_;    // Since PostgreSQL 15 a transaction without rows of ours is not spoken of.
  const bool full_identity_;  // REPLICA IDENTITY FULL.
  Workload workload_;
  std::vector<SourceTransaction> transactions_;
  Tables rows_;
  bool has_filler_ = true;
  change::Lsn wal_end_{1000};
  uint64_t system_identifier_ = 77;
  postgres::SlotState slot_;
  bool slot_is_there_ = true;
  size_t slot_made_after_ = 0;  // So many transactions.
  change::Lsn on_disk_{1000};
  capture::SourceRecord record_;
  std::vector<Letter> letters_;

  std::map<std::string, std::set<size_t>> taken_;  // What each snapshot saw.
  std::set<size_t> visible_;                       // What any did: it stays so.
  bool stopping_ = false;
  uint64_t incarnation_ = 0;  // Connections of an older one are broken.
  const void* reader_ = nullptr;
  int refusals_ = 0;  // So many more connections are refused.
};

struct SimulatedPostgres::Image {
  Workload workload;
  size_t transactions;
  Tables rows;
  bool has_filler;
  change::Lsn wal_end;
  change::Lsn confirmed;
  capture::SourceRecord record;
  std::vector<Letter> letters;
};

}  // namespace cnx::simulation
