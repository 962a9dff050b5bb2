"""The schema run: tables are altered, dropped, swapped, their partitions attached and detached, at random under a random load,
and the engine is killed now and then; at each checkpoint, and in the end, the graph is what the tables are.

`run()` gives a Report; its `faults` are empty where every checkpoint came out equal. One seed draws one sequence of what is
tried; which rows it meets depends on the writers.
"""

import argparse
import dataclasses
import pathlib
import random
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import psycopg2  # noqa: E402

from lib import database as postgres  # noqa: E402
from lib import mapped, servers as servers_module  # noqa: E402
from lib.database import Database  # noqa: E402
from lib.engine import LOGS, Engine  # noqa: E402

NAME = "cnx_alter"
MAPPING = """version: 1
name: alter
tables:
  kinds: {node: Kind, key: id}
  things: {node: Thing, key: id, relationships: [OF: {to: {kinds: kind}}]}
  links: {relationship: LINKED, from: {things: one}, to: {things: other}, key: id}
  pairs: {relationship: PAIRED, from: {things: one}, to: {kinds: other}}
  parts: {node: Part, key: [id, region], relationships: [PART_OF: {to: {things: thing}}]}
"""
TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE kinds (id int PRIMARY KEY, name text, mood mood);
CREATE TABLE things (id int PRIMARY KEY, kind int, name text, big text, n int);
ALTER TABLE things ALTER big SET STORAGE EXTERNAL;
CREATE TABLE links (id int PRIMARY KEY, one int REFERENCES things ON UPDATE CASCADE ON DELETE CASCADE,
                    other int REFERENCES things ON UPDATE CASCADE ON DELETE SET NULL, note text);
CREATE TABLE pairs (one int REFERENCES things ON UPDATE CASCADE ON DELETE CASCADE, other int, weight int, PRIMARY KEY (one, other));
CREATE TABLE parts (id int, region text, thing int REFERENCES things ON UPDATE CASCADE ON DELETE SET NULL, note text,
                    PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN ('0');
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN ('1');
INSERT INTO kinds SELECT n, 'kind ' || n, 'ok' FROM generate_series(0, 19) n;
INSERT INTO things SELECT n, n % 20, 'thing ' || n, repeat('x', 4000), n FROM generate_series(0, 399) n;
INSERT INTO links SELECT n, n % 400, (n * 7) % 400, 'note' FROM generate_series(0, 299) n;
INSERT INTO pairs SELECT n, n % 20, n FROM generate_series(0, 199) n;
INSERT INTO parts SELECT n, (n % 2)::text, n, 'part' FROM generate_series(0, 199) n;
"""
# A start with these takes many turns to copy a table again; one without, a single one.
_TURNS = ("--set", "copy.turn_seconds=0.1", "--set", "apply.batch_rows=20", "--set", "copy.workers=1")
_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


@dataclasses.dataclass
class Report:
    changes: int = 0         # Transactions of the writers.
    alterations: int = 0     # That PostgreSQL took.
    refused: int = 0         # That it did not.
    kills: int = 0
    checkpoints: int = 0
    by_kind: dict = dataclasses.field(default_factory=dict)
    faults: list = dataclasses.field(default_factory=list)


class Writer(threading.Thread):
    """Rows that come, change, take other keys and go."""

    def __init__(self, url, seed, gate, stop):
        super().__init__(daemon=True)
        self._url, self._chance, self._gate, self._stop_event = url, random.Random(seed), gate, stop
        self.committed = 0

    def run(self):
        connection = None
        while not self._stop_event.is_set():
            self._gate.wait(1)
            if not self._gate.is_set():
                continue
            try:
                if connection is None:
                    connection = psycopg2.connect(self._url)
                with connection, connection.cursor() as cursor:
                    for _ in range(self._chance.choice((1, 1, 2, 5))):
                        cursor.execute(self._statement())
                self.committed += 1
            except _LOST:
                connection = None
            except psycopg2.Error:
                pass  # A column, a table or an identity that is not there just now.
            self._stop_event.wait(self._chance.random() * 0.02)
        if connection is not None:
            connection.close()

    def _statement(self):
        r = self._chance.randrange
        thing, kind, region = r(420), r(25), r(4)
        return self._chance.choice((
            f"UPDATE things SET n = n + 1, kind = {kind} WHERE id = {thing}",
            f"UPDATE things SET big = repeat('y', {3000 + r(3000)}) WHERE id = {thing}",
            f"DELETE FROM things WHERE id = {thing}",
            f"INSERT INTO things (id, kind, name, big, n) VALUES ({thing}, {kind}, 'again', repeat('z', 3000), 0)",
            f"UPDATE things SET id = {r(420)} WHERE id = {thing}",
            f"UPDATE kinds SET name = 'kind {r(1000)}' WHERE id = {kind}",
            f"UPDATE kinds SET id = {kind} WHERE id = {kind}",  # Nothing cascades from it: what names an old key is another matter.
            f"INSERT INTO kinds (id, name) VALUES ({kind}, 'again')",
            f"UPDATE links SET one = {thing}, note = 'moved' WHERE id = {r(320)}",
            f"DELETE FROM links WHERE id = {r(320)}",
            f"INSERT INTO links (id, one, other, note) VALUES ({r(320)}, {thing}, {r(420)}, 'again')",
            f"INSERT INTO pairs VALUES ({thing}, {kind}, {r(100)})",
            f"UPDATE pairs SET other = {kind} WHERE one = {thing}",
            f"DELETE FROM pairs WHERE one = {thing}",
            f"INSERT INTO parts (id, region, thing, note) VALUES ({r(300)}, '{region}', {thing}, 'again')",
            f"UPDATE parts SET region = '{region}', note = 'moved' WHERE id = {r(300)}",
            f"DELETE FROM parts WHERE id = {r(300)}"))


class Alterations:
    """What a person does to a schema, by kind; each a few statements in one transaction."""

    def __init__(self, chance):
        self._chance = chance
        self._number = 0

    def next(self):
        kind = self._chance.choice([name for name in dir(self) if name.startswith("do_")])
        self._number += 1
        return kind[3:], getattr(self, kind)()

    def _table(self):
        return self._chance.choice(("things", "kinds", "parts"))

    def _extra(self):
        return f"extra_{self._chance.randrange(6)}"

    def do_add_column(self):
        kind = self._chance.choice(("int DEFAULT 7", "text DEFAULT 'x' NOT NULL", "int", "uuid DEFAULT gen_random_uuid()", "numeric(10,2) DEFAULT 1.5",
                                    "timestamptz DEFAULT now()", "text[] DEFAULT '{a,b}'", "mood DEFAULT 'ok'", "jsonb DEFAULT '{}'"))
        return f"ALTER TABLE {self._table()} ADD {self._extra()} {kind}"

    def do_drop_column(self):
        return f"ALTER TABLE {self._table()} DROP {self._extra()}"

    def do_drop_and_add_column(self):
        table, extra = self._table(), self._extra()
        return f"ALTER TABLE {table} DROP IF EXISTS {extra}; ALTER TABLE {table} ADD {extra} boolean DEFAULT true"

    def do_rename_column(self):
        return f"ALTER TABLE {self._table()} RENAME {self._extra()} TO {self._extra()}"

    def do_retype_column(self):
        extra = self._extra()
        return (f"ALTER TABLE {self._table()} ALTER {extra} DROP DEFAULT, ALTER {extra} DROP NOT NULL, "
                f"ALTER {extra} TYPE text USING 'v' || {extra}::text")

    def do_rewrite_values(self):
        return "ALTER TABLE things ALTER n TYPE int USING n + 1"

    def do_widen_key(self):
        kind = self._chance.choice(("int", "bigint"))
        return f"ALTER TABLE things ALTER id TYPE {kind}"

    def do_rename_label(self):
        return f"ALTER TYPE mood RENAME VALUE '{self._chance.choice(('sad', 'ok', 'happy', 'm1', 'm2'))}' TO '{self._chance.choice(('sad', 'ok', 'happy', 'm1', 'm2'))}'"

    def do_vacuum(self):
        return f"VACUUM FULL {self._table()}"

    def do_truncate(self):
        return self._chance.choice(("TRUNCATE links", "TRUNCATE pairs", "TRUNCATE parts_0", "TRUNCATE parts"))

    def do_change_constraint(self):
        return self._chance.choice(("ALTER TABLE links DROP CONSTRAINT links_pkey", "ALTER TABLE links ADD CONSTRAINT links_pkey PRIMARY KEY (id)",
                                    "ALTER TABLE links REPLICA IDENTITY FULL", "ALTER TABLE links REPLICA IDENTITY DEFAULT"))

    def do_recreate(self):
        return ("DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (one int REFERENCES things ON UPDATE CASCADE ON DELETE CASCADE, other int, weight int, PRIMARY KEY (one, other)); "
                f"INSERT INTO pairs SELECT id, id % 20, id FROM things WHERE id < {self._chance.randrange(100)}")

    def do_swap(self):
        old = f"kinds_old_{self._number}"
        return (f"CREATE TABLE kinds_new (id int PRIMARY KEY, name text, mood mood); INSERT INTO kinds_new SELECT id, 'swapped', 'ok' FROM kinds WHERE id % 3 > 0; "
                f"ALTER TABLE kinds RENAME TO {old}; ALTER TABLE {old} RENAME CONSTRAINT kinds_pkey TO {old}_pkey; ALTER TABLE kinds_new RENAME TO kinds; ALTER TABLE kinds RENAME CONSTRAINT kinds_new_pkey TO kinds_pkey")

    def do_attach(self):
        region, name = self._chance.randrange(4), f"parts_made_{self._number}"
        return (f"CREATE TABLE {name} (LIKE parts INCLUDING ALL); INSERT INTO {name} (id, region, note) SELECT n, '{region}', 'attached' "
                f"FROM generate_series(200, 230) n; ALTER TABLE parts ATTACH PARTITION {name} FOR VALUES IN ('{region}')")

    def do_make_partition(self):
        region = self._chance.randrange(4)
        return f"CREATE TABLE parts_made_{self._number} PARTITION OF parts FOR VALUES IN ('{region}')"

    def do_leave_partition(self):
        return ("DO $$ DECLARE t regclass; BEGIN SELECT inhrelid INTO t FROM pg_inherits WHERE inhparent = 'parts'::regclass ORDER BY random() LIMIT 1; "
                f"IF t IS NOT NULL THEN EXECUTE 'ALTER TABLE parts DETACH PARTITION ' || t; {'' if self._chance.random() < 0.5 else 'EXECUTE $x$DROP TABLE $x$ || t;'} END IF; END $$")


def run(servers, minutes=20.0, seed=1, program=None, log=lambda line: None):
    """Checkpoints about every 40 s. Never raises for what the engine does; the report says it."""
    report, chance = Report(), random.Random(seed)
    graph = servers.graph()
    graph.wipe()
    LOGS.mkdir(parents=True, exist_ok=True)
    mapping = LOGS / "alter.yaml"
    mapping.write_text(MAPPING)
    url = postgres.create_database(servers.postgres_url, NAME)
    engine = Engine(servers, url, mapping=mapping, program=program)
    gate, stop = threading.Event(), threading.Event()
    writers = [Writer(url, seed * 100 + n, gate, stop) for n in range(2)]
    try:
        with Database(url) as database:
            database.execute(TABLES)
            engine.init()
            engine.once()  # Until all is copied, what is wrong with a table ends it.
            engine.start(*_TURNS)
            for writer in writers:
                writer.start()
            _work(report, chance, Alterations(chance), engine, database, graph, mapping, gate, time.monotonic() + minutes * 60, log)
    except (AssertionError, psycopg2.Error) as error:
        report.faults.append(f"{type(error).__name__}: {str(error)[-2000:]}")
    finally:
        stop.set()
        gate.set()
        for writer in writers:
            writer.join(10)
        report.changes = sum(writer.committed for writer in writers)
        engine.kill()
        postgres.drop_database(servers.postgres_url, NAME)
        graph.wipe()
    return report


def _work(report, chance, alterations, engine, database, graph, mapping, gate, end, log):
    while time.monotonic() < end and not report.faults:
        gate.set()
        until = time.monotonic() + 40
        while time.monotonic() < until:
            _alter(report, alterations, database, log)
            time.sleep(chance.random() * 4)
            if chance.random() < 0.1:
                engine.kill()
                report.kills += 1
                log("kill")
            if not engine.running():
                if engine.process is not None and engine.process.returncode not in (-9, None):
                    report.faults.append(f"the engine ended by itself:\n{engine.tail(1500)}")
                    return
                engine.start(*chance.choice([(), _TURNS]))
        gate.clear()
        time.sleep(0.3)
        _mend(database)
        engine.init()  # What was made anew is published, as an administrator would.
        report.checkpoints += 1
        _expect_equal(report, engine, database, graph, mapping, log)


def _alter(report, alterations, database, log):
    kind, statements = alterations.next()
    try:
        database.execute("SET lock_timeout = '2s'")
        if kind == "vacuum":
            database.execute(statements)
        else:
            with database.transaction():
                database.execute(statements)
        report.alterations += 1
        report.by_kind[kind] = report.by_kind.get(kind, 0) + 1
        log(f"{kind}: {statements[:100]}")
    except psycopg2.Error as error:
        report.refused += 1
        log(f"{kind} refused: {str(error).splitlines()[0]}")


def _mend(database):
    """What would keep a table held for ever."""
    if not database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'links_pkey'"):
        database.execute("TRUNCATE links; ALTER TABLE links ADD CONSTRAINT links_pkey PRIMARY KEY (id)")


def _expect_equal(report, engine, database, graph, mapping, log):
    deadline = time.monotonic() + 90
    while True:
        found = mapped.differences(database, graph, mapping, limit=10) or [str(each) for each in engine.status()["tables"]]
        if not found:
            log("equal")
            return
        if not engine.running() or time.monotonic() > deadline:
            report.faults += [f"checkpoint {report.checkpoints}: {line}" for line in found] + [engine.tail(3000)]
            return
        time.sleep(0.5)


def describe(report):
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.by_kind.items()))
    return (f"{report.changes} transactions, {report.alterations} alterations ({report.refused} refused), {report.kills} kills, "
            f"{report.checkpoints} checkpoints; {kinds}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    report = run(servers_module.from_environment(), arguments.minutes, arguments.seed, log=print if arguments.verbose else lambda line: None)
    print(describe(report))
    print("\n".join(report.faults))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
