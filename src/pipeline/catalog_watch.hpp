// Whether the catalog is still as it was when a pass began: asked now and then, and held against what the stream says of tables.
#pragma once

#include <set>
#include <string>

#include "change/event.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

class CatalogWatch {
 public:
  // Both must outlive it.
  CatalogWatch(const PipelineOptions& options, const Ground& ground) : options_(options), ground_(ground) {}

  // Whether a relation message describes its table as the catalog did when the pass began, or is an older one that was looked
  // into. The batch stage's thread, while a pass runs.
  bool expects(const change::Relation& relation) const;
  // That was looked into. Between two passes.
  void accept(const change::Relation& relation);
  // What changed in the catalog without a message is found here: asks once in two seconds at most. One thread; blocks.
  Result<bool> changed(postgres::Session& session);
  // Whether changed() asked when it was called last.
  bool has_asked() const { return has_asked_; }

 private:
  const PipelineOptions& options_;
  const Ground& ground_;
  // What the catalog said of a table before the pass began, met in the stream.
  std::set<std::string> accepted_;
  TimePoint looked_at_ = TimePoint::min() + std::chrono::hours(1);
  bool has_asked_ = false;
};

}  // namespace cnx::pipeline
