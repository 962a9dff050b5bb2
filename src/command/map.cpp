// contextnexus map: the mapping by itself, held against PostgreSQL and drawn. Needs no Neo4j.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/check_report.hpp"
#include "command/graph_drawing.hpp"
#include "command/table_text.hpp"
#include "command/verb.hpp"
#include "pipeline/graph_model.hpp"

namespace cnx::command {
namespace {

using pipeline::GraphModel;

struct ShowFlags : ConnectionFlags {
  std::string format = "text";
};

constexpr const char* kCheckFooter =
    "Each table, column and key that the mapping names against those that there are, whether the role may read each table, and\n"
    "whether its changes tell which row they are of. All faults at once. `contextnexus check` looks at the rest too: the server,\n"
    "the publication, the graph.\n\n"
    "Exit codes: 0 no fault (warnings may be there), 1 a fault, 2 wrong words or mapping, 4 PostgreSQL cannot be reached.";

constexpr const char* kShowFooter =
    "Labels and relationship types with their properties and the tables that make them:\n\n"
    "  contextnexus map show                              as text\n"
    "  contextnexus map show --format mermaid > graph.mmd for a README: GitHub and others draw it\n"
    "  contextnexus map show --format svg > graph.svg     a picture\n\n"
    "Exit codes: 0 done, 2 wrong words, or a mapping that does not fit the database (`map check` names all of that at once),\n"
    "4 PostgreSQL cannot be reached.";

ExitCode check(const ConnectionFlags& flags) {
  Result<postgres::ConnectionOptions> options = postgres_options(flags);
  if (!options) return report(flags, options.error());
  Result<mapping::Mapping> mapping = mapping_of(flags);
  if (!mapping) return report(flags, mapping.error());
  Result<pipeline::CheckReport> found = pipeline::check_mapping(*options, *mapping);
  if (!found) return report(flags, found.error());
  return print_report(flags, mapping->name, *found);
}

nlohmann::ordered_json to_json(const std::vector<pipeline::ExplainedProperty>& properties) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const pipeline::ExplainedProperty& each : properties) {
    list.push_back({{"property", each.name}, {"from", each.from}, {"type", each.type}, {"form", each.form}});
  }
  return list;
}

nlohmann::ordered_json to_json(const GraphModel& model) {
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const GraphModel::Node& node : model.nodes) {
    nodes.push_back({{"label", node.label},
                     {"more_labels", node.more_labels},
                     {"key", node.key_property},
                     {"tables", node.tables},
                     {"properties", to_json(node.properties)}});
  }
  nlohmann::ordered_json relationships = nlohmann::ordered_json::array();
  for (const GraphModel::Relationship& each : model.relationships) {
    relationships.push_back({{"type", each.type},
                             {"from", model.nodes[each.start].label},
                             {"to", model.nodes[each.end].label},
                             {"made_by", each.made_by},
                             {"properties", to_json(each.properties)}});
  }
  return {{"mapping", model.name}, {"nodes", nodes}, {"relationships", relationships}, {"unmapped", model.unmapped}};
}

ExitCode show(const ShowFlags& flags) {
  Result<postgres::ConnectionOptions> options = postgres_options(flags);
  if (!options) return report(flags, options.error());
  Result<mapping::Mapping> mapping = mapping_of(flags);
  if (!mapping) return report(flags, mapping.error());
  Result<GraphModel> model = pipeline::read_graph_model(*options, *mapping);
  if (!model) return report(flags, model.error());
  std::string text;
  if (flags.json) {
    text = to_json(*model).dump(2) + "\n";
  } else if (flags.format == "mermaid") {
    text = mermaid_of(*model);
  } else if (flags.format == "svg") {
    text = svg_of(*model);
  } else {
    text = text_of(*model, terminal_width());
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::success;
}

void add_show(CLI::App& map, Action& action) {
  CLI::App* verb = map.add_subcommand("show", "The graph that the mapping makes: as text, Mermaid or SVG");
  auto flags = std::make_shared<ShowFlags>();
  add_postgres_flag(*verb, *flags);
  add_mapping_flag(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->add_option("--format", flags->format, "text, mermaid or svg; text where it is not said")
      ->check(CLI::IsMember({"text", "mermaid", "svg"}));
  verb->footer(kShowFooter);
  verb->callback([flags, &action] { action = [flags] { return show(*flags); }; });
}

}  // namespace

void add_map(CLI::App& program, Action& action) {
  CLI::App* map = program.add_subcommand("map", "The mapping by itself: held against PostgreSQL, and drawn");
  map->require_subcommand(1);
  CLI::App* verb = map->add_subcommand("check", "Whether the mapping fits the tables as they are; needs no Neo4j");
  auto flags = std::make_shared<ConnectionFlags>();
  add_postgres_flag(*verb, *flags);
  add_mapping_flag(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->footer(kCheckFooter);
  verb->callback([flags, &action] { action = [flags] { return check(*flags); }; });
  add_show(*map, action);
}

}  // namespace cnx::command
