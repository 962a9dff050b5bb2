// What the preflight makes of what it reads: each judgement apart, without a server.
#include <gmock/gmock.h>

#include <set>

#include "mapping/load.hpp"
#include "pipeline/check_graph.hpp"
#include "pipeline/check_server.hpp"
#include "pipeline/check_tables.hpp"

namespace cnx::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> troubles(Findings& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings.take()) {
    if (finding.grade == Grade::ok) continue;
    EXPECT_FALSE(finding.cure.empty()) << finding.figure;
    texts.push_back(std::string(to_string(finding.grade)) + " " + finding.what + ": " +
                    finding.figure + " → " + finding.cure);
  }
  return texts;
}

postgres::ServerInfo server() {
  postgres::ServerInfo info;
  info.version = 150018;
  info.wal_level = "logical";
  info.database = "shop";
  info.encoding = "UTF8";
  info.replication_slots_max = 10;
  info.wal_senders_max = 10;
  info.role = "sync";
  info.role_replication = true;
  return info;
}

TEST(CheckServer, a_server_as_it_has_to_be_has_no_troubles) {
  Findings findings;
  judge_server(findings, server());
  judge_role(findings, server());
  judge_senders(findings, server(), {}, false);
  judge_log_kept(findings, server(), {});
  judge_slot(findings, server(), std::nullopt, "p");
  judge_pooling(findings, {}, true);
  EXPECT_THAT(troubles(findings), IsEmpty());
}

TEST(CheckServer, all_that_is_wrong_is_said_at_once) {
  postgres::ServerInfo info = server();
  info.version = 120004;
  info.wal_level = "replica";
  info.in_recovery = true;
  Findings findings;
  judge_server(findings, info);
  EXPECT_THAT(troubles(findings),
              ElementsAre(HasSubstr("version: 12.4"), HasSubstr("a standby"),
                          HasSubstr("fault wal_level: replica → ALTER SYSTEM SET wal_level")));
}

TEST(CheckServer, what_a_version_has_for_a_failover_is_said_and_a_fault_only_where_it_was_asked_for) {
  postgres::ServerInfo info = server();
  info.version = 150018;
  Findings findings;
  judge_failover(findings, info, "auto");
  EXPECT_THAT(troubles(findings), IsEmpty());
  judge_failover(findings, info, "on");
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("fault failover: no failover slots before PostgreSQL 17")));
  Findings newer;
  info.version = 170011;
  judge_failover(newer, info, "on");
  EXPECT_THAT(troubles(newer), IsEmpty());
}

TEST(CheckServer, a_superuser_is_warned_of_and_not_refused) {
  postgres::ServerInfo info = server();
  info.role_superuser = true;
  Findings findings;
  judge_role(findings, info);
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("warning role: sync is a superuser")));
}

TEST(CheckServer, slots_and_senders_that_are_used_up_are_faults) {
  postgres::ServerInfo info = server();
  info.replication_slots_used = 10;
  Findings findings;
  judge_slot(findings, info, std::nullopt, "p");
  judge_senders(findings, info, {.wal_senders_used = 10}, false);
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("fault slots: 10 of 10 in use"),
                                              HasSubstr("fault WAL senders: 10 of 10 in use")));
}

TEST(CheckServer, a_limit_on_the_log_is_measured_against_a_day) {
  postgres::ServerInfo info = server();
  info.slot_wal_keep_bytes_max = int64_t{1} << 30;
  struct Case {
    double rate;
    bool enough;
  };
  for (Case one : {Case{1e3, true}, Case{1e6, false}, Case{0, false}}) {
    Findings findings;
    judge_log_kept(findings, info, {.wal_bytes_per_second = one.rate});
    EXPECT_EQ(troubles(findings).empty(), one.enough) << one.rate;
  }
}

TEST(CheckServer, a_slot_that_is_lost_or_foreign_is_a_fault_and_one_about_to_be_lost_a_warning) {
  postgres::SlotState slot{
      .name = "p", .plugin = "pgoutput", .database = "shop", .wal_status = "reserved"};
  struct Case {
    const char* status;
    const char* plugin;
    const char* expected;
  };
  for (Case one :
       {Case{"lost", "pgoutput", "fault slot p: lost"},
        Case{"unreserved", "pgoutput", "warning slot p: about to be lost"},
        Case{"reserved", "wal2json", "fault slot p: is there, and is not this pipeline's"}}) {
    slot.wal_status = one.status;
    slot.plugin = one.plugin;
    Findings findings;
    judge_slot(findings, server(), slot, "p");
    EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr(one.expected)));
  }
}

TEST(CheckServer, a_pooler_is_a_fault_where_it_keeps_replication_away) {
  Findings findings;
  judge_pooling(findings, {.pooled = true}, false);
  judge_pooling(findings, {.pooled = true}, true);
  EXPECT_THAT(troubles(findings),
              ElementsAre(HasSubstr("fault pooler"), HasSubstr("warning pooler")));
}

TEST(CheckServer, a_refused_replication_connection_is_explained_by_what_refused_it) {
  postgres::ServerInfo info = server();
  EXPECT_THAT(replication_cure(info, {}, "unsupported startup parameter: replication"),
              HasSubstr("pooler"));
  EXPECT_THAT(replication_cure(info, {}, "no pg_hba.conf entry for host"),
              HasSubstr("pg_hba.conf must admit sync"));
  EXPECT_THAT(
      replication_cure(info, {}, "number of requested standby connections exceeds max_wal_senders"),
      HasSubstr("raise max_wal_senders"));
  info.role_replication = false;
  EXPECT_THAT(replication_cure(info, {}, "permission denied to start WAL sender"),
              HasSubstr("ALTER ROLE \"sync\" REPLICATION"));
}

// Tables.

constexpr uint32_t kInteger = 23, kText = 25;

postgres::Table tags() {
  postgres::Table table;
  table.oid = change::Oid(1);
  table.name = {"public", "tags"};
  table.may_select = true;
  table.columns = {{.number = 1, .name = "id", .type = change::Oid(kInteger), .not_null = true},
                   {.number = 2, .name = "name", .type = change::Oid(kText)}};
  table.keys = {{.name = "tags_pkey", .columns = {"id"}, .primary = true}};
  return table;
}

mapping::Mapping tags_mapping() {
  auto loaded =
      mapping::load("version: 1\nname: t\ntables:\n  tags: {node: Tag, key: id}\n", "t.yaml");
  EXPECT_TRUE(loaded) << mapping::format(loaded.error());
  return loaded ? *std::move(loaded) : mapping::Mapping();
}

std::vector<std::string> table_troubles(const postgres::Table& table) {
  Findings findings;
  judge_tables(findings, tags_mapping(), {table}, server());
  return troubles(findings);
}

TEST(CheckTables, a_table_with_a_plain_primary_key_has_no_troubles) {
  EXPECT_THAT(table_troubles(tags()), IsEmpty());
}

TEST(CheckTables, each_way_to_lack_an_identity_is_named) {
  postgres::Table deferrable = tags();
  deferrable.keys[0].immediate = false;
  EXPECT_THAT(table_troubles(deferrable), ElementsAre(HasSubstr("the primary key is DEFERRABLE")));

  postgres::Table nothing = tags();
  nothing.replica_identity = change::ReplicaIdentity::nothing;
  EXPECT_THAT(table_troubles(nothing), ElementsAre(HasSubstr("REPLICA IDENTITY NOTHING")));

  postgres::Table keyless = tags();
  keyless.keys.clear();
  EXPECT_THAT(table_troubles(keyless),
              ElementsAre(HasSubstr("no primary key"), HasSubstr("nothing keeps (id) unique")));

  postgres::Table full = keyless;
  full.replica_identity = change::ReplicaIdentity::full;
  EXPECT_THAT(table_troubles(full), ElementsAre(HasSubstr("nothing keeps (id) unique")));
}

TEST(CheckTables, a_key_that_may_be_null_is_warned_of) {
  postgres::Table table = tags();
  table.columns[0].not_null = false;
  EXPECT_THAT(table_troubles(table),
              ElementsAre(HasSubstr("warning table public.tags: the key column id may be NULL")));
}

TEST(CheckTables, what_has_no_changes_of_its_own_is_a_fault) {
  postgres::Table view = tags();
  view.kind = postgres::TableKind::view;
  view.persistent = false;
  EXPECT_THAT(table_troubles(view), ElementsAre(HasSubstr("a view"), HasSubstr("unlogged")));
}

TEST(CheckTables, rows_that_row_level_security_hides_are_a_fault_until_a_policy_shows_them_all) {
  postgres::Table table = tags();
  table.row_security_applies = true;
  EXPECT_THAT(table_troubles(table),
              ElementsAre(HasSubstr("row-level security hides rows from sync")));
  table.policies = {{.name = "all", .command = 'r', .applies_to_us = true, .condition = "true"}};
  EXPECT_THAT(table_troubles(table), IsEmpty());
  table.policies.push_back(
      {.name = "fewer", .permissive = false, .applies_to_us = true, .condition = "id > 1"});
  EXPECT_THAT(table_troubles(table), ElementsAre(HasSubstr("row-level security hides rows")));
}

TEST(CheckTables, a_publication_is_held_against_the_mapping) {
  postgres::Publication publication{
      .name = "p",
      .via_partition_root = true,
      .tables = {{.name = {"public", "tags"}, .columns = {"id", "name"}}}};
  auto judged = [&] {
    Findings findings;
    judge_publication(findings, tags_mapping(), {tags()}, publication, "p");
    return troubles(findings);
  };
  EXPECT_THAT(judged(), IsEmpty());
  publication.tables[0].columns = {"id"};
  publication.tables[0].row_filter = "id > 7";
  publication.truncate = false;
  publication.tables.push_back({.name = {"public", "other"}});
  EXPECT_THAT(judged(),
              ElementsAre(HasSubstr("leaves out some operations"), HasSubstr("WHERE id > 7"),
                          HasSubstr("public.tags without name"), HasSubstr("public.other")));
  publication.tables.clear();
  publication.truncate = true;
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("lacks public.tags")));
}

TEST(CheckTables, a_generated_column_is_warned_of_unless_it_is_excluded) {
  postgres::Table table = tags();
  table.columns.push_back({.number = 3, .name = "upper", .type = change::Oid(kText), .generated = true});
  EXPECT_THAT(table_troubles(table), ElementsAre(HasSubstr("the graph will not have upper")));
}

TEST(CheckTables, what_the_write_back_leaves_alone_is_warned_of) {
  record::SyncTables found;
  record::SyncTable meddled;
  meddled.name = {"public", "messages"};
  meddled.meddling_trigger = "touch";
  found.tables = {meddled};
  found.left_out = {{.name = {"public", "tags"}, .reason = "no trigger", .cure = "make one"}};
  Findings findings;
  judge_write_back(findings, found);
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("warning write-back to public.tags: no trigger → make one"),
                                              HasSubstr("the trigger touch fires")));
}

TEST(Findings, every_kind_has_a_code_of_its_own_a_meaning_and_a_cure) {
  std::set<std::string_view> codes;
  for (const FindingText& text : finding_texts()) {
    EXPECT_TRUE(codes.insert(text.code).second) << text.code;
    EXPECT_FALSE(text.meaning.empty() || text.cure.empty()) << text.code;
    EXPECT_EQ(code_of(text.kind), text.code);
  }
}

TEST(CheckTables, a_publication_that_is_not_there_is_a_fault) {
  Findings findings;
  judge_publication(findings, tags_mapping(), {tags()}, std::nullopt, "p");
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("does not exist → contextnexus init")));
}

// Neo4j.

TEST(CheckGraph, versions_are_read_as_the_server_names_itself) {
  EXPECT_EQ(graph_version("Neo4j/5.26.28"), std::pair(5, 26));
  EXPECT_EQ(graph_version("Neo4j/5.27-aura"), std::pair(5, 27));
  EXPECT_EQ(graph_version("Neo4j/2026.09.0"), std::pair(2026, 9));
  EXPECT_EQ(graph_version("Neo4j"), std::pair(0, 0));
  EXPECT_EQ(graph_version("Neo4j/x"), std::pair(0, 0));
}

TEST(CheckGraph, an_old_version_is_a_fault_and_an_unknown_one_a_warning) {
  Findings findings;
  judge_graph_version(findings, "Neo4j/5.26.28", "community");
  judge_graph_version(findings, "Neo4j/2026.09.0", "");
  judge_graph_version(findings, "Neo4j/5.25.1", "enterprise");
  judge_graph_version(findings, "Other", "");
  EXPECT_THAT(troubles(findings), ElementsAre(HasSubstr("fault version: Neo4j/5.25.1, enterprise"),
                                              HasSubstr("warning version: Other")));
}

TEST(Findings, sizes_and_times_are_for_people) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(16 << 20), "16 MB");
  EXPECT_EQ(bytes_text(1.5 * (1 << 30)), "1.5 GB");
  EXPECT_EQ(time_text(90), "90 seconds");
  EXPECT_EQ(time_text(10800), "3 hours");
  EXPECT_EQ(time_text(172800), "2 days");
}

}  // namespace
}  // namespace cnx::pipeline
