"""How fast the line is on this machine: rows a second of a snapshot and of a stream, and commit to visible.

Figures to look at, not thresholds: server, engine and this program share the machine. Each run proves by the comparer
that what it timed is in the graph.
"""

import hashlib
import time
import uuid

from lib import comparer
from lib import database as postgres
from lib.database import Database
from lib.engine import Engine

NAME = "cnx_speed"
PROJECTS, THREADS, ITEMS, INCLUDES = 10, 1000, 20_000, 40_000
ROWS = 2 + PROJECTS + THREADS + ITEMS + INCLUDES

_THREAD = str(uuid.UUID(hashlib.md5(b"thread1").hexdigest()))  # As PostgreSQL's md5() makes it.


def fill_base(database):
    """Tenant, user, projects and threads."""
    with database.transaction():
        database.execute("INSERT INTO public.tenants (id, name, slug) VALUES (md5('tenant')::uuid, 'Speed', 'speed')")
        database.execute("INSERT INTO public.users (id, tenant_id, email) "
                         "VALUES (md5('user')::uuid, md5('tenant')::uuid, 'a@example.org')")
        database.execute(
            "INSERT INTO public.projects (id, tenant_id, name) SELECT md5('project' || n)::uuid, md5('tenant')::uuid, "
            "'Project ' || n FROM generate_series(0, %s) n", (PROJECTS - 1,))
        database.execute(
            "INSERT INTO public.threads (id, tenant_id, project_id, title) SELECT md5('thread' || n)::uuid, "
            "md5('tenant')::uuid, md5('project' || n %% %s)::uuid, 'Thread ' || n FROM generate_series(0, %s) n",
            (PROJECTS, THREADS - 1))


_ITEMS = ("INSERT INTO public.content_items (id, tenant_id, project_id, kind, title, created_by, metadata) "
          "SELECT md5('item' || n)::uuid, md5('tenant')::uuid, md5('project' || n %% {projects})::uuid, 'text', "
          "'A title of some forty characters, number ' || n, md5('user')::uuid, '{{\"n\": 1}}' "
          "FROM generate_series(%s, %s) n").format(projects=PROJECTS)
_INCLUDES = ("INSERT INTO public.thread_content (tenant_id, thread_id, content_item_id, relevance_score, position) "
             "SELECT md5('tenant')::uuid, md5('thread' || (n * 7 + n / {items}) %% {threads})::uuid, "
             "md5('item' || n %% {items})::uuid, n / 7.0, n FROM generate_series(%s, %s) n").format(
                 threads=THREADS, items=ITEMS)


def fill(database, rows_a_transaction):
    """Content and what includes it, in transactions of so many rows."""
    for statement, count in ((_ITEMS, ITEMS), (_INCLUDES, INCLUDES)):
        for first in range(0, count, rows_a_transaction):
            database.execute(statement, (first, min(first + rows_a_transaction, count) - 1))


def _fresh(servers):
    servers.graph().wipe()
    url = postgres.create_database(servers.postgres_url, NAME)
    postgres.install_schema(url)
    return url


def _expect_equal(database, graph):
    found = comparer.differences(database, graph, limit=5)
    assert not found, "\n".join(found)


def snapshot(servers):
    """Rows a second from the start of `run --once` to its end, with all rows there before."""
    url, graph = _fresh(servers), servers.graph()
    try:
        with Database(url) as database:
            fill_base(database)
            fill(database, 10_000)
            engine = Engine(servers, url)
            engine.init()
            started = time.monotonic()
            engine.once(timeout=600)
            seconds = time.monotonic() - started
            _expect_equal(database, graph)
        return ROWS / seconds
    finally:
        postgres.drop_database(servers.postgres_url, NAME)
        graph.wipe()


def stream_and_latency(servers, commits=300, rate=20):
    """(rows a second from the first commit until the graph holds all, [seconds from commit to visible])."""
    url, graph = _fresh(servers), servers.graph()
    engine = Engine(servers, url)
    try:
        with Database(url) as database:
            fill_base(database)
            engine.init()
            engine.start()
            engine.catch_up()
            started = time.monotonic()
            fill(database, 100)
            engine.catch_up(600)
            seconds = time.monotonic() - started
            _expect_equal(database, graph)
            delays = _latency(database, graph, commits, rate)
            assert engine.terminate() == 0, engine.tail()
        return (ITEMS + INCLUDES) / seconds, delays
    finally:
        engine.kill()
        postgres.drop_database(servers.postgres_url, NAME)
        graph.wipe()


def _latency(database, graph, commits, rate):
    """Single-row commits at a steady rate; each is looked for by key until it is there (a look takes some ms itself)."""
    delays, begin = [], time.monotonic()
    for number in range(commits):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        title = f"visible {number}"
        database.execute("UPDATE public.threads SET title = %s WHERE id = md5('thread1')::uuid", (title,))
        committed = time.monotonic()
        while graph.value("MATCH (n:Thread {id: $id}) RETURN n.title", id=_THREAD) != title:
            assert time.monotonic() < committed + 30, "a commit is not visible after 30 s"
        delays.append(time.monotonic() - committed)
    return delays


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
