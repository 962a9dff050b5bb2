#include "capture/logical/source_state.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace cnx::capture {
namespace {

using enum SourceState;
using change::Lsn;

// All fits: the graph at 500, the slot confirmed to 400 on a server whose log ends at 1000.
SourceFacts fitting() {
  SourceFacts facts;
  facts.held = HeldPosition{.position = {Lsn(500), 0},
                            .system_identifier = "77",
                            .timeline = 1,
                            .database = "knowledge",
                            .database_oid = 16384,
                            .slot = "contextnexus",
                            .epoch = 7,
                            .recorded_epoch = 6};
  facts.graph_identity = "a graph";
  facts.record = {.graph_identity = "a graph", .epoch = 6, .confirmed = {}, .given_up = {}};
  facts.system = {.system_identifier = 77,
                  .timeline = 1,
                  .wal_end = Lsn(1000),
                  .database = "knowledge",
                  .database_oid = 16384,
                  .history = {}};
  facts.server_version = 150018;
  facts.slot.emplace();
  facts.slot->name = "contextnexus";
  facts.slot->plugin = "pgoutput";
  facts.slot->database = "knowledge";
  facts.slot->restart_lsn = Lsn(380);
  facts.slot->confirmed_flush = Lsn(400);
  facts.slot->wal_status = "reserved";
  facts.slot->decoded_transactions = 12;
  return facts;
}

// The primary was promoted: timeline 2 left timeline 1 at 600.
void fail_over(SourceFacts& facts) {
  facts.system.timeline = 2;
  facts.system.history = {{.timeline = 1, .left_at = Lsn(600)}};
}

struct Case {
  const char* name;
  std::function<void(SourceFacts&)> happened;
  SourceState state;
  const char* words = "";  // Of the sentence.
};

const Case kCases[] = {
    {"nothing", [](SourceFacts&) {}, fits},
    {"the slot is where the graph is", [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(500); }, fits},
    // The slot may stand at the end of the transaction before, and that may be where this one begins.
    {"inside a transaction that begins where the slot is",
     [](SourceFacts& f) {
       f.held->position.ordinal = 3;
       f.slot->confirmed_flush = Lsn(500);
     },
     fits},
    {"inside a transaction that the slot is behind",
     [](SourceFacts& f) {
       f.held->position.ordinal = 3;
       f.slot->confirmed_flush = Lsn(501);
     },
     slot_ahead},
    {"nothing is copied yet, and the slot is gone",
     [](SourceFacts& f) {
       f.streams = false;
       f.slot.reset();
     },
     fits},
    {"a position from before the database's number was kept", [](SourceFacts& f) { f.held->database_oid = 0; }, fits},
    {"the database was renamed",
     [](SourceFacts& f) { f.system.database = f.slot->database = "wisdom"; }, fits},
    {"an engine before this one kept no record",
     [](SourceFacts& f) {
       f.record = {};
       f.held->recorded_epoch = 0;
     },
     fits},

    {"no init", [](SourceFacts& f) { f.held.reset(), f.record = {}, f.slot.reset(); }, not_initialised},
    {"the graph was emptied", [](SourceFacts& f) { f.held.reset(); }, graph_emptied, "emptied"},
    {"another graph", [](SourceFacts& f) { f.graph_identity = "another"; }, graph_replaced, "another graph"},
    {"another graph, and nothing copied", [](SourceFacts& f) { f.graph_identity = "another", f.streams = false; }, graph_replaced},

    {"another cluster", [](SourceFacts& f) { f.system.system_identifier = 78; }, database_replaced, "another PostgreSQL cluster"},
    {"another database", [](SourceFacts& f) { f.system.database_oid = 1, f.system.database = "other"; }, database_replaced,
     "another database"},
    {"another database, by its name alone",
     [](SourceFacts& f) { f.held->database_oid = 0, f.system.database = "other"; }, database_replaced, "another database"},
    {"the database was dropped and made again",
     [](SourceFacts& f) { f.system.database_oid = 1, f.slot.reset(); }, database_replaced, "made again"},
    {"PostgreSQL was set back by a snapshot of its disk", [](SourceFacts& f) { f.record.epoch = 5; }, database_restored, "set back"},

    {"a failover slot came along",
     [](SourceFacts& f) { fail_over(f), f.server_version = 170000, f.slot->failover = true; }, failed_over, "came along"},
    {"a failover slot, and the graph is at the very place",
     [](SourceFacts& f) {
       fail_over(f), f.server_version = 170000, f.slot->failover = true, f.held->position.lsn = Lsn(600);
     },
     failed_over},
    {"a failover slot, and the last owner's begin was lost with the old server",
     [](SourceFacts& f) {
       fail_over(f), f.server_version = 170000, f.slot->failover = true, f.record.epoch = 5;
     },
     failed_over},
    {"two failovers, and the slot came along",
     [](SourceFacts& f) {
       fail_over(f), f.server_version = 170000, f.slot->failover = true, f.system.timeline = 3;
       f.system.history.push_back({.timeline = 2, .left_at = Lsn(800)});
     },
     failed_over},
    {"a failover without the slot", [](SourceFacts& f) { fail_over(f), f.slot.reset(); }, timeline_changed, "did not come along"},
    {"a failover, and a slot was made there",
     [](SourceFacts& f) { fail_over(f), f.slot->confirmed_flush = Lsn(700); }, timeline_changed, "made or moved there"},
    {"a failover, and a slot that nobody has kept in step", [](SourceFacts& f) { fail_over(f); }, timeline_changed, "kept in step"},
    {"the same on a server that could have",
     [](SourceFacts& f) { fail_over(f), f.server_version = 170000; }, timeline_changed, "kept in step"},
    {"a failover that lost what the graph has",
     [](SourceFacts& f) { fail_over(f), f.held->position.lsn = Lsn(601); }, graph_ahead, "lost by that"},
    {"the same with a failover slot",
     [](SourceFacts& f) {
       fail_over(f), f.server_version = 170000, f.slot->failover = true, f.held->position.lsn = Lsn(601);
     },
     graph_ahead},
    {"a timeline that is no successor",
     [](SourceFacts& f) { fail_over(f), f.system.history = {{.timeline = 3, .left_at = Lsn(600)}}; }, timeline_changed,
     "does not come from"},
    {"back to a timeline before", [](SourceFacts& f) { f.held->timeline = 2; }, timeline_changed, "does not come from"},
    {"a failover, and the slot there is lost",
     [](SourceFacts& f) { fail_over(f), f.slot->wal_status = "lost"; }, slot_lost},

    {"the log's end was lost", [](SourceFacts& f) { f.system.wal_end = Lsn(499); }, graph_ahead, "beyond the end"},

    {"the slot was dropped", [](SourceFacts& f) { f.slot.reset(); }, slot_missing, "gone"},
    {"the slot was given up",
     [](SourceFacts& f) { f.slot.reset(), f.record.given_up = "too much log"; }, slot_missing, "too much log"},
    {"the slot is being made again", [](SourceFacts& f) { f.slot->confirmed_flush.reset(); }, slot_missing, "being made"},
    {"a failover, and a slot is being made there",
     [](SourceFacts& f) { fail_over(f), f.slot->confirmed_flush.reset(); }, timeline_changed, "made or moved there"},
    {"a slot of another plugin", [](SourceFacts& f) { f.slot->plugin = "wal2json"; }, slot_foreign, "wal2json"},
    {"a slot of another database", [](SourceFacts& f) { f.slot->database = "other"; }, slot_foreign, "other"},
    {"a physical slot", [](SourceFacts& f) { f.slot->logical = false, f.slot->plugin.clear(); }, slot_foreign, "physical"},
    {"log that the slot needed was removed",
     [](SourceFacts& f) { f.slot->wal_status = "lost", f.slot->restart_lsn.reset(); }, slot_lost, "max_slot_wal_keep_size"},
    {"a slot that nobody used for too long",
     [](SourceFacts& f) { f.slot->wal_status = "lost", f.slot->invalidation_reason = "idle_timeout"; }, slot_lost, "idle_timeout"},

    {"the slot was made again",
     [](SourceFacts& f) {
       f.slot->restart_lsn = Lsn(690), f.slot->confirmed_flush = Lsn(700), f.slot->decoded_transactions = 0;
     },
     slot_recreated, "made again"},
    {"the slot was made again, and read", [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(700); }, slot_ahead},
    {"the slot was advanced after a clean end",
     [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(700), f.record.confirmed = Lsn(500); }, slot_advanced, "somebody else"},
    {"the slot was advanced, or the graph restored, after a kill",
     [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(501); }, slot_ahead, "restored from a backup, or"},
    {"the graph is from before its last owner",
     [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(700), f.record.epoch = 9; }, graph_restored, "last owner"},
    {"the graph is from before its last owner's end",
     [](SourceFacts& f) { f.slot->confirmed_flush = Lsn(700), f.record.confirmed = Lsn(700); }, graph_restored, "was at"},
    // What was not confirmed comes once more: nothing is lost.
    {"a restored graph that is not behind the slot",
     [](SourceFacts& f) { f.record.epoch = 9, f.record.confirmed = Lsn(700); }, fits},
};

TEST(SourceState, of_each_case_is_found) {
  for (const Case& one : kCases) {
    SourceFacts facts = fitting();
    one.happened(facts);
    const SourceJudgement found = judge_source(facts);
    EXPECT_EQ(to_string(found.state), to_string(one.state)) << one.name << ": " << found.happened;
    EXPECT_NE(found.happened.find(one.words), std::string::npos) << one.name << ": " << found.happened;
    EXPECT_EQ(found.may_go_on(), one.state == fits || one.state == failed_over) << one.name;
    EXPECT_EQ(found.may_go_on(), found.advice.empty()) << one.name << ": what stops has a cure";
  }
}

TEST(SourceState, tells_which_part_of_the_log_is_missing) {
  SourceFacts facts = fitting();
  facts.slot->confirmed_flush = Lsn(700);
  EXPECT_EQ(judge_source(facts).missing->to_string(), "0/1F4 to 0/2BC");
  facts.slot->wal_status = "lost";
  EXPECT_EQ(judge_source(facts).missing->to_string(), "0/1F4 to 0/3E8");
}

TEST(SourceState, tells_which_part_of_the_log_is_no_more) {
  SourceFacts facts = fitting();
  fail_over(facts);
  facts.held->position.lsn = Lsn(700);
  const SourceJudgement found = judge_source(facts);
  EXPECT_FALSE(found.missing);
  EXPECT_EQ(found.surplus->to_string(), "0/258 to 0/2BC");
}

TEST(SourceState, is_an_errors_code) {
  SourceFacts facts = fitting();
  EXPECT_TRUE(to_status(judge_source(facts)));
  facts.slot.reset();
  Status status = to_status(judge_source(facts));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::state);
  EXPECT_EQ(status.error().code(), "slot_missing");
  EXPECT_EQ(source_state_of(status.error()), slot_missing);
  EXPECT_FALSE(source_state_of(Error(ErrorKind::state, "something else")));
  EXPECT_NE(status.error().describe().find("0/1F4 to 0/3E8"), std::string::npos) << status.error().describe();
}

// Whose database it is, is for a person to say.
TEST(SourceState, of_another_side_is_no_gap) {
  for (SourceState state : {fits, failed_over, not_initialised, graph_emptied, graph_replaced, database_replaced, slot_foreign}) {
    EXPECT_FALSE(is_gap(state)) << to_string(state);
  }
  for (SourceState state : {graph_restored, graph_ahead, database_restored, timeline_changed, slot_missing, slot_lost,
                            slot_recreated, slot_advanced, slot_ahead}) {
    EXPECT_TRUE(is_gap(state)) << to_string(state);
  }
}

}  // namespace
}  // namespace cnx::capture
