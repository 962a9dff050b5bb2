"""A user is never held up by the engine, nor by Neo4j being away: locks, prepared transactions, a fast shutdown.

Real servers: PostgreSQL and Neo4j; both are stopped and started here. Every test has a database, an empty graph and an
engine of its own.
"""

import threading
import time

import pytest

from lib.database import Database
from lib.engine import ROLE
from lib.live import database_and_engine, expect_equal
from lib.world import World

# A user's statement that waits so long has been held up.
PATIENCE = "3s"
# A fast shutdown that takes so long was waiting for somebody (scripts/services gives it up after 20 s).
SHUTDOWN_MAX = 12


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_users") as made:
        made.world = World(made.database, "users").fill_all()
        made.engine.start()
        made.engine.catch_up()
        # The copy is over, and the stream is being followed.
        made.world.add_default("tags")
        made.engine.catch_up()
        yield made


class Writer(threading.Thread):
    """Commits one message after the other until it is told to stop."""

    def __init__(self, line):
        super().__init__()
        self.line, self.stopping, self.written = line, False, 0
        self.start()

    def run(self):
        world = self.line.world
        with Database(self.line.engine.admin_url) as database:
            while not self.stopping:
                database.insert("messages", id=world.new_id(), tenant_id=world.tenant, thread_id=world.thread2,
                                author_id=world.user, body="m")
                self.written += 1
                time.sleep(0.005)

    def finish(self):
        self.stopping = True
        self.join()
        assert self.written


def _impatient(database):
    database.execute(f"SET lock_timeout = '{PATIENCE}'")
    database.execute(f"SET statement_timeout = '{PATIENCE}'")


def _ours_idle_in_transaction(line):
    """Sessions of the engine that keep a transaction open and do nothing in it."""
    return line.database.rows(
        "SELECT pid, query FROM pg_stat_activity WHERE usename = %s AND state LIKE 'idle in transaction%%' "
        "AND state_change < clock_timestamp() - interval '1 second'", (ROLE,))


def test_row_locks_of_a_user_hold_up_nobody(line):
    line.database.execute("BEGIN")
    line.database.execute("SELECT 1 FROM public.messages WHERE id = %s FOR UPDATE", (line.world.message,))
    with Database(line.engine.admin_url) as other:
        _impatient(other)
        writer = Writer(line)
        for number in range(20):
            # Rows that the write-back has just written, or is about to write.
            other.execute("UPDATE public.messages SET role = 'system' WHERE id = %s", (line.world.message2,))
            other.execute("UPDATE public.content_items SET title = %s WHERE id = %s", (str(number), line.world.item))
            time.sleep(0.02)
        writer.finish()
        line.engine.catch_up()
        assert not _ours_idle_in_transaction(line)
    line.database.execute("UPDATE public.messages SET role = 'tool' WHERE id = %s", (line.world.message,))
    line.database.execute("COMMIT")
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_a_prepared_transaction_holds_up_nobody(line):
    with Database(line.engine.admin_url) as user:
        user.execute("BEGIN")
        user.execute("UPDATE public.threads SET title = 'prepared' WHERE id = %s", (line.world.thread,))
        user.execute("PREPARE TRANSACTION 'pending'")
        try:
            tag = line.world.add_default("tags")
            line.engine.catch_up()
            assert line.graph.node("Tag", tag), "what was committed meanwhile waits for the prepared transaction"
            assert line.graph.node("Thread", line.world.thread).properties["title"] != "prepared"
        finally:
            user.execute("COMMIT PREPARED 'pending'")
    line.engine.catch_up()
    assert line.graph.node("Thread", line.world.thread).properties["title"] == "prepared"
    expect_equal(line.database, line.graph)


def test_a_lock_on_a_whole_table_is_got_while_the_engine_works(line):
    writer = Writer(line)
    with Database(line.engine.admin_url) as user:
        _impatient(user)
        for table in ("messages", "threads", "content_items", "thread_content") * 3:
            user.execute("BEGIN")
            user.execute(f"LOCK TABLE public.{table} IN ACCESS EXCLUSIVE MODE")
            user.execute("COMMIT")
            assert not _ours_idle_in_transaction(line)
            time.sleep(0.05)
    writer.finish()
    line.engine.catch_up()
    expect_equal(line.database, line.graph)


def test_a_locked_table_holds_up_no_other_tables(line):
    line.database.execute("BEGIN")
    line.database.execute("LOCK TABLE public.messages IN ACCESS EXCLUSIVE MODE")
    with Database(line.engine.admin_url) as user:
        user.insert("tags", id=line.world.new_id(), tenant_id=line.world.tenant, project_id=line.world.project, name="t")
    line.engine.catch_up()
    line.database.execute("COMMIT")
    expect_equal(line.database, line.graph)


@pytest.mark.parametrize("away", ("pause", "kill"))
def test_a_fast_shutdown_of_postgresql_does_not_wait_for_neo4j(away, servers, line):
    servers.control(f"{away}-neo4j")
    try:
        for _ in range(20):
            line.world.add_default("tags")
        time.sleep(1)
        line.database.close()
        started = time.monotonic()
        servers.control("stop-postgres")
        took = time.monotonic() - started
    finally:
        servers.control("start-postgres")
        servers.control("resume-neo4j" if away == "pause" else "start-neo4j")
    assert took < SHUTDOWN_MAX, f"the shutdown took {took:.1f} s"
    line.graph.wait_until_up()
    line.engine.catch_up(120)
    with Database(line.engine.admin_url) as database:
        expect_equal(database, line.graph)
