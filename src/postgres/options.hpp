// How a connection to PostgreSQL is made.
#pragma once

#include <string>

#include "base/secret.hpp"

namespace cnx::postgres {

struct ConnectionOptions {
  // "postgres://user@host:port/database?…" or libpq's "key=value …"; libpq reads it, with its
  // environment (PGHOST, …) and password file. Secret, because it may hold the password.
  Secret conninfo;

  // What pg_stat_activity shows. Default: the product's name. An empty name leaves the choice to
  // `conninfo`.
  std::string application_name = "contextnexus";

  // false (the default): a table whose rows row-level security would hide from us is an error,
  // never an empty answer. true only to read a table for which
  // may_read_all_rows_with_row_security() said that nothing is hidden (R5).
  bool row_security_on = false;

  // true (the default): search_path is empty, so that nobody's function or operator gets in
  // between, and names of tables inside values (regclass) are always qualified. Every name in our
  // SQL must be qualified then. false for a connection whose writes fire the application's
  // triggers, which may rely on the role's path.
  bool search_path_empty = true;

  // Wins over a password in `conninfo`; empty: that one, or libpq's (PGPASSWORD, the password file).
  Secret password;

  // Asked at each connect, and then in the place of `conninfo` and of `password`. Empty: those stand.
  SecretReader read_conninfo;
  SecretReader read_password;
};

}  // namespace cnx::postgres
