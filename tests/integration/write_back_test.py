"""The write-back: PostgreSQL's own rows say that they are in the graph, after the commit, and nothing comes of that.

Real servers: PostgreSQL and Neo4j. A user's REPEATABLE READ transaction that read a row before the write-back marked it, and
then updates it, gets PostgreSQL's serialisation failure (40001), as from any other writer, and is to be tried again.
"""

import time

import pytest

from lib.database import Database
from lib.live import database_and_engine
from lib.world import World

TABLES = ("content_items", "messages", "content_chunks", "thread_content")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_write_back") as made:
        yield made


def _pending(line):
    return sum(line.database.value(f"SELECT count(*) FROM public.{table} WHERE neo4j_sync_status <> 'synced' "
                                   "OR neo4j_synced_version IS DISTINCT FROM version") for table in TABLES)


def _wait(condition, timeout=45):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def _row(line, message):
    return line.database.rows("SELECT * FROM public.messages WHERE id = %s", (message,))[0]


def _synced(line, message, body):
    row = _row(line, message)
    return row["body"] == body and row["neo4j_sync_status"] == "synced" and row["neo4j_synced_version"] == row["version"]


def _update(database, message, body):
    database.execute("UPDATE public.messages SET body = %s WHERE id = %s", (body, message))


def test_copied_and_followed_rows_are_synced_with_their_element_ids(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    message = world.add_default("messages")
    _wait(lambda: _pending(line) == 0)
    row = _row(line, message)
    assert row["neo4j_synced_at"] is not None
    assert row["neo4j_node_id"] == line.graph.node("Message", message).element_id
    included = line.database.rows("SELECT * FROM public.thread_content")[0]
    assert included["neo4j_node_id"] == line.graph.node("ContentItem", world.item).element_id
    assert included["neo4j_relationship_id"] == line.graph.relationships(
        "Thread", world.thread, "INCLUDES", "ContentItem", world.item)[0].element_id
    line.expect_equal()


def test_it_makes_no_transactions_in_the_graph(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    message = world.add_default("messages")
    _wait(lambda: _pending(line) == 0)
    before = line.graph.position()
    synced_at = _row(line, message)["neo4j_synced_at"]
    time.sleep(3)
    # At most the one idle advance that a quiet slot makes every ten seconds; the row is not written again either.
    positions = {before, line.graph.position()}
    assert len(positions) <= 2
    assert _row(line, message)["neo4j_synced_at"] == synced_at
    line.expect_equal()
    assert line.database.confirmed() is not None


def test_a_locked_row_is_done_later_and_holds_up_nothing(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    with Database(line.engine.admin_url) as other:
        _update(line.database, world.message, "one")
        with other.transaction():
            other.rows("SELECT FROM public.messages WHERE id = %s FOR UPDATE", (world.message,))
            _update(line.database, world.message2, "two")
            _wait(lambda: _synced(line, world.message2, "two"))
        _wait(lambda: _synced(line, world.message, "one"))
    line.expect_equal()


def test_a_version_that_a_user_has_overtaken_is_synced_when_it_is_applied(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    for number in range(200):
        _update(line.database, world.message, f"body {number}")
        row = _row(line, world.message)
        assert row["neo4j_sync_status"] == "pending" or row["neo4j_synced_version"] == row["version"]
    _wait(lambda: _synced(line, world.message, "body 199"))
    line.expect_equal()


def test_what_a_kill_left_pending_is_found_by_the_sweep(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.expect("run", "--once", "--no-write-back", url=line.engine.url)
    assert _pending(line) > 0
    line.engine.start()
    line.sync()
    _update(line.database, world.message, "before the kill")
    line.engine.kill()
    line.engine.start()
    _wait(lambda: _pending(line) == 0)
    line.expect_equal()


def test_run_once_leaves_nothing_pending(line):
    World(line.database, "write-back").fill_all()
    line.engine.once()
    assert _pending(line) == 0
