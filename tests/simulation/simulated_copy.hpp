// The rows that were there before, handed on as the real copy does: one by one, its end behind
// them.
#pragma once

#include <optional>
#include <vector>

#include "change/event.hpp"
#include "source_model.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::simulation {

class SimulatedCopy final : public stream::Stage {
 public:
  SimulatedCopy(stream::Queue<change::Event>& events, const Rows& rows,
                change::Lsn consistent_point);

  std::string_view name() const override { return "copy"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  stream::Queue<change::Event>& events_;
  change::RelationPtr relation_;
  std::vector<std::pair<int64_t, int64_t>> rows_;
  change::Lsn consistent_point_;
  size_t next_ = 0;
  bool stopping_ = false;
};

}  // namespace cnx::simulation
