// Everything that the preflight may find wrong: its name for machines, what it means and what cures it. `check --list` prints
// it, and docs/check.md holds it.
#pragma once

#include <span>
#include <string_view>

namespace cnx::pipeline {

enum class FindingKind {
  postgresql_unreachable,
  encoding,
  postgresql_version,
  standby,
  failover_slots,
  wal_level,
  superuser,
  pooler,
  replication_refused,
  split_server,
  slot_refused,
  open_transactions,
  slots_used_up,
  slot_of_others,
  slot_lost,
  slot_at_risk,
  wal_retained_high,
  prepared_transaction_pins,
  open_transaction_pins,
  senders_used_up,
  log_kept,
  unused_slot_limit,
  catalog_unread,
  table_unreadable,
  table_kind,
  table_unlogged,
  partition_mapped,
  row_security,
  replica_identity,
  key_not_unique,
  key_nullable,
  generated_column,
  publication_missing,
  publication_operations,
  publication_all_tables,
  publication_partitions,
  publication_lacks_table,
  publication_filter,
  publication_columns,
  publication_unmapped,
  write_back_left_out,
  write_back_trigger,
  audit_not_written,
  conflict_configuration,
  mapping_catalog,
  mapping_refused,
  neo4j_unreachable,
  graph_unread,
  neo4j_version,
  neo4j_unknown,
  constraints_unread,
  constraints_missing,
  constraint_refused,
  writing_refused,
  engine_schema,
  not_initialised,
  position_gone,
  other_graph,
  graph_filled,
  graph_keys,
  other_mapping,
  position_unfit,
};

struct FindingText {
  FindingKind kind;
  std::string_view code;
  std::string_view grade;  // "fault", "warning", or "fault or warning".
  std::string_view meaning;
  std::string_view cure;
};

// One for each kind, in their order.
std::span<const FindingText> finding_texts();
std::string_view code_of(FindingKind kind);

}  // namespace cnx::pipeline
