"""The servers themselves fail, while the engine follows: killed, stopped, restarted, frozen, out of disk. Nobody starts the engine again.

Real servers: PostgreSQL and Neo4j, the tests' own; for a full disk one of each on a small file system in memory. Every test has a database,
an empty graph and an engine of its own.
"""

import contextlib
import pathlib
import shutil
import subprocess
import time

import psycopg2
import pytest

from lib import servers as servers_module
from lib import witnessed
from lib.database import REPOSITORY, Database
from lib.engine import LOGS
from lib.graph import GraphError, GraphUnavailable
from lib.witnessed import change, expect_right

NAME = "cnx_server_faults"
tables = witnessed.tables(NAME)
SERVERS = ("postgres", "neo4j")


@contextlib.contextmanager
def following(servers, tables):
    with witnessed.line(servers, NAME, tables) as live:
        live.engine.start()
        live.engine.catch_up()
        expect_right(live)
        yield live
        assert live.engine.running(), live.engine.tail()


@pytest.fixture
def line(servers, tables):
    with following(servers, tables) as live:
        yield live


def connect_again(live, timeout=60):
    """The test's own connection, which a restart has cut."""
    deadline = time.monotonic() + timeout
    live.database.close()
    while True:
        try:
            live.database = Database(live.engine.admin_url)
            live.world.database = live.database
            return
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL is not back"
            time.sleep(0.2)


@pytest.mark.parametrize("server", SERVERS)
def test_one_that_is_killed_under_load_and_started_again(server, line):
    for round_ in range(3):
        change(line, 10, seed=round_)
        line.engine.servers.control(f"kill-{server}")
        line.engine.servers.control(f"start-{server}")
        connect_again(line)
        change(line, 5, seed=round_ + 10)
    line.graph.wait_until_up()
    expect_right(line, timeout=120)


@pytest.mark.parametrize("server", SERVERS)
def test_one_that_is_restarted_as_a_person_would(server, line):
    change(line, 10)
    line.engine.servers.control(f"restart-{server}")
    connect_again(line)
    line.graph.wait_until_up()
    change(line, 10, seed=2)
    expect_right(line, timeout=120)


@pytest.mark.parametrize("server", SERVERS)
def test_one_that_is_frozen_goes_on_and_nothing_takes_effect_twice(server, line):
    change(line, 5)
    line.engine.servers.control(f"pause-{server}")
    try:
        if server == "neo4j":
            change(line, 20, seed=2)
        time.sleep(15)  # What stands still is to stand still for a while.
        assert line.engine.running(), line.engine.tail()
    finally:
        line.engine.servers.control(f"resume-{server}")
    change(line, 5, seed=3)
    expect_right(line, timeout=120)


# A disk of so many MB: room to begin with, and soon full. Neo4j allots its transaction logs' room beforehand, 256 MB a database.
DISK = {"postgres": 350, "neo4j": 1200}


@contextlib.contextmanager
def small_disk(server, servers):
    """A directory on a file system of its own, in memory, and so small that a test can fill it."""
    place = servers_module.place_beside(servers.directory, f"disk-{server}")
    place.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK[server]}m,mode=755", "tmpfs", str(place)], capture_output=True,
                             text=True, check=False)
    assert mounted.returncode == 0, f"a small file system is needed, and root to mount it: {mounted.stderr}"
    try:
        yield place
    except BaseException:
        # What the server said goes with the file system.
        for said in (place / "neo4j.console", place / "neo4j" / "logs" / "debug.log", place / "postgres" / "log"):
            if said.exists():
                shutil.copy(said, LOGS / f"disk-{server}-{said.name}")
        raise
    finally:
        subprocess.run([str(REPOSITORY / "scripts" / "services"), "stop", "--dir", str(place)], capture_output=True, check=False)
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def fill(place):
    """Until nothing more fits; the file that does it."""
    filler = place / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(1 << 20))
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as out:
        while True:
            out.write(bytes(512))
    return filler


@pytest.mark.parametrize("server", SERVERS)
def test_one_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_room(server, servers):
    with small_disk(server, servers) as place:
        servers_module._services(f"start-{server}", "--dir", str(place), "--heap", "400m", "--page-cache", "64m", timeout=300)
        own = servers_module.read_env(place / "env")
        if server == "postgres":
            mixed = servers._replace(postgres_url=own["CNX_POSTGRES_URL"], directory=str(place))
        else:
            mixed = servers._replace(neo4j_url=own["CNX_NEO4J_URL"], neo4j_http=own["CNX_NEO4J_HTTP"], directory=str(place))
        with witnessed.template(mixed, NAME + "_template_of_its_own") as tables, following(mixed, tables) as live:
            change(live, 5)
            filler = fill(place)
            failed = write_until_it_fails(live, server)
            filler.unlink()
            if server == "postgres":
                # A server that could not write its log ends itself; whoever runs it makes room and starts it.
                live.engine.servers.control("start-postgres")
                connect_again(live)
            elif failed:
                live.engine.servers.control("restart-neo4j")
                live.graph.wait_until_up()
            change(live, 10, seed=3)
            expect_right(live, timeout=150)


def write_until_it_fails(live, server, timeout=60):
    """Until the full disk shows: PostgreSQL refuses a change, or the graph stands still behind what PostgreSQL has."""
    deadline = time.monotonic() + timeout
    seed = 100
    while time.monotonic() < deadline:
        seed += 1
        try:
            with live.database.transaction():
                live.database.execute("INSERT INTO public.tags (id, tenant_id, project_id, name) SELECT gen_random_uuid(), %s, %s, "
                                      "repeat(md5(random()::text), 100) FROM generate_series(1, 300)", (live.world.tenant, live.world.project))
        except psycopg2.Error:
            assert server == "postgres"
            return True
        if server == "neo4j":
            lsn = live.database.current_lsn()
            time.sleep(1)
            try:
                position = live.graph.position()
            except (GraphError, GraphUnavailable):
                return True
            if position[0] < lsn and "No space" in neo4j_log(live):
                return True
    raise AssertionError(f"the disk of {server} is not full enough:\n{live.engine.tail()}")


def neo4j_log(live):
    return "".join(path.read_text(errors="replace") for path in pathlib.Path(live.engine.servers.directory, "neo4j", "logs").glob("*.log"))
