#include "config/document.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/option_table.hpp"

namespace cnx::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHead = R"(# Configuration

This page is made by `contextnexus docs configuration`; a test fails where it is stale.

`--postgres URL --neo4j URL` suffice for the built-in schema. Everything else has a default, and may be said in four places; each wins over
those after it:

1. a flag: `--postgres`, `--neo4j`, `--mapping`, `--pipeline`, `--log-level`, `--log-format`, and `--set KEY=VALUE` for any key of this page
2. an environment variable: `CONTEXTNEXUS_` and the key in capitals, `_` for the dot; the two URLs are `CONTEXTNEXUS_POSTGRES` and `CONTEXTNEXUS_NEO4J`
3. the file: `--config FILE`, or `CONTEXTNEXUS_CONFIG`, or else `contextnexus.yaml` in the working directory where it is there
4. the default

```yaml
# yaml-language-server: $schema=configuration.schema.json
postgres:
  url: postgresql://contextnexus_sync@db.example:5432/knowledge?sslmode=verify-full
  password: file:/run/secrets/postgres
neo4j:
  url: neo4j+s://graph.example
  user: contextnexus
  password: ${NEO4J_PASSWORD}
pipeline: contextnexus
mapping: knowledge.yaml
log: {format: json}
```

**Faults.** All of them are reported at once, with line and column, and with what was probably meant. Keys that nobody knows are faults.
What is overridden from a place above is not looked into.

**Variables.** In the file, `${NAME}` is the variable's value and must be set, `${NAME:-otherwise}` need not be; `$${` gives the characters
`${`. Inside of `{ }` or `[ ]` YAML wants it in quotes: `{password: "${NAME}"}`.

**Secrets.** A password, token or URL may be `file:PATH`: the first line of that file. It is read again at each connect, so a password that was
rotated works without a restart; so does one in a URL in a file. (Neo4j's *host* in such a URL is read at the start alone.) While the server
has the new one and the file does not yet, a `run` that was let in before tries again every few seconds, with a warning; at its start it ends.
Secrets are in no log, no error and no help. Better not in flags: the program overwrites them in its own process list as it begins, but the
shell's history keeps them, and for a moment other users of the machine see them (`ps`); the environment, the file and `file:` are not shown
to them. Give a file that holds secrets the mode 0600.

**Paths** in the file are relative to the file's folder; others to the working directory.

When it takes effect: at the start of each verb. A running `run` keeps what it was started with, but for secrets in files.
)";

// A cell of a table ends at a bar.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string row(const Option& option) {
  std::string names = fmt::format("`{}`", option.key);
  if (!option.flag.empty()) names += fmt::format("<br>`{}`", option.flag);
  names += fmt::format("<br>`{}`", environment_name(option));
  std::string form = describe_form(option.form);
  std::string otherwise = default_text(option.form);
  return fmt::format("| {} | {} | {} | {} |\n", names, escaped(form), otherwise.empty() ? "" : "`" + otherwise + "`",
                     escaped(option.help));
}

// What a file may say: the value itself, or a variable in its place.
Json with_variables(Json form) { return {{"anyOf", Json::array({form, {{"type", "string"}, {"pattern", "\\$\\{"}}})}}; }

struct SchemaOf {
  Json operator()(const TextForm&) const { return {{"type", "string"}, {"minLength", 1}}; }
  Json operator()(const SecretForm&) const { return {{"type", "string"}, {"minLength", 1}}; }
  Json operator()(const AddressForm&) const { return {{"type", "string"}, {"minLength", 1}}; }
  Json operator()(const SwitchForm&) const { return with_variables({{"type", "boolean"}}); }
  Json operator()(const CountForm& f) const {
    return with_variables({{"type", "integer"}, {"minimum", f.min}, {"maximum", f.max}});
  }
  Json operator()(const BytesForm& f) const {
    Json number = {{"type", "integer"}, {"minimum", f.min}, {"maximum", f.max}};
    Json text = {{"type", "string"}, {"pattern", "^[0-9]+ *([KMG]iB)?$"}};
    return with_variables({{"anyOf", Json::array({number, text})}});
  }
  Json operator()(const SecondsForm& f) const {
    return with_variables({{"type", "number"}, {"minimum", f.min}, {"maximum", f.max}});
  }
  Json operator()(const ChoiceForm& f) const {
    Json choices = Json::array();
    for (std::string_view choice : f.choices) choices.push_back(std::string(choice));
    return with_variables({{"enum", choices}});
  }
};

Json schema_of(const Option& option) {
  Json schema = std::visit(SchemaOf{}, option.form);
  schema["description"] = std::string(option.help);
  if (std::string otherwise = default_text(option.form); !otherwise.empty()) schema["default"] = otherwise;
  return schema;
}

}  // namespace

std::string configuration_page() {
  std::string page(kHead);
  for (const Section& section : sections()) {
    page += section.name.empty() ? std::string("\n## The pipeline\n\n") : fmt::format("\n## `{}`\n\n", section.name);
    page += fmt::format("{}\n\n| key, flag, variable | value | default | meaning |\n|---|---|---|---|\n", section.help);
    for (const Option& option : options()) {
      if (section_of(option) == section.name) page += row(option);
    }
  }
  return page;
}

std::string configuration_schema() {
  Json properties = Json::object();
  for (const Section& section : sections()) {
    Json inside = Json::object();
    for (const Option& option : options()) {
      if (section_of(option) == section.name) inside[std::string(name_in_section(option))] = schema_of(option);
    }
    if (section.name.empty()) {
      properties.update(inside);
      continue;
    }
    properties[std::string(section.name)] = {{"type", Json::array({"object", "null"})},
                                             {"description", std::string(section.help)},
                                             {"additionalProperties", false},
                                             {"properties", inside}};
  }
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "ContextNexus: configuration"},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"properties", properties}};
  return schema.dump(2) + "\n";
}

}  // namespace cnx::config
