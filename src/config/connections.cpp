#include "config/connections.hpp"

#include <fstream>
#include <sstream>

#include "bolt/url.hpp"
#include "mapping/builtin.hpp"
#include "mapping/load.hpp"

namespace cnx::config {
namespace {

SecretReader reader_of(const GivenSecret& secret) {
  if (secret.file.empty()) return {};
  return [file = secret.file] { return read_secret_file(file); };
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return fail(Error(ErrorKind::invalid, "the mapping cannot be read").with("file", path));
  return text.str();
}

// The password of a URL that is kept in a file, as it is there now. Another host takes effect at the next start.
SecretReader password_in_url(const std::string& file) {
  return [file]() -> Result<Secret> {
    CNX_TRY(Secret url, read_secret_file(file));
    CNX_TRY(bolt::Options options, bolt::parse_url(url.reveal()));
    return options.auth.password;
  };
}

}  // namespace

Result<postgres::ConnectionOptions> postgres_options(const Settings& settings, const Environment& environment) {
  postgres::ConnectionOptions options;
  if (!settings.postgres_url.given()) {
    bool named = false;
    for (const char* variable : {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"}) {
      named = named || !environment(variable).value_or("").empty();
    }
    if (!named) {
      return fail(Error(ErrorKind::invalid, "which PostgreSQL?")
                      .advise("give --postgres URL, set CONTEXTNEXUS_POSTGRES, or write `postgres: {url: …}` in a "
                              "configuration file"));
    }
  }
  options.conninfo = settings.postgres_url.text;
  options.read_conninfo = reader_of(settings.postgres_url);
  options.password = settings.postgres_password.text;
  options.read_password = reader_of(settings.postgres_password);
  return options;
}

Result<bolt::Options> neo4j_options(const Settings& settings) {
  if (!settings.neo4j_url.given()) {
    return fail(Error(ErrorKind::invalid, "which Neo4j?")
                    .advise("give --neo4j URL, set CONTEXTNEXUS_NEO4J, or write `neo4j: {url: …}` in a configuration file"));
  }
  CNX_TRY(bolt::Options options, bolt::parse_url(settings.neo4j_url.text.reveal()));
  bolt::Auth& auth = options.auth;
  if (settings.neo4j_token.given()) {
    if (!settings.neo4j_user.empty() || settings.neo4j_password.given() || auth.scheme != bolt::Auth::Scheme::none) {
      return fail(Error(ErrorKind::invalid, "neo4j.bearer_token stands in the place of user and password, and both are given"));
    }
    auth.scheme = bolt::Auth::Scheme::bearer;
    auth.password = settings.neo4j_token.text;
    auth.read_password = reader_of(settings.neo4j_token);
  } else {
    if (!settings.neo4j_user.empty()) auth.user = settings.neo4j_user;
    if (settings.neo4j_password.given()) {
      auth.password = settings.neo4j_password.text;
      auth.read_password = reader_of(settings.neo4j_password);
    } else if (!settings.neo4j_url.file.empty() && !auth.password.empty()) {
      auth.read_password = password_in_url(settings.neo4j_url.file);
    }
    if (auth.user.empty() && !auth.password.empty()) {
      return fail(Error(ErrorKind::invalid, "Neo4j: a password is given and no user").advise("set neo4j.user"));
    }
    if (!auth.user.empty()) auth.scheme = bolt::Auth::Scheme::basic;
  }
  options.database = settings.neo4j_database;
  options.ca_file = settings.neo4j_ca_file;
  if (!options.ca_file.empty() && options.encryption != bolt::Encryption::verified) {
    return fail(Error(ErrorKind::invalid, "neo4j.ca_file is given and the URL does not verify certificates")
                    .advise("write bolt+s or neo4j+s; or leave the file out"));
  }
  return options;
}

Result<mapping::Mapping> read_mapping(const Settings& settings) {
  std::string text(mapping::builtin_mapping_text());
  std::string name(mapping::kBuiltinMappingName);
  if (!settings.mapping_file.empty()) {
    CNX_TRY(text, read_file(settings.mapping_file));
    name = settings.mapping_file;
  }
  auto loaded = mapping::load(text, name);
  if (loaded) return std::move(*loaded);
  return fail(Error(ErrorKind::invalid, "the mapping has faults:\n" + mapping::format(loaded.error())));
}

}  // namespace cnx::config
