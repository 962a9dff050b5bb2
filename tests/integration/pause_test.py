"""contextnexus pause and resume, and SIGTERM.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json
import signal
import time

import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_pause") as made:
        yield made


def wait_until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so after {timeout} s"
        time.sleep(0.05)


def pause(line, verb="pause"):
    """By the role that runs the pipeline."""
    return json.loads(line.engine.expect(verb, "--json", url=line.engine.url).output)


def held(line):
    """The engine has let go of the slot."""
    return not line.database.slot()["active"]


def _streaming(line):
    """The engine has copied what was there, holds the slot and has caught up; a tenant with something of everything."""
    world = World(line.database, "streaming").fill_all()
    line.engine.start()
    line.engine.wait_for_log("following")
    wait_until(lambda: not held(line))
    line.sync()
    return world


def test_a_paused_pipeline_applies_nothing_keeps_its_slot_and_goes_on_when_resumed(line):
    world = _streaming(line)
    said = pause(line)
    assert said["paused"] and said["changed"] and said["paused_by"] == "contextnexus_sync" and said["paused_at"]
    begun = time.monotonic()
    wait_until(lambda: held(line), timeout=10)
    assert time.monotonic() - begun < 3, "a running engine hears of it within a second or so"
    position, confirmed = line.graph.position(), line.database.confirmed()
    line.database.rows("SELECT pg_switch_wal()")
    tag = world.add_default("tags")
    time.sleep(2.5)
    assert line.engine.running(), line.engine.tail()
    assert line.graph.position() == position and line.database.confirmed() == confirmed
    assert line.graph.value("MATCH (n:Tag {id: $id}) RETURN count(n)", id=str(tag)) == 0
    status = line.engine.status()
    assert (status["state"], status["paused"], status["running"]) == ("paused", True, False)
    assert status["retained_wal_bytes"] > 0 and "resume" in status["advice"]
    assert "paused since" in line.engine.tail(100_000)
    text = line.engine.expect("status").output
    assert "paused" in text and "contextnexus_sync" in text

    assert pause(line, "resume") == {"pipeline": "contextnexus", "paused": False, "changed": True, "paused_at": "",
                                     "paused_by": ""}
    line.expect_equal()
    assert line.engine.status()["state"] == "streaming"
    assert line.engine.terminate() == 0


def test_a_pause_survives_restarts_of_the_engine(line):
    world = World(line.database, "pause").fill_all()
    line.engine.once()
    pause(line)
    world.add_default("tags")
    for end in (line.engine.kill, line.engine.terminate):
        line.engine.start()
        line.engine.wait_for_log("paused since")
        position = line.graph.position()
        time.sleep(1)
        assert line.graph.position() == position
        end()
    outcome = line.engine.verb("run", "--once", url=line.engine.url)
    assert outcome.code == 3 and "resume" in outcome.text, outcome
    pause(line, "resume")
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_a_pause_before_the_first_run_copies_nothing(line):
    World(line.database, "pause").fill_all()
    pause(line)
    line.engine.start()
    line.engine.wait_for_log("paused since")
    assert line.database.slot() is None
    assert line.engine.status()["state"] == "paused"
    pause(line, "resume")
    line.expect_equal()


def test_a_pause_of_a_copy_loses_nothing(line):
    world = World(line.database, "pause").fill_all()
    line.database.execute("INSERT INTO public.tags (id, tenant_id, project_id, name) SELECT gen_random_uuid(), %s, %s, "
                          "'tag ' || n FROM generate_series(1, 20000) n", (world.tenant, world.project))
    line.engine.start("--set", "apply.batch_rows=20")
    wait_until(lambda: line.graph.value("MATCH (n) RETURN count(n)") > 10)
    pause(line)
    line.engine.wait_for_log("paused since")
    count = line.graph.value("MATCH (n) RETURN count(n)")
    assert count < 20000
    time.sleep(1)
    assert line.graph.value("MATCH (n) RETURN count(n)") == count
    line.engine.terminate()
    pause(line, "resume")
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_a_pause_may_be_repeated_and_names_a_pipeline_that_is_not_there(line):
    assert pause(line)["changed"]
    again = pause(line)
    assert again["paused"] and not again["changed"]
    assert "already" in line.engine.expect("pause").output
    assert pause(line, "resume")["changed"]
    assert not pause(line, "resume")["changed"]
    outcome = line.engine.verb("pause", "--pipeline", "no_such_one")
    assert outcome.code == 2 and "no_such_one" in outcome.text
    assert line.engine.status()["state"] == "initialised"


# The end of a run.

def locked_position(line):
    """A transaction in Neo4j that holds the position's lock, so that no batch comes to its end."""
    return line.graph.open_transaction("MATCH (p:ContextNexusPosition) SET p._cnx_lock = true")


def test_sigterm_finishes_what_is_under_way(line):
    world = _streaming(line)
    with locked_position(line):
        world.add_default("tags")
        time.sleep(1)
        line.engine.signal(signal.SIGTERM)
        time.sleep(1)
        assert line.engine.running(), "it waits for the batch that was sent"
    assert line.engine.wait_for_end(20).code == 0
    lsn, _ = line.graph.position()
    assert line.database.confirmed() == lsn, "what was finished is confirmed"
    expect_equal(line.database, line.graph)


@pytest.mark.parametrize("second", (signal.SIGTERM, signal.SIGINT))
def test_a_second_signal_ends_at_once_and_loses_nothing(line, second):
    world = _streaming(line)
    with locked_position(line):
        world.add_default("tags")
        time.sleep(1)
        line.engine.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert line.engine.running()
        begun = time.monotonic()
        line.engine.signal(second)
        assert line.engine.wait_for_end(10).code == -second
        assert time.monotonic() - begun < 2
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_the_time_to_finish_has_an_end(line):
    world = World(line.database, "stop").fill_all()
    line.engine.start("--set", "run.drain_seconds_max=1")
    line.engine.wait_for_log("following")
    line.sync()
    with locked_position(line):
        world.add_default("tags")
        time.sleep(1)
        line.engine.signal(signal.SIGTERM)
        assert line.engine.wait_for_end(10).code == 0
    line.engine.once()
    expect_equal(line.database, line.graph)
