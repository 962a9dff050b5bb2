// The rows of a segment of the copy, handed on as the real one does: one by one in the order of their key, between its
// beginning and its end.
#pragma once

#include <optional>
#include <vector>

#include "change/event.hpp"
#include "change/segment.hpp"
#include "source_model.hpp"
#include "stream/queue.hpp"
#include "stream/stage.hpp"

namespace cnx::simulation {

class SimulatedCopy final : public stream::Stage {
 public:
  SimulatedCopy(stream::Queue<change::Event>& events, const Rows& rows,
                change::Segment segment);

  std::string_view name() const override { return "copy"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  stream::Queue<change::Event>& events_;
  change::RelationPtr relation_;
  std::vector<std::pair<int64_t, int64_t>> rows_;
  change::Segment segment_;
  size_t next_ = 0;  // Its beginning, each row, its end.
  bool stopping_ = false;
};

}  // namespace cnx::simulation
