// contextnexus conflicts: rows that the graph has otherwise than PostgreSQL, looked at and resolved.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/engine_records.hpp"
#include "record/conflicts.hpp"

namespace cnx::command {
namespace {

using record::Conflict;
using record::ConflictFilter;

constexpr Duration kStepMax = std::chrono::seconds(30);

constexpr const char* kFooter =
    "Of a table whose strategy for conflicts is `manual`, a row whose update meets what somebody else wrote in the graph\n"
    "waits: the graph keeps what it has, and later changes of the row are held.\n\n"
    "  contextnexus conflicts list                             which there are\n"
    "  contextnexus conflicts show 17                          all that is known of one\n"
    "  contextnexus conflicts resolve 17 --take postgres       the row as it is then is written over it\n"
    "  contextnexus conflicts resolve --table notes --take graph  the graph keeps what it has until the row changes again\n\n"
    "Needs PostgreSQL alone. A running engine hears of it at once, one that is started later then. docs/conflicts.md";

struct Flags {
  ConnectionFlags connection;
  ConflictFilter filter;
  std::string take;
  size_t limit = 100;
  bool all = false;  // Every conflict: no filter is meant.
};

nlohmann::ordered_json to_json(const Conflict& conflict) {
  return {{"id", conflict.id},
          {"state", conflict.state},
          {"table", conflict.table},
          {"key_columns", conflict.key_columns},
          {"key_values", conflict.key_values},
          {"position", conflict.position},
          {"postgres_version", conflict.postgres_version},
          {"graph_version", conflict.graph_version},
          {"properties", conflict.properties},
          {"held_changes", conflict.held_changes},
          {"resolution", conflict.resolution},
          {"created_at", conflict.created_at},
          {"updated_at", conflict.updated_at},
          {"closed_at", conflict.closed_at},
          {"closed_by", conflict.closed_by}};
}

std::string versions(const Conflict& conflict) {
  if (conflict.graph_version.empty() && conflict.postgres_version.empty()) return "";
  return "PostgreSQL has version " + (conflict.postgres_version.empty() ? "none" : conflict.postgres_version) + ", the graph " +
         (conflict.graph_version.empty() ? "none" : conflict.graph_version);
}

void print_line(const Conflict& conflict) {
  std::printf("%lld  %s  %s (%s)  %s\n", static_cast<long long>(conflict.id), conflict.state.c_str(), conflict.table.c_str(),
              joined(conflict.key_values).c_str(), conflict.position.c_str());
  std::string more = versions(conflict);
  if (!conflict.properties.empty()) more += (more.empty() ? "changed: " : "; changed: ") + joined(conflict.properties, ", ");
  if (!more.empty()) std::printf("    %s\n", more.c_str());
}

void print_whole(const Conflict& conflict) {
  auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) std::printf("%-14s %s\n", name, value.c_str());
  };
  line("id", std::to_string(conflict.id));
  line("state", conflict.state + (conflict.resolution.empty() ? "" : ", for " + conflict.resolution));
  line("table", conflict.table);
  line("key", joined(conflict.key_columns) + " = " + joined(conflict.key_values));
  line("versions", versions(conflict));
  line("changed", joined(conflict.properties, ", "));
  line("held since", conflict.position);
  line("held", std::to_string(conflict.held_changes) + " changes");
  line("since", conflict.created_at);
  line("last", conflict.updated_at);
  line("ended", conflict.closed_at);
  line("resolved by", conflict.closed_by);
}

Result<std::vector<Conflict>> find(const Flags& flags, const ConflictFilter& filter) {
  CNX_TRY(EngineRecords opened, open_engine_records(flags.connection, Clock::now() + kStepMax));
  return record::find_conflicts(opened.session, opened.options.name, filter, flags.limit, Clock::now() + kStepMax);
}

ExitCode list(const Flags& flags) {
  Result<std::vector<Conflict>> conflicts = find(flags, flags.filter);
  if (!conflicts) return report(flags.connection, conflicts.error());
  if (flags.connection.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const Conflict& conflict : *conflicts) json.push_back(to_json(conflict));
    std::printf("%s\n", pretty(json).c_str());
    return ExitCode::success;
  }
  for (const Conflict& conflict : *conflicts) print_line(conflict);
  if (conflicts->empty()) std::printf("there are no conflicts%s that wait\n", flags.filter.empty() ? "" : " like that");
  if (conflicts->size() == flags.limit) std::printf("there may be more: --limit\n");
  return ExitCode::success;
}

ExitCode show(const Flags& flags) {
  ConflictFilter filter = flags.filter;
  filter.closed = true;
  Result<std::vector<Conflict>> conflicts = find(flags, filter);
  if (conflicts && conflicts->empty()) {
    conflicts = fail(Error(ErrorKind::invalid, "the pipeline has no such conflict").advise("contextnexus conflicts list --closed"));
  }
  if (!conflicts) return report(flags.connection, conflicts.error());
  for (const Conflict& conflict : *conflicts) {
    if (flags.connection.json) {
      std::printf("%s\n", pretty(to_json(conflict)).c_str());
    } else {
      print_whole(conflict);
    }
  }
  return ExitCode::success;
}

Result<size_t> resolved(const Flags& flags) {
  if (flags.filter.empty() && !flags.all) {
    return fail(Error(ErrorKind::invalid, "which conflicts are meant?").advise("name them by id or by a filter; or --all"));
  }
  CNX_TRY(EngineRecords opened, open_engine_records(flags.connection, Clock::now() + kStepMax));
  const auto take = flags.take == "graph" ? record::take_graph : record::take_postgres;
  return take(opened.session, opened.options.name, flags.filter, Clock::now() + kStepMax);
}

ExitCode resolve(const Flags& flags) {
  Result<size_t> count = resolved(flags);
  if (!count) return report(flags.connection, count.error());
  const bool graph = flags.take == "graph";
  if (flags.connection.json) {
    std::printf("%s\n", pretty({{graph ? "resolved" : "resolving", *count}}).c_str());
  } else {
    std::printf("%zu %s\n", *count,
                graph ? "conflicts are resolved: the graph keeps what it has until these rows change again"
                      : "conflicts are being resolved: PostgreSQL's rows are written, as they are then");
  }
  return ExitCode::success;
}

void add_filter(CLI::App& verb, Flags& flags) {
  verb.add_option("--table", flags.filter.table, "Of that table: schema.table, or the name alone")->type_name("TABLE");
  verb.add_option("--key", flags.filter.key, "Of that key: its columns' values, joined by commas")->type_name("KEY");
  verb.add_option("--since", flags.filter.since, "Met since then, as PostgreSQL reads a time")->type_name("TIME");
}

}  // namespace

void add_conflicts(CLI::App& program, Action& action) {
  CLI::App* verbs = program.add_subcommand("conflicts", "Rows that somebody changed in the graph, and that wait for a person: list, show, resolve");
  verbs->require_subcommand(1);
  verbs->footer(kFooter);
  auto add = [&](const char* name, const char* help, ExitCode (*run)(const Flags&)) {
    CLI::App* verb = verbs->add_subcommand(name, help);
    auto flags = std::make_shared<Flags>();
    add_connection_flags(*verb, flags->connection);
    add_json_flag(*verb, flags->connection);
    verb->callback([flags, &action, run] { action = [flags, run] { return run(*flags); }; });
    return std::pair(verb, flags);
  };
  auto [list_verb, list_flags] = add("list", "Those that wait, the oldest first", list);
  add_filter(*list_verb, *list_flags);
  list_verb->add_option("--id", list_flags->filter.ids, "Those of these ids")->type_name("ID");
  list_verb->add_flag("--closed", list_flags->filter.closed, "Also those that were resolved");
  list_verb->add_option("--limit", list_flags->limit, "So many at most; 100")->type_name("COUNT");
  auto [show_verb, show_flags] = add("show", "All that is known of some", show);
  show_verb->add_option("id", show_flags->filter.ids, "Their ids")->required()->type_name("ID");
  auto [resolve_verb, resolve_flags] = add("resolve", "Say which side is right of some", resolve);
  add_filter(*resolve_verb, *resolve_flags);
  resolve_verb->add_option("id", resolve_flags->filter.ids, "Those of these ids")->type_name("ID");
  resolve_verb->add_flag("--all", resolve_flags->all, "All that wait");
  resolve_verb->add_option("--take", resolve_flags->take, "The side that is right: postgres or graph")
      ->required()
      ->type_name("SIDE")
      ->check(CLI::IsMember({"postgres", "graph"}));
}

}  // namespace cnx::command
