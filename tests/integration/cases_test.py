"""Faults that people met with systems of this kind, those of order and concurrency that no other file has: deadlocks, clocks, late repeats,
a walsender's patience, names.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import contextlib
import threading
import time

import pytest

from lib import witnessed
from lib.database import Database
from lib.graph import GraphError
from lib.live import mapped_tables
from lib.witnessed import change, expect_right

NAME = "cnx_cases"
tables = witnessed.tables(NAME)


@pytest.fixture
def line(servers, tables):
    with witnessed.line(servers, NAME, tables) as live:
        live.engine.start()
        live.engine.catch_up()
        yield live
        assert live.engine.running(), live.engine.tail()


@contextlib.contextmanager
def others_at_the_same_nodes(graph, count=4):
    """Writers of the graph's own users, each over all tags in one transaction, half of them against the order of the others."""
    stop, met = threading.Event(), []

    def write(order):
        while not stop.is_set():
            try:
                graph.rows(f"MATCH (t:Tag) WITH t ORDER BY t.id {order} SET t.theirs = rand() SET t.theirs = null")
            except GraphError as error:
                met.append(error.code)

    threads = [threading.Thread(target=write, args=("DESC" if number % 2 else "ASC",)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield met
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_deadlocks_with_others_are_tried_again_and_no_dead_letter(line):
    for _ in range(50):
        line.world.add_default("tags")
    line.sync()
    with others_at_the_same_nodes(line.graph) as met:
        for number in range(30):
            line.database.execute("UPDATE public.tags SET name = name || %s", (str(number % 10),))
            change(line, 1, seed=number)
        line.sync()
    assert met, "nobody met anybody"
    expect_right(line)
    assert line.engine.status()["dead_letters"]["open"] == 0


def test_a_deleted_row_does_not_come_back_after_any_restart(line):
    tag = line.world.add_default("tags", name="v1")
    line.database.execute("UPDATE public.tags SET name = 'v2' WHERE id = %s", (tag,))
    line.database.execute("DELETE FROM public.tags WHERE id = %s", (tag,))
    for _ in range(3):  # Whatever the slot sends once more is behind the position.
        line.engine.kill()
        line.engine.start()
        line.sync()
        assert line.graph.node("Tag", tag) is None
    line.world.add("tags", id=tag, project_id=line.world.project, name="v4")
    line.sync()
    assert line.graph.node("Tag", tag).properties["name"] == "v4"
    expect_right(line)


def test_who_began_first_and_commits_last_is_not_skipped(line):
    """The order is that of the commits: neither ids nor the numbers of transactions say it."""
    early, late, again = (line.world.new_id() for _ in range(3))
    with Database(line.engine.admin_url) as older:
        older.execute("BEGIN")
        older.insert("tags", id=early, tenant_id=line.world.tenant, project_id=line.world.project, name="early")
        line.world.add("tags", id=late, project_id=line.world.project, name="late")
        line.world.add("tags", id=again, project_id=line.world.project, name="of the younger")
        line.sync()
        assert line.graph.node("Tag", late) and line.graph.node("Tag", early) is None
        # The older transaction writes a row that a younger one has written and committed.
        older.execute("UPDATE public.tags SET name = 'of the older' WHERE id = %s", (again,))
        older.execute("COMMIT")
    line.sync()
    assert line.graph.node("Tag", early).properties["name"] == "early"
    assert line.graph.node("Tag", again).properties["name"] == "of the older"
    expect_right(line)


@pytest.mark.parametrize("hours", (-1, 0, 20))
def test_the_later_commit_wins_whatever_the_clocks_say(hours, line):
    """Two hosts write, and the clock of one stands elsewhere: a time in the row orders nothing."""
    for clock, title in (("0", "first"), (str(hours), "second"), ("-3", "third")):
        line.database.execute("UPDATE public.threads SET title = %s, updated_at = now() + make_interval(hours => %s) WHERE id = %s",
                              (title, int(clock), line.world.thread))
    line.sync()
    assert line.graph.node("Thread", line.world.thread).properties["title"] == "third"
    expect_right(line)


def test_a_walsender_is_answered_while_neo4j_stands_still_under_a_large_transaction(line):
    line.database.execute(f"ALTER DATABASE {NAME} SET wal_sender_timeout = '5s'")
    line.engine.kill()
    line.engine.start()
    line.sync()
    sender = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'contextnexus'"
    before = line.database.value(sender)
    line.engine.servers.control("pause-neo4j")
    try:
        line.database.execute("INSERT INTO public.messages (id, tenant_id, thread_id, author_id, body) SELECT gen_random_uuid(), %s, %s, %s, "
                              "repeat('x', 1000) FROM generate_series(1, 20000)", (line.world.tenant, line.world.thread, line.world.user))
        confirmed = line.database.confirmed()
        time.sleep(15)  # Three times the server's patience.
        assert line.database.value(sender) == before, "the walsender has given up"
        assert line.database.confirmed() == confirmed, "nothing is confirmed that the graph does not hold"
    finally:
        line.engine.servers.control("resume-neo4j")
    line.engine.catch_up(120)
    assert line.database.value(sender) == before
    expect_right(line)


# No backtick is needed to get out of a name: these six characters are one before Neo4j parses a statement.
_TABLE = "a\\u0060 {x:1}) RETURN labels(n) //"
_COLUMN = "authentication\\username"
_TABLES = f'CREATE TABLE "{_TABLE}" (id int PRIMARY KEY, "{_COLUMN}" text);'
_MAPPING = f"""version: 1
name: names
tables:
  '{_TABLE}': {{node: '{_TABLE}', key: id}}
"""


def test_a_name_is_a_name_whatever_is_written_in_it(servers, tmp_path):
    mapping = tmp_path / "names.yaml"
    mapping.write_text(_MAPPING)
    with mapped_tables(servers, "cnx_names", _TABLES, mapping) as live:
        live.database.execute(f'INSERT INTO "{_TABLE}" VALUES (1, \'copied\')')
        live.engine.once()
        live.database.execute(f'INSERT INTO "{_TABLE}" VALUES (2, \'streamed\')')
        live.database.execute(f'UPDATE "{_TABLE}" SET "{_COLUMN}" = \'changed\' WHERE id = 1')
        live.engine.once()
        found = live.graph.rows("MATCH (n) WHERE NOT any(l IN labels(n) WHERE l STARTS WITH 'ContextNexus') "
                                "RETURN labels(n) AS labels, properties(n) AS properties ORDER BY n.id")
        assert [row["labels"] for row in found] == [[_TABLE], [_TABLE]]
        assert len(found[0]["properties"]) == 2 and "changed" in found[0]["properties"].values(), found
        assert "streamed" in found[1]["properties"].values(), found
