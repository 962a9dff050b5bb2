"""Two instances of one pipeline: the second waits as a hot standby, and takes over.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and two engines of its own.
"""

import contextlib
import signal
import time

import psycopg2.extras
import pytest
import witnesses

from lib import comparer
from lib import database as postgres
from lib.engine import Engine
from lib.live import database_and_engine, expect_equal
from lib.world import World

EPOCH = "MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN p.epoch"
WAITS = "running already; waiting to take over"
HOLDER = """SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted
            AND a.datname = current_database()"""


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_standby") as made:
        yield made


def wait_until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so after {timeout} s"
        time.sleep(0.02)


@contextlib.contextmanager
def two(line, *words, mapping=None):
    """The one that runs, and the one that waits."""
    second = Engine(line.engine.servers, line.engine.admin_url, mapping=mapping or line.engine.mapping)
    line.engine.start(*words)
    line.engine.wait_for_log("following")
    second.start(*words)
    second.wait_for_log(WAITS)
    try:
        yield line.engine, second
    finally:
        for engine in (line.engine, second):
            if engine.running():
                engine.signal(signal.SIGCONT)
            engine.kill()


def in_graph(line, tag):
    return line.graph.value("MATCH (t:Tag {id: $id}) RETURN count(t)", id=str(tag)) == 1


def test_a_killed_holder_is_followed_within_seconds(line):
    world = World(line.database, "standby").fill_all()
    with two(line) as (first, second):
        for holder, other in ((first, second), (second, first)):
            holder.kill()
            tag, begun = world.add_default("tags"), time.monotonic()
            wait_until(lambda tag=tag: in_graph(line, tag), timeout=20)
            took = time.monotonic() - begun
            assert took <= 5, f"the takeover took {took:.1f} s:\n{other.tail()}"
            assert other.running()
            holder.start()
            holder.wait_for_log(WAITS)
        assert second.terminate() == 0, "one that waits ends at once"
        line.expect_equal()


def test_a_holder_that_stops_cleanly_is_followed(line):
    world = World(line.database, "standby").fill_all()
    with two(line) as (first, second):
        assert first.terminate() == 0
        tag = world.add_default("tags")
        wait_until(lambda: in_graph(line, tag), timeout=10)
        assert second.terminate() == 0
    expect_equal(line.database, line.graph)


def test_a_reader_that_was_left_behind_is_ended_by_the_one_that_took_over(line):
    """The lock is free at once, and the stopped process still reads the slot: nobody waits for wal_sender_timeout."""
    world = World(line.database, "standby").fill_all()
    with two(line) as (first, second):
        reader = line.database.slot()["active_pid"]
        first.signal(signal.SIGSTOP)
        line.database.rows("SELECT pg_terminate_backend(pid) FROM (" + HOLDER + ") h")
        tag = world.add_default("tags")
        wait_until(lambda: in_graph(line, tag), timeout=15)
        assert line.database.slot()["active_pid"] not in (None, reader)


def test_somebody_elses_reader_is_left_alone(line):
    """A person's own pg_recvlogical on the slot: not ours to end."""
    World(line.database, "standby").fill_all()
    line.engine.once()
    connection = psycopg2.connect(line.database.url, connection_factory=psycopg2.extras.LogicalReplicationConnection,
                                  application_name="contextnexus")
    cursor = connection.cursor()
    cursor.start_replication("contextnexus", options={"proto_version": "1", "publication_names": "contextnexus"})
    try:
        pid = line.database.slot()["active_pid"]
        line.engine.start()
        line.engine.wait_for_log("55006")
        assert line.database.slot()["active_pid"] == pid, "another role's, whatever it calls itself"
    finally:
        connection.close()
    line.sync()
    line.expect_equal()
    assert line.engine.terminate() == 0


def stopped_and_followed(line, first, second, take_over=30):
    """The holder stands still, and the other one takes over; the epoch that the holder knew."""
    epoch = line.graph.value(EPOCH)
    first.signal(signal.SIGSTOP)
    wait_until(lambda: line.graph.value(EPOCH) > epoch, timeout=take_over)
    second.wait_for_log("no sign of life")
    return epoch


def test_a_stopped_holder_that_wakes_after_the_takeover_writes_nothing_and_ends(line):
    world = World(line.database, "standby").fill_all()
    with two(line, "--set", "run.takeover_seconds=2") as (first, second):
        world.add_default("tags")
        stopped_and_followed(line, first, second)
        item = world.add_default("content_items")
        wait_until(lambda: line.graph.node("ContentItem", item) is not None)
        synced = "SELECT neo4j_synced_at FROM public.content_items WHERE id = %s"
        wait_until(lambda: line.database.value(synced, (item,)) is not None)
        at, epoch = line.database.value(synced, (item,)), line.graph.value(EPOCH)
        first.signal(signal.SIGCONT)
        ended = first.wait_for_end(30)
        assert ended.code == 3 and "another instance has taken over" in ended.output, ended
        assert line.graph.value(EPOCH) == epoch and line.database.value(synced, (item,)) == at
        line.engine = second
        world.add_default("tags")
        line.expect_equal()
        assert second.terminate() == 0


@pytest.fixture
def counted(servers, template, tmp_path):
    """The built-in tables and those of the witnesses; a change that took effect twice shows in the count for ever."""
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text((postgres.REPOSITORY / "mappings" / "contextnexus.yaml").read_text() + witnesses.MAPPING)
    with database_and_engine(servers, template, "cnx_standby", mapping=None) as made:
        made.database.execute(witnesses.TABLES)
        made.engine = Engine(servers, made.engine.admin_url, mapping=mapping)
        made.engine.init()
        yield made


def test_under_load_each_change_takes_effect_once_whoever_is_stopped_when(counted):
    line = counted
    World(line.database, "standby").fill_all()
    counter = witnesses.Counter(line.database.url, seed=7)
    with two(line, "--set", "run.takeover_seconds=2") as (first, second):
        counter.start()
        try:
            for _ in range(3):
                time.sleep(1)
                stopped_and_followed(line, first, second)
                time.sleep(1)
                first.signal(signal.SIGCONT)
                ended = first.wait_for_end(30)
                assert ended.code == 3, ended
                first.start("--set", "run.takeover_seconds=2")
                first.wait_for_log(WAITS)
                first, second = second, first
        finally:
            counter.stop()
        line.engine = first
        line.sync()
        wrong, changes = counter.faults(line.database, line.graph)
        assert not wrong and changes > 100, (changes, wrong)
        found = comparer.differences(line.database, line.graph, witnesses.FOREIGN)
        assert not found, found


def test_a_holder_that_is_stopped_while_it_copies_is_followed(line):
    world = World(line.database, "standby").fill_all()
    line.database.execute("INSERT INTO public.tags (id, tenant_id, project_id, name) SELECT gen_random_uuid(), %s, %s, "
                          "'tag ' || n FROM generate_series(1, 20000) n", (world.tenant, world.project))
    words = ("--set", "run.takeover_seconds=2", "--set", "apply.batch_rows=20")
    second = Engine(line.engine.servers, line.engine.admin_url)
    line.engine.start(*words)
    first = line.engine
    try:
        wait_until(lambda: line.graph.value("MATCH (t:Tag) RETURN count(t)") > 10)
        first.signal(signal.SIGSTOP)
        count = line.graph.value("MATCH (t:Tag) RETURN count(t)")
        assert count < 20000
        second.start("--set", "run.takeover_seconds=2")
        line.engine = second
        second.wait_for_log("no sign of life")
        second.wait_for_log("following", timeout=120)
        first.signal(signal.SIGCONT)
        assert first.wait_for_end(30).code == 3
        line.expect_equal()
        assert second.terminate() == 0
    finally:
        for engine in (first, second):
            if engine.running():
                engine.signal(signal.SIGCONT)
            engine.kill()


def test_after_a_restart_of_postgresql_one_goes_on_and_the_other_waits(line, servers):
    world = World(line.database, "standby").fill_all()
    with two(line) as (first, second):
        line.database.close()
        servers.control("restart-postgres")
        line.database = world.database = postgres.Database(line.engine.admin_url)
        tag = world.add_default("tags")
        wait_until(lambda: in_graph(line, tag), timeout=30)
        assert first.running() and second.running(), first.tail() + second.tail()
        pid = line.database.slot()["active_pid"]
        assert pid
        # Whoever it is that runs: the other one follows.
        for engine in (first, second):
            others = [other for other in (first, second) if other is not engine]
            if WAITS in engine.tail(100_000).rpartition("following")[2]:
                continue
            engine.kill()
            tag = world.add_default("tags")
            wait_until(lambda tag=tag: in_graph(line, tag), timeout=20)
            assert others[0].running()
            break
        else:
            raise AssertionError("nobody runs")


def test_once_does_not_wait_for_long(line):
    World(line.database, "standby").fill_all()
    line.engine.start()
    line.engine.wait_for_log("following")
    outcome = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
    assert outcome.code == 3 and "running already" in outcome.text, outcome
    assert line.engine.running() and line.engine.terminate() == 0
