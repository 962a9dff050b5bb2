"""The kill run: a seeded load, kill -9 of the engine, restarts of both servers, and then the proof that nothing shows.

`run()` gives a Report; its `faults` are empty where both databases are equal, every change took effect once, and the
reader saw only what was committed, in order. A planted fault must make it red (planted.py).
"""

import dataclasses
import pathlib
import random
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import psycopg2  # noqa: E402

from lib import comparer  # noqa: E402
from lib import database as postgres  # noqa: E402
from lib.database import Database  # noqa: E402
from lib.engine import LOGS, Engine  # noqa: E402
from lib.graph import GraphError, GraphUnavailable  # noqa: E402
from load import Load  # noqa: E402
from witnesses import FOREIGN, MAPPING, TABLES, Counter, Sequence  # noqa: E402

NAME = "cnx_kills"


@dataclasses.dataclass
class Report:
    kills: int = 0
    neo4j_restarts: int = 0
    postgres_restarts: int = 0
    transactions: int = 0
    changes_counted: int = 0
    samples: int = 0
    nodes: int = 0
    relationships: int = 0
    seconds: float = 0
    differences: list = dataclasses.field(default_factory=list)
    miscounted: list = dataclasses.field(default_factory=list)
    disorder: list = dataclasses.field(default_factory=list)
    ended: list = dataclasses.field(default_factory=list)  # The engine ended by itself, or did not catch up.

    @property
    def faults(self):
        return self.ended + self.differences + self.miscounted + self.disorder


def mapping_file():
    """The built-in mapping and the witnesses' two tables."""
    text = (postgres.REPOSITORY / "mappings" / "contextnexus.yaml").read_text()
    path = LOGS / "kills.yaml"
    LOGS.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n" + MAPPING)
    return path


def run(servers, program=None, kills=20, restarts=3, seed=1, log=lambda line: None):
    """Never raises for what the engine does; the report says it."""
    report, started = Report(), time.monotonic()
    graph = servers.graph()
    graph.wipe()
    url = postgres.create_database(servers.postgres_url, NAME)
    postgres.install_schema(url)
    with Database(url) as database:
        database.execute(TABLES)
    engine = Engine(servers, url, mapping=mapping_file(), program=program)
    try:
        engine.init()
        graph.rows("CREATE CONSTRAINT seen IF NOT EXISTS FOR (c:Seen) REQUIRE c.id IS UNIQUE")
        engine.once()
        _under_load(engine, graph, report, kills, restarts, seed, log)
    except (AssertionError, GraphError, GraphUnavailable, psycopg2.Error) as error:
        report.ended.append(f"{type(error).__name__}: {str(error)[-2000:]}")
    finally:
        engine.kill()
        report.seconds = time.monotonic() - started
        postgres.drop_database(servers.postgres_url, NAME)
        graph.wipe()
    return report


def _under_load(engine, graph, report, kills, restarts, seed, log):
    chance = random.Random(seed)
    url = engine.admin_url
    counter, sequence = Counter(url, seed).start(), Sequence(url, graph, seed).start()
    load = Load(url, seed, writers=3, pause=0.01).start()
    try:
        for event in _schedule(chance, kills, restarts):
            _happen(event, engine, graph, report, chance, log)
    finally:
        load.stop()
        counter.stop()
        sequence.stop_writer()
        report.transactions = load.committed()
    try:
        if not engine.running():
            engine.start()
        engine.catch_up(180)
        time.sleep(0.5)  # The reader samples the last state too.
    except AssertionError as error:  # What it did until then is judged all the same.
        report.ended.append(str(error)[-2000:])
    finally:
        sequence.stop()
        report.samples = sequence.samples
    with Database(url) as database:
        report.nodes, report.relationships = comparer.counts(database)
        report.differences = comparer.differences(database, graph, FOREIGN, limit=10)
        report.miscounted, report.changes_counted = counter.faults(database, graph)
        report.disorder = sequence.faults(database)


def _schedule(chance, kills, restarts):
    events = ["kill"] * kills + ["neo4j"] * restarts + ["postgres"] * restarts
    chance.shuffle(events)
    return events


def _happen(event, engine, graph, report, chance, log):
    if not engine.running():
        if engine.process is not None:
            report.ended.append(f"the engine ended by itself:\n{engine.tail(1500)}")
        engine.start()
    time.sleep(0.2 + chance.random() * 2)
    log(event)
    if event == "kill":
        engine.kill()
        report.kills += 1
    elif event == "neo4j":
        _restart(engine.servers, "neo4j", chance)
        graph.wait_until_up()
        report.neo4j_restarts += 1
    else:
        _restart(engine.servers, "postgres", chance)
        _wait_for_postgres(engine.admin_url)
        report.postgres_restarts += 1


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
            f"{report.changes_counted} counted changes, {report.samples} samples, {report.seconds:.0f} s, "
            f"{len(report.faults)} faults")


if __name__ == "__main__":
    from lib import servers as servers_module
    words = dict(word.split("=") for word in sys.argv[1:])
    outcome = run(servers_module.from_environment(), words.get("program"), int(words.get("kills", 20)),
                  int(words.get("restarts", 3)), int(words.get("seed", 1)), log=lambda line: print(line, flush=True))
    print(describe(outcome))
    for fault in outcome.faults:
        print(f"  {fault}")
    sys.exit(1 if outcome.faults else 0)
