// Reads the rows that were there before their changes are followed, segment by segment under one exported snapshot, and
// hands them on. It owns one ordinary connection; COPY in text form, so that the same output functions print what the
// stream prints. A segment is a transaction of its own: whoever wants to lock the table waits for one segment at most.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "change/event.hpp"
#include "change/segment.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::capture {

struct SnapshotCounters {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> segments{0};
};

// What is to be read. The table must outlive its reading.
struct SegmentTask {
  change::Segment segment;
  const postgres::Table* table = nullptr;
};

struct SnapshotOptions {
  postgres::ConnectionOptions connection;
  std::string snapshot_name;  // As it was exported; it must live until the last segment has begun.
  // The next segment that nobody has taken; none: that was all. From the stage's thread, must not block.
  std::function<std::optional<SegmentTask>()> next;
  Duration statement_max = std::chrono::seconds(30);  // For everything but the rows themselves.
};

// A failure of this stage is not retried here: the exported snapshot may be gone, and the copy goes on under a new one.
class SnapshotStage final : public stream::Stage {
 public:
  SnapshotStage(stream::Queue<change::Event>& events, SnapshotCounters& counters,
                SnapshotOptions options);

  // Blocks until `deadline`.
  Status open(TimePoint deadline);

  std::string_view name() const override { return "snapshot"; }
  stream::Step step(TimePoint now) override;
  // No more is read; what was handed on is applied, and the next copy goes on behind it.
  void stop() override { stopping_ = true; }

 private:
  Result<stream::Step> copy(TimePoint now);
  Status start_segment(TimePoint now);
  Status end_segment(TimePoint now);
  Result<bool> take(postgres::CopyRead&& read, TimePoint now);
  void push(change::Event&& event);

  stream::Queue<change::Event>& events_;
  SnapshotCounters& counters_;
  SnapshotOptions options_;
  std::optional<postgres::Session> session_;
  std::optional<SegmentTask> task_;  // Being read.
  bool stopping_ = false;
  change::RelationPtr relation_;
  std::optional<change::Event> held_;  // Found no room.
};

// The relation that the stream would describe for the table, with its column list for COPY:
// generated columns are in neither. Pure.
change::RelationPtr relation_of(const postgres::Table& table);

// The COPY that reads a segment, from behind its last row on, in the order of its key. Pure.
std::string copy_statement(const SegmentTask& task, const change::Relation& relation);

// The files of a table and its partitions: others mean that it was rewritten (TRUNCATE, VACUUM FULL, ALTER TABLE).
// Blocks until `deadline`; kinds as Session.
Result<std::string> read_table_files(postgres::Session& session, change::Oid table, TimePoint deadline);

}  // namespace cnx::capture
