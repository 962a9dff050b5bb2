#include "config/load.hpp"

#include <gtest/gtest.h>

#include <map>

namespace cnx::config {
namespace {

using Variables = std::map<std::string, std::string>;

Environment variables(Variables known) {
  return [known = std::move(known)](const std::string& name) -> std::optional<std::string> {
    auto at = known.find(name);
    if (at == known.end()) return std::nullopt;
    return at->second;
  };
}

Settings good(std::string_view yaml, const CommandLine& line = {}, const Variables& known = {}) {
  Environment environment = variables(known);
  auto loaded = load_text(yaml, "dir/c.yaml", line, environment);
  EXPECT_TRUE(loaded) << (loaded ? "" : mapping::format(loaded.error()));
  return loaded ? *loaded : Settings();
}

std::string faults(std::string_view yaml, const CommandLine& line = {}, const Variables& known = {}) {
  Environment environment = variables(known);
  auto loaded = load_text(yaml, "c.yaml", line, environment);
  return loaded ? "" : mapping::format(loaded.error());
}

TEST(Configuration, of_nothing_is_the_defaults) {
  for (const char* yaml : {"", "# only words\n", "postgres:\n"}) {
    Settings settings = good(yaml);
    EXPECT_EQ(settings.pipeline.name, "contextnexus");
    EXPECT_FALSE(settings.postgres_url.given());
    EXPECT_TRUE(settings.run.write_back);
  }
}

TEST(Configuration, is_read_section_by_section) {
  Settings settings = good(R"(
postgres: {url: "postgresql://me@db/k", password: hush}
neo4j:
  url: neo4j+s://graph
  user: me
  database: knowledge
pipeline: k2
apply: {batch_rows: 7}
log: {level: debug}
)");
  EXPECT_EQ(settings.postgres_url.text.reveal(), "postgresql://me@db/k");
  EXPECT_EQ(settings.postgres_password.text.reveal(), "hush");
  EXPECT_EQ(settings.neo4j_url.text.reveal(), "neo4j+s://graph");
  EXPECT_EQ(settings.neo4j_user, "me");
  EXPECT_EQ(settings.neo4j_database, "knowledge");
  EXPECT_EQ(settings.pipeline.name, "k2");
  EXPECT_EQ(settings.pipeline.batch.rows_target, 7U);
  EXPECT_EQ(settings.log.level, "debug");
}

TEST(Configuration, has_flags_over_environment_over_file_over_defaults) {
  const char* yaml = "pipeline: file\napply: {batch_rows: 2}\n";
  const Variables environment = {{"CONTEXTNEXUS_PIPELINE", "environment"}, {"CONTEXTNEXUS_APPLY_BATCH_ROWS", "3"}};
  CommandLine set;
  set.sets = {"pipeline=set"};
  CommandLine flag = set;
  flag.flags = {{"pipeline", "flag", "--pipeline"}};
  EXPECT_EQ(good("").pipeline.name, "contextnexus");
  EXPECT_EQ(good(yaml).pipeline.name, "file");
  EXPECT_EQ(good(yaml, {}, environment).pipeline.name, "environment");
  EXPECT_EQ(good(yaml, {}, environment).pipeline.batch.rows_target, 3U);
  EXPECT_EQ(good(yaml, set, environment).pipeline.name, "set");
  EXPECT_EQ(good(yaml, flag, environment).pipeline.name, "flag");
}

TEST(Configuration, takes_an_empty_variable_as_none) {
  EXPECT_EQ(good("pipeline: file\n", {}, {{"CONTEXTNEXUS_PIPELINE", ""}}).pipeline.name, "file");
}

TEST(Configuration, knows_the_two_urls_by_short_variables) {
  Settings settings = good("", {}, {{"CONTEXTNEXUS_POSTGRES", "p"}, {"CONTEXTNEXUS_NEO4J", "n"}});
  EXPECT_EQ(settings.postgres_url.text.reveal(), "p");
  EXPECT_EQ(settings.neo4j_url.text.reveal(), "n");
}

TEST(Configuration, replaces_variables_in_the_file_alone) {
  CommandLine line;
  line.sets = {"neo4j.password=${NAME}"};
  Settings settings = good("pipeline: ${NAME}_1\n", line, {{"NAME", "x"}});
  EXPECT_EQ(settings.pipeline.name, "x_1");
  EXPECT_EQ(settings.neo4j_password.text.reveal(), "${NAME}");
}

TEST(Configuration, has_paths_relative_to_its_file_and_those_of_flags_to_the_process) {
  EXPECT_EQ(good("mapping: m.yaml\n").mapping_file, "dir/m.yaml");
  EXPECT_EQ(good("mapping: /m.yaml\n").mapping_file, "/m.yaml");
  CommandLine line;
  line.flags = {{"mapping", "m.yaml", "--mapping"}};
  EXPECT_EQ(good("", line).mapping_file, "m.yaml");
}

TEST(Configuration, reports_all_faults_at_once_with_places_and_what_was_meant) {
  CommandLine line;
  line.sets = {"apply.batch_row=1", "nonsense", "apply.piece_rows=1"};
  EXPECT_EQ(faults("postgress: {url: x}\n"
                   "neo4j: {pasword: hush, url: '${NONE}'}\n"
                   "apply:\n"
                   "  batch_rows: many\n"
                   "  batch_rows: 3\n"
                   "log: {level: infos}\n"
                   "capture: 5\n",
                   line, {{"CONTEXTNEXUS_LOG_FORMAT", "xml"}}),
            "c.yaml:1:1: unknown key `postgress` in a configuration file (did you mean `postgres`?)\n"
            "c.yaml:2:9: unknown key `pasword` in `neo4j` (did you mean `password`?)\n"
            "c.yaml:2:29: the variable NONE is not set (set it, or write ${NONE:-otherwise})\n"
            "c.yaml:4:15: `apply.batch_rows` is a whole number from 1 to 100000\n"
            "c.yaml:5:3: `batch_rows` stands twice in `apply`, first in line 4\n"
            "c.yaml:6:14: `log.level` is `error`, `warning`, `info`, `debug` or `trace` (did you mean `info`?)\n"
            "c.yaml:7:10: `capture` must be a map\n"
            "--set: unknown key `apply.batch_row` (did you mean `apply.batch_rows`?)\n"
            "--set: this is not KEY=VALUE (write --set apply.batch_rows=500)\n"
            "--set apply.piece_rows: `apply.piece_rows` is a whole number from 100 to 100000\n"
            "CONTEXTNEXUS_LOG_FORMAT: `log.format` is `text` or `json`\n");
}

TEST(Configuration, that_is_no_yaml_is_a_fault_with_its_place) {
  EXPECT_EQ(faults("a: [1,\n").substr(0, 9), "c.yaml:2:");
  EXPECT_EQ(faults("- a\n"), "c.yaml:1:1: a configuration file must be a map\n");
  EXPECT_NE(faults(std::string(2 << 20, 'x')), "");
}

TEST(Configuration, that_is_a_mapping_says_so_and_nothing_else) {
  EXPECT_EQ(faults("version: 1\ntables: {}\n"),
            "c.yaml:1:1: this is a mapping, not a configuration (give it with --mapping)\n");
}

TEST(Configuration, repeats_no_secret_in_a_fault) {
  for (const char* yaml : {"neo4j: {password: TOPSECRET, passwort: TOPSECRET}\n", "neo4j: {password: [TOPSECRET]}\n",
                           "neo4j: {password: \"${TOPSECRET}${\"}\n"}) {
    EXPECT_EQ(faults(yaml, {}, {{"TOPSECRET", "TOPSECRETS"}}).find("TOPSECRETS"), std::string::npos);
  }
  CommandLine line;
  line.sets = {"neo4j.passwort=TOPSECRET"};
  EXPECT_NE(faults("", line), "");
  EXPECT_EQ(faults("", line).find("TOPSECRET"), std::string::npos);
}

TEST(AConfigurationFile, that_is_named_must_be_there) {
  CommandLine line;
  line.file = testing::TempDir() + "no-such-file.yaml";
  auto loaded = load(line, variables({}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(mapping::format(loaded.error()), line.file + ": the configuration file cannot be read\n");
  auto by_variable = load({}, variables({{"CONTEXTNEXUS_CONFIG", line.file}}));
  EXPECT_FALSE(by_variable);
  EXPECT_TRUE(load({}, variables({})));
}

}  // namespace
}  // namespace cnx::config
