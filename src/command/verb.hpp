// What the verbs of the command line share: the two databases and the mapping, how errors are told, and exit codes.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "config/load.hpp"
#include "pipeline/options.hpp"

namespace CLI {
class App;
}

namespace cnx::command {

enum class ExitCode : int {
  success = 0,
  failed = 1,       // Anything that no other code names; check: there is a fault.
  usage = 2,        // The command line, the configuration or the mapping.
  state = 3,        // The two sides do not fit together: a person must choose a cure.
  unavailable = 4,  // A database could not be reached, or did not answer in time.
  incomplete = 5,   // init: some steps need another role; their SQL was printed.
};

// A verb's work, run after the command line was read.
using Action = std::function<ExitCode()>;

// What every verb's flags hold. The rest of a person's words is in the environment and in the configuration file.
struct ConnectionFlags {
  config::CommandLine line;
  bool json = false;  // --json, where the verb has it.
};

// With which code a verb that failed by this error ends.
ExitCode exit_code(const Error& error);
// Tells the error on standard error, with its advice, and says with which code to end. With --json as one line of JSON.
ExitCode report(const Error& error, bool json = false);
ExitCode report(const ConnectionFlags& flags, const Error& error);

// --config and --set, which every verb has, and the flags of their own that options have.
void add_configuration_flags(CLI::App& app, ConnectionFlags& flags);
void add_postgres_flag(CLI::App& app, ConnectionFlags& flags);
void add_mapping_flag(CLI::App& app, ConnectionFlags& flags);
// All of them, and --neo4j and --pipeline.
void add_connection_flags(CLI::App& app, ConnectionFlags& flags);
void add_json_flag(CLI::App& app, ConnectionFlags& flags);
// A flag that says `value` for the option of `key`: --no-write-back.
void add_switch(CLI::App& app, ConnectionFlags& flags, const std::string& name, const std::string& key,
                const std::string& value, const std::string& help);

// Reads all of the configuration and sets up the log by it. Its faults, all of them, are in the error's message.
Result<config::Settings> read_settings(const ConnectionFlags& flags);

Result<postgres::ConnectionOptions> postgres_options(const ConnectionFlags& flags);
Result<mapping::Mapping> mapping_of(const ConnectionFlags& flags);
// Without Neo4j: for what only asks PostgreSQL.
Result<pipeline::PipelineOptions> source_options(const ConnectionFlags& flags);
Result<pipeline::PipelineOptions> pipeline_options(const ConnectionFlags& flags);
// The same of settings that were read already.
Result<pipeline::PipelineOptions> source_options(const config::Settings& settings);
Result<pipeline::PipelineOptions> pipeline_options(const config::Settings& settings);

// One function a verb: adds it to the program and sets `action` when it is chosen.
void add_version(CLI::App& program, Action& action);
void add_docs(CLI::App& program, Action& action);
void add_schema(CLI::App& program, Action& action);
void add_init(CLI::App& program, Action& action);
void add_map(CLI::App& program, Action& action);
void add_explain(CLI::App& program, Action& action);
void add_check(CLI::App& program, Action& action);
void add_run(CLI::App& program, Action& action);
void add_status(CLI::App& program, Action& action);
void add_pause(CLI::App& program, Action& action);
void add_resume(CLI::App& program, Action& action);
void add_resync(CLI::App& program, Action& action);
void add_dead_letters(CLI::App& program, Action& action);
void add_audit(CLI::App& program, Action& action);
void add_conflicts(CLI::App& program, Action& action);
void add_drop(CLI::App& program, Action& action);

}  // namespace cnx::command
