// The settings under which every value is printed (cases.md R5): set by a statement, since start-up
// options lose against nothing but are refused by some poolers, and read back, since a setting that
// did not take changes every row silently.
#include <libpq-fe.h>

#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.hpp"

namespace cnx::postgres {
namespace {

struct Setting {
  std::string_view name;
  std::string_view value;
  std::string_view shown;  // What SHOW answers, or the start of it where `prefix`.
  bool prefix = false;
};

constexpr Setting kTextForm[] = {
    {"DateStyle", "ISO", "ISO,", true},  {"IntervalStyle", "postgres", "postgres"},
    {"TimeZone", "UTC", "UTC"},          {"extra_float_digits", "3", "3"},
    {"bytea_output", "hex", "hex"},      {"lc_monetary", "C", "C"},
    {"client_encoding", "UTF8", "UTF8"}, {"standard_conforming_strings", "on", "on"},
};

// A role's time limits are meant for its queries, not for a copy or an idle exporting connection:
// our deadlines rule.
constexpr Setting kLimits[] = {
    {"statement_timeout", "0", "0"},
    {"lock_timeout", "0", "0"},
    {"idle_in_transaction_session_timeout", "0", "0"},
};
constexpr Setting kIdleSessionLimit = {"idle_session_timeout", "0", "0"};
constexpr int kIdleSessionLimitSince = 140000;

bool took(const Setting& setting, std::string_view shown) {
  return setting.prefix ? shown.starts_with(setting.shown) : shown == setting.shown;
}

// One statement, one round trip: the server may be far away.
Status read_back(Connection& connection, const std::vector<Setting>& settings, TimePoint deadline) {
  std::string sql;
  for (const Setting& setting : settings) {
    sql += sql.empty() ? "SELECT " : ", ";
    sql += "pg_catalog.current_setting('" + std::string(setting.name) + "')";
  }
  CNX_TRY(ResultPtr result, connection.run(sql, deadline));
  for (size_t i = 0; i < settings.size(); ++i) {
    std::string_view shown;
    if (PQntuples(result.get()) == 1) shown = PQgetvalue(result.get(), 0, static_cast<int>(i));
    if (took(settings[i], shown)) continue;
    return fail(Error(ErrorKind::state, "the session setting " + std::string(settings[i].name) +
                                            " is '" + std::string(shown) + "', not '" +
                                            std::string(settings[i].value) + "' as it was set")
                    .advise("Connect to PostgreSQL itself, or through a pooler in session mode: "
                            "otherwise values are printed in another form."));
  }
  return {};
}

}  // namespace

Status apply_session_settings(Connection& connection, const ConnectionOptions& options,
                              TimePoint deadline) {
  const char* encoding = PQparameterStatus(connection.raw(), "server_encoding");
  if (encoding != nullptr && std::string_view(encoding) == "SQL_ASCII") {
    return fail(Error(ErrorKind::unsupported, "the database's encoding is SQL_ASCII")
                    .advise("Its text has no known encoding, so it cannot become text of a graph. "
                            "Move the data to a database with ENCODING 'UTF8'."));
  }
  std::vector<Setting> settings(std::begin(kTextForm), std::end(kTextForm));
  settings.insert(settings.end(), std::begin(kLimits), std::end(kLimits));
  if (connection.server_version() >= kIdleSessionLimitSince) settings.push_back(kIdleSessionLimit);
  std::string_view row_security = options.row_security_on ? "on" : "off";
  settings.push_back({"row_security", row_security, row_security});
  if (options.search_path_empty) settings.push_back({"search_path", "", "\"\""});

  std::string sql;
  for (const Setting& setting : settings) {
    sql += "SET " + std::string(setting.name) + " = '" + std::string(setting.value) + "';";
  }
  CNX_TRY(connection.run(sql, deadline));
  return read_back(connection, settings, deadline);
}

}  // namespace cnx::postgres
