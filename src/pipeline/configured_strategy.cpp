#include "pipeline/configured_strategy.hpp"

#include "change/columns.hpp"
#include "postgres/quote.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using mapping::ConflictStrategy;
using postgres::quote_identifier;

struct Found {
  const change::Column* column = nullptr;
  std::optional<std::string> value;
};

Found find(const apply::RefetchedRow& read, const std::string& name) {
  const std::optional<size_t> place = change::find_column(*read.relation, name);
  return place ? Found{&read.relation->columns[*place], (*read.values)[*place]} : Found{};
}

// Of a query that may fail for what somebody wrote, within a transaction that goes on.
Result<postgres::Rows> try_query(postgres::Session& session, const std::string& text, const postgres::Parameters& parameters,
                                 TimePoint deadline) {
  CNX_TRY(session.execute("SAVEPOINT contextnexus_configured", deadline));
  Result<postgres::Rows> rows = session.query(text, parameters, deadline);
  if (!rows && rows.error().kind() == ErrorKind::server) {
    CNX_TRY(session.execute("ROLLBACK TO SAVEPOINT contextnexus_configured", deadline));
  }
  if (rows) CNX_TRY(session.execute("RELEASE SAVEPOINT contextnexus_configured", deadline));
  return rows;
}

bool has_what_it_needs(ConflictStrategy strategy, const mapping::ConflictRule& rule) {
  switch (strategy) {
    case ConflictStrategy::last_write_wins:
      return !rule.timestamp_column.empty();
    case ConflictStrategy::custom:
      return !rule.function.name.empty();
    case ConflictStrategy::configured:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<ConflictStrategy> configured_strategy(postgres::Session& session, const mapping::TableRule& rule, const apply::RefetchedRow& read,
                                             TimePoint deadline) {
  const mapping::ConflictLookup& lookup = rule.conflict.lookup;
  postgres::Parameters parameters;
  std::string condition;
  std::string nulls;
  for (const std::string& name : lookup.by) {
    const std::string column = "c." + quote_identifier(name);
    const std::optional<std::string> value = find(read, name).value;
    condition += (condition.empty() ? "(" : " AND (") + column + " IS NULL";
    if (value) {
      parameters.emplace_back(*value);
      condition += " OR " + column + " = $" + std::to_string(parameters.size());
    }
    condition += ")";
    nulls += (nulls.empty() ? "(" : " + (") + column + " IS NULL)::pg_catalog.int4";
  }
  // Hidden rows would say nothing: an error is better, unless a policy admits us to all (R5).
  CNX_TRY(session.execute("SET LOCAL row_security = on", deadline));
  CNX_TRY(session.execute("SET LOCAL statement_timeout = '10s'", deadline));
  Result<postgres::Rows> rows = try_query(session,
                                          "SELECT c." + quote_identifier(lookup.column) + "::pg_catalog.text FROM " +
                                              postgres::quote_table(lookup.table) + " c WHERE " + condition + " ORDER BY " + nulls + " LIMIT 1",
                                          parameters, deadline);
  CNX_TRY(session.execute("SET LOCAL statement_timeout = 0", deadline));
  if (!rows) {
    if (rows.error().kind() != ErrorKind::server) return fail(std::move(rows.error()));
    return fail(Error(ErrorKind::state, rows.error().code(), "the table that configures conflicts cannot be asked: " + rows.error().root().message())
                    .with("table", postgres::to_string(lookup.table))
                    .advise("contextnexus init grants the engine's role SELECT on it; the mapping's `conflict:` names its columns"));
  }
  if (rows->empty() || !rows->value(0, 0)) return ConflictStrategy::postgres_wins;
  const std::string word(rows->text(0, 0));
  const std::optional<ConflictStrategy> strategy = mapping::find_conflict_strategy(word);
  if (strategy && has_what_it_needs(*strategy, rule.conflict)) return *strategy;
  const std::string table = postgres::to_string(rule.table);
  telemetry::log_warning("conflict_configuration",
                         "for rows of " + table + " " + postgres::to_string(lookup.table) +
                             (strategy ? " names a strategy that the mapping does not give what it needs, a timestamp or a function"
                                       : " names what is no strategy for conflicts") +
                             ": PostgreSQL wins",
                         {{"table", table}});
  return ConflictStrategy::postgres_wins;
}

Result<bool> is_older(postgres::Session& session, const mapping::TableRule& rule, const apply::RefetchedRow& read, const std::string& theirs,
                      TimePoint deadline) {
  const Found mine = find(read, rule.conflict.timestamp_column);
  if (!mine.value || theirs.empty()) return false;
  CNX_TRY(postgres::Rows named,
          session.query("SELECT pg_catalog.format_type($1::pg_catalog.oid, NULL)", {std::to_string(mine.column->type.value())}, deadline));
  const std::string type(named.text(0, 0));
  Result<postgres::Rows> rows = try_query(session, "SELECT CAST($1 AS " + type + ") < CAST($2 AS " + type + ")", {*mine.value, theirs}, deadline);
  if (!rows && rows.error().kind() == ErrorKind::server) return false;
  if (!rows) return fail(std::move(rows.error()));
  return rows->boolean(0, 0);
}

}  // namespace cnx::pipeline
