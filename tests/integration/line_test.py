"""The line from PostgreSQL to the graph: start, stop, kill, snapshot, and what it confirms.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import time

import pytest

from lib import comparer
from lib import database as postgres
from lib.comparer import Foreign
from lib.live import database_and_engine, expect_equal
from lib.world import World
from load import Load


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_line") as made:
        yield made


def _fill(line, tenants=3):
    return [World(line.database, f"line {number}").fill_all() for number in range(tenants)]


def _add(line, world, count=1):
    """Transactions of one row each behind what is there."""
    return [world.add_default("tags") for _ in range(count)]


# Run once, stop and go on.

def test_run_once_takes_the_snapshot_and_ends(line):
    _fill(line)
    line.engine.once()
    expect_equal(line.database, line.graph)
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_run_once_of_an_empty_database(line):
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_run_once_takes_what_was_committed_while_nothing_ran(line):
    world, *_ = _fill(line)
    line.engine.once()
    _add(line, world, 5)
    line.database.execute("DELETE FROM public.threads WHERE id = %s", (world.thread,))
    line.engine.once()
    expect_equal(line.database, line.graph)


@pytest.mark.parametrize("end", ("terminate", "kill"))
def test_goes_on_after(end, line):
    world, *_ = _fill(line)
    for _ in range(3):
        line.engine.start()
        line.sync()
        _add(line, world, 20)
        if end == "kill":
            line.engine.kill()
        else:
            assert line.engine.terminate() == 0, line.engine.tail()
        _add(line, world, 20)
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_goes_on_after_kills_in_the_middle_of_a_load(line):
    with Load(line.engine.admin_url, "kills", pause=0.002) as load:
        for number in range(1, 6):
            line.engine.start()
            load.run_until(number * 150)
            line.engine.kill()
    line.engine.once()
    expect_equal(line.database, line.graph)


@pytest.mark.parametrize("server", ("neo4j", "postgres"))
def test_goes_on_by_itself_after_a_restart_of(server, line, servers):
    if not servers.directory:
        pytest.skip("the servers are not ours to restart")
    _fill(line)
    line.engine.start()
    line.sync()
    with Load(line.engine.admin_url, "restart", pause=0.005) as load:
        load.run_until(100)
        servers.control(f"restart-{server}")
        if server == "neo4j":
            line.graph.wait_until_up()
        load.run_until(300)
    if server == "postgres":
        line.database.close()
        line.database = postgres.Database(line.engine.admin_url)
    line.sync(120)
    expect_equal(line.database, line.graph)


# Snapshot.

def test_a_snapshot_with_writers_beside_it(line):
    with Load(line.engine.admin_url, "before", pause=0) as load:
        load.run_until(1500)
    with Load(line.engine.admin_url, "before", pause=0.001) as load:
        load.run_until(50)
        line.engine.start()
        load.run_until(1500)
    line.sync(120)
    expect_equal(line.database, line.graph)


def test_a_killed_snapshot_leaves_nothing_doubled(line):
    with Load(line.engine.admin_url, "killed", pause=0) as load:
        load.run_until(3000)
    nodes, _ = comparer.counts(line.database)
    with Load(line.engine.admin_url, "beside", pause=0.005):
        for part in (0.05, 0.3, 0.6):
            line.engine.start()
            _wait_for(lambda: line.graph.value("MATCH (n) RETURN count(n)") > nodes * part, line)
            line.engine.kill()
    line.engine.once()
    expect_equal(line.database, line.graph)


def _wait_for(condition, line, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert line.engine.running(), line.engine.tail()
        assert time.monotonic() < deadline, f"not within {timeout} s:\n{line.engine.tail()}"
        time.sleep(0.005)


def test_what_others_have_in_the_graph_is_not_touched(line):
    line.graph.rows("CREATE (:Person {id: 'p', name: 'x'})-[:KNOWS {since: 1}]->(:Person {id: 'q'})")
    before = line.graph.rows("MATCH (n:Person)-[r]->(m) RETURN n, r, m")
    _fill(line)
    line.engine.once()
    line.database.execute("DELETE FROM public.tenants")
    line.engine.once()
    assert line.graph.rows("MATCH (n:Person)-[r]->(m) RETURN n, r, m") == before
    assert comparer.differences(line.database, line.graph,
                                Foreign(frozenset({"Person"}), types=frozenset({"KNOWS"}))) == []


# What is confirmed.

def test_never_confirms_what_the_graph_does_not_hold(line):
    _fill(line)
    line.engine.once()
    line.engine.start()
    sampled = 0
    with Load(line.engine.admin_url, "confirmed", pause=0.002) as load:
        while load.committed() < 600:
            # Confirmed is read first: the position only grows, so a later reading cannot hide a confirmation too early.
            confirmed = line.database.confirmed()
            position = line.graph.position()
            assert confirmed <= position[0], f"confirmed {confirmed:x}, the graph holds {position[0]:x}"
            sampled += 1
    line.sync()
    assert sampled > 20
    _wait_for(lambda: line.database.confirmed() >= line.graph.position()[0], line)
    expect_equal(line.database, line.graph)


def test_an_idle_slot_advances_while_only_other_tables_are_written(line):
    world, *_ = _fill(line, 1)
    line.engine.once()
    line.database.execute("CREATE TABLE public.not_published (x text)")
    line.engine.start()
    _add(line, world)
    line.sync()
    before = line.database.confirmed()
    line.database.execute("INSERT INTO public.not_published SELECT repeat('x', 1000) FROM generate_series(1, 30000)")
    target = line.database.current_lsn()
    assert target - before > 20 << 20
    _wait_for(lambda: line.database.confirmed() >= target, line, timeout=30)
    assert line.database.confirmed() <= line.graph.position()[0]
