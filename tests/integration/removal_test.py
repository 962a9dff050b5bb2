"""Removals that are too large for one transaction of a small heap: they go in pieces, and a kill in between does no harm.

Real servers: PostgreSQL and Neo4j, the latter with a heap of 1 GB (scripts/services' default). Every test has a
database, an empty graph and an engine of its own.
"""

import threading
import time

import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World

MANY = 300_000
# Above the number of nodes and relationships that one transaction may touch.
OVER_THE_LIMIT = 120_000
POSITION = "MATCH (p:ContextNexusPosition) RETURN p.lsn AS lsn, p.ordinal AS ordinal, p.partial AS partial"


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_removal") as made:
        made.world = World(made.database, "removal").fill_all()
        yield made


def _add_messages(line, count):
    """Messages of the world's thread."""
    line.database.execute(
        "INSERT INTO public.messages (id, tenant_id, thread_id, author_id, body) "
        "SELECT gen_random_uuid(), %s, %s, %s, 'm' FROM generate_series(1, %s)",
        (line.world.tenant, line.world.thread, line.world.user, count))


def _follow(line, timeout=240):
    line.engine.start()
    line.engine.catch_up(timeout)


class Reader(threading.Thread):
    """Counts nodes between two looks at the position; whatever is neither all nor none must be said to be partial."""

    def __init__(self, graph, label, whole):
        super().__init__()
        self.graph, self.label, self.whole = graph, label, whole
        self.partial, self.faults, self.stopping = 0, [], False
        self.start()

    def _look(self):
        position = self.graph.rows(POSITION)[0]
        count = self.graph.value(f"MATCH (n:{self.label}) RETURN count(n)")
        if position["partial"]:
            self.partial += 1
        elif count not in (0, self.whole) and self.graph.rows(POSITION)[0] == position:
            self.faults.append((position, count))

    def run(self):
        while not self.stopping:
            self._look()
            time.sleep(0.02)

    def finish(self):
        self.stopping = True
        self.join()
        assert not self.faults, f"half of a removal, and the position does not say so: {self.faults[:3]}"


def _kill_when_partial(line, label, below):
    """kill -9 while the removal is half done; the next start goes on by itself."""
    deadline = time.monotonic() + 120
    while True:
        assert time.monotonic() < deadline, f"the removal was never seen half done:\n{line.engine.tail()}"
        if line.graph.rows(POSITION)[0]["partial"]:
            if line.graph.value(f"MATCH (n:{label}) RETURN count(n)") < below:
                break
        time.sleep(0.005)
    line.engine.kill()
    left = line.graph.value(f"MATCH (n:{label}) RETURN count(n)")
    assert line.graph.rows(POSITION)[0]["partial"], "the removal ended before the kill"
    line.engine.start()
    return left


def test_a_large_table_is_truncated_in_pieces_also_when_killed(line):
    _add_messages(line, MANY)
    _follow(line)
    reader = Reader(line.graph, "Message", line.graph.value("MATCH (n:Message) RETURN count(n)"))
    line.database.execute("UPDATE public.threads SET title = 'before' WHERE id = %s", (line.world.thread,))
    started = time.monotonic()
    line.database.execute("TRUNCATE public.messages CASCADE")
    line.database.execute("UPDATE public.threads SET title = 'behind' WHERE id = %s", (line.world.thread,))
    first = _kill_when_partial(line, "Message", MANY - 20_000)
    second = _kill_when_partial(line, "Message", first - 20_000)
    assert 0 < second < first < MANY
    line.engine.catch_up(240)
    print(f"{MANY} nodes truncated in {time.monotonic() - started:.1f} s, two kills in it")
    reader.finish()
    assert reader.partial
    assert not line.graph.rows(POSITION)[0]["partial"]
    expect_equal(line.database, line.graph)


def test_a_node_of_large_degree_is_removed_with_what_hangs_on_it(line):
    _add_messages(line, MANY)
    _follow(line)
    started = time.monotonic()
    line.database.execute("DELETE FROM public.threads WHERE id = %s", (line.world.thread,))
    line.engine.catch_up(400)
    print(f"a node of degree {MANY} and its {MANY} children removed in {time.monotonic() - started:.1f} s")
    expect_equal(line.database, line.graph)


def test_a_node_whose_own_relationships_are_many_is_removed_in_pieces(line):
    _follow(line)
    # Somebody gave our type to relationships between our labels: they are ours, and go with the node.
    line.graph.rows("MATCH (m:Message {id: $key}) UNWIND range(1, $count) AS i "
                    "CREATE (m)<-[:CONTAINS_MESSAGE]-(:Thread {note: i})", key=line.world.message, count=OVER_THE_LIMIT)
    line.database.execute("DELETE FROM public.messages WHERE id = %s", (line.world.message,))
    line.engine.catch_up(120)
    assert line.graph.value("MATCH (m:Message {id: $key}) RETURN count(m)", key=line.world.message) == 0
    left = line.graph.value("MATCH (t:Thread) WHERE t.note IS NOT NULL RETURN count(t)")
    assert left == OVER_THE_LIMIT, "nodes of somebody else's stay"
    while line.graph.value("MATCH (t:Thread) WHERE t.note IS NOT NULL WITH t LIMIT 10000 DELETE t RETURN count(*)"):
        pass
    expect_equal(line.database, line.graph)
    assert "in pieces" in line.engine.tail(100_000)


def test_relationships_of_others_keep_a_truncated_node_as_a_stub(line):
    _add_messages(line, OVER_THE_LIMIT)
    _follow(line)
    line.graph.rows("MATCH (m:Message {id: $key}) CREATE (m)-[:LIKES]->(:Seen {of: $key})", key=line.world.message)
    line.database.execute("TRUNCATE public.messages CASCADE")
    line.engine.catch_up(240)
    rows = line.graph.rows("MATCH (m:Message) RETURN m.id AS id, m._cnx_stub AS stub, keys(m) AS keys")
    assert [(row["id"], row["stub"]) for row in rows] == [(line.world.message, True)]
    assert sorted(rows[0]["keys"]) == ["_cnx_stub", "id", "tenantId"]
