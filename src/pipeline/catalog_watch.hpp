// Whether the catalog is still as it was when a pass began: asked now and then, and held against what the stream says of tables.
// What comes and goes between two looks leaves no trace there; the stream tells of it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "change/event.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

class CatalogWatch {
 public:
  // Both must outlive it.
  CatalogWatch(const PipelineOptions& options, const Ground& ground) : options_(options), ground_(ground) {}

  // The ground is as a look has found it, and stored. Before a pass; ErrorKind::state for a shape that is not as this program
  // writes it.
  Status begin_pass();
  // Whether a relation message describes its table as the catalog did when the pass began, or is an older one that was looked
  // into. The batch stage's thread, while a pass runs.
  bool expects(const change::Relation& relation) const;
  // Of a table that is described under another name, or a partition that was none when the pass began: apply::kTableChanged,
  // once for what the log tells up to the next look. As capture::HearsOf; its thread.
  Status hears_of(const change::Relation& relation, const change::Relation* before, change::Lsn at);
  // Once the pass's threads have ended. `unexpected`: the relation that was not expected, or null.
  void end_pass(const change::RelationPtr& unexpected);
  // What the next plan has to know, until forget_traces() says that it is stored.
  const StreamTraces& traces() const { return traces_; }
  void forget_traces() { traces_ = {}; }
  // What changed in the catalog without a message is found here: asks once in two seconds at most. One thread; blocks.
  Result<bool> changed(postgres::Session& session);
  // Whether changed() asked when it was called last.
  bool has_asked() const { return has_asked_; }

 private:
  const PipelineOptions& options_;
  const Ground& ground_;
  // What the catalog said of a table before the pass began, met in the stream.
  std::set<std::string> accepted_;
  // The partitions of each table that is followed, by its oid.
  std::map<change::Oid, std::set<uint32_t>> partitions_;
  StreamTraces traces_;
  // What was heard of, as text, and up to where in the log a look has taken it in.
  std::map<std::string, change::Lsn> looked_into_;
  std::set<std::string> to_look_into_;
  TimePoint looked_at_ = TimePoint::min() + std::chrono::hours(1);
  bool has_asked_ = false;
};

}  // namespace cnx::pipeline
