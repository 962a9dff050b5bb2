#include <gtest/gtest.h>

#include "postgres/catalog.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/quote.hpp"
#include "postgres/replication.hpp"

namespace cnx::postgres {
namespace {

Result<ConnectionParameters> parsed(std::string text) {
  ConnectionOptions options;
  options.conninfo = Secret(std::move(text));
  return parse_conninfo(options, false);
}

std::string value_of(const ConnectionParameters& parameters, std::string_view keyword) {
  for (size_t i = 0; i < parameters.keywords.size(); ++i) {
    if (parameters.keywords[i] == keyword) return parameters.values[i];
  }
  return "";
}

TEST(Conninfo, urls_and_words_say_the_same) {
  for (const char* text : {"postgres://me:p%40ss%20w%27o%5Crd%2541@db:5433/app?sslmode=require",
                           "host=db port=5433 user=me dbname=app sslmode=require "
                           "password='p@ss w\\'o\\\\rd%41'"}) {
    auto parameters = parsed(text);
    ASSERT_TRUE(parameters);
    EXPECT_EQ(value_of(*parameters, "host"), "db");
    EXPECT_EQ(value_of(*parameters, "port"), "5433");
    EXPECT_EQ(value_of(*parameters, "dbname"), "app");
    EXPECT_EQ(value_of(*parameters, "password"), "p@ss w'o\\rd%41");
    EXPECT_EQ(value_of(*parameters, "application_name"), "contextnexus");
    EXPECT_EQ(value_of(*parameters, "client_encoding"), "UTF8");
  }
}

TEST(Conninfo, a_password_of_its_own_wins_and_is_scrubbed_as_well) {
  ConnectionOptions options;
  options.conninfo = Secret("postgres://me:old@db/app");
  options.password = Secret("new");
  auto parameters = parse_conninfo(options, false);
  ASSERT_TRUE(parameters);
  EXPECT_EQ(value_of(*parameters, "password"), "new");
  EXPECT_EQ(scrub("the new one", parameters->secrets), "the *** one");
}

TEST(Conninfo, what_cannot_be_read_is_refused_without_being_shown) {
  for (const char* text : {"postgres://me:hun@ter2@db/app", "postgres://me:hun/ter2@db/app",
                           "host=db password=hun ter2", "password='hunter2", "no_such_word=hunter2",
                           "postgres://me:hunter2%zz@db/app"}) {
    auto parameters = parsed(text);
    ASSERT_FALSE(parameters) << text;
    EXPECT_EQ(parameters.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(parameters.error().describe().find("ter2"), std::string::npos);
    EXPECT_FALSE(parameters.error().advice().empty());
  }
}

TEST(Conninfo, an_at_sign_behind_the_question_mark_is_no_password) {
  EXPECT_TRUE(parsed("postgres://db/app?user=me@tenant"));
}

TEST(Conninfo, secrets_are_scrubbed_in_every_form) {
  auto secrets = secret_forms("p@ss w'o\\rd%41");
  std::string text =
      "a p@ss w'o\\rd%41 b p%40ss%20w%27o%5Crd%2541 c p%40ss%20w%27o%5crd%2541 d "
      "cEBzcyB3J29ccmQlNDE= e";
  EXPECT_EQ(scrub(text, secrets), "a *** b *** c *** d *** e");
}

TEST(Quote, every_name_is_quoted_and_every_quote_doubled) {
  EXPECT_EQ(quote_table({"a.b", "Mixed Case``\"x"}), "\"a.b\".\"Mixed Case``\"\"x\"");
  EXPECT_EQ(quote_literal("it's \\"), "'it''s \\'");
  EXPECT_EQ(quote_literal(quote_names({"PubX", "o'hara"})), "'\"PubX\",\"o''hara\"'");
  EXPECT_EQ(array_text({"a", "b,\"c\\"}), R"({"a","b,\"c\\"})");
}

TEST(Quote, slot_names_outside_the_rule_are_refused) {
  EXPECT_TRUE(check_slot_name("contextnexus_1"));
  EXPECT_TRUE(check_slot_name(std::string(63, 'a')));
  for (const std::string& name : {std::string(), std::string(64, 'a'), std::string("Slot"),
                                  std::string("a-b"), std::string("a\"b")}) {
    EXPECT_FALSE(check_slot_name(name)) << name;
  }
}

TEST(Envelope, a_status_update_has_the_bytes_of_the_protocol) {
  StatusUpdate update;
  update.written = change::Lsn(0x1e862f0);
  update.flushed = change::Lsn(0x1e862f1);
  update.applied = change::Lsn(0x1e862f2);
  update.reply_requested = true;
  std::string hex;
  for (std::byte b : encode_status(update, 0x0003040fd7d6cdc4)) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(b));
    hex += text;
  }
  EXPECT_EQ(hex,
            "72"
            "0000000001e862f0"
            "0000000001e862f1"
            "0000000001e862f2"
            "0003040fd7d6cdc4"
            "01");
}

TEST(Envelope, keepalives_and_wal_data_are_told_apart_and_truncations_refused) {
  using namespace std::string_view_literals;
  auto keepalive = "k\0\0\0\0\1\xe8\x62\xf0\0\3\4\x0f\xd7\xd6\xcc\xf3\1"sv;
  auto message = decode_envelope(as_bytes(keepalive));
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<KeepAlive>(*message).wal_end, change::Lsn(0x1e862f0));
  EXPECT_TRUE(std::get<KeepAlive>(*message).reply_requested);
  auto wal = "w\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\0E"sv;
  message = decode_envelope(as_bytes(wal));
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<WalData>(*message).start, change::Lsn(7));
  EXPECT_EQ(as_text(std::get<WalData>(*message).payload), "E");
  for (size_t size = 0; size < keepalive.size(); ++size) {
    EXPECT_FALSE(decode_envelope(as_bytes(keepalive.substr(0, size))));
  }
  for (size_t size = 0; size < wal.size() - 1; ++size) {
    EXPECT_FALSE(decode_envelope(as_bytes(wal.substr(0, size))));
  }
}

Table table_with(std::vector<Policy> policies) {
  Table table;
  table.policies = std::move(policies);
  return table;
}

TEST(RowSecurity, only_an_open_policy_without_a_restrictive_one_shows_all_rows) {
  Policy open{"open", '*', true, true, "true"};
  Policy others = open;
  others.applies_to_us = false;
  Policy narrow = open;
  narrow.condition = "(tenant = 1)";
  Policy writing = open;
  writing.command = 'w';
  Policy restrictive = open;
  restrictive.permissive = false;
  Policy foreign_restriction = restrictive;
  foreign_restriction.applies_to_us = false;
  Policy write_restriction = restrictive;
  write_restriction.command = 'd';
  auto may = [](std::vector<Policy> policies) {
    return may_read_all_rows_with_row_security(table_with(std::move(policies)));
  };
  EXPECT_FALSE(may({}));
  EXPECT_TRUE(may({open}));
  EXPECT_TRUE(may({narrow, open}));
  EXPECT_FALSE(may({others}));
  EXPECT_FALSE(may({narrow}));
  EXPECT_FALSE(may({writing}));
  EXPECT_FALSE(may({open, restrictive}));
  EXPECT_TRUE(may({open, foreign_restriction, write_restriction}));
}

TEST(ReplicaIdentity, a_deferrable_or_missing_key_identifies_nothing) {
  Table table;
  table.columns.resize(2);
  table.columns[0].name = "a";
  table.columns[1].name = "b";
  TableKey key;
  key.columns = {"b", "a"};
  key.primary = true;
  table.keys = {key};
  EXPECT_EQ(table.identity_columns(), (std::vector<std::string>{"b", "a"}));
  table.keys[0].immediate = false;
  EXPECT_TRUE(table.identity_columns().empty());
  table.replica_identity = change::ReplicaIdentity::full;
  EXPECT_EQ(table.identity_columns(), (std::vector<std::string>{"a", "b"}));
  table.replica_identity = change::ReplicaIdentity::nothing;
  EXPECT_TRUE(table.identity_columns().empty());
}

}  // namespace
}  // namespace cnx::postgres
