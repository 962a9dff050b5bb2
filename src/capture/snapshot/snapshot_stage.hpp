// Reads the rows that were there before the slot, table by table, under the slot's exported
// snapshot, and hands them on. It owns one ordinary connection; COPY in text form, so that the same
// output functions print what the stream prints.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "change/event.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::capture {

struct SnapshotCounters {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> tables_done{0};
  std::atomic<bool> finished{false};
};

struct SnapshotOptions {
  postgres::ConnectionOptions connection;
  std::string snapshot_name;            // As the slot's creation exported it.
  change::Lsn consistent_point;         // Of that slot.
  std::vector<postgres::Table> tables;  // In this order; each must be readable whole (R5).
  Duration statement_max = std::chrono::seconds(30);  // For everything but the rows themselves.
};

// A failure of this stage is not retried here: the exported snapshot is gone with the connection
// that holds it, and the copy starts again from a new slot.
class SnapshotStage final : public stream::Stage {
 public:
  SnapshotStage(stream::Queue<change::Event>& events, SnapshotCounters& counters,
                SnapshotOptions options);

  // Imports the exported snapshot; from then on the slot's connection may be used again. Blocks
  // until `deadline`.
  Status open(TimePoint deadline);

  std::string_view name() const override { return "snapshot"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  Status start_table(TimePoint now);
  Result<stream::Step> copy(TimePoint now);
  Result<bool> take(postgres::CopyRead&& read);
  bool push(change::Event&& event);

  stream::Queue<change::Event>& events_;
  SnapshotCounters& counters_;
  SnapshotOptions options_;
  std::optional<postgres::Session> session_;
  size_t table_ = 0;
  bool copying_ = false;
  bool stopping_ = false;
  change::RelationPtr relation_;
  std::optional<change::Event> held_;
};

// The relation that the stream would describe for the table, with its column list for COPY:
// generated columns are in neither. Pure.
change::RelationPtr relation_of(const postgres::Table& table);

}  // namespace cnx::capture
