#include "command/verb.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "bolt/url.hpp"
#include "mapping/builtin.hpp"
#include "mapping/load.hpp"
#include "postgres/quote.hpp"

namespace cnx::command {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(ErrorKind::invalid, "cannot read " + path);
  return text.str();
}

}  // namespace

ExitCode report(const Error& error) {
  std::fprintf(stderr, "contextnexus: %s\n", error.describe().c_str());
  for (const Error* e = &error; e != nullptr; e = e->cause()) {
    if (e->advice().empty()) continue;
    std::fprintf(stderr, "  %s\n", e->advice().c_str());
    break;
  }
  switch (error.kind()) {
    case ErrorKind::invalid: return ExitCode::usage;
    case ErrorKind::state: return ExitCode::state;
    case ErrorKind::unavailable:
    case ErrorKind::timeout: return ExitCode::unavailable;
    default: return ExitCode::failed;
  }
}

void add_postgres_flag(CLI::App& app, ConnectionFlags& flags) {
  app.add_option("--postgres", flags.postgres,
                 "PostgreSQL, the source of truth: postgres://user@host:port/database, or libpq's key=value form")
      ->envname("CONTEXTNEXUS_POSTGRES")
      ->type_name("URL");
}

void add_mapping_flag(CLI::App& app, ConnectionFlags& flags) {
  app.add_option("--mapping", flags.mapping_file, "Which table becomes what; the built-in schema's where it is not given")
      ->type_name("FILE");
}

void add_connection_flags(CLI::App& app, ConnectionFlags& flags) {
  add_postgres_flag(app, flags);
  app.add_option("--neo4j", flags.neo4j, "Neo4j, the graph: bolt://user:password@host:port")
      ->envname("CONTEXTNEXUS_NEO4J")
      ->type_name("URL");
  add_mapping_flag(app, flags);
  app.add_option("--pipeline", flags.pipeline, "The pipeline's name: also that of its slot and publication")
      ->capture_default_str()
      ->type_name("NAME");
}

Result<postgres::ConnectionOptions> postgres_options(const ConnectionFlags& flags) {
  if (flags.postgres.empty()) {
    return fail(Error(ErrorKind::invalid, "which PostgreSQL?").advise("give --postgres URL, or set CONTEXTNEXUS_POSTGRES"));
  }
  postgres::ConnectionOptions options;
  options.conninfo = Secret(flags.postgres);
  return options;
}

Result<mapping::Mapping> mapping_of(const ConnectionFlags& flags) {
  std::string text(mapping::builtin_mapping_text());
  std::string name(mapping::kBuiltinMappingName);
  if (!flags.mapping_file.empty()) {
    CNX_TRY(text, read_file(flags.mapping_file));
    name = flags.mapping_file;
  }
  auto loaded = mapping::load(text, name);
  if (loaded) return std::move(*loaded);
  return fail(Error(ErrorKind::invalid, "the mapping has faults:\n" + mapping::format(loaded.error())));
}

Result<pipeline::PipelineOptions> source_options(const ConnectionFlags& flags) {
  pipeline::PipelineOptions options;
  CNX_TRY(options.postgres, postgres_options(flags));
  CNX_TRY(postgres::check_slot_name(flags.pipeline));
  options.name = flags.pipeline;
  CNX_TRY(options.mapping, mapping_of(flags));
  return options;
}

Result<pipeline::PipelineOptions> pipeline_options(const ConnectionFlags& flags) {
  CNX_TRY(postgres_options(flags));
  if (flags.neo4j.empty()) {
    return fail(Error(ErrorKind::invalid, "which Neo4j?").advise("give --neo4j URL, or set CONTEXTNEXUS_NEO4J"));
  }
  CNX_TRY(bolt::Options neo4j, bolt::parse_url(flags.neo4j));
  CNX_TRY(pipeline::PipelineOptions options, source_options(flags));
  options.neo4j = std::move(neo4j);
  return options;
}

}  // namespace cnx::command
