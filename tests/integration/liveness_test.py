"""/metrics, /healthz and /readyz of a running engine, and what its log says of what stands still.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import contextlib
import json
import os
import re
import signal
import socket
import time

import pytest
import yaml

from lib.database import REPOSITORY
from lib.engine import Engine
from lib.live import database_and_engine
from lib.telemetry import ANY_PORT, Pages
from lib.world import World

MOVING = ("streaming", "idle")
SOON = ("--set", "health.stalled_seconds=3")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_liveness") as made:
        yield made


def start(line, *words, engine=None):
    engine = engine or line.engine
    engine.start(*ANY_PORT, *words)
    return Pages(engine)


def started(line, *words):
    """A world with something of everything in both databases, and the pages of the engine between them."""
    world = World(line.database, "liveness").fill_all()
    pages = start(line, *words)
    line.sync()
    pages.wait_for_state("idle")
    return world, pages


@contextlib.contextmanager
def stopped_neo4j(line):
    line.engine.servers.control("pause-neo4j")
    try:
        yield
    finally:
        line.engine.servers.control("resume-neo4j")


@contextlib.contextmanager
def second(line, *words):
    """Another engine of the same pipeline, on the same machine."""
    engine = Engine(line.engine.servers, line.engine.admin_url)
    try:
        yield engine, start(line, *words, engine=engine)
    finally:
        engine.kill()


# Metrics.

def test_every_metric_is_on_the_page_that_lists_them_and_says_what_it_is(line):
    _, pages = started(line)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_stubs") is not None)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_retained_wal_bytes") is not None)
    metrics = pages.metrics()
    listed = dict(re.findall(r"^\| `(contextnexus_\w+)` \| (\w+) \|", (REPOSITORY / "docs/metrics.md").read_text(), re.M))
    assert metrics.kinds.items() <= listed.items()
    assert metrics.kinds.keys() == metrics.helps.keys()
    # The tests' server sets no limit to what a slot may retain.
    assert listed.keys() - metrics.kinds.keys() == {"contextnexus_safe_wal_bytes"}
    assert all(dict(labels)["pipeline"] == "contextnexus" for _, labels in metrics.values)


def test_the_guide_speaks_of_metrics_that_are_there():
    listed = set(re.findall(r"^\| `(contextnexus_\w+)` \|", (REPOSITORY / "docs/metrics.md").read_text(), re.M))
    guide = (REPOSITORY / "docs/operating.md").read_text()
    named = {name.removesuffix("_bucket") for name in re.findall(r"contextnexus_[a-z_]+", guide) if name != "contextnexus_sync"}
    assert named and named <= listed, named - listed
    scrape, rules = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", guide, re.S))
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:9747"]
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in rules["groups"][0]["rules"])


def test_counters_move_with_the_rows(line):
    world, pages = started(line)
    before = pages.metrics()
    assert before.value("contextnexus_copied_rows_total") >= 20, "all that was there"
    with line.database.transaction():
        for _ in range(5):
            world.add_default("tags")
    line.sync()

    def both():
        return pages.metrics(), before

    def grown(name, **labels):
        after, earlier = both()
        return after.value(name, **labels) - (earlier.value(name, **labels) or 0)

    pages.wait_for(lambda _: grown("contextnexus_applied_rows_total") == 5)
    assert grown("contextnexus_applied_transactions_total") == 1
    assert grown("contextnexus_batches_total") >= 1
    assert grown("contextnexus_received_rows_total") == 5
    assert grown("contextnexus_received_bytes_total") > 100
    assert grown("contextnexus_table_rows_total", table="public.tags") == 5
    assert grown("contextnexus_tenant_rows_total", tenant=world.tenant) == 5
    assert grown("contextnexus_commit_to_visible_seconds_count") >= 1
    assert grown("contextnexus_batch_seconds_count") >= 1
    pages.wait_for(lambda _: grown("contextnexus_write_back_rows_total") >= 0)
    metrics = pages.metrics()
    assert metrics.value("contextnexus_source_connected") == metrics.value("contextnexus_graph_connected") == 1
    assert metrics.value("contextnexus_healthy") == 1
    pages.wait_for(lambda p: p.metrics().value("contextnexus_lag_bytes") == 0)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_lag_seconds") == 0)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_ready") == 1)
    assert sum(value for _, value in metrics.series("contextnexus_state")) == 1


def test_tables_and_tenants_beyond_the_bound_share_a_name(line):
    _, pages = started(line, "--set", "telemetry.tables_max=3", "--set", "telemetry.tenants_max=0")
    metrics = pages.metrics()
    tables = {labels["table"]: value for labels, value in metrics.series("contextnexus_table_rows_total", pipeline="contextnexus")}
    assert len(tables) == 4 and tables["other"] > 10
    assert sum(tables.values()) == metrics.value("contextnexus_copied_rows_total") + metrics.value("contextnexus_applied_rows_total")
    assert not metrics.series("contextnexus_tenant_rows_total")


def test_stubs_and_the_log_that_the_slot_retains_are_told(line):
    world, pages = started(line)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_stubs") == 0)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_retained_wal_bytes") is not None)
    line.engine.terminate()
    line.graph.rows("MATCH (n:Tag) WITH n LIMIT 1 SET n._cnx_stub = true")
    pages = start(line)
    pages.wait_for(lambda p: p.metrics().value("contextnexus_stubs") == 1)
    # While it is paused too: that is when it grows.
    line.engine.expect("pause", url=line.engine.url)
    pages.wait_for_state("paused")
    before = pages.metrics().value("contextnexus_retained_wal_bytes")
    line.database.execute("SELECT pg_logical_emit_message(false, 'liveness', repeat('x', 100000))")
    line.database.rows("SELECT pg_switch_wal()")
    pages.wait_for(lambda p: p.metrics().value("contextnexus_retained_wal_bytes") > before + 100_000)


# Health.

def test_what_stands_still_under_load_is_unhealthy_and_healthy_again_when_it_moves(line):
    world, pages = started(line, *SOON)
    with stopped_neo4j(line):
        world.add_default("tags")
        body = pages.wait_for_state("stalled")
        assert pages.health()[0] == 503
        assert not body["healthy"] and "changes wait" in body["reason"], body
        code, ready = pages.readiness()
        assert code == 503 and ready["lag_seconds"] > 1, ready
        assert pages.metrics().value("contextnexus_healthy") == 0
        # What arrives meanwhile is no movement.
        for _ in range(20):
            world.add_default("tags")
            assert pages.health()[0] == 503
            time.sleep(0.1)
    pages.wait_for_state(*MOVING)
    assert pages.health()[0] == 200
    pages.wait_for(lambda p: p.readiness()[0] == 200)
    line.expect_equal()
    log = line.engine.tail(1_000_000)
    assert log.count("nothing moves: ") == 1 and log.count("it moves again") == 1, log
    assert line.engine.terminate() == 0


def test_idle_is_healthy_far_beyond_the_bound(line):
    _, pages = started(line, "--set", "health.stalled_seconds=1")
    pages.wait_for(lambda p: p.readiness()[0] == 200)
    for _ in range(60):
        code, body = pages.health()
        # A lazy move of the position is none that anybody waits for.
        assert code == 200 and body["state"] in MOVING, body
        time.sleep(0.1)
    assert pages.readiness()[0] == 200


def test_a_long_pause_is_healthy_and_named_and_not_ready(line):
    world, pages = started(line, "--set", "health.stalled_seconds=1")
    line.engine.expect("pause", url=line.engine.url)
    pages.wait_for_state("paused")
    world.add_default("tags")
    for _ in range(30):
        code, body = pages.health()
        assert code == 200 and body["state"] == "paused", body
        assert "by contextnexus_sync" in body["reason"] and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", body["since"]), body
        time.sleep(0.1)
    code, body = pages.readiness()
    assert code == 503 and not body["ready"] and "paused since" in body["reason"], body
    line.engine.expect("resume", url=line.engine.url)
    pages.wait_for(lambda p: p.readiness()[0] == 200)
    line.expect_equal()


def test_a_standby_is_healthy_and_not_ready_until_it_takes_over(line):
    _, first = started(line)
    with second(line, "--set", "health.stalled_seconds=1") as (engine, pages):
        pages.wait_for_state("standby")
        for _ in range(20):
            assert pages.health() [0] == 200 and pages.health()[1]["state"] == "standby"
            time.sleep(0.1)
        assert pages.readiness()[0] == 503 and first.readiness()[0] == 200
        assert line.engine.terminate() == 0
        pages.wait_for(lambda p: p.readiness()[0] == 200)
        assert pages.health()[1]["state"] in MOVING
        assert engine.terminate() == 0


def test_a_copy_is_healthy_and_not_ready(line):
    world = World(line.database, "liveness").fill_all()
    line.database.execute("INSERT INTO public.tags (id, tenant_id, project_id, name) SELECT gen_random_uuid(), %s, %s, "
                          "'tag ' || n FROM generate_series(1, 5000) n", (world.tenant, world.project))
    pages = start(line, "--set", "apply.batch_rows=10")
    pages.wait_for_state("copying")
    assert pages.readiness()[0] == 503
    pages.wait_for(lambda p: p.metrics().value("contextnexus_copied_rows_total") > 100)
    pages.wait_for(lambda p: p.readiness()[0] == 200, timeout=60)
    assert pages.metrics().value("contextnexus_copied_rows_total") >= 5000


def test_a_postgresql_that_gives_no_sign_of_life_is_left_and_found_again(line):
    """The walsender is stopped, and everything else of the server is there: only silence tells."""
    line.database.execute("ALTER ROLE contextnexus_sync SET wal_sender_timeout = '4s'")
    try:
        world, pages = started(line, *SOON)
        walsender = line.database.slot()["active_pid"]
        os.kill(walsender, signal.SIGSTOP)
        try:
            pages.wait_for_state("reconnecting", "stalled")
            body = pages.wait_for_state("stalled")
            assert pages.health()[0] == 503 and "the source is away" in body["reason"], body
            assert "gave no sign of life" in line.engine.tail(100_000)
            world.add_default("tags")
        finally:
            os.kill(walsender, signal.SIGCONT)
        pages.wait_for_state(*MOVING)
        line.expect_equal()
    finally:
        line.database.execute("ALTER ROLE contextnexus_sync RESET wal_sender_timeout")


# The address.

def test_an_address_that_is_taken_is_said_once_and_served_when_it_is_free(line):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = ("--set", f"telemetry.listen={address}")
    World(line.database, "liveness").fill_all()
    line.engine.start(*words)
    first = Pages(line.engine)
    standby = Engine(line.engine.servers, line.engine.admin_url)
    try:
        standby.start(*words)
        standby.wait_for_log("waiting to take over")
        log = standby.wait_for_log("metrics and health are not served")
        assert address in log and "telemetry.listen" in log
        for _ in range(20):
            assert first.health()[1]["state"] != "standby", "each question goes to the one that has the address"
        assert line.engine.terminate() == 0
        pages = Pages(standby)
        pages.wait_for_state(*MOVING)
        assert standby.tail(100_000).count("metrics and health are not served") == 1
    finally:
        standby.kill()


def test_nothing_is_served_where_it_is_off_and_an_address_that_others_reach_is_said(line):
    World(line.database, "liveness").fill_all()
    assert "metrics and health" not in line.engine.expect("run", "--once", "--set", "telemetry.listen=off", url=line.engine.url).errors
    line.engine.start("--set", "telemetry.listen=0.0.0.0:0")
    assert "beyond this machine" in line.engine.wait_for_log("without a password")
    line.engine.kill()
    outcome = line.engine.verb("run", "--set", "telemetry.listen=localhost:1")
    assert outcome.code == 2 and "telemetry.listen" in outcome.text and "127.0.0.1:9747" in outcome.text


# The log.

def events(engine):
    return [json.loads(text) for text in engine.log.read_text().splitlines()]


def test_each_line_of_json_is_an_event_with_its_fields(line):
    world, pages = started(line, "--log-format", "json", "--log-level", "trace")
    world.add_default("tags")
    line.sync()
    assert line.engine.terminate() == 0
    lines = events(line.engine)
    for entry in lines:
        assert list(entry)[:4] == ["ts", "level", "event", "message"] and entry["pipeline"] == "contextnexus", entry
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["ts"]) and re.fullmatch(r"[a-z_]+", entry["event"]), entry
    named = {entry["event"]: entry for entry in lines}
    assert named["copy_done"]["rows"] >= 20 and named["following"]["slot"] == "contextnexus"
    assert re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", named["following"]["position"])
    assert named["batch"]["level"] == "trace" and named["batch"]["rows"] >= 1
    assert "SECRET-BODY" not in line.engine.log.read_text() and world.tenant not in line.engine.log.read_text()


def test_a_storm_of_one_trouble_is_one_line_and_its_end_another(line):
    world, pages = started(line, "--log-format", "json")
    line.engine.servers.control("stop-neo4j")
    try:
        world.add_default("tags")
        pages.wait_for(lambda p: p.metrics().value("contextnexus_retries_total", side="neo4j") >= 6, timeout=60)
    finally:
        line.engine.servers.control("start-neo4j", timeout=300)
    line.sync(timeout=120)
    pages.wait_for_state(*MOVING)
    said = [entry for entry in events(line.engine) if entry["event"] == "retry" and entry["side"] == "neo4j"]
    over = [entry for entry in events(line.engine) if entry["event"] == "recovered" and entry["side"] == "neo4j"]
    tried = pages.metrics().value("contextnexus_retries_total", side="neo4j")
    assert len(said) < tried and len({entry["error"] for entry in said}) >= len(said) - 3, said
    assert len(over) == 1 and over[0]["failures"] >= 6, over
    line.expect_equal()


def test_an_end_by_an_error_is_json_too(line):
    outcome = line.engine.verb("run", "--once", "--log-format", "json", url="postgresql://nobody:x@127.0.0.1:1/x")
    last = json.loads(outcome.errors.splitlines()[-1])
    assert (outcome.code, last["exit_code"], last["event"], last["level"]) == (4, 4, "failed", "error"), outcome
    assert all(json.loads(text)["ts"] for text in outcome.errors.splitlines())
