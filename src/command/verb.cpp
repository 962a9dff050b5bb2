#include "command/verb.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "command/report_text.hpp"
#include "config/connections.hpp"
#include "config/option_table.hpp"
#include "mapping/fault.hpp"
#include "postgres/quote.hpp"
#include "telemetry/log.hpp"

namespace cnx::command {
namespace {

// The flag of an option's own; what it says is kept with the rest of the command line.
void add_option_flag(CLI::App& app, ConnectionFlags& flags, const char* key, const char* help) {
  const config::Option* option = config::find_option(key);
  const std::string name(option->flag);
  std::string type = "TEXT";
  if (const auto* text = std::get_if<config::TextForm>(&option->form)) type = text->name;
  if (const auto* secret = std::get_if<config::SecretForm>(&option->form)) type = secret->name;
  if (const auto* choice = std::get_if<config::ChoiceForm>(&option->form)) {
    type.clear();
    for (std::string_view each : choice->choices) type += (type.empty() ? "" : "|") + std::string(each);
  }
  app.add_option_function<std::string>(
         name,
         [&flags, name, key](const std::string& value) { flags.line.flags.push_back({key, value, name}); }, help)
      ->type_name(type);
}

}  // namespace

ExitCode exit_code(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::invalid: return ExitCode::usage;
    case ErrorKind::state: return ExitCode::state;
    case ErrorKind::unavailable:
    case ErrorKind::timeout: return ExitCode::unavailable;
    default: return ExitCode::failed;
  }
}

ExitCode report(const Error& error, bool json) {
  const ExitCode code = exit_code(error);
  std::fprintf(stderr, "%s\n", (json ? error_json(error, static_cast<int>(code)) : error_text(error)).c_str());
  return code;
}

ExitCode report(const ConnectionFlags& flags, const Error& error) { return report(error, flags.json); }

void add_configuration_flags(CLI::App& app, ConnectionFlags& flags) {
  app.add_option("--config", flags.line.file,
                 "The configuration file; contextnexus.yaml where it is there, or CONTEXTNEXUS_CONFIG")
      ->type_name("FILE");
  app.add_option("--set", flags.line.sets, "Any option of the configuration: apply.batch_rows=500; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_option_flag(app, flags, "log.level", "The least that is worth a line of the log");
  add_option_flag(app, flags, "log.format", "Log lines for people, or one JSON object a line");
}

void add_postgres_flag(CLI::App& app, ConnectionFlags& flags) {
  add_option_flag(app, flags, "postgres.url",
                  "PostgreSQL, the source of truth: postgresql://user@host:port/database, or libpq's key=value form. "
                  "Better in CONTEXTNEXUS_POSTGRES where it holds a password");
  add_configuration_flags(app, flags);
}

void add_mapping_flag(CLI::App& app, ConnectionFlags& flags) {
  add_option_flag(app, flags, "mapping", "Which table becomes what; the built-in schema's where it is not given");
}

void add_connection_flags(CLI::App& app, ConnectionFlags& flags) {
  add_postgres_flag(app, flags);
  add_option_flag(app, flags, "neo4j.url",
                  "Neo4j, the graph: bolt://user:password@host:port; also neo4j://, with +s for TLS. Better in "
                  "CONTEXTNEXUS_NEO4J where it holds a password");
  add_mapping_flag(app, flags);
  add_option_flag(app, flags, "pipeline", "The pipeline's name: also that of its slot and publication; contextnexus");
}

void add_json_flag(CLI::App& app, ConnectionFlags& flags) {
  app.add_flag("--json", flags.json, "For machines: one JSON value on standard output; an error is one on standard error");
}

void add_switch(CLI::App& app, ConnectionFlags& flags, const std::string& name, const std::string& key,
                const std::string& value, const std::string& help) {
  app.add_flag_callback(name, [&flags, name, key, value] { flags.line.flags.push_back({key, value, name}); }, help);
}

Result<config::Settings> read_settings(const ConnectionFlags& flags) {
  auto settings = config::load(flags.line, config::process_environment());
  if (!settings) {
    return fail(Error(ErrorKind::invalid, "the configuration has faults:\n" + mapping::format(settings.error())));
  }
  telemetry::set_up_log(settings->log);
  return std::move(*settings);
}

Result<postgres::ConnectionOptions> postgres_options(const ConnectionFlags& flags) {
  CNX_TRY(config::Settings settings, read_settings(flags));
  return config::postgres_options(settings, config::process_environment());
}

Result<mapping::Mapping> mapping_of(const ConnectionFlags& flags) {
  CNX_TRY(config::Settings settings, read_settings(flags));
  return config::read_mapping(settings);
}

Result<pipeline::PipelineOptions> source_options(const config::Settings& settings) {
  pipeline::PipelineOptions options = settings.pipeline;
  CNX_TRY(options.postgres, config::postgres_options(settings, config::process_environment()));
  CNX_TRY(postgres::check_slot_name(options.name));
  CNX_TRY(options.mapping, config::read_mapping(settings));
  return options;
}

Result<pipeline::PipelineOptions> pipeline_options(const config::Settings& settings) {
  CNX_TRY(config::postgres_options(settings, config::process_environment()));
  CNX_TRY(bolt::Options neo4j, config::neo4j_options(settings));
  CNX_TRY(pipeline::PipelineOptions options, source_options(settings));
  options.neo4j = std::move(neo4j);
  return options;
}

Result<pipeline::PipelineOptions> source_options(const ConnectionFlags& flags) {
  CNX_TRY(config::Settings settings, read_settings(flags));
  return source_options(settings);
}

Result<pipeline::PipelineOptions> pipeline_options(const ConnectionFlags& flags) {
  CNX_TRY(config::Settings settings, read_settings(flags));
  return pipeline_options(settings);
}

}  // namespace cnx::command
