// contextnexus status: where a pipeline stands, as both databases say it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/status.hpp"

namespace cnx::command {
namespace {

// Null where no table says whether its rows are in the graph.
nlohmann::ordered_json to_json(const std::optional<pipeline::StatusReport::WriteBack>& write_back) {
  if (!write_back) return nullptr;
  return {{"written", write_back->written},
          {"pending", write_back->pending},
          {"pending_at_least", write_back->pending_at_least},
          {"skipped", write_back->skipped},
          {"failures", write_back->failures},
          {"problem", write_back->problem},
          {"last_error", write_back->last_error},
          {"last_error_at", write_back->last_error_at}};
}

nlohmann::ordered_json copy_to_json(const std::optional<pipeline::StatusReport::CopyState>& copy) {
  if (!copy) return nullptr;
  return {{"rows", copy->rows},
          {"rows_estimate", copy->estimate},
          {"segments", copy->segments},
          {"segments_done", copy->segments_done}};
}

nlohmann::ordered_json to_json(const std::vector<pipeline::StatusReport::Table>& tables) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const pipeline::StatusReport::Table& table : tables) {
    list.push_back({{"table", table.name},
                    {"state", table.state},
                    {"reason", table.reason},
                    {"advice", table.advice},
                    {"since", table.since}});
  }
  return list;
}

// Null where there is none.
nlohmann::ordered_json to_json(const std::optional<capture::LogRange>& range) {
  if (!range) return nullptr;
  return {{"from", range->from.to_string()}, {"to", range->to.to_string()}};
}

nlohmann::ordered_json to_json(const std::vector<pipeline::SourceWarning>& warnings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const pipeline::SourceWarning& warning : warnings) {
    list.push_back({{"code", warning.code}, {"message", warning.message}, {"advice", warning.advice}});
  }
  return list;
}

nlohmann::ordered_json to_json(const pipeline::StatusReport& report) {
  return {{"pipeline", report.pipeline},
          {"state", report.state},
          {"source_state", report.source_state},
          {"problem", report.problem},
          {"advice", report.advice},
          {"missing_log", to_json(report.missing)},
          {"surplus_log", to_json(report.surplus)},
          {"warnings", to_json(report.warnings)},
          {"resync_asked", report.resync_asked},
          {"running", report.running},
          {"paused", report.pause.paused()},
          {"paused_at", report.pause.paused_at},
          {"paused_by", report.pause.paused_by},
          {"position", report.position},
          {"position_lsn", report.position_lsn},
          {"ordinal", report.ordinal},
          {"partial", report.partial},
          {"consistent", report.consistent},
          {"copy", copy_to_json(report.copy)},
          {"epoch", report.epoch},
          {"in_step", report.in_step},
          {"confirmed", report.confirmed},
          {"wal_end", report.wal_end},
          {"lag_bytes", report.lag_bytes},
          {"lag_seconds", report.lag_seconds},
          {"retained_wal_bytes", report.retained_wal_bytes},
          {"wal_status", report.wal_status},
          {"dead_letters",
           {{"open", report.dead_letters.open},
            {"retrying", report.dead_letters.retrying},
            {"held_changes", report.dead_letters.held_changes}}},
          {"conflicts",
           {{"open", report.conflicts.open},
            {"resolving", report.conflicts.resolving},
            {"held_changes", report.conflicts.held_changes}}},
          {"slot", report.slot},
          {"database", report.database},
          {"system_identifier", report.system_identifier},
          {"timeline", report.timeline},
          {"write_back", to_json(report.write_back)},
          {"tables", to_json(report.tables)}};
}

void line(const char* name, const std::string& value) { std::printf("%-12s %s\n", name, value.c_str()); }

void print(const pipeline::StatusReport::WriteBack& write_back) {
  line("write-back", std::to_string(write_back.written) + " rows written, " + (write_back.pending_at_least ? "more than " : "") +
                         std::to_string(write_back.pending) + " pending, " + std::to_string(write_back.skipped) +
                         " skipped as locked");
  if (!write_back.problem.empty()) {
    line("", "does not work now: " + write_back.problem);
  } else if (!write_back.last_error.empty()) {
    line("", "works; its last error, at " + write_back.last_error_at + ": " + write_back.last_error);
  }
}

void print(const pipeline::StatusReport& report) {
  line("pipeline", report.pipeline);
  line("state", report.state == "broken" ? "broken: " + report.source_state : report.state);
  if (report.pause.paused()) line("paused", "since " + report.pause.paused_at + " by " + report.pause.paused_by);
  if (!report.problem.empty()) line("problem", report.problem);
  if (report.missing) line("missing", "changes of the log from " + report.missing->to_string());
  if (report.surplus) line("surplus", "changes of the log from " + report.surplus->to_string());
  if (!report.advice.empty()) line("advice", report.advice);
  if (report.resync_asked) line("resync", "was asked for; contextnexus run begins with it");
  for (const pipeline::SourceWarning& warning : report.warnings) {
    line("warning", warning.code + ": " + warning.message);
    line("", warning.advice);
  }
  if (report.position.empty()) return;
  line("position", report.position + (report.partial ? "  (inside a transaction that is applied in pieces)" : ""));
  const pipeline::StatusReport::DeadLetters& letters = report.dead_letters;
  const bool dead = letters.open + letters.retrying > 0;
  const pipeline::StatusReport::Conflicts& conflicts = report.conflicts;
  const bool waits = conflicts.open + conflicts.resolving > 0;
  const bool copying = report.copy || (report.tables.empty() && !dead && !waits);
  if (!report.consistent && copying) {
    std::string text = "not yet consistent";
    if (report.copy) {
      text += ": " + std::to_string(report.copy->rows) + " of about " + std::to_string(report.copy->estimate) +
              " rows copied, " + std::to_string(report.copy->segments_done) + " of " +
              std::to_string(report.copy->segments) + " segments done";
    }
    line("graph", text);
  }
  line("confirmed", report.confirmed);
  line("log's end", report.wal_end);
  char lag[64];
  std::snprintf(lag, sizeof lag, "%lld bytes, at most %.1f s", static_cast<long long>(report.lag_bytes), report.lag_seconds);
  line("lag", report.in_step ? "none: in step" : lag);
  line("log kept", std::to_string(report.retained_wal_bytes) + " bytes" +
                       (report.wal_status.empty() ? "" : ", " + report.wal_status));
  if (report.write_back) print(*report.write_back);
  if (dead) {
    line("dead letters", std::to_string(letters.open) + " open, " + std::to_string(letters.retrying) + " to be tried again, " +
                             std::to_string(letters.held_changes) + " changes held behind them");
    line("", "the graph lacks those rows: contextnexus dead-letters list");
  }
  if (waits) {
    line("conflicts", std::to_string(conflicts.open) + " wait, " + std::to_string(conflicts.resolving) + " are being resolved, " +
                          std::to_string(conflicts.held_changes) + " changes held behind them");
    line("", "the graph has those rows as somebody changed them there: contextnexus conflicts list");
  }
  for (const pipeline::StatusReport::Table& table : report.tables) {
    line("table", table.name + " " + table.state + (table.since.empty() ? "" : " since " + table.since) +
                      (table.reason.empty() ? "" : ": " + table.reason));
    if (!table.advice.empty()) line("", table.advice);
  }
}

ExitCode status(const ConnectionFlags& flags) {
  Result<pipeline::PipelineOptions> options = pipeline_options(flags);
  if (!options) return report(flags, options.error());
  Result<pipeline::StatusReport> read = pipeline::read_status(*options);
  if (!read) return report(flags, read.error());
  if (flags.json) {
    std::printf("%s\n", to_json(*read).dump(2).c_str());
  } else {
    print(*read);
  }
  return ExitCode::success;
}

}  // namespace

void add_status(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("status", "Where the pipeline stands: position, lag, and what is wrong if anything");
  auto flags = std::make_shared<ConnectionFlags>();
  add_connection_flags(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->callback([flags, &action] { action = [flags] { return status(*flags); }; });
}

}  // namespace cnx::command
