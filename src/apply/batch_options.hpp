// What a batch stage is told at the start of a pass.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "apply/batch.hpp"
#include "apply/dead_rows.hpp"
#include "apply/narrowing.hpp"

namespace cnx::apply {

struct BatchOptions {
  LanePosition start;
  // A batch is closed once it has so many rows. Neo4j's CPU a row falls up to 4,000 rows a
  // transaction and rises beyond; twice as many rows are also twice as long invisible
  // (docs/benchmarks.md).
  size_t rows_target = 2'000;
  // Or so many bytes of rows.
  size_t bytes_target = 4u << 20;
  // The first batch is closed at so many rows, and each later one at four times as many, up to rows_target. A server that
  // was just started plans every statement anew, a fifth of a second each on two cores, and a large batch has some of
  // every kind: small ones are in the graph, and stay there, before an engine that is killed again and again ends.
  size_t rows_first = 1;
  // One transaction with more is applied in pieces (I3): of nodes and relationships, of bytes.
  size_t transaction_elements_max = 100'000;
  size_t transaction_bytes_max = 32u << 20;
  // A piece has so many rows, or bytes_target of them: no more than is needed, since a piece is
  // held several times over (rows, mutations, parameters, what is being sent).
  size_t piece_rows = 5'000;
  // Rows of the copy replace what the graph has of them: a table is read again.
  bool copy_replaces = false;
  // Tables whose changes pass by (I6).
  std::set<mapping::TableName> held;
  // Whether the relation describes the table as the pass was begun with; empty: any does.
  std::function<bool(const change::Relation&)> expects;
  // Whether the rows of each tenant are counted, where the mapping names its column.
  bool counts_tenants = false;
  // Those read at `start` lead the first batch; of all, what the stream tells later is passed over.
  std::vector<RefetchedRow> refetched;
  // Whether a batch tells the audit of each of its changes.
  bool audits_rows = false;
  // Told of changes that come though `start` is behind them, with the end of what has come whole; from the stage's thread, must not
  // block. Empty: nobody asks for them.
  std::function<void(std::vector<mapping::AuditedRow>&&, change::Lsn)> on_recovered;
  // Rows that are dead letters already.
  std::vector<DeadKey> dead;
  // Told of what follows on them, from the stage's thread; must not block. May be empty.
  std::function<void(std::vector<DeadNote>&&)> on_dead_notes;
  // How batches are cut where one was refused.
  std::optional<Narrowing> narrowing;
  // Whether rows that are refused tell their values.
  bool keep_values = false;
};

}  // namespace cnx::apply
