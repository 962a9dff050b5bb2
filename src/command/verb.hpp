// What the verbs of the command line share: the two databases and the mapping, how errors are told, and exit codes.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "pipeline/options.hpp"

namespace CLI {
class App;
}

namespace cnx::command {

enum class ExitCode : int {
  success = 0,
  failed = 1,       // Anything that no other code names; check: there is a fault.
  usage = 2,        // The command line, a URL or the mapping.
  state = 3,        // The two sides do not fit together: a person must choose a cure.
  unavailable = 4,  // A database could not be reached, or did not answer in time.
  incomplete = 5,   // init: some steps need another role; their SQL was printed.
};

// A verb's work, run after the command line was read.
using Action = std::function<ExitCode()>;

// Tells the error to a person on standard error, with its advice, and says with which code to end.
ExitCode report(const Error& error);

// --postgres and --neo4j, by flag or environment (CONTEXTNEXUS_POSTGRES, CONTEXTNEXUS_NEO4J), --mapping and --pipeline.
struct ConnectionFlags {
  std::string postgres;
  std::string neo4j;
  std::string mapping_file;
  std::string pipeline = "contextnexus";
};
void add_postgres_flag(CLI::App& app, ConnectionFlags& flags);
void add_mapping_flag(CLI::App& app, ConnectionFlags& flags);
void add_connection_flags(CLI::App& app, ConnectionFlags& flags);

Result<postgres::ConnectionOptions> postgres_options(const ConnectionFlags& flags);
// Reads the mapping file, or the built-in one. All faults of a mapping are in the error's message.
Result<mapping::Mapping> mapping_of(const ConnectionFlags& flags);
// Without Neo4j: for what only asks PostgreSQL.
Result<pipeline::PipelineOptions> source_options(const ConnectionFlags& flags);
Result<pipeline::PipelineOptions> pipeline_options(const ConnectionFlags& flags);

// One function a verb: adds it to the program and sets `action` when it is chosen.
void add_schema(CLI::App& program, Action& action);
void add_init(CLI::App& program, Action& action);
void add_explain(CLI::App& program, Action& action);
void add_check(CLI::App& program, Action& action);
void add_run(CLI::App& program, Action& action);
void add_status(CLI::App& program, Action& action);
void add_drop(CLI::App& program, Action& action);

}  // namespace cnx::command
