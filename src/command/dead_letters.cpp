// contextnexus dead-letters: rows that the graph refused, looked at and settled.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/engine_records.hpp"
#include "record/audit_entry.hpp"
#include "record/dead_letters.hpp"

namespace cnx::command {
namespace {

using record::DeadLetter;
using record::DeadLetterFilter;

constexpr Duration kStepMax = std::chrono::seconds(30);

constexpr const char* kFooter =
    "A row that the graph refuses is passed, and the rest is applied: what is wrong, and of which row, stands in\n"
    "contextnexus.dead_letters before the graph goes on without it. Later changes of its key are held behind it.\n\n"
    "  contextnexus dead-letters list                which there are\n"
    "  contextnexus dead-letters show 17             all that is known of one\n"
    "  contextnexus dead-letters retry --table tags  once the cause is mended: the rows are applied as they are then\n"
    "  contextnexus dead-letters discard 17          the graph goes without the row until it changes again\n\n"
    "Needs PostgreSQL alone. A running engine hears of it at once, one that is started later then. docs/dead-letters.md";

struct Flags {
  ConnectionFlags connection;
  DeadLetterFilter filter;
  size_t limit = 100;
  bool all = false;  // Every letter: no filter is meant.
};

nlohmann::ordered_json to_json(const DeadLetter& letter) {
  return {{"id", letter.id},
          {"state", letter.state},
          {"table", letter.table},
          {"key_columns", letter.key_columns},
          {"key_values", letter.key_values},
          {"position", letter.position},
          {"correlation_id", letter.correlation_id},
          {"operation", letter.operation},
          {"statement", letter.statement},
          {"code", letter.code},
          {"reason", letter.reason},
          {"values", letter.values.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(letter.values, nullptr, false)},
          {"attempts", letter.attempts},
          {"held_changes", letter.held_changes},
          {"stopped_line", letter.stopped_line},
          {"created_at", letter.created_at},
          {"updated_at", letter.updated_at},
          {"closed_at", letter.closed_at},
          {"closed_by", letter.closed_by}};
}

void print_line(const DeadLetter& letter) {
  std::printf("%lld  %s  %s (%s)  %s\n", static_cast<long long>(letter.id), letter.state.c_str(), letter.table.c_str(),
              joined(letter.key_values).c_str(), letter.position.empty() ? "copied" : letter.position.c_str());
  std::printf("    %s%s%s\n", letter.reason.c_str(), letter.code.empty() ? "" : (" (" + letter.code + ")").c_str(),
              letter.statement.empty() ? "" : (" [" + letter.statement + "]").c_str());
}

void print_whole(const DeadLetter& letter) {
  auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) std::printf("%-14s %s\n", name, value.c_str());
  };
  line("id", std::to_string(letter.id));
  line("state", letter.state + (letter.stopped_line ? "; the circuit breaker stopped the line at it" : ""));
  line("table", letter.table);
  line("key", joined(letter.key_columns) + " = " + joined(letter.key_values));
  line("change", letter.operation + (letter.position.empty() ? "" : " at " + letter.position));
  line("correlation id", letter.correlation_id);
  line("statement", letter.statement);
  line("code", letter.code);
  line("reason", letter.reason);
  line("attempts", std::to_string(letter.attempts));
  line("held behind", std::to_string(letter.held_changes) + " changes");
  line("since", letter.created_at);
  line("last", letter.updated_at);
  line("ended", letter.closed_at + (letter.closed_by.empty() ? "" : " by " + letter.closed_by));
  line("values", letter.values);
}

Result<std::vector<DeadLetter>> find(const Flags& flags, const DeadLetterFilter& filter) {
  CNX_TRY(EngineRecords opened, open_engine_records(flags.connection, Clock::now() + kStepMax));
  return record::find_dead_letters(opened.session, opened.options.name, filter, flags.limit, Clock::now() + kStepMax);
}

ExitCode list(const Flags& flags) {
  Result<std::vector<DeadLetter>> letters = find(flags, flags.filter);
  if (!letters) return report(flags.connection, letters.error());
  if (flags.connection.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const DeadLetter& letter : *letters) json.push_back(to_json(letter));
    std::printf("%s\n", pretty(json).c_str());
    return ExitCode::success;
  }
  for (const DeadLetter& letter : *letters) print_line(letter);
  if (letters->empty()) std::printf("there are no dead letters%s\n", flags.filter.empty() ? "" : " like that");
  if (letters->size() == flags.limit) std::printf("there may be more: --limit\n");
  return ExitCode::success;
}

ExitCode show(const Flags& flags) {
  DeadLetterFilter filter = flags.filter;
  filter.closed = true;
  Result<std::vector<DeadLetter>> letters = find(flags, filter);
  if (letters && letters->empty()) {
    letters = fail(Error(ErrorKind::invalid, "the pipeline has no such dead letter").advise("contextnexus dead-letters list --closed"));
  }
  if (!letters) return report(flags.connection, letters.error());
  for (const DeadLetter& letter : *letters) {
    if (flags.connection.json) {
      std::printf("%s\n", pretty(to_json(letter)).c_str());
    } else {
      print_whole(letter);
    }
  }
  return ExitCode::success;
}

using Settle = Result<size_t> (*)(postgres::Session&, const std::string&, const DeadLetterFilter&, bool audited, TimePoint);

Result<size_t> settled(const Flags& flags, Settle settle) {
  if (flags.filter.empty() && !flags.all) {
    return fail(Error(ErrorKind::invalid, "which dead letters are meant?").advise("name them by id or by a filter; or --all"));
  }
  CNX_TRY(EngineRecords opened, open_engine_records(flags.connection, Clock::now() + kStepMax));
  const bool audited = record::audit_level(opened.options.audit.level) != record::AuditLevel::off;
  return settle(opened.session, opened.options.name, flags.filter, audited, Clock::now() + kStepMax);
}

ExitCode settle(const Flags& flags, Settle settle, const char* word, const char* text) {
  Result<size_t> count = settled(flags, settle);
  if (!count) return report(flags.connection, count.error());
  if (flags.connection.json) {
    std::printf("%s\n", pretty({{word, *count}}).c_str());
  } else {
    std::printf("%zu %s\n", *count, text);
  }
  return ExitCode::success;
}

void add_filter(CLI::App& verb, Flags& flags) {
  verb.add_option("--table", flags.filter.table, "Of that table: schema.table, or the name alone")->type_name("TABLE");
  verb.add_option("--key", flags.filter.key, "Of that key: its columns' values, joined by commas")->type_name("KEY");
  verb.add_option("--code", flags.filter.code, "Refused with that code")->type_name("CODE");
  verb.add_option("--since", flags.filter.since, "Made since then, as PostgreSQL reads a time")->type_name("TIME");
}

}  // namespace

void add_dead_letters(CLI::App& program, Action& action) {
  CLI::App* verbs = program.add_subcommand("dead-letters", "Rows that the graph refused: list, show, retry, discard");
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
  auto [list_verb, list_flags] = add("list", "Those that are open, the oldest first", list);
  add_filter(*list_verb, *list_flags);
  list_verb->add_option("--id", list_flags->filter.ids, "Those of these ids")->type_name("ID");
  list_verb->add_flag("--closed", list_flags->filter.closed, "Also those that were settled");
  list_verb->add_option("--limit", list_flags->limit, "So many at most; 100")->type_name("COUNT");
  auto [show_verb, show_flags] = add("show", "All that is known of some", show);
  show_verb->add_option("id", show_flags->filter.ids, "Their ids")->required()->type_name("ID");
  auto [retry_verb, retry_flags] = add("retry", "Try them again: the rows as they are now, safe against whatever is newer", [](const Flags& flags) {
    return settle(flags, record::ask_for_retry, "retrying", "dead letters will be tried again");
  });
  auto [discard_verb, discard_flags] =
      add("discard", "Give them up: the graph goes without these rows until they change again", [](const Flags& flags) {
        return settle(flags, record::discard, "discarded", "dead letters are discarded: the graph lacks these rows until they change again");
      });
  for (auto& [verb, flags] : {std::pair(retry_verb, retry_flags), std::pair(discard_verb, discard_flags)}) {
    add_filter(*verb, *flags);
    verb->add_option("id", flags->filter.ids, "Those of these ids")->type_name("ID");
    verb->add_flag("--all", flags->all, "All that are open");
  }
}

}  // namespace cnx::command
