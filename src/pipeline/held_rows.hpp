// The rows of a running pipeline that the graph goes on without until a person has settled them, dead letters or conflicts
// (record/held_rows.hpp): which keys a pass is to pass by, what it tells of them, and which of them are to be brought into the
// graph as they are now.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "apply/dead_rows.hpp"
#include "base/result.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/ground.hpp"
#include "record/held_rows.hpp"

namespace cnx::pipeline {

// For whoever shows figures. Any thread.
struct HeldCounters {
  std::atomic<uint64_t> made{0};      // By this process.
  std::atomic<uint64_t> open{0};      // With those to be tried.
  std::atomic<uint64_t> retrying{0};  // Of those: to be tried.
  std::atomic<uint64_t> held_changes{0};
};

// One thread, the pipeline's; hear() and endings_are_written() are any thread's. All that takes a session blocks, with deadlines of its own.
class HeldRows {
 public:
  // `options` must outlive it. `conflicts`: as DeadKey.
  HeldRows(const PipelineOptions& options, record::HeldTable table, bool conflicts)
      : options_(options), table_(table), conflicts_(conflicts) {}

  // Before a pass or a copy begins, with the graph at `reached`.
  Status load(postgres::Session& session, change::Position reached);
  // These are read anew, or are in the mapping no more.
  Status forget(postgres::Session& session, const TablePlan& plan);

  // Which a pass passes by: all, or those that it does not try.
  std::vector<apply::DeadKey> keys(bool tries) const;
  // The next rows to be tried with the graph at `at`: not too many at a time, and none of a table that is not followed now.
  std::vector<mapping::LackingRow> to_try(const Catalog& catalog, change::Lsn at);
  // Where the graph has to be for the next of the others; none: there are none.
  std::optional<change::Lsn> next_try(change::Lsn at) const;
  // They were too much together.
  void try_fewer() { tried_at_once_ = std::max<size_t>(tried_at_once_ / 4, 1); }
  // They lead the pass that begins at `at`.
  void trying(change::Position at) { tried_at_ = at; }
  // The graph is at `reached`: beyond where rows were read again, they are in it, and what ended before is closed. Those
  // that were tried and are in it.
  Result<std::vector<record::HeldRow>> reach(postgres::Session& session, change::Position reached);
  // Whether there are others to be tried there.
  bool has_more(change::Lsn at) const;

  // What a pass found of keys; those of others are passed over.
  void hear(const std::vector<apply::DeadNote>& notes);
  // Of rows that ended, all that was heard is on disk. Before that the graph may not pass where they ended.
  bool endings_are_written() const { return endings_ == 0; }
  // Writes it, once a second at most unless it is the last or some row has ended. Says whether so much is held behind some row that its table is to be
  // held.
  Result<bool> write_news(postgres::Session& session, bool last);

  // Null: there is none. Valid until the next call that is not const.
  const record::HeldRow* find(const mapping::RowKey& key) const;
  bool contains(const mapping::RowKey& key) const { return find(key) != nullptr; }
  size_t size() const { return rows_.size(); }
  HeldCounters& counters() const { return counters_; }

 private:
  struct News {
    uint64_t held = 0;
    change::Position held_until;
    std::optional<change::Position> ended;
  };
  record::HeldRow* to_change(const mapping::RowKey& key);
  Status close_ended(postgres::Session& session, change::Position reached);
  void show() const;

  const PipelineOptions& options_;
  const record::HeldTable table_;
  const bool conflicts_;
  std::vector<record::HeldRow> rows_;
  size_t tried_at_once_ = 100;  // They lead one batch.
  std::vector<int64_t> tried_;
  std::optional<change::Position> tried_at_;
  mutable HeldCounters counters_;

  std::atomic<size_t> endings_{0};  // Heard of, and not written.
  std::mutex mutex_;
  std::vector<apply::DeadNote> heard_;
  TimePoint written_at_ = TimePoint::min() + std::chrono::hours(1);
};

}  // namespace cnx::pipeline
