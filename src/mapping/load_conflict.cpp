// `conflict` of a table, or of the defaults: a strategy's word, or a map with what it needs.
#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

void read_strategy(Draft& draft, const Scalar& word, ConflictRule& rule) {
  if (std::optional<ConflictStrategy> strategy = find_conflict_strategy(word.text)) {
    rule.strategy = *strategy;
    return;
  }
  draft.reader.fault(word.mark, "`" + word.text + "` is no strategy for conflicts", did_you_mean(word.text, kConflictStrategies));
}

// "schema.name", or a name in the file's schema.
postgres::TableName full_name(const std::string& text, const std::string& schema) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return {schema, text};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

void check_needs(Draft& draft, Fields& fields, const YAML::Mark& mark, const ConflictRule& rule) {
  auto only_for = [&](const char* key, ConflictStrategy strategy, const char* advice) {
    const MapEntry* given = fields.find(key);
    const std::string word(to_word(strategy));
    // What a row is configured to may need either.
    const bool may_have = rule.strategy == strategy || rule.strategy == ConflictStrategy::configured;
    if (rule.strategy == strategy && given == nullptr) {
      draft.reader.fault(mark, "`" + word + "` needs `" + key + "`", advice);
    } else if (!may_have && given != nullptr) {
      draft.reader.fault(given->key.mark, std::string("`") + key + "` is for the strategy `" + word + "`");
    }
  };
  only_for("timestamp", ConflictStrategy::last_write_wins, "name the column that says when the row was changed");
  only_for("function", ConflictStrategy::custom, "name a function of PostgreSQL's: schema.name");
  only_for("table", ConflictStrategy::configured, "name the table that says the strategies");
  only_for("column", ConflictStrategy::configured, "name its column that says the strategy");
  only_for("by", ConflictStrategy::configured, "name the columns that both tables have: [tenant_id, project_id]");
}

}  // namespace

ConflictRule read_conflict(Draft& draft, const MapEntry& entry, std::set<std::string>& named) {
  ConflictRule rule;
  rule.line = entry.mark.line + 1;
  if (!entry.value.IsMap()) {
    if (auto word = draft.reader.text(entry.value, entry.mark, "`conflict`")) {
      read_strategy(draft, *word, rule);
      const bool bare = rule.strategy == ConflictStrategy::last_write_wins || rule.strategy == ConflictStrategy::custom ||
                        rule.strategy == ConflictStrategy::configured;
      if (bare) draft.reader.fault(word->mark, "`" + word->text + "` needs more than its name", "as in `conflict: {strategy: …, …}`");
    }
    return rule;
  }
  auto map = draft.reader.map(entry.value, entry.mark, "`conflict`");
  if (!map) return rule;
  Fields fields(draft.reader, *std::move(map), "`conflict`", keys::kConflict);
  if (auto word = fields.text("strategy")) read_strategy(draft, *word, rule);
  if (auto column = fields.text("timestamp")) {
    rule.timestamp_column = column->text;
    named.insert(column->text);
  }
  if (auto function = fields.text("function")) rule.function = full_name(function->text, draft.schema);
  if (auto table = fields.text("table")) rule.lookup.table = full_name(table->text, draft.schema);
  if (auto column = fields.text("column")) rule.lookup.column = column->text;
  if (auto by = fields.texts("by")) {
    for (Scalar& column : *by) rule.lookup.by.push_back(std::move(column.text));
  }
  if (auto detect = fields.text("detect")) {
    rule.detects_changes = detect->text == "changed";
    if (detect->text != "changed" && detect->text != "version") {
      draft.reader.fault(detect->mark, "`detect` is `version` or `changed`", did_you_mean(detect->text, keys::kDetect));
    }
  }
  check_needs(draft, fields, entry.mark, rule);
  return rule;
}

}  // namespace cnx::mapping
