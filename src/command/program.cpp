#include "command/program.hpp"

#include <CLI/CLI.hpp>

#include "command/version.hpp"

namespace cnx::command {
namespace {

constexpr const char* kAbout =
    "Keeps a Neo4j graph in step with PostgreSQL: every committed transaction appears in the graph once, whole and in "
    "order.";

constexpr const char* kFooter =
    "A first time, with the built-in tables:\n\n"
    "  export CONTEXTNEXUS_POSTGRES=postgresql://postgres@127.0.0.1/knowledge   an administrator's\n"
    "  export CONTEXTNEXUS_NEO4J=bolt://neo4j:…@127.0.0.1\n"
    "  contextnexus schema install        the tables; not where you bring a --mapping of your own\n"
    "  contextnexus init --role sync      role, grants, publication, constraints, position\n"
    "  contextnexus check                 what stands in the way, each with its cure\n"
    "  contextnexus run                   copies what is there, then follows; SIGTERM ends it\n"
    "  contextnexus status                where it stands\n\n"
    "Or with both URLs in the command line: contextnexus run --postgres URL --neo4j URL\n"
    "All options, as flags, variables and in contextnexus.yaml: docs/configuration.md\n\n"
    "Exit codes: 0 done, 1 failed (check: a fault), 2 wrong words, configuration or mapping, 3 the two sides do not\n"
    "fit together, or a person must decide, 4 a database cannot be reached, 5 init needs another role.";

constexpr std::string_view kPageHead = R"(# The command line

This page is made by `contextnexus docs cli`; a test fails where it is stale. Options that are not flags: [configuration.md](configuration.md).

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | failed, and no other code fits; `check`: there is a fault |
| 2 | the command line, the configuration or the mapping is wrong |
| 3 | the two sides do not fit together, or a person must decide: the message names the cures |
| 4 | a database cannot be reached, or did not answer in time |
| 5 | `init`: some steps need another role; their SQL was printed |

`run` ends with 0 after SIGTERM or SIGINT; a second signal ends it at once, by that signal (a shell shows 128 + its number). Nothing is lost
by either.

## For machines

With `--json` a verb prints one JSON value on standard output. Where it fails, standard output stays empty and standard error has one line,
`{"error": {"kind": …, "code": …, "message": …, "advice": …}, "exit_code": …}`: `code` is the database's own (SQLSTATE, `Neo.…`), or empty.
Wrong words on the command line itself are told as text, with code 2. Fields may be added; those that are there keep their names.

)";

// The verb's own help, then those below it. CLI11 pads columns by width: what is a page here is what `--help` prints.
void add_to_page(std::string& page, const CLI::App& verb, const std::string& above) {
  const std::string name = above + " " + verb.get_name();
  const auto below = verb.get_subcommands({});
  if (below.empty()) page += "\n## " + name + "\n\n```\n" + verb.help(above) + "```\n";
  for (const CLI::App* each : below) add_to_page(page, *each, name);
}

}  // namespace

void build_program(CLI::App& program, Action& action) {
  program.description(kAbout);
  program.require_subcommand(1);
  program.set_version_flag("--version", version_line());
  add_schema(program, action);
  add_init(program, action);
  add_check(program, action);
  add_map(program, action);
  add_explain(program, action);
  add_run(program, action);
  add_status(program, action);
  add_pause(program, action);
  add_resume(program, action);
  add_resync(program, action);
  add_dead_letters(program, action);
  add_audit(program, action);
  add_conflicts(program, action);
  add_drop(program, action);
  add_version(program, action);
  add_docs(program, action);
  // Last: each verb would inherit it.
  program.footer(kFooter);
}

std::string command_line_page() {
  CLI::App program;
  program.name("contextnexus");
  Action action;
  build_program(program, action);
  std::string page(kPageHead);
  page += "```\n" + program.help() + "```\n";
  for (const CLI::App* verb : program.get_subcommands({})) add_to_page(page, *verb, "contextnexus");
  return page;
}

}  // namespace cnx::command
