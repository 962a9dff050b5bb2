"""A running engine between a database of its own and the graph, as most tests want it."""

import contextlib

from . import comparer
from . import database as postgres
from .comparer import Foreign
from .database import Database
from .engine import Engine
from .world import World


class Live:
    """The two databases and the engine between them."""

    def __init__(self, engine, database, graph):
        self.engine = engine
        self.database = database
        self.graph = graph

    def world(self, name):
        """A tenant of the test's own, in both databases."""
        made = World(self.database, name).fill()
        self.sync()
        return made

    def sync(self, timeout=60):
        """Waits until the graph holds everything that is committed."""
        return self.engine.catch_up(timeout)

    def expect_equal(self, foreign=Foreign()):
        self.sync()
        expect_equal(self.database, self.graph, foreign)


def expect_equal(database, graph, foreign=Foreign()):
    found = comparer.differences(database, graph, foreign)
    assert not found, "the graph differs:\n" + "\n".join(found)


@contextlib.contextmanager
def database_and_engine(servers, template, name, schema=None, **options):
    """A fresh database beside an empty graph, and an engine that is initialised and not yet started.

    `schema` names what the graph's constraints and indexes are for (Graph.wipe); none: the template does.
    """
    schema = schema or template
    graph = servers.graph()
    graph.wipe(schema)
    url = postgres.create_database(servers.postgres_url, name, template)
    engine = Engine(servers, url, **options)
    try:
        engine.init()
        with Database(url) as database:
            yield Live(engine, database, graph)
    finally:
        engine.kill()
        postgres.drop_database(servers.postgres_url, name)
        graph.wipe(schema)


@contextlib.contextmanager
def mapped_tables(servers, name, tables, mapping):
    """The same over tables of the test's own: `tables` is their SQL, `mapping` the file that maps them."""
    template = name + "_template"
    url = postgres.create_database(servers.postgres_url, template)
    text = mapping.read_text()
    try:
        with Database(url) as database:
            database.execute(tables)
        with database_and_engine(servers, template, name, schema=tables + text, mapping=mapping) as live:
            yield live
    finally:
        if mapping.read_text() != text:  # The graph has what another mapping wanted.
            servers.graph().wipe()
        postgres.drop_database(servers.postgres_url, template)


@contextlib.contextmanager
def running(servers, template, name, **options):
    """The same with the engine started; it must still run at the end and stop cleanly."""
    with database_and_engine(servers, template, name, **options) as live:
        live.engine.start()
        yield live
        assert live.engine.running(), f"the engine has ended:\n{live.engine.tail()}"
        assert live.engine.terminate() == 0, f"the engine did not stop cleanly:\n{live.engine.tail()}"
