"""The source's safety: each state in which the position, the slot and the server do not fit is found, named, and cured.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own. What may not be done to a
shared server is done to another cluster in source_clusters_test.py.
"""

import contextlib
import json
import time

import psycopg2
import pytest

from lib import database as postgres
from lib.live import database_and_engine, expect_equal
from lib.world import World

POSITION = "MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) "


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_safety") as made:
        yield made


def wait_until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so after {timeout} s"
        time.sleep(0.05)


def ready(line):
    """Copied, and stopped cleanly."""
    world = World(line.database, "safety").fill_all()
    line.engine.once()
    world.add_default("tags")
    line.engine.once()
    return world


def streaming(line, *words):
    world = World(line.database, "safety").fill_all()
    line.engine.start(*words)
    line.engine.wait_for_log("following")
    line.sync()
    return world


def make(line, plugin="pgoutput"):
    line.database.rows("SELECT pg_create_logical_replication_slot('contextnexus', %s)", (plugin,))


@contextlib.contextmanager
def server_setting(servers, name, value):
    """Of the whole server; an admin's connection apart, since ALTER SYSTEM wants no transaction."""
    with postgres.Database(servers.postgres_url) as admin:
        admin.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        admin.rows("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: admin.value(f"SELECT setting FROM pg_settings WHERE name = '{name}'") != "-1")
            yield
        finally:
            admin.execute(f"ALTER SYSTEM RESET {name}")
            admin.rows("SELECT pg_reload_conf()")


def write_log(line, megabytes):
    """So much log, of no table of ours, in segments that a checkpoint may remove."""
    line.database.execute("CREATE TABLE IF NOT EXISTS public.cnx_filler (n int, t text)")
    for _ in range(megabytes // 8):
        line.database.execute("INSERT INTO public.cnx_filler SELECT n, repeat('x', 1000) FROM generate_series(1, 8000) n")
        line.database.rows("SELECT pg_switch_wal()")
    line.database.execute("CHECKPOINT")


# Each state: what happened to whom, while the engine was down.

def slot_missing(line, servers, world):
    world.add_default("tags")
    line.database.drop_slot()


def slot_recreated(line, servers, world):
    line.database.drop_slot()
    world.add_default("tags")
    make(line)


def slot_advanced(line, servers, world):
    world.add_default("tags")
    line.database.rows("SELECT pg_replication_slot_advance('contextnexus', pg_current_wal_lsn())")


def slot_ahead(line, servers, world):
    """As above, and the engine was killed: nobody can say whether the graph was there before."""
    line.engine.start()
    line.engine.wait_for_log("following")
    line.sync()
    line.engine.kill()
    wait_until(lambda: not line.database.slot()["active"])
    slot_advanced(line, servers, world)


def slot_foreign(line, servers, world):
    line.database.drop_slot()
    make(line, "test_decoding")


def slot_lost(line, servers, world):
    with server_setting(servers, "max_slot_wal_keep_size", "1MB"):
        write_log(line, 64)
        wait_until(lambda: line.database.slot()["wal_status"] == "lost")


def graph_restored(line, servers, world):
    """From a backup that is older than the last owner."""
    line.graph.rows(POSITION + "SET p.lsn = p.lsn - 1000000, p.epoch = 0")


def graph_restored_of_the_same_owner(line, servers, world):
    line.graph.rows(POSITION + "SET p.lsn = p.lsn - 1000000")


def graph_ahead(line, servers, world):
    line.graph.rows(POSITION + "SET p.lsn = p.lsn + 1000000000000")


def graph_emptied(line, servers, world):
    line.graph.rows("MATCH (n) DETACH DELETE n")


def graph_replaced(line, servers, world):
    line.database.execute("UPDATE contextnexus.pipelines SET neo4j_database_id = 'another'")


def database_replaced(line, servers, world):
    line.graph.rows(POSITION + "SET p.systemIdentifier = '1'")


def database_of_the_same_name(line, servers, world):
    line.graph.rows(POSITION + "SET p.databaseOid = 1")


def database_restored(line, servers, world):
    """As a snapshot of the server's disk brings it back: what it had on disk is forgotten."""
    line.database.execute("UPDATE contextnexus.pipelines SET epoch = epoch - 1")


STATES = {
    slot_missing: "slot_missing", slot_recreated: "slot_recreated", slot_advanced: "slot_advanced", slot_ahead: "slot_ahead",
    slot_foreign: "slot_foreign", slot_lost: "slot_lost", graph_restored: "graph_restored",
    graph_restored_of_the_same_owner: "graph_restored", graph_ahead: "graph_ahead", graph_emptied: "graph_emptied",
    graph_replaced: "graph_replaced", database_replaced: "database_replaced",
    database_of_the_same_name: "database_replaced", database_restored: "database_restored",
}
# Reading every table again cures these.
GAPS = (slot_missing, slot_recreated, slot_advanced, slot_ahead, slot_lost, graph_restored, graph_ahead, database_restored,
        database_replaced)


def all_of(graph):
    return graph.rows("MATCH (n) RETURN n ORDER BY elementId(n)")


@pytest.mark.parametrize("happened", STATES, ids=lambda happened: happened.__name__)
def test_a_state_is_found_at_start_and_named_by_all(line, servers, happened):
    world = ready(line)
    happened(line, servers, world)
    name, before = STATES[happened], all_of(line.graph)
    outcome = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
    assert outcome.code == 3 and name in outcome.text, outcome
    assert all_of(line.graph) == before, "nothing moves until a person has chosen"
    status = line.engine.status()
    assert (status["state"], status["source_state"]) == ("broken", name), status
    assert status["problem"] and status["advice"]
    ranged = name.startswith("slot") or name == "graph_restored"
    assert bool(status["missing_log"]) == ranged and bool(status["surplus_log"]) == (name == "graph_ahead"), status
    assert name in line.engine.expect("status", url=line.engine.url).output
    check = json.loads(line.engine.verb("check", "--json", url=line.engine.url).output)
    assert any(name in finding["figure"] for finding in check["findings"] if finding["grade"] == "fault"), check


def test_a_database_under_another_name_goes_on_and_another_one_does_not(line, servers):
    ready(line)
    line.database.close()
    with postgres.Database(servers.postgres_url) as admin:
        admin.execute("ALTER DATABASE cnx_safety RENAME TO cnx_safety_renamed")
    try:
        renamed = postgres.with_database(line.engine.url, "cnx_safety_renamed")
        line.engine.expect("run", "--once", url=renamed)
        assert line.graph.value(POSITION + "RETURN p.database") == "cnx_safety_renamed"
        postgres.create_database(servers.postgres_url, "cnx_safety", "cnx_safety_renamed")
        outcome = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
        assert outcome.code == 3 and "database_replaced" in outcome.text, outcome
    finally:
        postgres.drop_database(servers.postgres_url, "cnx_safety_renamed")
        line.database = postgres.Database(line.engine.admin_url)


# Cures.

@pytest.mark.parametrize("happened", GAPS, ids=lambda happened: happened.__name__)
def test_resync_all_cures_a_gap(line, servers, happened):
    world = ready(line)
    gone = world.add_default("tags")
    line.engine.once()
    line.graph.rows("MATCH (t:Tag) SET t.theirs = 'kept' CREATE (:Theirs)-[:KNOWS]->(t)")
    happened(line, servers, world)
    line.database.execute("DELETE FROM public.tags WHERE id = %s", (gone,))
    line.database.execute("UPDATE public.tags SET name = 'changed in the gap ' || id")
    world.add_default("tags")
    if happened == slot_lost:
        assert line.database.slot()["wal_status"] == "lost"
    asked = json.loads(line.engine.expect("resync", "--all", "--json", url=line.engine.url).output)
    assert asked["all"] and line.engine.status()["resync_asked"]
    line.engine.once()
    line.graph.rows("MATCH (t:Theirs) DETACH DELETE t")
    assert line.graph.value("MATCH (t:Tag) WHERE t.theirs = 'kept' AND t._cnx_stub IS NULL RETURN count(t)") == 3
    line.graph.rows("MATCH (t:Tag) WHERE t._cnx_stub DETACH DELETE t")
    line.graph.rows("MATCH (t:Tag) REMOVE t.theirs")
    expect_equal(line.database, line.graph)
    status = line.engine.status()
    assert status["source_state"] == "fits" and not status["resync_asked"], status
    # The line goes on as ever, the write-back too.
    world.add_default("content_items")
    line.engine.once()
    expect_equal(line.database, line.graph)
    assert line.database.value("SELECT count(*) FROM public.content_items WHERE neo4j_sync_status <> 'synced'") == 0


def test_a_slot_of_others_is_not_dropped(line, servers):
    world = ready(line)
    slot_foreign(line, servers, world)
    line.engine.expect("resync", "--all", url=line.engine.url)
    assert "slot_foreign" in line.engine.verb("run", "--once", url=line.engine.url, timeout=60).text
    assert line.database.slot()["plugin"] == "test_decoding"
    line.database.drop_slot()
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_tables_are_read_again_while_the_engine_runs(line):
    world = streaming(line)
    # As a bug, or somebody's hand, would have left it.
    line.graph.rows("MATCH (t:Tag) SET t.name = 'wrong'")
    line.graph.rows("MATCH (u:User) SET u.displayName = 'theirs'")
    line.graph.rows("CREATE (:Tag {id: '00000000-0000-0000-0000-000000000000', tenantId: 'x'})")
    line.engine.expect("resync", "tags", url=line.engine.url)
    line.engine.wait_for_log("contextnexus resync asked for it")
    wait_until(lambda: line.graph.value("MATCH (t:Tag {name: 'wrong'}) RETURN count(t)") == 0)
    wait_until(lambda: not line.engine.status()["tables"])
    assert line.graph.value("MATCH (t:Tag {id: '00000000-0000-0000-0000-000000000000'}) RETURN count(t)") == 0
    assert line.graph.value("MATCH (u:User {displayName: 'theirs'}) RETURN count(u)") == 2, "that table was not asked for"
    line.engine.expect("resync", "--all", url=line.engine.url)
    wait_until(lambda: line.graph.value("MATCH (u:User {displayName: 'theirs'}) RETURN count(u)") == 0)
    wait_until(lambda: not line.engine.status()["resync_asked"])
    world.add_default("tags")
    line.expect_equal()
    assert line.engine.terminate() == 0


def test_resync_wants_to_be_told_which_tables(line):
    for words in ((), ("--all", "tags"), ("no_such_table",)):
        outcome = line.engine.verb("resync", *words, url=line.engine.url)
        assert outcome.code == 2, outcome


@pytest.mark.parametrize("happened", (slot_missing, slot_lost, graph_restored), ids=lambda happened: happened.__name__)
def test_a_gap_is_cured_without_being_asked_where_the_configuration_says_so(line, servers, happened):
    world = ready(line)
    happened(line, servers, world)
    line.database.execute("DELETE FROM public.message_context_items")
    line.engine.start("--set", "source.gap_action=resync")
    line.engine.wait_for_log("read again behind a new slot")
    wait_until(lambda: line.engine.status()["source_state"] == "fits" and not line.engine.status()["tables"])
    line.expect_equal()
    assert line.engine.terminate() == 0


def test_a_slot_that_is_being_made_fits_nothing_yet(line, servers):
    world = ready(line)
    slot_missing(line, servers, world)
    with psycopg2.connect(line.database.url) as writer, writer.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")  # It is waited for.
        line.engine.start("--set", "source.gap_action=resync")
        wait_until(lambda: line.database.slot() is not None)
        assert line.database.slot()["confirmed_flush_lsn"] is None
        found = line.engine.status()
        assert found["source_state"] == "slot_missing", found
    writer.close()
    wait_until(lambda: line.engine.status()["source_state"] == "fits" and not line.engine.status()["tables"])
    line.expect_equal()
    assert line.engine.terminate() == 0


def test_another_database_is_never_taken_without_being_asked(line, servers):
    world = ready(line)
    database_replaced(line, servers, world)
    outcome = line.engine.verb("run", "--once", "--set", "source.gap_action=resync", url=line.engine.url, timeout=60)
    assert outcome.code == 3 and "database_replaced" in outcome.text, outcome


# While it runs.

def dropped_under_the_engine(line, then=""):
    """Faster than the engine is back."""
    line.database.execute(f"""
        DO $$ BEGIN
          FOR i IN 1..1000 LOOP
            PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'contextnexus' AND active;
            BEGIN
              PERFORM pg_drop_replication_slot('contextnexus');
              EXIT;
            EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.001);
            END;
          END LOOP;
        END $$""")
    if then:
        line.database.rows(then)


@pytest.mark.parametrize("then, name", (
    ("", "slot_missing"),
    ("SELECT pg_create_logical_replication_slot('contextnexus', 'test_decoding')", "slot_foreign"),
))
def test_a_slot_that_goes_while_the_engine_runs_ends_it(line, then, name):
    streaming(line)
    dropped_under_the_engine(line, then)
    ended = line.engine.wait_for_end(30)
    assert ended.code == 3 and name in ended.output, ended
    assert line.engine.status()["source_state"] == name


def test_a_slot_that_is_made_again_while_the_engine_runs_is_found(line):
    """It looks as it did: nothing but its place tells."""
    streaming(line)
    dropped_under_the_engine(line, "SELECT pg_create_logical_replication_slot('contextnexus', 'pgoutput')")
    ended = line.engine.wait_for_end(30)
    assert ended.code == 3 and ("slot_recreated" in ended.output or "slot_missing" in ended.output), ended
    assert line.engine.status()["source_state"] == "slot_recreated"


def test_a_slot_that_is_lost_while_the_engine_runs_ends_it(line, servers):
    world = streaming(line, "--set", "source.look_seconds=0.5")
    with line.graph.open_transaction(POSITION + "SET p._cnx_lock = true"):
        with server_setting(servers, "max_slot_wal_keep_size", "64MB"):
            world.add_default("tags")
            write_log(line, 24)
            line.engine.wait_for_log("PostgreSQL keeps")
            write_log(line, 128)
            wait_until(lambda: line.database.slot()["wal_status"] == "lost")
        ended = line.engine.wait_for_end(60)
    assert ended.code == 3 and "slot_lost" in ended.output, ended
    assert line.engine.status()["source_state"] == "slot_lost"


@pytest.mark.parametrize("happened, name", ((graph_emptied, "graph_emptied"), (graph_restored, "graph_restored")),
                         ids=("emptied", "restored"))
def test_a_graph_that_goes_while_the_engine_runs_ends_it(line, servers, happened, name):
    world = streaming(line)
    wait_until(lambda: line.database.confirmed() == line.graph.position()[0])
    happened(line, servers, world)
    world.add_default("tags")
    ended = line.engine.wait_for_end(30)
    assert ended.code == 3 and name in ended.output, ended


# The log that is kept.

def warnings(line, *words):
    status = json.loads(line.engine.expect("status", "--json", *words, url=line.engine.url).output)
    return {warning["code"]: warning for warning in status["warnings"]}


def test_a_prepared_transaction_that_holds_log_back_is_told_with_its_owner(line):
    streaming(line, "--set", "source.look_seconds=0.2", "--set", "source.transaction_warn_seconds=1")
    line.database.execute("BEGIN")
    line.database.rows("SELECT pg_current_xact_id()")
    line.database.execute("PREPARE TRANSACTION 'cnx forgotten'")
    try:
        log = line.engine.wait_for_log("prepared_transaction_pins")
        assert "'cnx forgotten' (owner postgres, database cnx_safety, prepared" in log, log
        told = warnings(line, "--set", "source.transaction_warn_seconds=1")
        assert "cnx forgotten" in told["prepared_transaction_pins"]["message"], told
        assert "prepared_transaction_pins" not in warnings(line), "it is not that old"
        check = json.loads(line.engine.verb("check", "--json", "--set", "source.transaction_warn_seconds=1").output)
        assert any(finding["code"] == "prepared_transaction_pins" for finding in check["findings"]), check
    finally:
        line.database.execute("ROLLBACK PREPARED 'cnx forgotten'")
    line.engine.wait_for_log("prepared_transaction_pins: it is over")
    assert line.engine.terminate() == 0


def test_log_that_is_kept_while_paused_is_told(line):
    streaming(line, "--set", "source.look_seconds=0.2", "--set", "source.retained_wal_warn_bytes=24MiB")
    line.engine.expect("pause", url=line.engine.url)
    line.engine.wait_for_log("paused since")
    write_log(line, 40)
    line.engine.wait_for_log("wal_retained_high")
    assert "wal_retained_high" in warnings(line, "--set", "source.retained_wal_warn_bytes=24MiB")
    assert "wal_retained_high" not in warnings(line)
    line.engine.expect("resume", url=line.engine.url)
    line.engine.wait_for_log("wal_retained_high: it is over")
    line.expect_equal()


def test_a_slot_is_given_up_for_the_primarys_disk_where_the_configuration_says_so(line):
    world = streaming(line, "--set", "source.look_seconds=0.2", "--set", "source.retained_wal_bytes_max=24MiB", "--set",
                      "source.retained_wal_action=drop_slot")
    with line.graph.open_transaction(POSITION + "SET p._cnx_lock = true"):
        world.add_default("tags")
        write_log(line, 40)
        wait_until(lambda: line.database.slot() is None)
    ended = line.engine.wait_for_end(60)
    assert ended.code == 3 and "slot_missing" in ended.output and "retained_wal_action" in ended.output, ended
    status = line.engine.status()
    assert status["source_state"] == "slot_missing" and "dropped by this program" in status["problem"], status
    line.engine.expect("resync", "--all", url=line.engine.url)
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_a_slot_that_is_not_given_up_stays(line):
    world = streaming(line, "--set", "source.look_seconds=0.2", "--set", "source.retained_wal_bytes_max=24MiB")
    with line.graph.open_transaction(POSITION + "SET p._cnx_lock = true"):
        world.add_default("tags")
        write_log(line, 40)
        wait_until(lambda: line.engine.status()["retained_wal_bytes"] > 24 << 20)
        time.sleep(1)  # Some looks.
    assert line.database.slot() is not None
    line.expect_equal()
    assert line.engine.terminate() == 0


def test_an_idle_slot_moves_on(line):
    """I1: only tables of others are written, and the log is thrown away all the same."""
    streaming(line, "--set", "capture.idle_advance_seconds_max=1")
    for _ in range(3):
        write_log(line, 16)
        written = line.database.current_lsn()
        wait_until(lambda: line.database.confirmed() >= written)
        assert line.database.confirmed() <= line.graph.position()[0]
    wait_until(lambda: line.engine.status()["retained_wal_bytes"] < 48 << 20)
    assert line.engine.terminate() == 0
    line.engine.once()


def test_an_owner_that_was_overtaken_writes_nothing_into_postgresql(line):
    """The write-back asks in its own statement whether a later owner has begun."""
    world = streaming(line)
    wait_until(lambda: line.database.value("SELECT count(*) FROM public.content_items WHERE neo4j_sync_status <> 'synced'") == 0)
    line.database.execute("UPDATE contextnexus.pipelines SET epoch = epoch + 1")
    world.add_default("content_items")
    line.sync()
    world.add_default("tags")
    line.sync()
    assert line.database.value("SELECT count(*) FROM public.content_items WHERE neo4j_sync_status = 'synced'") == 2
    line.engine.terminate()
    line.engine.once()
    assert line.database.value("SELECT count(*) FROM public.content_items WHERE neo4j_sync_status <> 'synced'") == 0
