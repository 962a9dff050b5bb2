// contextnexus explain: what a table becomes in the graph, and the statements that make it so.
#include "pipeline/explain.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"

namespace cnx::command {
namespace {

struct ExplainFlags {
  ConnectionFlags connection;
  std::string table;
};

constexpr const char* kFooter =
    "The rule comes from the mapping, types and columns from the live catalog, and the statements "
    "are\n"
    "those that `run` sends, in the order in which a batch applies them:\n\n"
    "  1 relationship removals  2 node removals  3 key changes  4 node upserts  5 relationship "
    "upserts\n\n"
    "A property with `__pg` beside it holds the exact text of a value that the graph's type "
    "cannot\n"
    "hold (infinity, NaN, …); the property itself is then absent.\n\n"
    "A relationship follows a change of the other row's key where a foreign key with ON UPDATE CASCADE\n"
    "moves its rows in the same transaction. Without one it stays at the key that its row names: on\n"
    "what has that key then, or on a stub.\n\n"
    "Exit codes: 0 done, 2 wrong words, a table that the mapping does not name, or a mapping that "
    "does\n"
    "not fit the database (`check` names all of that at once), 4 PostgreSQL cannot be reached.";

constexpr const char* kSteps[] = {"",
                                  "relationship removals",
                                  "node removals",
                                  "key changes",
                                  "node upserts",
                                  "relationship upserts"};

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void print_properties(const std::vector<pipeline::ExplainedProperty>& properties,
                      const char* indent) {
  size_t name = 0, from = 0, type = 0;
  for (const pipeline::ExplainedProperty& property : properties) {
    name = std::max(name, property.name.size());
    if (!property.type.empty()) from = std::max(from, property.from.size());
    type = std::max(type, property.type.size());
  }
  for (const pipeline::ExplainedProperty& property : properties) {
    std::string line =
        indent + property.name + std::string(name - property.name.size(), ' ') + "  ";
    if (property.type.empty()) {
      line += property.from + "  " + property.form;
    } else {
      line += property.from + std::string(from - property.from.size(), ' ') + "  " + property.type +
              std::string(type - property.type.size(), ' ') + "  " + property.form;
    }
    if (!property.companion.empty()) line += ", or " + property.companion;
    if (!property.role.empty()) line += "  [" + property.role + "]";
    std::printf("%s\n", line.c_str());
  }
}

void print_statements(const pipeline::Explanation& told) {
  int step = 0;
  for (const pipeline::ExplainedStatement& statement : told.statements) {
    if (statement.step != step) std::printf("\n%d. %s\n", statement.step, kSteps[statement.step]);
    step = statement.step;
    std::printf("  %s: %s\n    %s\n", statement.name.c_str(), statement.when.c_str(),
                statement.text.c_str());
  }
}

void print(const pipeline::Explanation& told) {
  if (told.form == "none") {
    std::printf("%s: named in the mapping, and without a form in the graph\n", told.table.c_str());
    return;
  }
  std::printf("%s  →  %s %s\n", told.table.c_str(), told.form.c_str(), told.pattern.c_str());
  std::printf("key: %s\n", join(told.key).c_str());
  std::printf("version: %s\n",
              told.version.empty() ? "none, an UPDATE is never refused" : told.version.c_str());
  std::printf("\nproperties\n");
  print_properties(told.properties, "  ");
  if (!told.left_out.empty()) std::printf("left out: %s\n", join(told.left_out).c_str());
  if (!told.relationships.empty())
    std::printf("\n%s\n", told.form == "node" ? "relationships" : "ends");
  for (const pipeline::ExplainedRelationship& relationship : told.relationships) {
    std::printf("  %s by %s, key of %s; %s\n", relationship.pattern.c_str(),
                join(relationship.columns).c_str(), relationship.other.c_str(),
                relationship.follows ? "follows a change of it" : "stays at the key that the row names");
    print_properties(relationship.properties, "    ");
    if (relationship.end_properties.empty()) continue;
    std::printf("    made where no row named it yet, gone with the last one that does:\n");
    print_properties(relationship.end_properties, "    ");
  }
  for (const pipeline::ExplainedNode& node : told.nodes) {
    std::printf("\nalso %s by %s, there %s\n", node.pattern.c_str(), node.relationship.c_str(),
                node.columns.empty() ? "for every row" : ("while one has a value of " + join(node.columns)).c_str());
    print_properties(node.properties, "  ");
  }
  if (!told.constraints.empty()) std::printf("\nconstraints\n");
  for (const std::string& text : told.constraints) std::printf("    %s\n", text.c_str());
  print_statements(told);
}

nlohmann::ordered_json to_json(const std::vector<pipeline::ExplainedProperty>& properties) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const pipeline::ExplainedProperty& property : properties) {
    list.push_back({{"property", property.name},
                    {"from", property.from},
                    {"type", property.type},
                    {"form", property.form},
                    {"companion", property.companion},
                    {"role", property.role}});
  }
  return list;
}

nlohmann::ordered_json to_json(const pipeline::Explanation& told) {
  nlohmann::ordered_json relationships = nlohmann::ordered_json::array();
  for (const pipeline::ExplainedRelationship& relationship : told.relationships) {
    relationships.push_back({{"pattern", relationship.pattern},
                             {"columns", relationship.columns},
                             {"other", relationship.other},
                             {"follows", relationship.follows},
                             {"properties", to_json(relationship.properties)},
                             {"end_properties", to_json(relationship.end_properties)}});
  }
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const pipeline::ExplainedNode& node : told.nodes) {
    nodes.push_back({{"pattern", node.pattern},
                     {"relationship", node.relationship},
                     {"columns", node.columns},
                     {"properties", to_json(node.properties)}});
  }
  nlohmann::ordered_json statements = nlohmann::ordered_json::array();
  for (const pipeline::ExplainedStatement& statement : told.statements) {
    statements.push_back({{"step", statement.step},
                          {"name", statement.name},
                          {"when", statement.when},
                          {"text", statement.text}});
  }
  return {{"table", told.table},
          {"form", told.form},
          {"name", told.name},
          {"pattern", told.pattern},
          {"key", told.key},
          {"version", told.version},
          {"line", told.line},
          {"properties", to_json(told.properties)},
          {"left_out", told.left_out},
          {"relationships", relationships},
          {"nodes", nodes},
          {"constraints", told.constraints},
          {"statements", statements}};
}

ExitCode explain(const ExplainFlags& flags) {
  Result<postgres::ConnectionOptions> options = postgres_options(flags.connection);
  if (!options) return report(flags.connection, options.error());
  Result<mapping::Mapping> mapping = mapping_of(flags.connection);
  if (!mapping) return report(flags.connection, mapping.error());
  Result<pipeline::Explanation> told = pipeline::explain(*options, *mapping, flags.table);
  if (!told) return report(flags.connection, told.error());
  if (flags.connection.json) {
    std::printf("%s\n", to_json(*told).dump(2).c_str());
  } else {
    print(*told);
  }
  return ExitCode::success;
}

}  // namespace

void add_explain(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("explain",
                                          "What a table becomes in the graph: its rule, each "
                                          "property with its type, and the exact statements");
  auto flags = std::make_shared<ExplainFlags>();
  add_postgres_flag(*verb, flags->connection);
  add_mapping_flag(*verb, flags->connection);
  verb->add_option("table", flags->table, "tags or public.tags")->required()->type_name("TABLE");
  add_json_flag(*verb, flags->connection);
  verb->footer(kFooter);
  verb->callback([flags, &action] { action = [flags] { return explain(*flags); }; });
}

}  // namespace cnx::command
