"""The making of the slot, which waits for transactions that are open: the log names them, and it can be stopped.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import contextlib
import time

import psycopg2
import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World

APPLICATION = "a nightly report"


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_slot_wait") as made:
        World(made.database, "slot").fill_all()
        yield made


@contextlib.contextmanager
def open_transaction(line):
    """A session of its own that has written something and does not end."""
    connection = psycopg2.connect(line.database.url, application_name=APPLICATION)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        yield connection
    finally:
        connection.close()


def gone(line):
    """Waits a moment for the server to clear away what it had half made."""
    deadline = time.monotonic() + 5
    while line.database.slot() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return line.database.slot() is None


def test_the_log_names_the_session_that_is_waited_for_and_goes_on_when_it_ends(line):
    with open_transaction(line) as other:
        line.engine.start()
        log = line.engine.wait_for_log("waits for pid")
        pid = other.get_backend_pid()
        assert f"pid {pid} (user postgres, application {APPLICATION}, database cnx_slot_wait" in log, log
        assert "pg_current_xact_id" not in log, "the text of a query is not ours to show"
        other.commit()
        line.sync()
    expect_equal(line.database, line.graph)
    assert line.engine.terminate() == 0


def test_a_prepared_transaction_is_named_by_its_gid(line):
    line.database.execute("BEGIN")
    line.database.rows("SELECT pg_current_xact_id()")
    line.database.execute("PREPARE TRANSACTION 'cnx night job'")
    try:
        line.engine.start()
        log = line.engine.wait_for_log("prepared transaction 'cnx night job'")
        assert "owner postgres, database cnx_slot_wait" in log, log
    finally:
        line.database.execute("ROLLBACK PREPARED 'cnx night job'")
    line.sync()
    expect_equal(line.database, line.graph)


def test_it_gives_up_after_its_time_says_for_whom_and_leaves_nothing(line):
    with open_transaction(line) as other:
        outcome = line.engine.verb("run", "--once", "--set", "capture.slot_wait_seconds_max=1", url=line.engine.url, timeout=30)
        assert outcome.code == 3, outcome
        assert f"pid {other.get_backend_pid()}" in outcome.text and "pg_terminate_backend" in outcome.text
        assert "capture.slot_wait_seconds_max" in outcome.text
        assert gone(line)
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_sigterm_ends_it_at_once_and_leaves_nothing(line):
    with open_transaction(line):
        line.engine.start()
        line.engine.wait_for_log("waits for pid")
        begun = time.monotonic()
        assert line.engine.terminate() == 0, line.engine.tail()
        assert time.monotonic() - begun < 3
        assert gone(line)


def test_what_a_killed_engine_left_half_made_does_not_stand_in_the_way(line):
    with open_transaction(line) as other:
        for _ in range(2):
            line.engine.start()
            line.engine.wait_for_log(f"waits for pid {other.get_backend_pid()}")
            line.engine.kill()
        line.engine.start()
        line.engine.wait_for_log(f"waits for pid {other.get_backend_pid()}")
        other.commit()
        line.sync()
    expect_equal(line.database, line.graph)
