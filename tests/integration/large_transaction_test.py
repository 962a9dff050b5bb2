"""One transaction of 150,000 rows: in pieces, within bounded memory, and a row removed in one piece and made again in another.

Real servers: PostgreSQL and Neo4j. The test has a database, an empty graph and an engine of its own.
"""

import pytest

from lib import comparer
from lib.comparer import Foreign
from lib.live import database_and_engine
from lib.world import World

ROWS = 150_000  # bench/run huge takes 500,000.
RSS_MAX_MB = 256


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_large") as made:
        made.world = World(made.database, "large").fill_all()
        made.engine.start()
        made.engine.catch_up()
        yield made


def _peak_mb(engine):
    """The most memory that the process ever had resident."""
    with open(f"/proc/{engine.process.pid}/status", encoding="ascii") as status:
        return next(int(text.split()[1]) for text in status if text.startswith("VmHWM")) / 1024


def test_a_large_transaction_and_a_row_removed_and_made_again_in_another_piece(line):
    world = line.world
    line.graph.rows("MATCH (t:Tag {id: $key}) CREATE (t)-[:LIKES]->(:Seen {of: $key})", key=world.tag)
    with line.database.transaction():
        line.database.execute("DELETE FROM public.tags WHERE id = %s", (world.tag,))
        line.database.execute(
            "INSERT INTO public.messages (id, tenant_id, thread_id, author_id, body) "
            "SELECT gen_random_uuid(), %s, %s, %s, 'm' FROM generate_series(1, %s)",
            (world.tenant, world.thread, world.user, ROWS))
        world.add("tags", id=world.tag, project_id=world.project2, name="made again")
        world.add("content_tags", content_item_id=world.item2, tag_id=world.tag)
    line.engine.catch_up(500)
    peak = _peak_mb(line.engine)
    print(f"{ROWS} rows in one transaction: at most {peak:.0f} MB resident")
    assert peak <= RSS_MAX_MB
    assert line.graph.value("MATCH (t:Tag {id: $key})-[:LIKES]->(:Seen) RETURN count(*)", key=world.tag) == 1
    assert not line.graph.rows("MATCH (p:ContextNexusPosition) RETURN p.partial AS partial")[0]["partial"]
    assert line.graph.value("MATCH (:Thread {id: $key})-[:CONTAINS_MESSAGE]->(m:Message) RETURN count(m)",
                            key=world.thread) == line.database.value(
        "SELECT count(*) FROM public.messages WHERE thread_id = %s", (world.thread,))
    found = comparer.differences(line.database, line.graph, Foreign(labels=frozenset({"Seen"}), types=frozenset({"LIKES"})))
    assert not found, "\n".join(found)
