// Conflicts: an UPDATE met what somebody else wrote in the graph. Those that the writing transaction settled are told here; those
// that are decided outside are decided here, by the strategy of their table; and those that wait for a person are followed
// (contextnexus.conflicts, record/conflicts.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apply/lane_stage.hpp"
#include "apply/refetched_rows.hpp"
#include "apply/refused_row.hpp"
#include "bolt/value.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/conflict_notes.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/held_rows.hpp"
#include "postgres/catalog.hpp"
#include "record/conflicts.hpp"

namespace cnx::pipeline {

// A version as it was read; none where it is no integer of 64 bits.
std::optional<int64_t> integer_of(std::string_view text);

// One that was found before its row was written, with what the graph has of the row.
struct FoundConflict {
  const mapping::LackingRow* row = nullptr;
  bolt::Map graph;
};

// What is to be done about conflicts that are decided outside.
struct Decisions {
  std::vector<ConflictNote> notes;
  std::vector<record::NewConflict> manual;
  std::vector<apply::RefusedRow> letters;  // Of which the user's function failed.
  bool any() const { return !notes.empty() || !manual.empty() || !letters.empty(); }
};

// One thread, the pipeline's; tell() is any thread's.
class Conflicts {
 public:
  // All must outlive it.
  Conflicts(const PipelineOptions& options, Figures& figures, Audit& audit)
      : options_(options), figures_(figures), audit_(audit), rows_(options, record::kConflicts, true) {}

  // Those that wait, and what becomes of them.
  HeldRows& rows() { return rows_; }
  const HeldRows& rows() const { return rows_; }

  // Says what is done about a conflict whose row was just read in the transaction that `session` is in, at a watermark. True: `read`
  // leads the next pass, as this leaves it. Errors: those of the session; ErrorKind::state where the user's function is not there or
  // may not be called. Blocks until `deadline`.
  Result<bool> decide(postgres::Session& session, const postgres::Table& table, const FoundConflict& found, apply::RefetchedRow& read,
                      TimePoint deadline);
  bool has_decisions() const { return decisions_.any(); }
  Decisions take_decisions() { return std::exchange(decisions_, {}); }
  // What has to be known in PostgreSQL before the graph goes on without the rows, on disk when it returns; then they are told.
  // ErrorKind::state where too many wait for a person, and as DeadLetters::add().
  Status carry_out(postgres::Session& session, DeadLetters& letters);
  // How many wait, for the figures.
  void show();

  // The one place where a conflict is told, to the log and the audit: of those that a batch met, once Neo4j has committed it; of
  // those decided here, before what was decided is written.
  void tell(const std::vector<ConflictNote>& notes);
  void tell(const apply::Batch& batch, const std::vector<apply::MetConflict>& met);

 private:
  Result<bool> ask_function(postgres::Session& session, const postgres::Table& table, const FoundConflict& found, apply::RefetchedRow& read,
                            TimePoint deadline);
  Status keep(postgres::Session& session, const std::vector<record::NewConflict>& conflicts);
  void refuse(const FoundConflict& found, change::Position at, Error why);
  void note(const FoundConflict& found, change::Position at, mapping::ConflictStrategy strategy, ConflictOutcome outcome);

  const PipelineOptions& options_;
  Figures& figures_;
  Audit& audit_;
  HeldRows rows_;
  Decisions decisions_;
};

}  // namespace cnx::pipeline
