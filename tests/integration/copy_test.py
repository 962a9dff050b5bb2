"""The copy of what was there before: killed, stopped and restarted under load, it goes on where it was.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import random
import time
import uuid

import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World
from load import Load

ROWS = 10_000
# Small batches, so that a kill finds the copy in the middle of a table.
SMALL = ("--set", "apply.batch_rows=200")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_copy") as made:
        yield made


def _fill(line, rows=ROWS):
    """Tenants with something of everything, and one large table."""
    world = [World(line.database, f"copy {number}").fill_all() for number in range(3)][0]
    tag = world.add_default("tags")
    columns = [row[0] for row in line.database.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'tags' "
        "AND is_generated = 'NEVER' ORDER BY ordinal_position")]
    values = {"id": "gen_random_uuid()", "name": "t.name || ' ' || n"}
    line.database.execute(
        f"INSERT INTO public.tags ({', '.join(columns)}) SELECT "
        f"{', '.join(values.get(column, 't.' + column) for column in columns)} "
        f"FROM public.tags t, generate_series(1, {rows}) n WHERE t.id = %s", (str(getattr(tag, 'id', tag)),))
    line.database.execute("ANALYZE")


def _phase(line):
    return line.graph.value("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN p.phase")


def _wait_until_copying(line, least, timeout=180):
    """Until so many rows are copied and the copy is not done; False where it is done already."""
    deadline = time.monotonic() + timeout
    while True:
        assert line.engine.running(), f"the engine has ended:\n{line.engine.tail()}"
        assert time.monotonic() < deadline, f"nothing is copied:\n{line.engine.tail()}"
        phase = _phase(line)
        if phase == "stream":
            return False
        rows = line.graph.value("MATCH (s:ContextNexusSegment) RETURN coalesce(sum(s.rows), 0)")
        if phase == "snapshot" and rows >= least:
            return True
        time.sleep(0.02)


def _wait_until_consistent(line, timeout=180):
    deadline = time.monotonic() + timeout
    while line.graph.value("MATCH (s:ContextNexusSegment) RETURN count(s)"):
        assert line.engine.running(), f"the engine has ended:\n{line.engine.tail()}"
        assert time.monotonic() < deadline, f"the graph does not become consistent:\n{line.engine.tail()}"
        time.sleep(0.05)


def _kill_while_copying(line, least):
    line.engine.start(*SMALL)
    copying = _wait_until_copying(line, least)
    line.engine.kill()
    return copying


def test_a_killed_copy_goes_on_and_what_changed_meanwhile_comes_out_right(line):
    _fill(line)
    assert _kill_while_copying(line, 2_000), "the copy was over before the kill"
    graph, database = line.graph, line.database
    copied = {row["id"] for row in graph.rows("MATCH (t:Tag) WHERE t._cnx_stub IS NULL RETURN t.id AS id")}
    there = [row[0] for row in database.rows("SELECT id::text FROM public.tags")]
    done = [key for key in there if key in copied]
    open_ = [key for key in there if key not in copied]
    assert len(done) > 100 and len(open_) > 100
    database.execute("UPDATE public.tags SET name = 'copied before ' || id WHERE id::text = ANY(%s)", (done[:50],))
    database.execute("UPDATE public.tags SET name = 'not copied before ' || id WHERE id::text = ANY(%s)", (open_[:50],))
    database.execute("DELETE FROM public.tags WHERE id::text = ANY(%s)", (done[50:60] + open_[50:60],))
    for key in done[60:80] + open_[60:80]:
        database.execute("UPDATE public.tags SET id = %s WHERE id = %s", (str(uuid.uuid4()), key))
    World(database, "while down").fill_all()
    line.engine.once(timeout=180)
    assert graph.value("MATCH (s:ContextNexusSegment) RETURN count(s)") == 0
    assert graph.value("MATCH (p:ContextNexusPosition) RETURN count(p)") == 1
    expect_equal(database, graph)


def test_many_kills_under_load_do_not_start_it_again_from_nothing(line):
    _fill(line)
    chance = random.Random(7)
    kills, before, goes_on = 0, 0, []
    with Load(line.engine.admin_url, 7, writers=2, pause=0.05):
        line.engine.start(*SMALL)
        while kills < 6 and _wait_until_copying(line, before + 800):
            time.sleep(chance.random() * 0.3)
            line.engine.kill()
            kills += 1
            before = line.graph.value("MATCH (s:ContextNexusSegment) RETURN sum(s.rows)")
            open_ = _phase(line) == "snapshot"  # else that kill came after the copy's end
            line.engine.start(*SMALL)
            if open_:
                goes_on.append(line.engine.log)
        _wait_until_consistent(line, 180)
    line.engine.catch_up(300)
    expect_equal(line.database, line.graph)
    assert len(goes_on) >= 3, "the copy was over too soon"
    assert all("the copy goes on" in log.read_text() for log in goes_on)


def test_a_table_truncated_while_it_is_copied_is_copied_anew(line):
    _fill(line)
    assert _kill_while_copying(line, 2_000)
    line.database.execute("TRUNCATE public.tags CASCADE")
    world = World(line.database, "after").fill_all()
    world.add_default("tags")
    line.engine.once(timeout=180)
    expect_equal(line.database, line.graph)
    assert line.graph.value("MATCH (t:Tag) WHERE t._cnx_stub IS NULL RETURN count(t)") == \
        line.database.value("SELECT count(*) FROM public.tags")


def test_a_table_truncated_under_the_copy_is_read_again(line):
    _fill(line)
    line.engine.start()
    assert _wait_until_copying(line, 2_000)
    line.database.execute("TRUNCATE public.tags CASCADE")
    World(line.database, "after").fill_all()
    _wait_until_consistent(line, 120)
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_a_transaction_open_as_the_copy_goes_on_is_neither_lost_nor_doubled(line):
    _fill(line, 8_000)
    assert _kill_while_copying(line, 2_000)
    with _connection(line) as other:
        other.execute("BEGIN")
        other.execute("UPDATE public.tags SET name = 'open ' || id WHERE id IN (SELECT id FROM public.tags ORDER BY id LIMIT 20)")
        other.execute("UPDATE public.tags SET name = 'open ' || id "
                      "WHERE id IN (SELECT id FROM public.tags ORDER BY id DESC LIMIT 20)")
        line.engine.start()
        deadline = time.monotonic() + 120
        while _phase(line) != "stream":
            assert time.monotonic() < deadline and line.engine.running(), line.engine.tail()
            time.sleep(0.05)
        other.execute("COMMIT")
    _wait_until_consistent(line)
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_status_says_that_the_graph_is_not_yet_consistent(line):
    _fill(line)
    assert _kill_while_copying(line, 2_000)
    status = line.engine.status()
    assert status["state"] == "copying" and status["consistent"] is False
    assert status["copy"]["rows"] >= 2_000 and status["copy"]["segments"] > 0
    assert "not yet consistent" in line.engine.expect("status", url=line.engine.url).output
    line.engine.once(timeout=180)
    status = line.engine.status()
    assert status["consistent"] is True and status["copy"] is None


def test_a_stop_leaves_the_copy_where_it_is(line):
    _fill(line)
    line.engine.start()
    assert _wait_until_copying(line, 2_000)
    assert line.engine.terminate() == 0
    rows = line.graph.value("MATCH (s:ContextNexusSegment) RETURN sum(s.rows)")
    assert rows >= 2_000
    line.engine.once(timeout=180)
    expect_equal(line.database, line.graph)


def _connection(line):
    return type(line.database)(line.engine.admin_url)
