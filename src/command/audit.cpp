// contextnexus audit: what was tried of a change, and how it ended.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/audit_lines.hpp"
#include "command/engine_records.hpp"
#include "command/table_text.hpp"
#include "command/verb.hpp"
#include "record/audit_search.hpp"

namespace cnx::command {
namespace {

using record::AuditRecord;

constexpr Duration kStepMax = std::chrono::seconds(60);

constexpr const char* kFooter =
    "The newest first. Which attempts are written down is said by audit.level; of a batch there is one row each attempt, of a\n"
    "change one row once it is applied.\n\n"
    "  contextnexus audit                                  the last 50\n"
    "  contextnexus audit --table public.users --key 17    what became of a row\n"
    "  contextnexus audit --id 8d3a64c1-98be-57b2-…        of a change, as a log line or a dead letter names it\n"
    "  contextnexus audit --position 0/1953D70+3           the same by its place in PostgreSQL's log\n"
    "  contextnexus audit --failures --since '1 hour ago'  what was not simply applied\n\n"
    "Needs PostgreSQL alone. docs/audit.md";

struct Flags {
  ConnectionFlags connection;
  record::AuditFilter filter;
  size_t limit = 50;
};

Result<std::vector<AuditRecord>> find(const Flags& flags) {
  const TimePoint deadline = Clock::now() + kStepMax;
  CNX_TRY(EngineRecords opened, open_engine_records(flags.connection, deadline));
  return record::find_audit(opened.session, opened.options.name, flags.filter, flags.limit, deadline);
}

nlohmann::ordered_json to_json(const AuditRecord& record) {
  using Json = nlohmann::ordered_json;
  auto or_null = [](const auto& value) { return value ? Json(*value) : Json(); };
  auto word = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"at", record.at},
          {"outcome", record.outcome},
          {"operation", record.operation},
          {"correlation_id", word(record.correlation_id)},
          {"batch_id", word(record.batch_id)},
          {"table", word(record.table)},
          {"key", or_null(record.key)},
          {"old_key", or_null(record.old_key)},
          {"tenant", or_null(record.tenant)},
          {"position", word(record.position)},
          {"from", word(record.from)},
          {"rows", or_null(record.rows)},
          {"refused", or_null(record.refused)},
          {"attempt", record.attempt},
          {"duration_seconds", or_null(record.seconds)},
          {"code", word(record.code)}};
}

ExitCode audit(const Flags& flags) {
  Result<std::vector<AuditRecord>> records = find(flags);
  if (!records) return report(flags.connection, records.error());
  if (flags.connection.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const AuditRecord& record : *records) json.push_back(to_json(record));
    std::printf("%s\n", pretty(json).c_str());
    return ExitCode::success;
  }
  const size_t width = terminal_width();
  for (const AuditRecord& record : *records) std::fputs(audit_lines(record, width).c_str(), stdout);
  if (records->empty()) std::printf("nothing like that is in the audit\n");
  if (records->size() == flags.limit) std::printf("there may be more: --limit\n");
  return ExitCode::success;
}

}  // namespace

void add_audit(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("audit", "What was tried of each change, and how it ended: by id, table, key, tenant, position, outcome");
  verb->footer(kFooter);
  auto flags = std::make_shared<Flags>();
  add_connection_flags(*verb, flags->connection);
  add_json_flag(*verb, flags->connection);
  record::AuditFilter& filter = flags->filter;
  verb->add_option("--id", filter.correlation_id, "The correlation id of a change, or of a batch")->type_name("UUID");
  verb->add_option("--table", filter.table, "Of that table: schema.table, or the name alone")->type_name("TABLE");
  verb->add_option("--key", filter.key, "Of that key, also where an update changed it: its columns' values, joined by commas")->type_name("KEY");
  verb->add_option("--tenant", filter.tenant, "Of that tenant")->type_name("TENANT");
  verb->add_option("--position", filter.position, "The change at that position, and the batches that hold it: X/Y or X/Y+n")
      ->type_name("POSITION");
  verb->add_option("--from-lsn", filter.from_lsn, "From that LSN on")->type_name("LSN");
  verb->add_option("--to-lsn", filter.to_lsn, "Up to that LSN")->type_name("LSN");
  verb->add_option("--operation", filter.operation, "insert, update, delete, truncate, read_again, batch, copy, conflict, retry or discard")
      ->type_name("WORD");
  verb->add_option("--outcome", filter.outcome, "applied, retried, lost, refused, failed, held, dead_letter, recovered, asked or discarded")
      ->type_name("WORD");
  verb->add_flag("--failures", filter.failures, "Whatever was not simply applied");
  verb->add_option("--since", filter.since, "From that time on, as PostgreSQL reads it")->type_name("TIME");
  verb->add_option("--until", filter.until, "Up to that time")->type_name("TIME");
  verb->add_option("--limit", flags->limit, "So many at most; 50")->type_name("COUNT");
  verb->callback([flags, &action] { action = [flags] { return audit(*flags); }; });
}

}  // namespace cnx::command
