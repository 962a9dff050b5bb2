// The reference model: what the graph must show at a position, computed from the source's transactions alone and in the
// plainest way. It is written apart from the engine: it merges nothing, cuts nothing and knows no batch.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "source.hpp"

namespace cnx::simulation {

// A row that must have a dead letter.
struct NeededLetter {
  RowKey key;  // Of `counted`.
  change::Position position;
};

// One thread. A value: a graph that is set back takes the model of that time along.
class Reference {
 public:
  // From a copy on, as of `consistent_point`: these rows were there, and so many transactions were done.
  void start(change::Lsn consistent_point, Tables tables, size_t transactions);
  // Moves on to a position. False where there is no place for one: before the last, inside of a commit record, or inside of a
  // transaction without saying which rows.
  bool advance(const std::vector<SourceTransaction>& transactions, change::Position position);

  // The graph that the rows make, as MemoryGraph::lines() writes it: nodes, relationships, and a stub for each end that has no row.
  std::vector<std::string> lines() const;
  // Of the nodes that rows make, alone.
  std::vector<std::string> node_lines() const;
  // The values of `counted` that had to take effect since the start, in order.
  const std::vector<int64_t>& effects() const { return effects_; }
  // Of rows that no graph takes, in order.
  const std::vector<NeededLetter>& letters() const { return letters_; }

 private:
  void apply(const SourceChange& change, change::Position position);

  change::Position position_;
  Tables tables_;  // As the graph has to show them: without what is behind a dead letter.
  std::set<RowKey> dead_;
  std::vector<int64_t> effects_;
  std::vector<NeededLetter> letters_;
  size_t next_ = 0;     // The first transaction that is not applied whole.
  size_t applied_ = 0;  // Of its changes.
};

}  // namespace cnx::simulation
