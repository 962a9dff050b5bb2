"""A failover of PostgreSQL: since 17 the slot comes along where a standby keeps it in step, and nothing is lost; before, that is found and said.

Real servers: a primary and a standby of the test's own, of the version that is asked for, and the shared Neo4j.
"""

import time

from lib import database as postgres
from lib.live import expect_equal
from source_clusters_test import DIRECTORY, clusters, expect_state, line, move, ready  # noqa: F401

SLOT = "SELECT failover, synced, temporary FROM pg_replication_slots WHERE slot_name = 'contextnexus'"


def has_failover_slots(live):
    return live.database.value("SELECT current_setting('server_version_num')::int") >= 170000


def wait_until_kept_in_step(standby, timeout=60):
    deadline = time.monotonic() + timeout
    with postgres.Database(standby.url) as database:
        while database.rows(SLOT) != [[True, True, False]]:
            assert time.monotonic() < deadline, f"the standby does not keep the slot in step: {database.rows(SLOT)}"
            time.sleep(0.2)


def test_a_failover_goes_on_where_the_slot_came_along(line, clusters):  # noqa: F811
    world = ready(line)
    newer = has_failover_slots(line)
    settings = {"hot_standby_feedback": "on", "primary_slot_name": "standby"} | ({"sync_replication_slots": "on"} if newer else {})
    with postgres.Database(clusters.url) as database:
        database.rows("SELECT pg_create_physical_replication_slot('standby', true)")
    standby = clusters.standby(DIRECTORY / "standby", **settings)
    standby.wait_until_at(line.database.current_lsn())
    line.engine.once()
    if newer:
        wait_until_kept_in_step(standby)
    behind = world.add_default("tags")  # In the log of both, and not in the graph.
    standby.wait_until_at(line.database.current_lsn())
    line.database.close()
    clusters.stop()
    standby.promote()
    move(line, standby)
    if not newer:
        expect_state(line, "timeline_changed")
        return
    line.engine.once()
    assert line.graph.node("Tag", behind) is not None
    assert line.engine.status()["timeline"] == 2 and line.engine.status()["source_state"] == "fits"
    expect_equal(line.database, line.graph)


def test_check_says_what_the_version_has_for_it(line):  # noqa: F811
    line.engine.once()
    said = line.engine.verb("check", "--json", url=line.engine.url).output
    asked = line.engine.verb("check", "--set", "capture.slot_failover=on", "--json", url=line.engine.url)
    if has_failover_slots(line):
        assert "the slot is one that a standby may keep in step" in said, said
        assert line.database.rows(SLOT.replace("synced, ", "")) == [[True, False]]
        assert "failover_slots" not in asked.output, asked.output
    else:
        assert "no failover slots before PostgreSQL 17: every table is read again after a failover" in said, said
        assert asked.code == 1 and "failover_slots" in asked.output, asked
