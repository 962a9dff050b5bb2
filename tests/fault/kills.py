"""The kill run: a seeded load, kill -9 of the engine, restarts of both servers, and then the proof that nothing shows.

`run()` gives a Report; its `faults` are empty where both databases are equal, every change took effect once, and the
readers saw only what was committed, in order and as promised. With a `cut_share`, connections to Neo4j are cut around COMMITs
as well (proxy.py). A planted fault must make it red (planted.py). `run_copy()` does the same while rows are being copied.
"""

import contextlib
import dataclasses
import pathlib
import random
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import psycopg2  # noqa: E402

import failpoints  # noqa: E402
import speed  # noqa: E402
from lib import comparer  # noqa: E402
from lib import database as postgres  # noqa: E402
from lib.database import Database  # noqa: E402
from lib.engine import LOGS, Engine  # noqa: E402
from lib.graph import GraphError, GraphUnavailable  # noqa: E402
from load import Load  # noqa: E402
from proxy import CutProxy  # noqa: E402
from witnesses import FOREIGN, MAPPING, TABLES, Counter, Promise, Sequence  # noqa: E402

NAME = "cnx_kills"


@dataclasses.dataclass
class Report:
    kills: int = 0
    neo4j_restarts: int = 0
    postgres_restarts: int = 0
    transactions: int = 0
    changes_counted: int = 0
    samples: int = 0
    scans: int = 0
    torn: int = 0  # Scans that ran across a commit and saw part of it, as read-committed allows.
    failpoints: dict = dataclasses.field(default_factory=dict)  # Kills of the engine, by where.
    cuts: dict = dataclasses.field(default_factory=dict)  # Of connections to Neo4j, by way.
    while_copying: int = 0  # Kills and restarts that met a copy under way.
    nodes: int = 0
    relationships: int = 0
    seconds: float = 0
    differences: list = dataclasses.field(default_factory=list)
    miscounted: list = dataclasses.field(default_factory=list)
    disorder: list = dataclasses.field(default_factory=list)
    broken: list = dataclasses.field(default_factory=list)  # What the position had promised and a reader missed.
    ended: list = dataclasses.field(default_factory=list)  # The engine ended by itself, or did not catch up.

    @property
    def faults(self):
        return self.ended + self.differences + self.miscounted + self.disorder + self.broken


# Of log: about half a minute's work on two cores.
_BEHIND_MAX = 32 << 20


def mapping_file():
    """The built-in mapping and the witnesses' two tables."""
    text = (postgres.REPOSITORY / "mappings" / "contextnexus.yaml").read_text()
    path = LOGS / "kills.yaml"
    LOGS.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n" + MAPPING)
    return path


def run(servers, program=None, kills=20, restarts=3, seed=1, cut_share=0.0, log=lambda line: None):
    """Kills and restarts while the engine follows. Never raises for what the engine does; the report says it."""
    def work(engine, graph, report):
        engine.once()
        _under_load(engine, graph, report, _schedule(random.Random(seed), kills, restarts), seed, log)
    return _on_fresh_databases(servers, program, seed, cut_share, work)


def run_copy(servers, program=None, kills=10, restarts=3, seed=1, cut_share=0.0, log=lambda line: None):
    """The same while rows are being copied: about 80,000, of which each of `counted` must be written exactly once."""
    def work(engine, graph, report):
        with Database(engine.admin_url) as database:
            speed.fill_base(database)
            speed.fill(database, 20_000)
            Counter.fill(database, 20_000)
        _under_load(engine, graph, report, _schedule(random.Random(seed), kills, restarts), seed, log, copying=True)
    return _on_fresh_databases(servers, program, seed, cut_share, work)


# Where a kill can meet an engine that follows a load, and one that copies.
FOLLOWING = ("lock_taken", "epoch_raised", "owner_recorded", "transaction_read", "transaction_handed_on", "batch_cut", "batch_handed_on",
             "batch_begins", "batch_sent", "batch_answered", "batch_acknowledged", "before_confirming", "after_confirming",
             "before_write_back", "after_write_back")
COPYING = ("copy_lanes_made", "copy_snapshot_taken", "copy_segments_written", "copy_batch_answered", "copy_segment_answered")


def run_failpoints(servers, program=None, kills=28, restarts=7, seed=1, log=lambda line: None):
    """As run(), with the engine killed at failpoints, each in its turn, and both servers by SIGKILL alone."""
    def work(engine, graph, report):
        engine.once()
        _under_load(engine, graph, report, _at_failpoints(random.Random(seed), FOLLOWING, kills, restarts), seed, log)
    return _on_fresh_databases(servers, program, seed, 0.0, work)


def run_copy_failpoints(servers, program=None, kills=12, restarts=3, seed=1, log=lambda line: None):
    """The same while rows are being copied."""
    def work(engine, graph, report):
        with Database(engine.admin_url) as database:
            speed.fill_base(database)
            speed.fill(database, 40_000)
            Counter.fill(database, 40_000)
        # The first one begins the copy, which the others go on with.
        events = ["at copy_batch_answered", *_at_failpoints(random.Random(seed), COPYING, kills - 1, restarts)]
        _under_load(engine, graph, report, events, seed, log, copying=True)
    return _on_fresh_databases(servers, program, seed, 0.0, work)


def _at_failpoints(chance, names, kills, restarts):
    events = [f"at {names[number % len(names)]}" for number in range(kills)] + ["kill neo4j"] * restarts + ["kill postgres"] * restarts
    chance.shuffle(events)
    return events


def _on_fresh_databases(servers, program, seed, cut_share, work):
    report, started = Report(), time.monotonic()
    graph = servers.graph()
    graph.wipe()
    url = postgres.create_database(servers.postgres_url, NAME)
    postgres.install_schema(url)
    with Database(url) as database:
        database.execute(TABLES)
    parts = urlsplit(servers.neo4j_url)
    proxy = CutProxy(parts.hostname, parts.port, seed, cut_share)
    through_proxy = parts._replace(netloc=parts.netloc.rpartition(":")[0] + f":{proxy.port}")
    engine = Engine(servers._replace(neo4j_url=urlunsplit(through_proxy)), url, mapping=mapping_file(), program=program)
    try:
        engine.init()
        graph.rows("CREATE CONSTRAINT seen IF NOT EXISTS FOR (c:Seen) REQUIRE c.id IS UNIQUE")
        work(engine, graph, report)
    # A run that does not come to its end is a fault found, as one that ends by itself is.
    except (AssertionError, GraphError, GraphUnavailable, psycopg2.Error, subprocess.TimeoutExpired) as error:
        report.ended.append(f"{type(error).__name__}: {str(error)[-2000:]}")
    finally:
        engine.kill()
        proxy.stop()
        report.cuts = dict(proxy.cuts)
        report.seconds = time.monotonic() - started
        try:
            graph.wait_until_up()
        except GraphUnavailable as error:  # A restart that failed: it is in the report, and the next run needs a server.
            report.ended.append(f"Neo4j is not up: {error}")
            servers.control("start-neo4j")
        postgres.drop_database(servers.postgres_url, NAME)
        graph.wipe()
    return report


def _under_load(engine, graph, report, events, seed, log, copying=False):
    chance = random.Random(seed)
    url = engine.admin_url
    counter, sequence, promise = Counter(url, seed), Sequence(url, graph, seed).start(), Promise(url, graph).start()
    load = Load(url, seed, writers=3, pause=0.01, behind_max=_BEHIND_MAX).start()
    if not copying:  # A row that is copied after two changes is one row: nothing to count there but the row.
        counter.start()
    try:
        for event in events:
            _happen(event, engine, graph, report, chance, log, copying)
    finally:
        load.stop()
        counter.stop()
        sequence.stop_writer()
        promise.stop_writer()
        report.transactions = load.committed()
    try:
        if not engine.running():
            engine.start()
        engine.catch_up(120)
        time.sleep(0.5)  # The reader samples the last state too.
    except AssertionError as error:  # What it did until then is judged all the same.
        report.ended.append(str(error)[-2000:])
    finally:
        sequence.stop()
        promise.stop()
        report.samples, report.scans, report.torn = sequence.samples, promise.scans, promise.torn
    with Database(url) as database:
        report.nodes, report.relationships = comparer.counts(database)
        report.differences = comparer.differences(database, graph, FOREIGN, limit=10)
        report.miscounted, report.changes_counted = counter.faults(database, graph)
        report.disorder = sequence.faults(database)
        report.broken = promise.faults()


def _schedule(chance, kills, restarts):
    events = ["kill"] * kills + ["neo4j"] * restarts + ["postgres"] * restarts
    chance.shuffle(events)
    return events


def _die_at(name, engine, report, chance, copying):
    """The engine is started, if it runs it is ended first as a person would, and dies where it reaches the failpoint."""
    # Under a load it may not drain within its limit, and leaves the rest to the next start: that is no fault.
    with contextlib.suppress(subprocess.TimeoutExpired):
        engine.terminate(60)
    # What each start or copy comes by once is met the first time.
    once = name in ("lock_taken", "epoch_raised", "owner_recorded") or name.startswith("copy_") and not name.endswith("batch_answered")
    engine.start(*(("--set", "apply.batch_rows=200") if copying else ()),
                 environment=failpoints.arm(name, 1 if once else 1 + chance.randrange(20)))
    try:
        failpoints.wait_for_kill(engine, 150)
    except AssertionError as error:
        report.ended.append(f"{name}: {str(error)[-1500:]}")
        return
    report.kills += 1
    report.failpoints[name] = report.failpoints.get(name, 0) + 1


def _happen(event, engine, graph, report, chance, log, copying):
    if event.startswith("at "):
        log(event)
        if copying and not _is_copying(graph) and _phase(graph) == "stream":
            report.ended.append(f"the copy was over before the kill {event}")
        else:
            report.while_copying += copying
            _die_at(event.removeprefix("at "), engine, report, chance, copying)
        return
    if not engine.running():
        if engine.process is not None:
            report.ended.append(f"the engine ended by itself:\n{engine.tail(1500)}")
        # Small batches, so that a fault finds the copy in the middle.
        engine.start(*(("--set", "apply.batch_rows=200") if copying else ()))
    if copying:
        _wait_for_copied_rows(graph)
        time.sleep(chance.random() * 0.4)
        report.while_copying += _is_copying(graph)
    else:
        time.sleep(0.2 + chance.random() * 2)
    log(event)
    if event == "kill":
        engine.kill()
        report.kills += 1
    elif event.startswith("kill "):
        server = event.removeprefix("kill ")
        engine.servers.control(f"kill-{server}")
        engine.servers.control(f"start-{server}")
        if server == "neo4j":
            graph.wait_until_up()
            report.neo4j_restarts += 1
        else:
            _wait_for_postgres(engine.admin_url)
            report.postgres_restarts += 1
    elif event == "neo4j":
        _restart(engine.servers, "neo4j", chance)
        graph.wait_until_up()
        report.neo4j_restarts += 1
    else:
        _restart(engine.servers, "postgres", chance)
        _wait_for_postgres(engine.admin_url)
        report.postgres_restarts += 1


def _wait_for_copied_rows(graph, timeout=60):
    """Until the engine has copied something since it was started, or has no more to copy."""
    deadline = time.monotonic() + timeout
    before = _copied_rows(graph)
    while _phase(graph) in ("initial", "snapshot") and _copied_rows(graph) == before and time.monotonic() < deadline:
        time.sleep(0.02)


def _copied_rows(graph):
    """Of all segments; None where there are none yet, or no more."""
    return graph.value("MATCH (s:ContextNexusSegment) RETURN CASE count(s) WHEN 0 THEN null ELSE sum(s.rows) END")


def _is_copying(graph):
    return _phase(graph) == "snapshot"


def _phase(graph):
    return graph.value("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN p.phase")


def _restart(servers, server, chance):
    """As a person would, or as a crash does."""
    if chance.random() < 0.5:
        servers.control(f"restart-{server}")
    else:
        servers.control(f"kill-{server}")
        servers.control(f"start-{server}")


def _wait_for_postgres(url, timeout=60):
    deadline = time.monotonic() + timeout
    while True:
        try:
            psycopg2.connect(url, connect_timeout=5).close()
            return
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, f"PostgreSQL is not back after {timeout} s"
            time.sleep(0.2)


def describe(report):
    return (f"{report.kills} kills, {report.neo4j_restarts}+{report.postgres_restarts} restarts, "
            f"{report.transactions} transactions, {report.nodes} nodes, {report.relationships} relationships, "
            f"{report.changes_counted} counted changes, {report.samples} samples, {report.scans} scans of which "
            f"{report.torn} met a commit, {report.cuts} cuts, {report.while_copying} while copying, {report.seconds:.0f} s, "
            f"{len(report.faults)} faults")


if __name__ == "__main__":
    from lib import servers as servers_module
    words = dict(word.split("=", 1) for word in sys.argv[1:])
    options = {name: int(words[name]) for name in ("kills", "restarts", "seed") if name in words}
    if "failpoints" in words:
        what = run_copy_failpoints if "copy" in words else run_failpoints
    else:
        what = run_copy if "copy" in words else run
        options["cut_share"] = float(words.get("cuts", 0))
    outcome = what(servers_module.from_environment(), words.get("program"), log=lambda line: print(line, flush=True), **options)
    print(describe(outcome))
    for fault in outcome.faults:
        print(f"  {fault}")
    sys.exit(1 if outcome.faults else 0)
