"""The workloads that count rows: each round runs the engine, then its ceiling, on the same warm servers; after each timed stage the
graph is compared with the tables."""

import time

import bolt_raw
import ceiling
from measure import Meter
from verify import expect_equal
from world import Item
from writer import Copies, Updates

_LOOK_SECONDS = 0.01
_GIVE_UP_SECONDS = 1800
_WARM_PASSES = 3
_AUDIT_OFF = ("--set", "audit.level=off")  # What it costs is a workload of its own.


class Bench:
    """What every workload works with."""

    def __init__(self, servers, engine, world, options, say):
        self.servers, self.engine, self.world, self.options, self.say = servers, engine, world, options, say
        self._warmed = set()

    def rounds(self, engine_round, ceiling_round, statements=None, warm=None):
        """[(engine's figures, ceiling's figures)]: A-B-A-B. A round of each goes before, uncounted, or `warm`, where this run has not
        used the `statements` of that name yet: both find a server that has run what they send."""
        taken = []
        if self.options.warm and statements and statements not in self._warmed:
            self._warmed.add(statements)
            if warm:
                warm()
            else:
                self.say(f"  warming: {_line(engine_round())}\n    ceiling: {_line(ceiling_round())}")
        for number in range(self.options.rounds):
            mine = engine_round()
            theirs = ceiling_round()
            share = theirs.microseconds_a_row("neo4j") / mine.microseconds_a_row("neo4j")
            self.say(f"  round {number + 1}: {_line(mine)}\n    ceiling: {_line(theirs)}\n"
                     f"    Neo4j's CPU a row, ceiling / engine: {share:.2f}")
            taken.append((mine, theirs))
        return taken

    def fresh(self, write_back=False):
        """An empty database and an empty graph; returns the connection."""
        self.engine.stop()
        database = self.servers.make_database(write_back or self.options.write_back)
        self.servers.empty_graph()
        return database

    def wait_until(self, text, wanted, **parameters):
        """Until the statement gives the value; a single look costs Neo4j some 0.3 ms."""
        give_up = time.monotonic() + _GIVE_UP_SECONDS
        while self._look(text, parameters) != wanted:
            self.engine.check_alive()
            if time.monotonic() > give_up:
                raise SystemExit(f"bench: not in the graph after {_GIVE_UP_SECONDS} s: {text}")
            time.sleep(_LOOK_SECONDS)

    def _look(self, text, parameters):
        try:
            return self.servers.graph.value(text, **parameters)
        except bolt_raw.TransientError:  # A read that met a commit under way ("Outdated"): look again.
            return None

    def start_and_wait(self, rows, *condition, **parameters):
        """Starts the engine on what waits for it; its start is part of the time."""
        meter = Meter(self.servers)
        self.engine.start(*_AUDIT_OFF)
        meter.engine_started(self.engine)
        self.wait_until(*condition, **parameters)
        figures = meter.stop(rows)
        self.engine.stop()
        return figures

    def send(self, flushes, rows):
        meter = Meter(self.servers)
        ceiling.send(self.servers.graph, flushes)
        return meter.stop(rows)

    def warm(self):
        """Two passes of the whole workload, so that the server has compiled what it will run."""
        self.servers.make_constraints()
        rows = self.world.rows
        flushes = ceiling.world_batches(self.world)
        for _ in range(max(1, round(2 * 302_010 / rows) if self.options.warm else 0)):
            self.servers.empty_graph()
            ceiling.start(self.servers.graph)
            ceiling.send(self.servers.graph, flushes)


def _line(figures):
    cpu = ", ".join(f"{name} {figures.microseconds_a_row(name):.1f}" for name in ("engine", "neo4j", "postgres", "bench")
                    if name in figures.cpu)
    memory = f", engine {figures.peak_memory_mb:.0f} MB" if figures.peak_memory_mb else ""
    return (f"{figures.rate:,.0f} rows/s in {figures.seconds:.2f} s; CPU µs a row: {cpu}{memory}; others "
            f"{figures.foreign:.2f} cores")


_LAST_LINK = "CYPHER 5 MATCH (:Thread {id: $a})-[r:INCLUDES]->(:ContentItem {id: $b}) RETURN r.position"


def last_link(world):
    """The condition that says that the whole world is in the graph, and its parameters."""
    link = world.links[-1]
    return (_LAST_LINK, link[3]), {"a": link[0], "b": link[1]}


def _world_ceiling(bench, database_of):
    flushes = ceiling.world_batches(bench.world)

    def once():
        bench.servers.empty_graph()
        ceiling.start(bench.servers.graph)
        figures = bench.send(flushes, bench.world.rows)
        expect_equal(database_of(), bench.servers.graph)
        return figures
    return once


def _world_workload(bench, engine_round, statements):
    """Rounds of something that ends with the whole world in both databases."""
    kept = []

    def once():
        kept[:] = [bench.fresh()]
        figures = engine_round(kept[0])
        bench.engine.stop()
        expect_equal(kept[0], bench.servers.graph)
        return figures
    return bench.rounds(once, _world_ceiling(bench, lambda: kept[0]), statements)


def backlog(bench):
    """The rows of `stream`, committed while the engine was stopped."""
    copies = Copies(bench.world, 100)
    condition, parameters = last_link(bench.world)

    def once(database):
        bench.engine.init()
        bench.engine.once()
        copies.write(database)
        return bench.start_and_wait(bench.world.rows, *condition, **parameters)
    return _world_workload(bench, once, "stream")


def stream(bench):
    """Running and caught up; transactions of 100 rows, as fast as PostgreSQL takes them."""
    copies = Copies(bench.world, 100)
    condition, parameters = last_link(bench.world)

    def once(database):
        bench.engine.init()
        bench.engine.start(*_AUDIT_OFF)
        bench.wait_until("MATCH (p:ContextNexusPosition {key: 'cnx_bench/0'}) RETURN p.phase", "stream")
        meter = Meter(bench.servers, bench.engine)
        copies.write(database)
        bench.wait_until(*condition, **parameters)
        return meter.stop(bench.world.rows)
    return _world_workload(bench, once, "stream")


def snapshot(bench):
    """The rows were there before the start; done when the engine says that it follows the stream."""
    copies = Copies(bench.world, 10_000)

    def once(database):
        copies.write(database)
        bench.engine.init()
        return bench.start_and_wait(bench.world.rows, "MATCH (p:ContextNexusPosition {key: 'cnx_bench/0'}) RETURN p.phase", "stream")
    return _world_workload(bench, once, "snapshot")


def updates(bench):
    """Updates of random content items in transactions of 10, committed while the engine was stopped."""
    rows = bench.world.updates(max(10, round(100_000 * bench.options.rows_scale)))
    copies, changes = Copies(bench.world, 10_000), Updates(rows)
    world_flushes, flushes = ceiling.world_batches(bench.world), ceiling.update_batches(rows)
    kept = []

    def engine_round():
        kept[:] = [bench.fresh()]
        copies.write(kept[0])
        bench.engine.init()
        bench.engine.once()
        changes.write(kept[0])
        figures = bench.start_and_wait(len(rows), "CYPHER 5 MATCH (n:ContentItem {id: $id}) RETURN n.version",
                                       rows[-1].version, id=rows[-1].id)
        expect_equal(kept[0], bench.servers.graph)
        return figures

    def ceiling_round():
        bench.servers.empty_graph()
        ceiling.start(bench.servers.graph)
        ceiling.send(bench.servers.graph, world_flushes)
        ceiling.start(bench.servers.graph)
        figures = bench.send(flushes, len(rows))
        expect_equal(kept[0], bench.servers.graph)
        return figures

    def newer(number):
        return [row._replace(version=row.version + 1000 * number, title=f"{number} {row.title}"[:40]) for row in rows]

    def warm():
        database = bench.fresh()
        copies.write(database)
        bench.engine.init()
        bench.engine.once()
        for number in range(_WARM_PASSES):
            Updates(newer(2 * number + 1)).write(database)
            bench.engine.once()
            ceiling.start(bench.servers.graph)
            bench.say(f"  warming, ceiling: {_line(bench.send(ceiling.update_batches(newer(2 * number + 2)), len(rows)))}")
    return bench.rounds(engine_round, ceiling_round, "updates", warm)


_FILL = """
INSERT INTO public.content_items (id, project_id, title, body, version, updated_at)
SELECT md5('item' || n)::uuid, p.ids[n %% 10 + 1], 'A title of some forty characters ' || n, repeat(md5(n::text) || ' ', 6), 1,
       to_timestamp(1700000000 + n)
FROM generate_series(1, %s) n, (SELECT array_agg(id ORDER BY id) AS ids FROM public.project) p"""
_HUGE_CEILING_ROWS_MAX = 500_000


def huge(bench):
    """One transaction of 500,000 rows (5 million with --long)."""
    rows = round((5_000_000 if bench.options.long else 500_000) * bench.options.rows_scale)
    kept = []

    def engine_round():
        database = bench.fresh()
        kept[:] = [database]
        with database.cursor() as cursor:
            for project in bench.world.projects:
                cursor.execute("INSERT INTO public.project VALUES (%s, %s)", project)
            bench.engine.init()
            bench.engine.once()
            cursor.execute(_FILL, (rows,))
        # The last row of the transaction; what the graph shows of it before is in pieces, in order.
        figures = bench.start_and_wait(rows, "CYPHER 5 MATCH (n:ContentItem) RETURN count(n)", rows)
        expect_equal(database, bench.servers.graph)
        return figures

    def ceiling_round():
        some = min(rows, _HUGE_CEILING_ROWS_MAX)
        bench.servers.empty_graph()
        ceiling.start(bench.servers.graph)
        bench.servers.graph.rows("UNWIND $rows AS row CREATE (:Project {id: row[0], name: row[1]})",
                                 rows=[list(project) for project in bench.world.projects])
        with kept[0].cursor() as cursor:
            cursor.execute("SELECT id::text, project_id::text, title, body, version, extract(epoch FROM updated_at)::bigint "
                           "FROM public.content_items LIMIT %s", (some,))
            flushes = ceiling.item_batches([Item(*row) for row in cursor])
        figures = bench.send(flushes, some)
        if some == rows:
            expect_equal(kept[0], bench.servers.graph)
        return figures
    return bench.rounds(engine_round, ceiling_round)
