#include "command/infer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/connections.hpp"
#include "pipeline/infer.hpp"

namespace cnx::command {
namespace {

constexpr const char* kDefaultFile = "mapping.yaml";
constexpr std::string_view kStandardOutput = "-";

Error exists(const std::string& file) {
  return Error(ErrorKind::invalid, "the file is there already, and is not overwritten")
      .with("file", file)
      .advise(
          "move it away, or name another by --mapping FILE; --mapping - prints the mapping "
          "instead");
}

Status write_file(const std::string& file, const std::string& text) {
  // x: fails where somebody has made the file meanwhile.
  std::FILE* out = std::fopen(file.c_str(), "wbx");
  if (out == nullptr && errno == EEXIST) return fail(exists(file));
  bool good = out != nullptr && std::fwrite(text.data(), 1, text.size(), out) == text.size();
  const int error = errno;
  if (out != nullptr && std::fclose(out) != 0) good = false;
  if (good) return {};
  if (out != nullptr) std::remove(file.c_str());
  return fail(Error(ErrorKind::invalid,
                    "the mapping cannot be written: " + std::string(std::strerror(error)))
                  .with("file", file)
                  .advise("name a file that can be written by --mapping FILE"));
}

void print_json(const std::string& file, const mapping::Inferred& inferred) {
  nlohmann::ordered_json left_out = nlohmann::ordered_json::array();
  for (const mapping::LeftOut& out : inferred.left_out) {
    left_out.push_back({{"table", postgres::to_string(out.table)}, {"reason", out.reason}});
  }
  const nlohmann::ordered_json json = {{"file", file},
                                       {"nodes", inferred.nodes()},
                                       {"relationships", inferred.relationships()},
                                       {"foreign_keys", inferred.foreign_keys()},
                                       {"left_out", left_out}};
  std::printf("%s\n", json.dump(2).c_str());
}

void print_summary(const std::string& file, const mapping::Inferred& inferred) {
  std::printf("%s: a mapping of the database %s\n\n", file.c_str(), inferred.name.c_str());
  std::printf("%6zu  tables become nodes\n", inferred.nodes());
  std::printf("%6zu  tables become relationships\n", inferred.relationships());
  std::printf("%6zu  foreign keys become relationships\n", inferred.foreign_keys());
  std::printf("%6zu  left out%s\n", inferred.left_out.size(), inferred.left_out.empty() ? "" : ":");
  size_t width = 0;
  for (const mapping::LeftOut& out : inferred.left_out)
    width = std::max(width, postgres::to_string(out.table).size());
  for (const mapping::LeftOut& out : inferred.left_out) {
    std::printf("          %-*s  %s\n", static_cast<int>(width),
                postgres::to_string(out.table).c_str(), out.reason.c_str());
  }
  std::printf(
      "\nRead it, and change what you call otherwise; its comments say why each thing is as it is. "
      "Then:\n\n");
  const std::string mapping = " --mapping " + file;
  std::printf("  contextnexus explain TABLE%s   what one table becomes\n", mapping.c_str());
  std::printf("  contextnexus check%s           whether it fits both databases\n", mapping.c_str());
  std::printf("  contextnexus init%s            prepares both\n", mapping.c_str());
  std::printf("  contextnexus run%s             copies what is there, then follows\n",
              mapping.c_str());
}

Result<pipeline::InferredMapping> infer(const config::Settings& settings,
                                        const std::vector<std::string>& schemas) {
  CNX_TRY(postgres::ConnectionOptions options,
          config::postgres_options(settings, config::process_environment()));
  return pipeline::infer_mapping(options, schemas);
}

}  // namespace

ExitCode infer_file(const ConnectionFlags& flags, const std::vector<std::string>& schemas) {
  Result<config::Settings> settings = read_settings(flags);
  if (!settings) return report(flags, settings.error());
  const std::string file = settings->mapping_file.empty() ? kDefaultFile : settings->mapping_file;
  const bool prints = file == kStandardOutput;
  if (prints && flags.json) {
    return report(flags,
                  Error(ErrorKind::invalid, "--json and --mapping - both want standard output")
                      .advise("name a file by --mapping FILE"));
  }
  // Before the look, since it may take a while; write_file looks again.
  std::error_code ignored;
  if (!prints && std::filesystem::exists(file, ignored)) return report(flags, exists(file));
  Result<pipeline::InferredMapping> made = infer(*settings, schemas);
  if (!made) return report(flags, made.error());
  if (prints) {
    std::fputs(made->text.c_str(), stdout);
    return ExitCode::success;
  }
  Status written = write_file(file, made->text);
  if (!written) return report(flags, written.error());
  if (flags.json) {
    print_json(file, made->inferred);
  } else {
    print_summary(file, made->inferred);
  }
  return ExitCode::success;
}

}  // namespace cnx::command
