// contextnexus check: the preflight. Tries what a pipeline will do, and names what stands in the
// way.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "command/check_report.hpp"
#include "command/verb.hpp"
#include "pipeline/check.hpp"

namespace cnx::command {
namespace {

struct CheckFlags : ConnectionFlags {
  bool list = false;
};

constexpr const char* kFooter =
    "It looks at both databases with the role of the URLs: give it those that `run` will have. It "
    "tries\n"
    "rather than reads: a replication connection, a temporary slot, a read of each table, a write "
    "to the\n"
    "graph that is rolled back. Nothing of it stays. All faults are shown at once, each with its "
    "cure.\n\n"
    "  ok       as it has to be\n"
    "  warning  the pipeline runs, and something will cost more or be missed\n"
    "  fault    the pipeline does not start, or would stop, or would not keep its promise\n\n"
    "Before `init`, the publication and the position are missing: two faults that `init` cures.\n"
    "Exit codes: 0 no fault (warnings may be there), 1 a fault, 2 wrong words, configuration or mapping.";

// Markdown, as docs/check.md holds it.
ExitCode print_list() {
  std::printf("| code | grade | meaning | cure |\n|---|---|---|---|\n");
  for (const pipeline::FindingText& text : pipeline::finding_texts()) {
    std::printf("| `%s` | %s | %s | %s |\n", std::string(text.code).c_str(), std::string(text.grade).c_str(),
                std::string(text.meaning).c_str(), std::string(text.cure).c_str());
  }
  return ExitCode::success;
}

ExitCode check(const CheckFlags& flags) {
  if (flags.list) return print_list();
  Result<pipeline::PipelineOptions> options = pipeline_options(flags);
  if (!options) return report(flags, options.error());
  const pipeline::CheckReport found = pipeline::check_pipeline(*options);
  return print_report(flags, options->name, found);
}

}  // namespace

void add_check(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand(
      "check",
      "Whether the pipeline can run: tries it, and names each thing that is wrong with its cure");
  auto flags = std::make_shared<CheckFlags>();
  add_connection_flags(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->add_flag("--list", flags->list, "Print everything that can be found wrong, with its cure, and look at nothing");
  verb->footer(kFooter);
  verb->callback([flags, &action] { action = [flags] { return check(*flags); }; });
}

}  // namespace cnx::command
