// contextnexus version.
#include "command/version.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apply/position.hpp"
#include "command/verb.hpp"
#include "pipeline/schema.hpp"

namespace cnx::command {

// Made by the build (cmake/version.cmake).
namespace built {
extern const char* const kVersion;
extern const char* const kCommit;
}  // namespace built

namespace {

ExitCode print(bool json) {
  if (!json) {
    std::printf("%s\nposition in the graph: format %lld\ntables of the schema contextnexus: version %d\n",
                version_line().c_str(), static_cast<long long>(apply::kPositionFormat), pipeline::kEngineVersion);
    return ExitCode::success;
  }
  const nlohmann::ordered_json told = {{"version", built::kVersion},
                                       {"commit", built::kCommit},
                                       {"position_format", apply::kPositionFormat},
                                       {"engine_schema_version", pipeline::kEngineVersion}};
  std::printf("%s\n", told.dump(2).c_str());
  return ExitCode::success;
}

}  // namespace

std::string version_text() {
  std::string text = built::kVersion;
  if (*built::kCommit != '\0') text += std::string(" (") + built::kCommit + ")";
  return text;
}

std::string version_line() { return "contextnexus " + version_text(); }

void add_version(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("version", "Which program this is, and which versions of what it keeps it knows");
  auto flags = std::make_shared<ConnectionFlags>();
  add_json_flag(*verb, *flags);
  verb->footer("An older program leaves alone what a newer one has made, and says so.");
  verb->callback([flags, &action] { action = [flags] { return print(flags->json); }; });
}

}  // namespace cnx::command
