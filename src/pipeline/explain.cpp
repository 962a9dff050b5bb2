#include "pipeline/explain.hpp"

#include <algorithm>
#include <set>

#include "capture/snapshot/snapshot_stage.hpp"
#include "cypher/quote.hpp"
#include "cypher/texts.hpp"
#include "mapping/binding.hpp"
#include "mapping/fault.hpp"
#include "pipeline/explained_statements.hpp"
#include "pipeline/form_name.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kLookMax = std::chrono::seconds(30);

using mapping::TableRule;

// The rule that a person means; a name without a schema must be the only one of that name.
Result<const TableRule*> find_rule(const mapping::Mapping& mapping, const std::string& wanted) {
  std::vector<const TableRule*> found;
  std::vector<std::string> names;
  for (const TableRule& rule : mapping.tables) {
    const std::string full = postgres::to_string(rule.table);
    names.push_back(rule.table.name);
    if (wanted == rule.table.name || wanted == full) found.push_back(&rule);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return fail(
        Error(ErrorKind::invalid, "several schemas have a mapped table of that name")
            .with("table", wanted)
            .advise("name it with its schema: " + postgres::to_string(found.front()->table)));
  }
  std::vector<std::string_view> known(names.begin(), names.end());
  std::string meant = mapping::did_you_mean(wanted, known);
  return fail(Error(ErrorKind::invalid, "the mapping does not name that table")
                  .with("table", wanted)
                  .advise(meant.empty()
                              ? "contextnexus check holds the whole mapping against the database"
                              : meant));
}

bool is_unmapped(const mapping::Mapping& mapping, const std::string& wanted) {
  return std::any_of(mapping.unmapped.begin(), mapping.unmapped.end(),
                     [&](const mapping::TableName& table) {
                       return wanted == table.name || wanted == postgres::to_string(table);
                     });
}

std::string constant_form(const change::Value& value) {
  if (std::holds_alternative<int64_t>(value)) return "INTEGER";
  if (std::holds_alternative<double>(value)) return "FLOAT";
  return std::holds_alternative<bool>(value) ? "BOOLEAN" : "STRING";
}

std::string template_text(const mapping::Template& source) {
  std::string text;
  for (const mapping::Template::Part& part : source.parts)
    text += part.is_column ? "{" + part.text + "}" : part.text;
  return text;
}

std::string computed_text(const mapping::ComputedProperty& computed) {
  std::string text;
  for (const auto& [value, choice] : computed.choices) {
    text += (text.empty() ? "" : "; ") + computed.choice_column + " = " + value + ": " +
            template_text(choice);
  }
  if (!computed.otherwise) return text;
  return text.empty() ? template_text(*computed.otherwise)
                      : text + "; otherwise " + template_text(*computed.otherwise);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string key_of(const mapping::NodeTable& table) {
  if (table.shared) return "nodes that rows share (" + join(table.node->key) + ")";
  return postgres::to_string(table.rule->table) + " (" + join(table.node->key) + ")";
}

// format_type of each column, by its name.
Result<std::map<std::string, std::string>> read_type_names(postgres::Session& session,
                                                           const postgres::Table& table,
                                                           TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM "
                        "pg_catalog.pg_attribute "
                        "WHERE attrelid = $1::pg_catalog.oid AND attnum > 0 AND NOT attisdropped",
                        {std::to_string(table.oid.value())}, deadline));
  std::map<std::string, std::string> names;
  for (size_t i = 0; i < rows.size(); ++i) names.emplace(rows.text(i, 0), rows.text(i, 1));
  return names;
}

class Explainer {
 public:
  Explainer(const postgres::Table& table, const Catalog& catalog,
            std::map<std::string, std::string> types)
      : table_(table),
        catalog_(catalog),
        types_(std::move(types)),
        relation_(capture::relation_of(table)) {}

  Result<Explanation> run(const TableRule& rule) {
    told_.table = postgres::to_string(rule.table);
    told_.line = rule.line;
    if (mapping::NodeTable* node = catalog_.model->find_node(rule.table)) {
      CNX_TRY(explain_node(*node));
    } else {
      CNX_TRY(explain_relationship(*catalog_.model->find_relationship(rule.table)));
    }
    for (const postgres::TableColumn& column : table_.columns) {
      if (!used_.contains(column.name)) told_.left_out.push_back(column.name);
    }
    return std::move(told_);
  }

 private:
  Status explain_node(mapping::NodeTable& table) {
    CNX_TRY(mapping::Binding binding, mapping::bind(table, relation_, catalog_.types));
    told_.form = "node";
    told_.name = table.node->label;
    told_.pattern = pattern_of(table);
    if (table.node->labels) used_.insert(table.node->labels->column);
    told_.key = table.node->key;
    told_.version = table.version_property;
    used_.insert(table.node->key.begin(), table.node->key.end());
    told_.properties = properties_of(table, binding);
    for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
      told_.relationships.push_back(
          foreign_key(table, table.foreign_keys[i], binding.foreign_keys[i]));
    }
    CNX_TRY(told_.statements, statements_of(table, binding));
    told_.constraints = constraints_of(table.node->label);
    for (size_t i = 0; i < table.parts.size(); ++i) CNX_TRY(explain_part(*table.parts[i], binding.parts[i]));
    for (const mapping::ForeignKey& key : table.foreign_keys) {
      if (key.shared != nullptr) note_constraints(key.other->node->label);
    }
    // Step by step, of all nodes.
    std::stable_sort(told_.statements.begin(), told_.statements.end(),
                     [](const ExplainedStatement& x, const ExplainedStatement& y) { return x.step < y.step; });
    return {};
  }

  // A further node of each row.
  Status explain_part(const mapping::NodeTable& table, const mapping::Binding& binding) {
    ExplainedNode& told = told_.nodes.emplace_back();
    told.pattern = pattern_of(table);
    told.relationship = foreign_key(table, table.foreign_keys.front(), binding.foreign_keys.front()).pattern;
    for (uint16_t column : binding.needs) told.columns.push_back(relation_->columns[column].name);
    told.properties = properties_of(table, binding);
    CNX_TRY(std::vector<ExplainedStatement> statements, statements_of(table, binding));
    for (ExplainedStatement& statement : statements) told_.statements.push_back(std::move(statement));
    note_constraints(table.node->label);
    return {};
  }

  // As rows of the table have them: of NULLs, which every column takes here.
  Result<mapping::ProjectedProperties> any_row(const mapping::Binding& binding) const {
    return mapping::project_row(binding, std::vector<change::DatumView>(relation_->columns.size()));
  }

  Result<std::vector<ExplainedStatement>> statements_of(const mapping::NodeTable& table, const mapping::Binding& binding) const {
    CNX_TRY(mapping::ProjectedProperties row, any_row(binding));
    return node_statements(cypher::node_texts_of_rows(table, row.properties));
  }

  void note_constraints(const std::string& label) {
    for (std::string& text : constraints_of(label)) told_.constraints.push_back(std::move(text));
  }

  static std::string pattern_of(const mapping::NodeTable& table) {
    std::string pattern = "(:" + table.node->label;
    for (const std::string& label : table.node->more_labels) pattern += ":" + label;
    return pattern + " {" + table.key_property + "})";
  }

  std::vector<ExplainedProperty> properties_of(const mapping::NodeTable& table, const mapping::Binding& binding) {
    std::vector<ExplainedProperty> told;
    for (const mapping::BoundProperty& bound : binding.properties) {
      told.push_back(property(bound));
      std::string& role = told.back().role;
      if (bound.name->name == table.key_property) role = "key";
      if (bound.name->name == table.version_property) role = "version";
      if (role.empty() && bound.name->name == table.tenant_property) role = "tenant";
    }
    for (const mapping::ComputedProperty& computed : table.node->properties.computed) {
      note_columns(computed);
      told.push_back({.name = computed.property, .from = computed_text(computed), .form = "STRING"});
    }
    note_constants(binding.constants, told);
    return told;
  }

  Status explain_relationship(mapping::RelationshipTable& table) {
    CNX_TRY(mapping::Binding binding, mapping::bind(table, relation_, catalog_.types));
    const mapping::RelationshipRule& rule = *table.relationship;
    told_.form = "relationship";
    for (const std::string& type : rule.all_types()) told_.name += (told_.name.empty() ? "" : "|") + type;
    if (rule.types) used_.insert(rule.types->column);
    told_.pattern = "(:" + table.start->node->label + ")-[:" + told_.name +
                    "]->(:" + table.end->node->label + ")";
    told_.key = rule.key;
    told_.version = table.version_property;
    used_.insert(rule.key.begin(), rule.key.end());
    for (const mapping::BoundProperty& bound : binding.properties) {
      told_.properties.push_back(property(bound));
      if (bound.name->name == table.version_property) told_.properties.back().role = "version";
    }
    note_constants(binding.constants, told_.properties);
    told_.relationships.push_back({.pattern = "starts at (:" + table.start->node->label + ")",
                                   .columns = rule.start.columns,
                                   .other = key_of(*table.start),
                                   .follows = table.start_follows});
    told_.relationships.push_back({.pattern = "ends at (:" + table.end->node->label + ")",
                                   .columns = rule.end.columns,
                                   .other = key_of(*table.end),
                                   .follows = table.end_follows});
    CNX_TRY(mapping::ProjectedProperties row, any_row(binding));
    told_.statements = relationship_statements(cypher::relationship_texts_of_rows(table, row.properties));
    return {};
  }

  static void note_constants(const mapping::Properties& constants, std::vector<ExplainedProperty>& told) {
    for (const mapping::Property& each : constants) {
      told.push_back({.name = each.name->name, .from = "a constant", .form = constant_form(each.value)});
    }
  }

  void note_columns(const mapping::ComputedProperty& computed) {
    used_.insert(computed.choice_column);
    auto note = [&](const mapping::Template& source) {
      for (const mapping::Template::Part& part : source.parts) {
        if (part.is_column) used_.insert(part.text);
      }
    };
    for (const auto& [value, choice] : computed.choices) note(choice);
    if (computed.otherwise) note(*computed.otherwise);
  }

  ExplainedProperty property(const mapping::BoundProperty& bound) {
    const std::string& column = relation_->columns[bound.column].name;
    used_.insert(column);
    const std::string& fields = bound.name->field_prefix;
    const bool by_fields = bound.codec.form == postgres::ValueForm::as_fields;
    return {.name = by_fields ? fields + "…" : bound.name->name,
            .from = column,
            .type = types_[column],
            .form = form_name(bound.codec),
            .companion = bound.name->may_be_unfit ? bound.name->companion : std::string()};
  }

  ExplainedRelationship foreign_key(const mapping::NodeTable& table, const mapping::ForeignKey& key,
                                    const mapping::BoundForeignKey& bound) {
    const std::string here = "(:" + table.node->label + ")";
    const std::string other = "(:" + key.other->node->label + ")";
    const std::string arrow = "-[:" + key.rule->type + "]->";
    ExplainedRelationship told{
        .pattern = key.rule->incoming ? other + arrow + here : here + arrow + other,
        .columns = key.columns,
        .other = key_of(*key.other),
        .follows = key.follows};
    used_.insert(key.columns.begin(), key.columns.end());
    for (const mapping::BoundProperty& one : bound.made) told.end_properties.push_back(property(one));
    if (key.shared != nullptr && bound.made.empty()) {
      told.end_properties.push_back({.name = key.other->key_property,
                                     .from = key.columns.front(),
                                     .type = types_[key.columns.front()],
                                     .form = key.other->integer_key ? "INTEGER" : "STRING",
                                     .role = "key"});
    }
    for (const mapping::BoundProperty& one : bound.properties)
      told.properties.push_back(property(one));
    return told;
  }

  std::vector<std::string> constraints_of(const std::string& label) const {
    std::vector<std::string> texts;
    for (const cypher::Text& text : cypher::constraint_texts(*catalog_.model)) {
      if (text.text.find("(n:" + cypher::quote(label) + ")") != std::string::npos)
        texts.push_back(text.text);
    }
    return texts;
  }

  const postgres::Table& table_;
  const Catalog& catalog_;
  std::map<std::string, std::string> types_;
  change::RelationPtr relation_;
  std::set<std::string> used_;
  Explanation told_;
};

}  // namespace

Result<Explanation> explain(const postgres::ConnectionOptions& options,
                            const mapping::Mapping& mapping, const std::string& table) {
  if (is_unmapped(mapping, table)) return Explanation{.table = table, .form = "none"};
  CNX_TRY(const TableRule* rule, find_rule(mapping, table));
  const TimePoint deadline = Clock::now() + kLookMax;
  Result<postgres::Session> session = postgres::Session::open(options, deadline);
  if (!session) return fail(std::move(session.error()).wrap("connecting to PostgreSQL"));
  CNX_TRY(Catalog catalog, read_catalog(*session, mapping, deadline));
  return explain_table(*session, catalog, *rule, deadline);
}

Result<Explanation> explain_table(postgres::Session& session, Catalog& catalog, const TableRule& rule, TimePoint deadline) {
  const postgres::Table* table = find_table(catalog.tables, rule.table);
  if (table == nullptr) return fail(ErrorKind::state, "the table went away meanwhile");
  CNX_TRY(auto types, read_type_names(session, *table, deadline));
  return Explainer(*table, catalog, std::move(types)).run(rule);
}

}  // namespace cnx::pipeline
