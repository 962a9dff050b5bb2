// What a lane needs of a graph: apply a batch and move the position, in one transaction, or not at
// all. Implemented over Neo4j (neo4j_graph) and, for simulation, over a graph in memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apply/batch.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace cnx::apply {

// A batch in the graph's own form, so that the work of making it overlaps with the transaction
// before it.
class PreparedBatch {
 public:
  virtual ~PreparedBatch() = default;
  // Its removals have so many steps when they are done in pieces; 0: there is nothing to be done so.
  virtual size_t removal_steps() const { return 0; }
};

// What of a batch a transaction does.
struct Part {
  enum class Kind {
    whole,  // All of it; refused with kTooLargeAtOnce where its removals are too many for that.
    piece,  // A bounded part of one step of its removals. The position stays, and says `partial`.
    rest,   // All of it, behind the pieces of every step: it finds little left to remove.
    trial,  // Its statements alone, rolled back: whether they can be done. The position is neither asked nor moved.
  };
  Kind kind = Kind::whole;
  size_t step = 0;
  bool apart = false;  // Of a whole: the position is a statement by itself, so that a refusal says whose it is.
};

struct StoredPosition {
  LanePosition lane;
  int64_t epoch = 0;
  std::string ahead = {};  // As Batch::ahead; known to who takes the position over.
  change::LastCommit last = {};  // Likewise: of what was applied, or is in part.
};

// An UPDATE that met what somebody else wrote in the graph.
struct MetConflict {
  mapping::TableName table;
  mapping::ConflictStrategy strategy = mapping::ConflictStrategy::postgres_wins;
  std::string key;    // As the graph has it; the two ends' of a relationship, with a comma between.
  bool kept = false;  // The graph keeps what it had; else the row is written over it.
  friend bool operator==(const MetConflict&, const MetConflict&) = default;
};

struct Applied {
  std::vector<MetConflict> conflicts;
  size_t removed = 0;  // By a piece; 0: nothing is left of its step.
};

// The code of poll()'s error when the compare-and-set found another position or epoch: nothing was
// written, and what the graph holds now says why.
constexpr std::string_view kPositionRefused = "position refused";

// The code of poll()'s error when a batch removes more than one transaction may, or than the server
// has memory for: nothing was written, and the removals are done in pieces.
constexpr std::string_view kTooLargeAtOnce = "too large at once";

// The code of poll()'s error when an UPDATE left out an unchanged TOAST column, and its entity is not
// in the graph, or when it met a conflict that is decided outside: nothing was written, and the row is to be read again.
constexpr std::string_view kEntityMissing = "entity missing";

// One thread. At most one batch is under way.
class GraphPort {
 public:
  virtual ~GraphPort() = default;

  // Connects and reads the stored position. Blocks until `deadline` at most. ErrorKind::state:
  // there is no position.
  virtual Result<StoredPosition> open(TimePoint deadline) = 0;
  virtual std::unique_ptr<PreparedBatch> prepare(const Batch& batch) = 0;
  // Starts one transaction: the position first, as a compare-and-set, then that part of the batch,
  // then the commit. `batch` and `prepared` must live until poll() gives a result or close() is
  // called.
  virtual void submit(const Batch& batch, const PreparedBatch& prepared, Part part, int64_t epoch,
                      TimePoint now) = 0;
  // Moves the transaction on without blocking; nullopt: not finished. After an error nothing is
  // known of the outcome but what open() reads next; the connection is over.
  virtual Result<std::optional<Applied>> poll(TimePoint now) = 0;
  // How many of its answers the transaction under way has had: that a large one goes on shows here.
  virtual size_t answers() const { return 0; }
  // What the transaction that failed last had reported by then: where its commit was done all the same, that is what it did.
  virtual Applied reported() const { return {}; }
  // Of the transaction that failed last: the name of its statement; empty: none of them did, or nobody knows.
  virtual std::string failed_statement() const { return {}; }
  // Likewise: the position and the rows were one statement, and whose the refusal is shows when they are tried apart.
  virtual bool refused_together() const { return false; }
  // What to wait for between polls.
  virtual int descriptor() const = 0;
  virtual bool wants_write() const = 0;
  virtual TimePoint deadline() const = 0;
  virtual void close() = 0;
};

}  // namespace cnx::apply
