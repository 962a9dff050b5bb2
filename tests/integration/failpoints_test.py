"""kill -9 at every failpoint: between any two steps that both have to survive it, and what was under way comes out once, whole and in order.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own. A statement of the user's own counts
its runs, so that a change that took effect twice shows, however equal both databases are.
"""

import json
import random
import time
import uuid

import failpoints
import pytest

from lib import witnessed
from lib.witnessed import change, expect_right

NAME = "cnx_failpoints"
tables = witnessed.tables(NAME)
SMALL = ("--set", "apply.batch_rows=50")
# What a transaction of Neo4j may hold: small, so that a few rows go in pieces.
TINY = ("--set", "apply.transaction_elements_max=1000", "--set", "apply.piece_rows=100")


@pytest.fixture
def line(servers, tables):
    with witnessed.line(servers, NAME, tables) as live:
        yield live


class Scenario:
    """How a failpoint is reached. `before` puts both sides where it can be, `during` is done beside the engine that is to be killed, `down`
    while there is none."""

    words = ()
    nth = 1
    counts = True  # Each change of `counted` took effect once; not where all rows are read again.

    def before(self, line):
        line.engine.once()

    def during(self, line):
        pass

    def down(self, line):
        change(line)


class Stream(Scenario):
    words = ("--set", "apply.batch_rows=10")
    nth = 2

    def during(self, line):
        change(line)


class WriteBack(Stream):
    """Of a table that has the columns for it."""

    def during(self, line):
        for number in range(4):
            line.database.execute("UPDATE public.content_items SET title = %s", (f"title {number}",))
            time.sleep(0.3)


class Idle(Scenario):
    words = ("--set", "capture.idle_advance_seconds_max=0.5")

    def during(self, line):
        for _ in range(20):
            line.database.execute("SELECT pg_logical_emit_message(false, 'nothing of ours', repeat('x', 100))")
            line.database.rows("SELECT pg_switch_wal()")
            time.sleep(0.1)


class Start(Scenario):
    """With something to apply."""

    def before(self, line):
        line.engine.once()
        change(line)


class Copy(Scenario):
    words = SMALL

    def before(self, line):
        pass

    # What is changed before it is copied is one row to the copy.
    def down(self, line):
        for _ in range(5):
            line.world.add_default("tags")
        line.database.execute("UPDATE public.tags SET name = name || ' later'")
        line.database.execute("DELETE FROM public.content_tags")


class CopyGoesOn(Copy):
    def before(self, line):
        line.engine.start(*SMALL, environment=failpoints.arm("copy_batch_answered", 4))
        failpoints.wait_for_kill(line.engine)


class ReadAllAgain(Scenario):
    counts = False

    def before(self, line):
        line.engine.once()
        change(line)  # Lost with the slot.
        line.database.drop_slot()
        line.engine.expect("resync", "--all", url=line.engine.url)


class ReadTableAgain(Scenario):
    def before(self, line):
        line.engine.once()
        line.graph.rows("MATCH (t:Tag) SET t.name = 'not as it is' WITH count(t) AS tags CREATE (:Tag {id: $id, name: 'of no row'})",
                        id=str(uuid.uuid4()))
        line.engine.expect("resync", "public.tags", url=line.engine.url)


class Pieces(Scenario):
    words = TINY
    rows = 3000

    def before(self, line):
        line.database.execute(
            "INSERT INTO public.messages (id, tenant_id, thread_id, author_id, body) "
            "SELECT gen_random_uuid(), %s, %s, %s, 'm' FROM generate_series(1, %s)",
            (line.world.tenant, line.world.thread, line.world.user, self.rows))
        line.engine.once()

    def during(self, line):
        line.database.execute("TRUNCATE public.messages CASCADE")


class Parts(Scenario):
    words = TINY
    nth = 3

    def during(self, line):
        with line.database.transaction():
            line.database.execute("UPDATE public.counted SET changes = changes + 1")
            for _ in range(1500):
                line.world.add_default("tags")


class Refetch(Scenario):
    def before(self, line):
        line.database.execute("ALTER TABLE public.content_items ALTER metadata SET STORAGE EXTERNAL")
        line.item = line.world.add_default("content_items", metadata={"large": random.Random(1).randbytes(10_000).hex()})
        line.engine.once()
        line.graph.rows("MATCH (n:ContentItem {id: $key}) DETACH DELETE n", key=line.item)

    def during(self, line):
        line.database.execute("UPDATE public.content_items SET title = 'after' WHERE id = %s", (line.item,))


SCENARIOS = {
    "transaction_read": Stream, "transaction_handed_on": Stream, "batch_cut": Stream, "batch_handed_on": Stream, "batch_begins": Stream,
    "batch_sent": Stream, "batch_answered": Stream, "batch_acknowledged": Stream, "before_confirming": Stream, "after_confirming": Stream,
    "before_write_back": WriteBack, "after_write_back": WriteBack,
    "idle_handed_on": Idle, "piece_answered": Pieces, "part_acknowledged": Parts,
    "lock_taken": Start, "epoch_raised": Start, "owner_recorded": Start,
    "copy_lanes_made": Copy, "copy_slot_made": Copy, "copy_started": Copy, "copy_recorded": Copy, "copy_batch_answered": Copy,
    "copy_segment_answered": Copy, "copy_ending": Copy, "copy_ended": Copy, "copy_forgotten": Copy,
    "copy_snapshot_taken": CopyGoesOn, "copy_segments_written": CopyGoesOn,
    "resync_slot_dropped": ReadAllAgain, "resync_slot_made": ReadAllAgain, "resync_position_moved": ReadAllAgain,
    "resync_segments_planned": ReadTableAgain, "resync_swept": ReadTableAgain, "resync_written": ReadTableAgain,
    "row_read_again": Refetch,
}


def test_every_failpoint_is_reached_in_one_place_and_tried():
    assert failpoints.places() == dict.fromkeys(failpoints.names(), 1)
    assert set(SCENARIOS) | {"dead_letter_written"} == set(failpoints.names())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_there_loses_nothing_and_doubles_nothing(name, line):
    scenario = SCENARIOS[name]()
    scenario.before(line)
    line.engine.start(*scenario.words, environment=failpoints.arm(name, scenario.nth))
    scenario.during(line)
    failpoints.wait_for_kill(line.engine)
    scenario.down(line)
    line.engine.start(*scenario.words)
    expect_right(line, scenario.counts)
    assert line.engine.terminate() == 0, line.engine.tail()


def test_a_kill_behind_a_dead_letter_makes_no_second_one(line):
    line.engine.once()
    line.graph.rows("CREATE CONSTRAINT by_name IF NOT EXISTS FOR (t:Tag) REQUIRE t.name IS UNIQUE")
    line.engine.start(environment=failpoints.arm("dead_letter_written"))
    name = line.database.value("SELECT name FROM public.tags WHERE id = %s", (line.world.tag,))
    line.world.add_default("tags", name=name, project_id=line.world.project2)
    failpoints.wait_for_kill(line.engine)
    change(line)
    line.engine.start()
    line.engine.catch_up()
    letters = json.loads(line.engine.expect("dead-letters list", "--json", url=line.engine.url).output)
    assert len(letters) == 1 and letters[0]["state"] == "open", letters
    line.graph.rows("DROP CONSTRAINT by_name")
    line.engine.expect("dead-letters retry", str(letters[0]["id"]), url=line.engine.url)
    deadline = time.monotonic() + 30
    while line.engine.status()["dead_letters"]["open"] + line.engine.status()["dead_letters"]["retrying"]:
        assert time.monotonic() < deadline, line.engine.tail()
        time.sleep(0.1)
    expect_right(line)
