"""From COMMIT's return to visible, at 20 single-row commits a second, with the write-back on; beside it, between them, a bare commit of one row into Neo4j
at the same pace. One thread does all of it: commits when it is due, and looks for what is not visible yet in between."""

import itertools
import time
from collections import deque
from typing import NamedTuple

import bolt_raw
from measure import FOREIGN_MAX, Figures, Meter
from world import timestamp

_RATE = 20  # A second.
_LOST_SECONDS = 30
_SWEEP_SECONDS = 600
# Looks take cores from who makes it visible. What is visible sooner than this counts as seen after it: against us, never for us.
_FIRST_LOOK_SECONDS = 0.0015
_VERSION = "CYPHER 5 MATCH (n:ContentItem {id: $id}) RETURN n.version"
_BARE = "CYPHER 5 UNWIND $rows AS row MERGE (n:BareCommit {id: row.id}) SET n += row"


class Latencies(NamedTuple):
    visible: list   # Milliseconds, in order: until the answer of the read that saw it.
    begun: list     # Until that read began: who begins to read then sees it.
    bare: list
    figures: Figures


def percentile(ordered, share):
    """Of an ordered list: the smallest value that at least this share does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


class _Run:
    def __init__(self, bench, database, numbers):
        self._database, self._graph = database, bench.servers.graph
        self._bare = bolt_raw.Connection(bench.servers.neo4j_url)
        self._items, self._numbers = bench.world.items, numbers
        self._pending = deque()  # (when COMMIT returned, id, version)
        self.visible, self.begun, self.bare = [], [], []

    def commit(self):
        number = next(self._numbers)  # Never one of before: what is looked for is not there yet.
        item = self._items[number * 7 % len(self._items)]
        version = 1_000 + number
        with self._database.cursor() as cursor:
            cursor.execute("UPDATE public.content_items SET title = %s, version = %s, updated_at = %s WHERE id = %s",
                           (f"{version} {item.title}"[:40], version, timestamp(item.updated + number), item.id))
        self._pending.append((time.monotonic(), item.id, version))

    def bare_commit(self):
        number = next(self._numbers)
        item = self._items[number * 7 % len(self._items)]
        row = {"id": item.id, "_cnx_stub": None, "projectId": item.project, "title": item.title, "body": item.body,
               "version": number, "updatedAt": bolt_raw.date_time(item.updated)}
        flush = bolt_raw.transaction([(_BARE, {"rows": [row]})])
        begin = time.monotonic()
        self._bare.run(flush)
        self.bare.append(1e3 * (time.monotonic() - begin))

    def look(self):
        """One look for the oldest commit that is not visible yet; returns whether there is one."""
        if not self._pending:
            return False
        committed, identity, version = self._pending[0]
        time.sleep(max(0.0, committed + _FIRST_LOOK_SECONDS - time.monotonic()))
        begun = time.monotonic()
        try:
            found = self._graph.value(_VERSION, id=identity)
        except bolt_raw.TransientError:  # The read met a commit under way.
            return True
        now = time.monotonic()
        if found is not None and found >= version:
            self._pending.popleft()
            self.visible.append(1e3 * (now - committed))
            self.begun.append(1e3 * (begun - committed))
        elif now > committed + _LOST_SECONDS:
            raise SystemExit(f"bench: a commit is not in the graph after {_LOST_SECONDS} s")
        return bool(self._pending)

    def pace(self, seconds):
        """Commits at every full step of the clock, bare ones at every half."""
        begin = time.monotonic()
        for step in range(round(seconds * _RATE * 2)):
            due = begin + step / (2 * _RATE)
            while self.look() and time.monotonic() < due:
                pass
            time.sleep(max(0.0, due - time.monotonic()))
            (self.bare_commit if step % 2 else self.commit)()
        while self.look():
            pass

    def close(self):
        self._bare.rows("MATCH (n:BareCommit) DETACH DELETE n")
        self._bare.close()


def _once(bench, database, numbers, seconds):
    run = _Run(bench, database, numbers)
    bench.servers.graph.rows("CREATE CONSTRAINT bench_bare IF NOT EXISTS FOR (n:BareCommit) REQUIRE n.id IS UNIQUE")
    run.pace(5)  # Warms both ways.
    for taken in (run.visible, run.begun, run.bare):
        taken.clear()
    meter = Meter(bench.servers, bench.engine)
    run.pace(seconds)
    figures = meter.stop(len(run.visible))
    run.close()
    return Latencies(run.visible, run.begun, run.bare, figures)


def _wait_until_synced(database):
    """The rows that were copied are all told: a sweep over them is none of what is measured."""
    give_up = time.monotonic() + _SWEEP_SECONDS
    with database.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM public.content_items WHERE neo4j_sync_status <> 'synced'")
            if cursor.fetchone()[0] == 0:
                return
            if time.monotonic() > give_up:
                raise SystemExit(f"bench: the write-back has not told all copied rows after {_SWEEP_SECONDS} s")
            time.sleep(0.5)


def latency(bench):
    """[Latencies]: one run that nobody disturbed, or the least disturbed of three."""
    from verify import expect_equal
    from writer import Copies

    database = bench.fresh(write_back=True)
    Copies(bench.world, 10_000).write(database)
    bench.engine.init()
    bench.engine.start()
    bench.wait_until("MATCH (p:ContextNexusPosition {key: 'cnx_bench/0'}) RETURN p.phase", "stream")
    _wait_until_synced(database)
    runs, numbers = [], itertools.count()
    for number in range(bench.options.rounds):
        runs.append(_once(bench, database, numbers, bench.options.seconds))
        foreign = runs[-1].figures.foreign
        bench.say(f"  round {number + 1}: others used {foreign:.2f} cores"
                  + ("" if foreign < FOREIGN_MAX else f", more than {FOREIGN_MAX}: it does not count"))
        if foreign < FOREIGN_MAX:
            break
    expect_equal(database, bench.servers.graph)
    bench.engine.stop()
    return min(runs, key=lambda run: run.figures.foreign)
