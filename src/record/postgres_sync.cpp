#include "record/postgres_sync.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "bolt/writer.hpp"
#include "postgres/quote.hpp"
#include "record/ledger.hpp"
#include "record/sync_texts.hpp"

namespace cnx::record {
namespace {

// Nobody waits for us: a table that is being altered is left alone after a second. What a crash of the server loses of
// these writes, the sweep writes again. Below the stage's own deadline, so that the server's word comes first.
constexpr std::string_view kSettings =
    "SET lock_timeout = '1s'; SET statement_timeout = '8s'; SET synchronous_commit = off";

std::string text_of(const mapping::Key& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) return std::to_string(*number);
  return std::get<std::string>(key);
}

bolt::Value value_of(const mapping::Key& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) return *number;
  return std::get<std::string>(key);
}

Result<mapping::Key> key_of(std::string_view text, bool integer) {
  if (!integer) return mapping::Key(std::string(text));
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(ErrorKind::malformed, "a key column of an integer type does not hold an integer");
  }
  return mapping::Key(number);
}

postgres::Parameters key_parameters(const SyncTable& table, const std::vector<AppliedRow>& rows) {
  postgres::Parameters parameters;
  for (size_t column = 0; column < table.key_columns.size(); ++column) {
    std::vector<std::string> keys;
    for (const AppliedRow& row : rows) keys.push_back(text_of(row.key[column]));
    parameters.push_back(postgres::array_text(keys));
  }
  std::vector<std::string> versions;
  for (const AppliedRow& row : rows) versions.push_back(std::to_string(row.version));
  parameters.push_back(postgres::array_text(versions));
  return parameters;
}

// The number of a row in a statement's answer, from 0.
Result<size_t> number_of(const postgres::Rows& rows, size_t row, size_t count) {
  CNX_TRY(int64_t number, rows.integer(row, 0));
  if (number < 1 || static_cast<size_t>(number) > count) return fail(ErrorKind::malformed, "a row's number that was not asked for");
  return static_cast<size_t>(number) - 1;
}

postgres::ConnectionOptions session_options(postgres::ConnectionOptions options) {
  // The start has made sure that policies hide nothing from the role (check_tables); a user's triggers see their own path.
  options.row_security_on = true;
  options.search_path_empty = false;
  options.application_name = "contextnexus write-back";
  return options;
}

}  // namespace

std::string origin_name(const std::string& pipeline) { return "contextnexus/" + pipeline; }

PostgresSync::PostgresSync(PostgresSyncOptions options, std::vector<SyncTable> tables)
    : options_(std::move(options)), tables_(std::move(tables)) {}

Status PostgresSync::open(TimePoint deadline) {
  close();
  CNX_TRY(postgres::Session session, postgres::Session::open(session_options(options_.postgres), deadline));
  CNX_TRY(session.execute(kSettings, deadline));
  session_ = std::move(session);
  carry_origin(deadline);
  CNX_TRY(std::optional<std::string> stale_before, read_stale_before(*session_, options_.pipeline, deadline));
  has_ledger_ = stale_before.has_value();
  filled_.reset();
  if (stale_before && !stale_before->empty()) filled_ = std::move(*stale_before);
  return {};
}

// The origin tells others (a subscriber with origin = none, another reader of the log) that a transaction is ours. It is an
// aid: the role may not be allowed to set one, another session may hold it, or the server may have no room for it.
void PostgresSync::carry_origin(TimePoint deadline) {
  Status carried = session_->execute(
      "SELECT CASE WHEN pg_catalog.pg_replication_origin_oid($1) IS NULL THEN pg_catalog.pg_replication_origin_create($1) END",
      {options_.origin}, deadline);
  if (carried) {
    carried = session_->execute("SELECT pg_catalog.pg_replication_origin_session_setup($1)", {options_.origin}, deadline);
  }
  std::string state = carried ? "carries the replication origin " + options_.origin
                              : "carries no replication origin: " + carried.error().root().message();
  if (state == origin_state_) return;
  origin_state_ = std::move(state);
  if (options_.on_note) options_.on_note(origin_state_);
}

void PostgresSync::close() {
  session_.reset();
  if (graph_) graph_->close();
  graph_.reset();
}

std::optional<size_t> PostgresSync::table_of(const AppliedRow& row) const {
  for (size_t table = 0; table < tables_.size(); ++table) {
    if (tables_[table].name == row.table && tables_[table].key_columns.size() == row.key.size()) return table;
  }
  return std::nullopt;
}

Result<std::vector<AppliedRow>> PostgresSync::write(size_t table, const std::vector<AppliedRow>& rows, TimePoint deadline) {
  const SyncTable& target = tables_[table];
  std::vector<AppliedRow> kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept), [](const AppliedRow& row) { return row.conflict; });
  if (kept.empty()) return write_synced(target, rows, deadline);
  postgres::Parameters parameters = key_parameters(target, kept);
  add_owner(parameters);
  CNX_TRY(session_->query(conflict_text(target, options_.epoch > 0), parameters, deadline));
  std::vector<AppliedRow> applied;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(applied), [](const AppliedRow& row) { return !row.conflict; });
  return write_synced(target, applied, deadline);
}

Result<std::vector<AppliedRow>> PostgresSync::write_synced(const SyncTable& target, const std::vector<AppliedRow>& rows, TimePoint deadline) {
  if (rows.empty()) return std::vector<AppliedRow>();
  postgres::Parameters parameters = key_parameters(target, rows);
  CNX_TRY(postgres::Rows candidates, session_->query(candidates_text(target), with_filled(parameters), deadline));
  std::vector<bool> to_write(rows.size(), false);
  std::vector<size_t> without_id;
  for (size_t i = 0; i < candidates.size(); ++i) {
    CNX_TRY(size_t number, number_of(candidates, i, rows.size()));
    CNX_TRY(bool missing, candidates.boolean(i, 1));
    to_write[number] = true;
    if (missing) without_id.push_back(number);
  }
  if (candidates.empty()) return std::vector<AppliedRow>();
  // Asked for before anything is locked.
  CNX_TRY(std::vector<InGraph> ids, look_up(target, rows, without_id, deadline));
  std::vector<AppliedRow> chosen;
  std::vector<std::string> node_ids;
  std::vector<std::string> relationship_ids;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!to_write[i]) continue;
    chosen.push_back(rows[i]);
    node_ids.push_back(ids[i].node_id);
    relationship_ids.push_back(ids[i].relationship_id);
  }
  parameters = key_parameters(target, chosen);
  parameters.push_back(postgres::array_text(node_ids));
  parameters.push_back(postgres::array_text(relationship_ids));
  parameters = with_filled(std::move(parameters));
  add_owner(parameters);
  CNX_TRY(postgres::Rows written, session_->query(write_text(target, options_.epoch > 0), parameters, deadline));
  std::vector<bool> done(chosen.size(), false);
  for (size_t i = 0; i < written.size(); ++i) {
    CNX_TRY(size_t number, number_of(written, i, chosen.size()));
    done[number] = true;
  }
  std::vector<AppliedRow> locked;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!done[i]) locked.push_back(std::move(chosen[i]));
  }
  return locked;
}

Result<SweptPage> PostgresSync::sweep(size_t table, Sought sought, const std::optional<SweepCursor>& after,
                                      TimePoint deadline) {
  const SyncTable& target = tables_[table];
  const bool stale = sought == Sought::stale;
  if (!stale && !after) CNX_TRY(mark_held(target, deadline));
  postgres::Parameters parameters{std::to_string(stale ? options_.stale_rows : options_.sweep_rows)};
  if (stale) parameters.push_back(filled_);
  if (after) {
    if (!stale && target.has_updated_at) parameters.push_back(after->updated_at);
    for (const std::string& part : after->key) parameters.push_back(part);
  }
  const std::string text = stale ? stale_text(target, after.has_value())
                                 : unsynced_text(target, sought == Sought::unsynced, after.has_value());
  CNX_TRY(postgres::Rows found, session_->query(text, parameters, deadline));
  SweptPage page;
  std::vector<AppliedRow> sought_rows;
  std::vector<size_t> numbers;
  for (size_t i = 0; i < found.size(); ++i) {
    const bool last = i + 1 == found.size();
    if (found.is_null(i, 0) && !last) continue;
    AppliedRow row{.table = target.name, .key = {}, .version = 0};
    for (size_t column = 0; column < target.key_columns.size(); ++column) {
      CNX_TRY(mapping::Key part, key_of(found.text(i, 2 + column), target.integer_key));
      row.key.push_back(std::move(part));
    }
    if (last) {
      SweepCursor& next = page.next.emplace();
      next.updated_at = std::string(found.text(i, 1));
      for (const mapping::Key& part : row.key) next.key.push_back(text_of(part));
    }
    if (found.is_null(i, 0)) continue;
    CNX_TRY(row.version, found.integer(i, 0));
    numbers.push_back(sought_rows.size());
    sought_rows.push_back(std::move(row));
  }
  CNX_TRY(std::vector<InGraph> graph, look_up(target, sought_rows, numbers, deadline));
  for (size_t i = 0; i < sought_rows.size(); ++i) {
    if (graph[i].version == sought_rows[i].version) page.rows.push_back(std::move(sought_rows[i]));
  }
  return page;
}

Status PostgresSync::mark_held(const SyncTable& table, TimePoint deadline) {
  postgres::Parameters parameters{options_.pipeline, postgres::array_text(table.key_columns)};
  const bool fenced = options_.epoch > 0;
  if (fenced) parameters.push_back(std::to_string(options_.epoch));
  CNX_TRY(session_->query(held_text(table, fenced), parameters, deadline));
  return {};
}

Status PostgresSync::forget_stale(TimePoint deadline) {
  CNX_TRY(mark_renewed(*session_, options_.pipeline, options_.epoch, deadline));
  filled_.reset();
  return {};
}

Status PostgresSync::record(const SyncLedger& figures, TimePoint deadline) {
  return has_ledger_ ? add_figures(*session_, options_.pipeline, options_.epoch, figures, deadline) : Status();
}

postgres::Parameters PostgresSync::with_filled(postgres::Parameters parameters) const {
  parameters.push_back(filled_);
  return parameters;
}

void PostgresSync::add_owner(postgres::Parameters& parameters) const {
  if (options_.epoch == 0) return;
  parameters.push_back(options_.pipeline);
  parameters.push_back(std::to_string(options_.epoch));
}

// As many answers as rows; only those of `numbers` are asked for.
Result<std::vector<PostgresSync::InGraph>> PostgresSync::look_up(const SyncTable& table, const std::vector<AppliedRow>& rows,
                                                                 const std::vector<size_t>& numbers, TimePoint deadline) {
  std::vector<InGraph> found(rows.size());
  if (numbers.empty()) return found;
  if (!graph_) {
    CNX_TRY(bolt::Connection connection, bolt::open_writer(options_.neo4j, deadline));
    graph_ = std::move(connection);
  }
  bolt::List wanted;
  for (size_t number : numbers) {
    bolt::List row{static_cast<int64_t>(number)};
    for (const mapping::Key& part : rows[number].key) row.push_back(value_of(part));
    wanted.push_back(std::move(row));
  }
  CNX_TRY(bolt::QueryResult result, graph_->query(table.graph_text, bolt::Map{{"batch", bolt::Map{{"rows", std::move(wanted)}}}}, deadline));
  for (const bolt::List& record : result.records) {
    const auto* number = record.size() == 4 ? record[0].get_if<int64_t>() : nullptr;
    if (number == nullptr || *number < 0 || static_cast<size_t>(*number) >= found.size()) {
      return fail(ErrorKind::malformed, "Neo4j answered for a row that was not asked for");
    }
    InGraph& row = found[static_cast<size_t>(*number)];
    if (const auto* version = record[1].get_if<int64_t>()) row.version = *version;
    if (const auto* id = record[2].get_if<std::string>()) row.node_id = *id;
    if (const auto* id = record[3].get_if<std::string>()) row.relationship_id = *id;
  }
  return found;
}

}  // namespace cnx::record
