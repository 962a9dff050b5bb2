#include "pipeline/conflicts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>

#include "bolt/packstream.hpp"
#include "cypher/pack.hpp"
#include "pipeline/configured_strategy.hpp"
#include "pipeline/refetch.hpp"
#include "pipeline/value_json.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using mapping::ConflictStrategy;

constexpr Duration kStepMax = std::chrono::seconds(30);
// A function that takes longer holds up everybody.
constexpr const char* kFunctionMax = "SET LOCAL statement_timeout = '10s'";
// They are kept in memory while the pipeline runs.
constexpr size_t kWaitingMax = 10'000;

std::string property_text(const bolt::Map& graph, const std::string& name) {
  const bolt::Value* value = name.empty() ? nullptr : graph.find(name);
  if (value == nullptr || value->is_null()) return {};
  const nlohmann::ordered_json json = to_json(*value);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

const std::string& version_property(const mapping::LackingRow& row) {
  return row.relationship != nullptr ? row.relationship->version_property : row.node->version_property;
}

const std::string& timestamp_property(const mapping::LackingRow& row) {
  return row.relationship != nullptr ? row.relationship->timestamp_property : row.node->timestamp_property;
}

const mapping::TableRule& rule_of(const mapping::LackingRow& row) {
  return row.relationship != nullptr ? *row.relationship->rule : *row.node->rule;
}

std::string key_of(const mapping::LackingRow& row) {
  if (row.relationship == nullptr) return mapping::to_text(row.node_key);
  const mapping::RelationshipKey& key = row.relationship_key;
  return key.own.empty() ? mapping::to_text(key.start) + "," + mapping::to_text(key.end) : key.own;
}

// What the row was, as the graph should have it.
Result<bolt::Map> map_of(const mapping::Properties& base) {
  Bytes packed;
  bolt::Packer packer(packed);
  cypher::pack_map(packer, base, cypher::Companions::when_unfit);
  CNX_TRY(bolt::Value value, bolt::unpack(packed, bolt::Dialect()));
  return std::move(value).take<bolt::Map>();
}

// By name, those that the graph has otherwise than the row was.
Result<std::vector<std::string>> changed_properties(const FoundConflict& found) {
  std::vector<std::string> names;
  CNX_TRY(bolt::Map base, map_of(found.row->base));
  const bolt::Value none;
  for (const bolt::MapEntry& entry : base) {
    const bolt::Value* has = found.graph.find(entry.key);
    if (!((has == nullptr ? none : *has) == entry.value)) names.push_back(entry.key);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// As it was read, the row is no older than what the graph has: the version alone was in the way, and is no more.
bool is_over(const FoundConflict& found, const apply::RefetchedRow& read) {
  const mapping::TableRule& rule = rule_of(*found.row);
  if (rule.conflict.detects_changes) return false;
  const std::optional<std::string> mine = column_of(read, rule.version_column);
  const std::optional<int64_t> now = mine ? integer_of(*mine) : std::nullopt;
  const std::optional<int64_t> theirs = integer_of(property_text(found.graph, version_property(*found.row)));
  return now && theirs && *theirs <= *now;
}

// All rows would fail alike: it is for a person to mend.
bool stops_the_line(const Error& error) {
  const std::string code = error.root().code();
  constexpr std::array kCodes = {"42883", "42501", "3F000", "42704", "42809", "42725", "42804", "25006", "0A000"};
  return std::any_of(kCodes.begin(), kCodes.end(), [&](const char* each) { return code == each; });
}

}  // namespace

std::optional<int64_t> integer_of(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<bool> Conflicts::decide(postgres::Session& session, const postgres::Table& table, const FoundConflict& found,
                               apply::RefetchedRow& read, TimePoint deadline) {
  const mapping::TableRule& rule = rule_of(*found.row);
  ConflictStrategy strategy = rule.conflict.strategy;
  // A row that is gone, or that has become newer, asks for no decision.
  const bool open = read.values && !is_over(found, read);
  if (open && strategy == ConflictStrategy::configured) {
    CNX_TRY(strategy, configured_strategy(session, rule, read, deadline));
  }
  bool keeps = open && strategy == ConflictStrategy::graph_wins;
  if (open && strategy == ConflictStrategy::last_write_wins) {
    CNX_TRY(keeps, is_older(session, rule, read, property_text(found.graph, timestamp_property(*found.row)), deadline));
  }
  if (keeps) {
    read.decided = read.keeps_graph = true;
    note(found, read.at, strategy, ConflictOutcome::graph);
    return true;
  }
  if (open && strategy == ConflictStrategy::custom) return ask_function(session, table, found, read, deadline);
  if (open && strategy == ConflictStrategy::manual) {
    CNX_TRY(std::vector<std::string> properties, changed_properties(found));
    decisions_.manual.push_back({.key = found.row->row,
                                 .position = read.at,
                                 .postgres_version = column_of(read, rule.version_column).value_or(""),
                                 .graph_version = property_text(found.graph, version_property(*found.row)),
                                 .properties = std::move(properties)});
    note(found, read.at, strategy, ConflictOutcome::waits);
    return false;
  }
  note(found, read.at, strategy, ConflictOutcome::postgres);
  return true;
}

Result<bool> Conflicts::ask_function(postgres::Session& session, const postgres::Table& table, const FoundConflict& found,
                                     apply::RefetchedRow& read, TimePoint deadline) {
  const postgres::TableName& function = rule_of(*found.row).conflict.function;
  std::string columns;
  for (const change::Column& column : read.relation->columns) {
    columns += (columns.empty() ? "r." : ", r.") + postgres::quote_identifier(column.name);
  }
  postgres::Parameters parameters;
  for (const std::string& value : found.row->row.values) parameters.emplace_back(value);
  const size_t keys = parameters.size();
  parameters.emplace_back(std::nullopt);
  if (!found.row->base.empty()) {
    CNX_TRY(bolt::Map base, map_of(found.row->base));
    parameters.back() = to_json(base).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  parameters.emplace_back(to_json(found.graph).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  const std::string text = "SELECT " + columns + ", r IS NULL FROM " + postgres::quote_table(function) + "($" + std::to_string(keys + 1) +
                           "::pg_catalog.jsonb, (SELECT t FROM " + postgres::own_rows(table) + " t WHERE " +
                           key_condition(found.row->row, "t") + "), $" + std::to_string(keys + 2) + "::pg_catalog.jsonb) AS r";
  CNX_TRY(session.execute("SAVEPOINT contextnexus_function", deadline));
  CNX_TRY(session.execute(kFunctionMax, deadline));
  Result<postgres::Rows> answer = session.query(text, parameters, deadline);
  if (!answer && answer.error().kind() != ErrorKind::server) return fail(std::move(answer.error()));
  if (!answer) {
    const std::string name = postgres::to_string(function);
    Error error = std::move(answer.error()).wrap("asking the function " + name + " about a conflict");
    CNX_TRY(session.execute("ROLLBACK TO SAVEPOINT contextnexus_function", deadline));
    if (stops_the_line(error)) {
      return fail(Error(ErrorKind::state, error.root().code(), "the function of the strategy `custom` cannot be called: " + error.root().message())
                      .with("function", name)
                      .with("table", postgres::to_string(found.row->row.table))
                      .advise("it is declared so: (old jsonb, new " + postgres::to_string(table.name) + ", graph jsonb) RETURNS " +
                              postgres::to_string(table.name) + "; the engine's role needs EXECUTE on it, and it may only read"));
    }
    refuse(found, read.at, std::move(error));
    return false;
  }
  CNX_TRY(session.execute("RELEASE SAVEPOINT contextnexus_function", deadline));
  CNX_TRY(session.execute("SET LOCAL statement_timeout = 0", deadline));
  if (answer->size() != 1) {
    refuse(found, read.at, Error(ErrorKind::state, "the conflict's function returned " + std::to_string(answer->size()) + " rows, and one is wanted"));
    return false;
  }
  CNX_TRY(bool keeps, answer->boolean(0, read.relation->columns.size()));
  read.decided = true;
  if (keeps) {
    read.keeps_graph = true;
    note(found, read.at, ConflictStrategy::custom, ConflictOutcome::graph);
    return true;
  }
  std::vector<std::optional<std::string>> values;
  for (size_t column = 0; column < read.relation->columns.size(); ++column) {
    std::optional<std::string_view> value = answer->value(0, column);
    values.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
  const std::vector<std::optional<std::string>> before = std::exchange(*read.values, std::move(values));
  for (size_t i = 0; i < found.row->row.columns.size(); ++i) {
    if (column_of(read, found.row->row.columns[i]) == found.row->row.values[i]) continue;
    *read.values = before;
    refuse(found, read.at, Error(ErrorKind::state, "the conflict's function returned a row with another key"));
    return false;
  }
  note(found, read.at, ConflictStrategy::custom, ConflictOutcome::function);
  return true;
}

void Conflicts::refuse(const FoundConflict& found, change::Position at, Error why) {
  apply::RefusedRow row{.key = found.row->row, .position = {at.lsn, 0}, .operation = "update", .refusal = {}, .values = {}};
  row.refusal.error = std::move(why);
  row.refusal.statement = "the conflict's function " + postgres::to_string(rule_of(*found.row).conflict.function);
  decisions_.letters.push_back(std::move(row));
  note(found, at, ConflictStrategy::custom, ConflictOutcome::failed);
}

void Conflicts::note(const FoundConflict& found, change::Position at, ConflictStrategy strategy, ConflictOutcome outcome) {
  decisions_.notes.push_back({.table = found.row->row.table,
                              .key = key_of(*found.row),
                              .position = at,
                              .strategy = strategy,
                              .outcome = outcome});
}

Status Conflicts::carry_out(postgres::Session& session, DeadLetters& letters) {
  const Decisions decisions = take_decisions();
  CNX_TRY(keep(session, decisions.manual));
  if (!decisions.letters.empty()) CNX_TRY(letters.add(session, decisions.letters));
  tell(decisions.notes);
  figures_.conflicts_decided += decisions.notes.size();
  return {};
}

void Conflicts::show() { figures_.conflicts_waiting = rows_.size(); }

Status Conflicts::keep(postgres::Session& session, const std::vector<record::NewConflict>& conflicts) {
  if (conflicts.empty()) return {};
  if (rows_.size() + conflicts.size() > kWaitingMax) {
    return fail(Error(ErrorKind::state, "there are as many conflicts as may wait for a person, and there is one more")
                    .with("waiting", std::to_string(rows_.size()))
                    .with("table", postgres::to_string(conflicts.front().key.table))
                    .advise("contextnexus conflicts list shows them; resolve them, or give their tables another strategy"));
  }
  CNX_TRY(record::write_conflicts(session, options_.name, conflicts, Clock::now() + kStepMax));
  rows_.counters().made += conflicts.size();
  rows_.counters().open += conflicts.size();
  return {};
}

void Conflicts::tell(const apply::Batch& batch, const std::vector<apply::MetConflict>& met) {
  std::vector<ConflictNote> notes;
  for (const apply::MetConflict& each : met) {
    notes.push_back({.table = each.table,
                     .key = each.key,
                     .position = batch.to.position,
                     .strategy = each.strategy,
                     .outcome = each.kept ? ConflictOutcome::graph : ConflictOutcome::postgres});
  }
  tell(notes);
}

// One line a table, strategy and outcome: a job that changes the graph row by row would fill the log.
void Conflicts::tell(const std::vector<ConflictNote>& notes) {
  std::map<std::tuple<postgres::TableName, ConflictOutcome, ConflictStrategy>, std::pair<const ConflictNote*, size_t>> counts;
  for (const ConflictNote& each : notes) {
    auto& [first, count] = counts[{each.table, each.outcome, each.strategy}];
    if (first == nullptr) first = &each;
    ++count;
  }
  for (const auto& [what, told] : counts) {
    const auto& [first, count] = told;
    const std::string table = postgres::to_string(first->table);
    const char* done = "";
    switch (first->outcome) {
      case ConflictOutcome::postgres:
        done = "PostgreSQL's rows are written over it";
        break;
      case ConflictOutcome::graph:
        done = "the graph keeps it";
        break;
      case ConflictOutcome::function:
        done = "what the function says is written";
        break;
      case ConflictOutcome::waits:
        done = "they wait for a person: contextnexus conflicts list";
        break;
      case ConflictOutcome::failed:
        done = "the function failed, and they are dead letters";
        break;
    }
    telemetry::log_warning("conflict",
                           fmt::format("{} rows of {} met what somebody else wrote in the graph: {} ({})", count, table, done,
                                       mapping::to_word(first->strategy)),
                           {{"table", table},
                            {"rows", count},
                            {"strategy", std::string(mapping::to_word(first->strategy))},
                            {"outcome", std::string(to_string(first->outcome))},
                            {"position", first->position.to_string()}});
  }
  audit_.conflicts(notes);
}

}  // namespace cnx::pipeline
