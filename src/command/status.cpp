// contextnexus status: where a pipeline stands, as both databases say it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/status.hpp"

namespace cnx::command {
namespace {

struct StatusFlags {
  ConnectionFlags connection;
  bool json = false;
};

nlohmann::ordered_json copy_to_json(const std::optional<pipeline::StatusReport::CopyState>& copy) {
  if (!copy) return nullptr;
  return {{"rows", copy->rows},
          {"rows_estimate", copy->estimate},
          {"segments", copy->segments},
          {"segments_done", copy->segments_done}};
}

nlohmann::ordered_json to_json(const pipeline::StatusReport& report) {
  return {{"pipeline", report.pipeline},
          {"state", report.state},
          {"problem", report.problem},
          {"advice", report.advice},
          {"running", report.running},
          {"position", report.position},
          {"position_lsn", report.position_lsn},
          {"ordinal", report.ordinal},
          {"partial", report.partial},
          {"consistent", report.consistent},
          {"copy", copy_to_json(report.copy)},
          {"epoch", report.epoch},
          {"confirmed", report.confirmed},
          {"wal_end", report.wal_end},
          {"lag_bytes", report.lag_bytes},
          {"lag_seconds", report.lag_seconds},
          {"retained_wal_bytes", report.retained_wal_bytes},
          {"wal_status", report.wal_status},
          {"slot", report.slot},
          {"database", report.database},
          {"system_identifier", report.system_identifier},
          {"timeline", report.timeline}};
}

void print(const pipeline::StatusReport& report) {
  auto line = [](const char* name, const std::string& value) { std::printf("%-12s %s\n", name, value.c_str()); };
  line("pipeline", report.pipeline);
  line("state", report.state);
  if (!report.problem.empty()) line("problem", report.problem);
  if (!report.advice.empty()) line("advice", report.advice);
  if (report.position.empty()) return;
  line("position", report.position + (report.partial ? "  (inside a transaction that is applied in pieces)" : ""));
  if (!report.consistent) {
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
  line("lag", lag);
  line("log kept", std::to_string(report.retained_wal_bytes) + " bytes" +
                       (report.wal_status.empty() ? "" : ", " + report.wal_status));
}

ExitCode status(const StatusFlags& flags) {
  Result<pipeline::PipelineOptions> options = pipeline_options(flags.connection);
  if (!options) return report(options.error());
  Result<pipeline::StatusReport> read = pipeline::read_status(*options);
  if (!read) return report(read.error());
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
  auto flags = std::make_shared<StatusFlags>();
  add_connection_flags(*verb, flags->connection);
  verb->add_flag("--json", flags->json, "For machines");
  verb->callback([flags, &action] { action = [flags] { return status(*flags); }; });
}

}  // namespace cnx::command
