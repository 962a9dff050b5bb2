"""Connections that are cut, hang half-open, are slow, or hand on one byte at a time: each connection of the engine, while it follows.

Real servers: PostgreSQL and Neo4j, each behind a proxy. Every test has a database, an empty graph and an engine of its own, which nobody
starts again: it comes out of it by itself, and each change takes effect once.
"""

import time
from urllib.parse import urlsplit

import pytest
import wire
from wire import BOLT, BYTES, HALF_OPEN, QUERY, REPLICATION, SLOW

from lib import witnessed
from lib.witnessed import at_port, change, expect_right

NAME = "cnx_wire"
tables = witnessed.tables(NAME)
KINDS = (REPLICATION, QUERY, BOLT)
SOON = ("--set", "run.takeover_seconds=5")


@pytest.fixture
def line(servers, tables):
    source = wire.Wire(urlsplit(servers.postgres_url).hostname, urlsplit(servers.postgres_url).port)
    graph = wire.Wire(urlsplit(servers.neo4j_url).hostname, urlsplit(servers.neo4j_url).port, bolt=True, silence_max=10)
    try:
        with witnessed.line(servers, NAME, tables, neo4j_url=at_port(servers.neo4j_url, graph.port),
                            through=lambda url: at_port(url, source.port)) as live:
            # How long a walsender's silence may last is the server's to say; here so little that a test can wait for it.
            live.database.execute(f"ALTER DATABASE {NAME} SET wal_sender_timeout = '4s'")
            live.wires = {REPLICATION: source, QUERY: source, BOLT: graph}
            live.engine.start(*SOON)
            live.engine.catch_up()
            expect_right(live)
            yield live
            assert live.engine.running(), live.engine.tail()
    finally:
        source.stop()
        graph.stop()


def wait_until(condition, line, timeout=90):
    deadline = time.monotonic() + timeout
    while not condition():
        assert line.engine.running() and time.monotonic() < deadline, line.engine.tail()
        time.sleep(0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_is_cut_again_and_again_is_made_anew(kind, line):
    for round_ in range(5):
        change(line, 4, seed=round_)
        wait_until(lambda: line.wires[kind].cut(kind) > 0, line)
        change(line, 4, seed=round_ + 10)
    expect_right(line)


@pytest.mark.parametrize("kind", KINDS)
def test_a_half_open_connection_is_given_up_by_a_deadline(kind, line):
    wait_until(lambda: kind in line.wires[kind].open_kinds(), line)
    line.wires[kind].treat(HALF_OPEN, kind)
    change(line, 10)
    wait_until(lambda: kind in line.wires[kind].open_kinds(), line)
    assert line.wires[kind].swallowed > 0, "nothing was said on it"
    change(line, 10, seed=2)
    expect_right(line, timeout=90)


@pytest.mark.parametrize("way", (SLOW, BYTES))
@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_connection_only_takes_longer(kind, way, line):
    line.wires[kind].treat(way, kind)
    change(line, 20)
    # Of the way's own start and messages too: what is made anew under it works as well.
    line.wires[kind].cut(kind)
    change(line, 5, seed=2)
    expect_right(line, timeout=90)


@pytest.mark.parametrize("silently", (False, True), ids=("reset", "silently"))
def test_connections_that_are_cut_when_idle_are_noticed_with_the_next_event(silently, line):
    for one in set(line.wires.values()):
        one.cut_idle(2, silently)
    time.sleep(6)  # Idle is what is tested: nothing to wait for.
    for seed in range(3):
        change(line, 3, seed=seed)
        expect_right(line, timeout=90)
        time.sleep(3)
    assert sum(one.cuts for one in set(line.wires.values())) > 0, "nothing was idle for so long"


def test_servers_that_refuse_for_a_while_are_tried_again(line):
    for kind in KINDS:
        line.wires[kind].refuse()
        line.wires[kind].cut()
        change(line, 5)
        time.sleep(2)
        line.wires[kind].refuse(False)
        expect_right(line, timeout=90)
