"""An UPDATE leaves out an unchanged TOAST column, and the graph lacks its node: the row is read again from PostgreSQL.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import random

import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_refetch") as made:
        made.database.execute("ALTER TABLE public.content_items ALTER metadata SET STORAGE EXTERNAL")
        made.world = World(made.database, "refetch").fill_all()
        made.items = [made.world.add_default("content_items", metadata=_large()) for _ in range(3)]
        made.engine.start()
        made.engine.catch_up()
        yield made


def _large():
    """Stored out of line, so that an UPDATE of another column does not send it."""
    return {"large": random.Random(1).randbytes(10_000).hex()}


def _lose(line, key):
    """The graph lacks the node, as after a restore or by somebody's hand."""
    line.graph.rows("MATCH (n:ContentItem {id: $key}) DETACH DELETE n", key=key)


def _retitle(line, key, title):
    line.database.execute("UPDATE public.content_items SET title = %s WHERE id = %s", (title, key))


def test_a_missing_node_is_whole_again(line):
    _lose(line, line.items[0])
    _retitle(line, line.items[0], "after")
    line.engine.catch_up()
    expect_equal(line.database, line.graph)
    _retitle(line, line.items[0], "later")
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_a_stub_is_filled_in(line):
    line.graph.rows("MATCH (n:ContentItem {id: $key}) SET n = {id: n.id, tenantId: n.tenantId, _cnx_stub: true}",
                    key=line.items[0])
    _retitle(line, line.items[0], "after")
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_later_changes_of_the_row_come_out_right(line):
    line.engine.kill()
    for item in line.items:
        _lose(line, item)
    kept, gone, moved = line.items
    for number in range(5):
        for item in line.items:
            _retitle(line, item, f"title {number}")
    line.database.execute("UPDATE public.content_items SET metadata = '{\"small\": 1}' WHERE id = %s", (kept,))
    _retitle(line, kept, "last")
    line.database.execute("DELETE FROM public.content_items WHERE id = %s", (gone,))
    line.database.execute("UPDATE public.content_items SET id = gen_random_uuid() WHERE id = %s", (moved,))
    line.engine.start()
    line.engine.catch_up()
    expect_equal(line.database, line.graph)
    assert line.graph.node("ContentItem", gone) is None


def test_a_row_made_again_behind_a_truncate_comes_out_right(line):
    line.engine.kill()
    key = line.items[0]
    _lose(line, key)
    _retitle(line, key, "before")
    line.database.execute("TRUNCATE public.content_items CASCADE")
    line.world.add_default("content_items", id=key, metadata=_large())
    _retitle(line, key, "behind")
    line.engine.start()
    line.engine.catch_up()
    expect_equal(line.database, line.graph)
