"""A pipeline whose faults cannot hide: the schema, and beside it a table whose rows count how often each change took effect in the graph."""

import contextlib
import random
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

import kills
import pytest
from witnesses import FOREIGN, TABLES, Counter

from . import comparer
from . import database as postgres
from .engine import Engine
from .live import Live
from .world import World


@contextlib.contextmanager
def template(servers, name):
    """A database with the schema, the witnesses' tables, and no rows."""
    url = postgres.create_database(servers.postgres_url, name)
    try:
        postgres.install_schema(url)
        with postgres.Database(url) as database:
            database.execute(TABLES)
        yield name
    finally:
        postgres.drop_database(servers.postgres_url, name)


def tables(name):
    """A test file's fixture: the name of its template."""
    @pytest.fixture(scope="module")
    def fixture(servers):
        with template(servers, name + "_template") as made:
            yield made
    return fixture


@contextlib.contextmanager
def line(servers, name, tables, neo4j_url=None, through=None):
    """A Live of a database of its own, with a world, 300 counted rows, and an engine that is initialised and not started.

    `neo4j_url`, and `through(postgres_url)`: where the engine connects, by way of a proxy perhaps.
    """
    graph, mapping = servers.graph(), kills.mapping_file()
    graph.wipe(tables + mapping.read_text())
    url = postgres.create_database(servers.postgres_url, name, tables)
    engine = Engine(servers._replace(neo4j_url=neo4j_url or servers.neo4j_url), url, mapping=mapping)
    try:
        engine.init()
        graph.rows("CREATE CONSTRAINT seen IF NOT EXISTS FOR (c:Seen) REQUIRE c.id IS UNIQUE")
        if through:
            engine.url = through(engine.url)
        with postgres.Database(url) as database:
            live = Live(engine, database, graph)
            live.world = World(database, name).fill_all()
            Counter.fill(database, 300)
            yield live
    finally:
        engine.kill()
        postgres.drop_database(servers.postgres_url, name)
        graph.wipe(tables + mapping.read_text())


# A position that was moved to a new slot is past all that there is, and nothing is read yet.
UNDER_WAY = "MATCH (n) WHERE n:ContextNexusSegment OR (n:ContextNexusTable AND n.state = 'copying') RETURN count(n)"


def at_port(url, port):
    """The URL with another port on loopback."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))


def change(live, transactions=20, seed=1, pause=0.0):
    """Of what is counted, and of everything else: a row made, one gone, one with another key."""
    chance = random.Random(seed)
    for number in range(transactions):
        with live.database.transaction():
            for key in chance.sample(range(1, 41), 3):
                live.database.execute("UPDATE public.counted SET changes = changes + 1 WHERE id = %s", (key,))
            tag = live.world.add_default("tags")
            if number % 3 == 0:
                live.database.execute("UPDATE public.tags SET id = %s WHERE id = %s", (str(uuid.uuid4()), tag))
            if number % 4 == 1:
                live.database.execute("DELETE FROM public.tags WHERE id = %s", (tag,))
        time.sleep(pause)


def expect_right(live, counts=True, timeout=60):
    """Caught up, past what a copy saw, both sides equal, and each change of what is counted took effect once."""
    live.engine.catch_up(timeout)
    deadline = time.monotonic() + timeout
    while live.graph.value(UNDER_WAY):
        assert live.engine.running() and time.monotonic() < deadline, f"not consistent:\n{live.engine.tail()}"
        time.sleep(0.05)
    found = comparer.differences(live.database, live.graph, FOREIGN)
    if counts:
        found += Counter.faults(live.database, live.graph)[0]
    assert not found, "\n".join(found)
