#include "config/connections.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace cnx::config {
namespace {

Environment variables(std::string name = {}) {
  return [name](const std::string& asked) -> std::optional<std::string> {
    if (asked == name) return "value";
    return std::nullopt;
  };
}

GivenSecret text(std::string value) { return {.text = Secret(std::move(value)), .file = {}}; }

TEST(PostgreSQL, must_be_named_by_us_or_by_its_own_variables) {
  Settings settings;
  Result<postgres::ConnectionOptions> none = postgres_options(settings, variables());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::invalid);
  for (const char* name : {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"}) {
    EXPECT_TRUE(postgres_options(settings, variables(name))) << name;
  }
  settings.postgres_url = text("service=x");
  EXPECT_TRUE(postgres_options(settings, variables()));
}

TEST(Neo4j, has_user_and_password_of_the_url_unless_they_are_given) {
  Settings settings;
  EXPECT_FALSE(neo4j_options(settings));
  settings.neo4j_url = text("bolt://a:b@host:1");
  Result<bolt::Options> options = neo4j_options(settings);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->auth.user, "a");
  EXPECT_EQ(options->auth.password.reveal(), "b");
  settings.neo4j_user = "c";
  settings.neo4j_password = text("d");
  options = neo4j_options(settings);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->auth.user, "c");
  EXPECT_EQ(options->auth.password.reveal(), "d");
  EXPECT_EQ(options->auth.scheme, bolt::Auth::Scheme::basic);
}

TEST(Neo4j, takes_every_scheme_with_its_meaning) {
  struct Case {
    const char* url;
    bool routing;
    bolt::Encryption encryption;
  };
  for (const Case& c : {Case{"bolt://h", false, bolt::Encryption::none}, Case{"bolt+s://h", false, bolt::Encryption::verified},
                        Case{"bolt+ssc://h", false, bolt::Encryption::trusting}, Case{"neo4j://h", true, bolt::Encryption::none},
                        Case{"neo4j+s://h", true, bolt::Encryption::verified},
                        Case{"neo4j+ssc://h", true, bolt::Encryption::trusting}}) {
    Settings settings;
    settings.neo4j_url = text(c.url);
    Result<bolt::Options> options = neo4j_options(settings);
    ASSERT_TRUE(options) << c.url;
    EXPECT_EQ(options->routing, c.routing);
    EXPECT_EQ(options->encryption, c.encryption);
    EXPECT_EQ(options->auth.scheme, bolt::Auth::Scheme::none);
  }
}

TEST(Neo4j, refuses_what_does_not_go_together) {
  Settings password_alone;
  password_alone.neo4j_url = text("bolt://host");
  password_alone.neo4j_password = text("x");
  EXPECT_FALSE(neo4j_options(password_alone));

  Settings token_and_user;
  token_and_user.neo4j_url = text("bolt://a:b@host");
  token_and_user.neo4j_token = text("x");
  EXPECT_FALSE(neo4j_options(token_and_user));

  Settings authorities_without_tls;
  authorities_without_tls.neo4j_url = text("bolt://host");
  authorities_without_tls.neo4j_ca_file = "ca.pem";
  EXPECT_FALSE(neo4j_options(authorities_without_tls));
}

TEST(Neo4j, takes_a_token_alone) {
  Settings settings;
  settings.neo4j_url = text("bolt+s://host");
  settings.neo4j_token = text("x");
  Result<bolt::Options> options = neo4j_options(settings);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->auth.scheme, bolt::Auth::Scheme::bearer);
}

TEST(ASecretInAFile, is_read_again_each_time_it_is_needed) {
  const std::string path = testing::TempDir() + "contextnexus_rotated";
  auto write = [&](const char* words) { std::ofstream(path) << words << "\n"; };
  write("first");
  GivenSecret secret{.text = Secret("first"), .file = path};
  Settings settings;
  settings.postgres_url = text("host=x");
  settings.postgres_password = secret;
  settings.neo4j_url = text("bolt://a@host");
  settings.neo4j_password = secret;
  Result<postgres::ConnectionOptions> postgres = postgres_options(settings, variables());
  Result<bolt::Options> neo4j = neo4j_options(settings);
  ASSERT_TRUE(postgres && neo4j);
  write("second");
  EXPECT_EQ(postgres->read_password()->reveal(), "second");
  EXPECT_EQ(neo4j->auth.read_password()->reveal(), "second");

  write("bolt://a:third@host");
  settings.neo4j_password = {};
  settings.neo4j_url = {.text = Secret("bolt://a:first@host"), .file = path};
  neo4j = neo4j_options(settings);
  ASSERT_TRUE(neo4j);
  EXPECT_EQ(neo4j->auth.read_password()->reveal(), "third");
  std::remove(path.c_str());
  EXPECT_FALSE(neo4j->auth.read_password());
}

}  // namespace
}  // namespace cnx::config
