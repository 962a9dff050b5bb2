"""The source fails over, or is restored: timelines, a standby that was behind, a server whose disk was set back.

Real servers: PostgreSQL clusters of the tests' own, and the shared Neo4j.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from lib import database as postgres
from lib.cluster import Cluster, either
from lib.engine import Engine
from lib.live import Live, expect_equal
from lib.servers import place_beside
from lib.world import World

DIRECTORY = place_beside(os.environ.get("CNX_SERVICES_DIR", ""), "source-clusters")
NAME = "cnx_clusters"


@pytest.fixture
def clusters():
    """A primary, and where others may be made."""
    primary = Cluster(DIRECTORY / "primary")
    standby = Cluster(DIRECTORY / "standby")
    for cluster in (standby, primary):
        cluster.destroy()
    try:
        yield primary.start()
    finally:
        for cluster in (standby, primary):
            cluster.destroy()
        shutil.rmtree(DIRECTORY, ignore_errors=True)


@pytest.fixture
def line(servers, clusters):
    """The pipeline from a database of the primary."""
    graph = servers.graph()
    graph.wipe()
    url = postgres.create_database(clusters.url, NAME)
    postgres.install_schema(url)
    engine = Engine(servers, url)
    try:
        engine.init()
        with postgres.Database(url) as database:
            yield Live(engine, database, graph)
    finally:
        engine.kill()
        graph.wipe()


def ready(line):
    world = World(line.database, "clusters").fill_all()
    line.engine.once()
    world.add_default("tags")
    line.engine.once()
    return world


def move(line, cluster):
    """The pipeline and the test look at the other server."""
    line.database.close()
    line.engine = Engine(line.engine.servers, postgres.with_database(cluster.url, NAME))
    line.database = postgres.Database(line.engine.admin_url)


class Disk:
    """A snapshot of the disk of a cluster that runs: nobody's connection ends, nothing is written. To be brought back later."""

    def __init__(self, line, clusters):
        self._line, self._clusters = line, clusters
        data = clusters.directory / "postgres" / "data"
        self._data, self._kept = data, data.with_name("kept")
        clusters.pause()
        subprocess.run(["cp", "-a", self._data, self._kept], check=True)
        clusters.resume()

    def bring_back(self):
        """The log goes on until it is longer than the one that the graph has followed."""
        position = self._line.graph.position()[0]
        self._line.database.close()
        self._clusters.kill()
        shutil.rmtree(self._data)
        self._kept.rename(self._data)
        self._clusters.start()
        self._line.database = postgres.Database(self._line.engine.admin_url)
        self._line.database.execute("CREATE TABLE public.cnx_filler AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        assert self._line.database.current_lsn() > position


def expect_state(line, name):
    outcome = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
    assert outcome.code == 3 and name in outcome.text, outcome
    status = line.engine.status()
    assert status["source_state"] == name, status
    return status


def test_a_failover_without_the_slot_is_found_also_where_one_is_made_there(line, clusters):
    world = ready(line)
    standby = clusters.standby(DIRECTORY / "standby")
    lost = world.add_default("tags")
    standby.wait_until_at(line.database.current_lsn())
    line.database.close()
    clusters.stop()
    standby.promote()
    move(line, standby)
    position = line.graph.position()[0]
    status = expect_state(line, "timeline_changed")
    assert postgres.lsn_value(status["missing_log"]["from"]) == position and "did not come along" in status["problem"], status
    line.database.rows("SELECT pg_create_logical_replication_slot('contextnexus', 'pgoutput')")
    status = expect_state(line, "timeline_changed")
    assert "made or moved there" in status["problem"], status
    assert line.graph.node("Tag", lost) is None, "and is missed, not passed over"
    line.engine.expect("resync", "--all", url=line.engine.url)
    line.engine.once()
    assert line.graph.node("Tag", lost) is not None
    expect_equal(line.database, line.graph)
    assert line.engine.status()["timeline"] == 2


def test_a_failover_to_a_standby_that_was_behind_is_found(line, clusters):
    world = ready(line)
    standby = clusters.standby(DIRECTORY / "standby")
    standby.wait_until_at(line.database.current_lsn())
    standby.stop()
    phantom = world.add_default("tags")
    line.engine.once()
    line.database.close()
    clusters.kill()
    standby.start()
    standby.promote()
    move(line, standby)
    status = expect_state(line, "graph_ahead")
    assert postgres.lsn_value(status["surplus_log"]["to"]) == line.graph.position()[0], status
    assert line.graph.node("Tag", phantom) is not None
    line.engine.expect("resync", "--all", url=line.engine.url)
    line.engine.once()
    assert line.graph.node("Tag", phantom) is None, "what was lost by the failover goes"
    expect_equal(line.database, line.graph)


def test_a_failover_while_the_engine_runs_waits_for_the_promotion_and_is_found(line, clusters):
    world = ready(line)
    standby = clusters.standby(DIRECTORY / "standby")
    line.engine.url = either(line.engine.url, postgres.with_database(standby.url, NAME))
    line.engine.start()
    line.engine.wait_for_log("following")
    world.add_default("tags")
    standby.wait_until_at(line.database.current_lsn())
    line.database.close()
    clusters.kill()
    time.sleep(1)
    assert line.engine.running(), "nobody takes writes now: it waits"
    standby.promote()
    ended = line.engine.wait_for_end(60)
    assert ended.code == 3 and ("timeline_changed" in ended.output or "graph_ahead" in ended.output), ended


def test_a_standby_is_waited_at_until_it_is_promoted(line, clusters):
    ready(line)
    standby = clusters.standby(DIRECTORY / "standby")
    engine = Engine(line.engine.servers, postgres.with_database(standby.url, NAME))
    standby.wait_until_at(line.database.current_lsn())
    engine.start()
    engine.wait_for_log("standby here")
    line.database.close()
    clusters.stop()
    standby.promote()
    ended = engine.wait_for_end(60)
    assert ended.code == 3 and "timeline_changed" in ended.output, ended


def test_a_server_whose_disk_was_set_back_is_found_though_its_log_has_passed_the_position(line, clusters):
    """A snapshot of a virtual machine: no timeline tells, and the slot came back with it."""
    world = ready(line)
    disk = Disk(line, clusters)
    world.database = line.database
    phantom = world.add_default("tags")
    line.engine.once()
    disk.bring_back()
    expect_state(line, "database_restored")
    line.engine.expect("resync", "--all", url=line.engine.url)
    line.engine.once()
    assert line.graph.node("Tag", phantom) is None
    expect_equal(line.database, line.graph)


@pytest.mark.parametrize("engine_lives", (False, True), ids=("found_at_start", "found_while_it_runs"))
def test_a_server_that_was_set_back_within_the_life_of_one_engine_is_found(engine_lives, line, clusters):
    """No owner began in between, who would be missing: the last transaction of the graph's does not come again."""
    world = ready(line)
    line.engine.start()
    line.engine.wait_for_log("following")
    disk = Disk(line, clusters)
    world.database = line.database
    phantom = world.add_default("tags")
    line.engine.catch_up(60)
    # Before the log has passed the graph's position again, that it has not would be found.
    if engine_lives:
        line.engine.signal(signal.SIGSTOP)
        disk.bring_back()
        line.engine.signal(signal.SIGCONT)
    else:
        line.engine.kill()
        disk.bring_back()
        line.engine.start()
    ended = line.engine.wait_for_end(60)
    assert ended.code == 3 and "database_restored" in ended.output, ended
    # Whoever comes later finds it as well.
    outcome = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
    assert outcome.code == 3 and "gone another way" in outcome.text, outcome
    line.engine.expect("resync", "--all", url=line.engine.url)
    line.engine.once()
    assert line.graph.node("Tag", phantom) is None
    expect_equal(line.database, line.graph)


def test_another_cluster_with_the_same_tables_is_found(line, clusters, servers):
    world = ready(line)
    other = postgres.create_database(servers.postgres_url, NAME)
    postgres.install_schema(other)
    with contextlib.closing(postgres.Database(other)) as database:
        World(database, "clusters").fill_all()
    line.database.close()
    line.engine = Engine(servers, other)
    line.engine.init()
    line.database = postgres.Database(other)
    try:
        expect_state(line, "database_replaced")
        # A person says that this one has taken its place.
        line.engine.expect("resync", "--all", url=line.engine.url)
        line.engine.once()
        expect_equal(line.database, line.graph)
    finally:
        line.engine.kill()
        line.database.close()
        postgres.drop_database(servers.postgres_url, NAME)
    assert world
