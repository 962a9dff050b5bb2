// contextnexus docs: the pages that are made from the program itself.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "command/errors_page.hpp"
#include "command/program.hpp"
#include "command/types_page.hpp"
#include "config/document.hpp"
#include "pipeline/metrics.hpp"

namespace cnx::command {
namespace {

void add_page(CLI::App& docs, Action& action, const char* name, const char* help, std::string (*page)()) {
  docs.add_subcommand(name, help)->callback([&action, page] {
    action = [page] {
      std::fputs(page().c_str(), stdout);
      return ExitCode::success;
    };
  });
}

}  // namespace

void add_docs(CLI::App& program, Action& action) {
  CLI::App* docs = program.add_subcommand("docs", "Print a page of the documentation that is made from the program itself");
  docs->require_subcommand(1);
  add_page(*docs, action, "configuration", "Every option: docs/configuration.md", config::configuration_page);
  add_page(*docs, action, "cli", "Every verb's help: docs/cli.md", command_line_page);
  add_page(*docs, action, "metrics", "Every metric: docs/metrics.md", pipeline::metrics_page);
  add_page(*docs, action, "types", "What PostgreSQL's types become: docs/types.md", types_page);
  add_page(*docs, action, "errors", "What is done about each error of the servers: docs/errors.md", errors_page);
  add_page(*docs, action, "schema", "The same as a JSON Schema for editors: docs/configuration.schema.json",
           config::configuration_schema);
}

}  // namespace cnx::command
