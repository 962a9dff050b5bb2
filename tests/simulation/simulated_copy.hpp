// The copy's reader: the rows of the segments that are still open, handed on as the real one does, one by one in the order of
// their key, each segment between its beginning and its end.
#pragma once

#include <vector>

#include "change/event.hpp"
#include "change/segment.hpp"
#include "simulated_postgres.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::simulation {

class SimulatedCopy final : public stream::Stage {
 public:
  // `rows`: as the segments' snapshot shows them.
  SimulatedCopy(stream::Queue<change::Event>& events, const std::vector<postgres::Table>& tables, const Tables& rows,
                const std::vector<change::Segment>& segments);

  std::string_view name() const override { return "copy"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  stream::Queue<change::Event>& events_;
  std::vector<change::Event> to_say_;
  size_t next_ = 0;
  bool stopping_ = false;
};

// The row in memory of its own.
change::SnapshotRow snapshot_row(const change::RelationPtr& relation, const Row& row);

}  // namespace cnx::simulation
