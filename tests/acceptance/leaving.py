#!/usr/bin/python3
"""docs/adopting-a-graph.md, carried out as it is written: Debezium, Kafka and a sink are left, and a script that polls.

usage: tests/acceptance/leaving.py

Starts servers of its own below .local, fetches what they need from Maven Central, and ends them. The sink is the Neo4j Connector
for Kafka where CONTEXTNEXUS_SINK names a folder that has it (sink.py). Needs build/dev/contextnexus, or CNX_ENGINE.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import time
from urllib.parse import unquote, urlsplit

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import poller  # noqa: E402
import shop  # noqa: E402
import sink  # noqa: E402
from connect import Connect  # noqa: E402
from lib import database as postgres  # noqa: E402
from lib import mapped  # noqa: E402
from lib import servers as servers_module  # noqa: E402
from lib.engine import binary  # noqa: E402
from lib.guide import Guide, Shell  # noqa: E402

LOCAL = postgres.REPOSITORY / ".local"
GUIDE = Guide("adopting-a-graph.md")
TAKE_OVER, FIT, LEFT, DEBEZIUM = (
    "Taking over a graph that is there", "Fit the mapping to the graph", "What is left over", "From Debezium, Kafka and a sink")


class Trial:
    """A database of the trial's own beside an empty graph, and a shell for the guide's commands."""

    def __init__(self, servers, name, tables):
        self.graph = servers.graph()
        self.graph.wipe()
        self.directory = LOCAL / f"leaving-{name}"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self._admin = servers.postgres_url
        self.url = postgres.create_database(servers.postgres_url, f"cnx_leaving_{name}")
        self.database = postgres.Database(self.url)
        self.database.execute(tables)
        self.mapping = self.directory / "mapping.yaml"
        self.shell = Shell(self.directory, os.environ | {
            "CONTEXTNEXUS_POSTGRES": self.url, "CONTEXTNEXUS_NEO4J": servers.neo4j_url,
            "PATH": f"{binary().parent}:{os.environ['PATH']}"})
        self._run = None

    def close(self):
        if self._run and self._run.poll() is None:
            self._run.kill()
            self._run.wait()
        self.database.close()
        postgres.drop_database(self._admin, urlsplit(self.url).path[1:])
        self.graph.wipe()

    def wait(self, done, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not done():
            assert self._run is None or self._run.poll() is None, f"run has ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"after {seconds} s not yet: {what}\n{self.log()}"
            time.sleep(0.2)

    def log(self):
        file = self.directory / "run.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def run_cypher(self, heading, first):
        """The guide's Cypher that begins so, under that heading; the rows."""
        block, = [block for block in GUIDE.blocks(heading, "cypher") if block.startswith(first)]
        return self.graph.rows(block)

    # The guide's steps.

    def write_mapping(self, fit):
        init_from, *rest = GUIDE.commands(TAKE_OVER)
        self.shell.run(init_from)
        fit()
        return rest

    def take_over(self, commands):
        """From `map show` to a graph that is in step; what check said before."""
        show, init, check, run = commands
        self.shell.run(show)
        self.shell.run(init)
        found = self.shell.run(check, code=1)
        self._run = self.shell.start(run, self.directory / "run.log")
        self.wait(self.in_step, "in step")
        return found

    def in_step(self):
        return json.loads(self.shell.run("contextnexus status --json --mapping mapping.yaml"))["in_step"]

    def end(self):
        self._run.send_signal(signal.SIGTERM)
        assert self._run.wait(30) == 0, self.log()
        self._run = None
        self.shell.run("contextnexus drop --yes --mapping mapping.yaml")

    def differences(self):
        """Of the graph from what the mapping makes of the tables."""
        return mapped.differences(self.database, self.graph, self.mapping, limit=1000)

    def elements(self, label):
        return {row["e"] for row in self.graph.rows(f"MATCH (n:{label}) RETURN elementId(n) AS e")}


@contextlib.contextmanager
def trial(servers, name, tables):
    made = Trial(servers, name, tables)
    try:
        yield made
    finally:
        made.close()


def both(servers):
    """(passed, figure)."""
    servers.control("start-kafka", timeout=600)
    try:
        what = debezium(servers)
    finally:
        servers.control("stop-kafka")
    return True, f"{what}; {script(servers)}"


def debezium(servers):
    """A graph that Debezium, Kafka and a sink made, and that they have left; what it was, in words. Kafka runs."""
    with trial(servers, "debezium", shop.TABLES + shop.ROWS) as it, Connect(servers, it.directory / "connect") as connect:
        it.shell.set("CONNECT", connect.url)
        # Topics of their own: what an earlier run left in Kafka is nobody's.
        prefix = f"shop-{os.getpid()}"
        connect.create("debezium", _debezium_config(it.url, prefix))
        with sink.running(connect, servers, it.directory, f"{prefix}.public") as what:
            _fill(it)
            stop, *delete = GUIDE.commands(DEBEZIUM)
            it.shell.run(stop)
        connect.wait_for(sink.NAME, ["STOPPED"])
        # Deleted orders, and a payment of each, are what the sink had kept.
        gone = {"Customer": 0, "Product": 0, "Order": 2, "Payment": 2}
        before = {label: it.elements(label) for label in gone}
        _leave_debezium(it, connect, delete)
        assert {label: len(before[label] - it.elements(label)) for label in gone} == gone, "rows are other nodes now"
        it.end()
    return f"Debezium and {what} left"


def _debezium_config(url, prefix):
    parts = urlsplit(url)
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput", "topic.prefix": prefix,
        "database.hostname": parts.hostname, "database.port": str(parts.port), "database.user": unquote(parts.username),
        "database.password": unquote(parts.password), "database.dbname": parts.path[1:], "schema.include.list": "public",
        "decimal.handling.mode": "double", "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1"}


def _fill(it):
    """Until the sink has written what there was and what happened since; then somebody else's things beside it."""
    count = it.graph.value
    it.wait(lambda: count("MATCH (n:Customer|Product|Order|Payment) RETURN count(n)") == 40 + 12 + 100 + 50 and
            count("MATCH (:Order)-[r:CONTAINS]->(:Product) RETURN count(r)") == 300, "the sink writes what Debezium's snapshot read")
    shop.apply(it.database, shop.SEEN)
    it.wait(lambda: count("MATCH (n:Customer {name: 'seen'}) RETURN count(n)") == 1 and
            count("MATCH (n:Customer {id: 40}) RETURN count(n)") == 0 and
            count("MATCH (n:Order {id: 20})-[:PLACED_BY]->(:Customer {id: 39}) RETURN count(n)") == 1,
            "the sink writes what Debezium streamed")
    it.graph.rows("MATCH (n:Customer {id: 3}) SET n:Vip, n.score = 0.5 CREATE (n)<-[:KNOWS]-(:Robot {name: 'r'})")
    it.graph.rows("MATCH (o:Order {id: 1})-[r:CONTAINS]->(p) CREATE (o)-[:CONTAINS]->(p)")


def _leave_debezium(it, connect, delete):
    shop.apply(it.database, shop.UNSEEN)
    found = {(row["label"], row["property"]): row["types"] for row in it.run_cypher(FIT, "MATCH (n) UNWIND")}
    assert [found["Order", name][0].split()[0] for name in ("placed_at", "due", "total")] == ["INTEGER", "INTEGER", "FLOAT"], found
    links = {(*row["starts"], row["type"], *row["ends"]) for row in it.run_cypher(FIT, "MATCH (a)-[r]->(b)")}
    assert ("Order", "CONTAINS", "Product") in links, links
    yaml, = GUIDE.blocks(DEBEZIUM, "yaml")
    commands = it.write_mapping(lambda: it.mapping.write_text(yaml))
    # The keys that check asks for; the relationships of deleted lines.
    it.run_cypher(FIT, "MATCH (n:Payment)")
    it.run_cypher(FIT, "MATCH (:Order)-[r:CONTAINS]")
    found = it.take_over(commands)
    assert found.count("fault ") == 1 and "--adopt" in found and "graph_keys" not in found, found
    left = {tuple(row["labels"]): row["nodes"] for row in it.run_cypher(LEFT, "MATCH (n) WHERE n._cnx_stub")}
    assert left == {("Order",): 2, ("Payment",): 2}, left
    it.run_cypher(LEFT, "MATCH (n:Order|Payment)")
    for command in delete:
        if command.startswith("psql"):
            for name in (sink.NAME, "debezium"):
                connect.wait_for(name, [])
            it.wait(lambda: not it.database.value("SELECT bool_or(active) FROM pg_replication_slots WHERE slot_name = 'debezium'"),
                    "Debezium's connector lets its slot go")
        it.shell.run(command)
    assert it.database.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 1
    it.database.execute("UPDATE orders SET state = 'shipped' WHERE id = 1")
    it.wait(lambda: it.graph.value("MATCH (n:Order {id: 1}) RETURN n.state") == "shipped", "a change after all that")
    it.run_cypher(DEBEZIUM, "MATCH (n:__KafkaOffset)")
    assert it.graph.value("MATCH (n:Vip)<-[:KNOWS]-(:Robot) RETURN n.score") == 0.5
    it.graph.rows("MATCH (r:Robot) DETACH DELETE r")
    it.graph.rows("MATCH (n:Vip) REMOVE n.score")
    found = it.differences()
    assert not found, "\n".join(found[:20])


def script(servers):
    """A graph that a script made by polling, and that it has left."""
    with trial(servers, "script", shop.TABLES + shop.ROWS + poller.COLUMN) as it:
        polling = poller.Poller(it.database, it.graph)
        polling.poll()
        with postgres.Database(it.url) as other, other.transaction():
            other.execute("INSERT INTO customers (id, name) VALUES (60, 'late')")
            shop.apply(it.database, shop.SEEN)
            polling.poll()
        it.database.execute("ALTER TABLE customers DISABLE TRIGGER touched; UPDATE customers SET email = NULL WHERE id = 4; "
                            "ALTER TABLE customers ENABLE TRIGGER touched")
        polling.poll()
        lost = it.graph.value("MATCH (n:Customer) WHERE n.id = '60' OR (n.id = '4' AND n.email IS NULL) RETURN count(n)")
        kept = it.graph.value("MATCH (n) WHERE n:Order AND n.id = 5 OR n:Customer AND n.id = '40' RETURN count(n)")
        assert (lost, kept) == (0, 2), (lost, kept)
        shop.apply(it.database, shop.UNSEEN)
        _leave_script(it)
        it.end()
    return "a script that polls left"


def _leave_script(it):
    elements = it.elements("Customer")
    commands = it.write_mapping(lambda: it.shell.run("sed -i 's/^naming: .*/naming: as_is/' mapping.yaml"))
    show, init, check, _ = commands
    it.shell.run(init)
    assert "40 of 40" in it.shell.run(check, code=1)
    it.run_cypher(FIT, "MATCH (n:Customer)")
    found = it.take_over(commands)
    assert "40 of 40" not in found, found
    assert elements <= it.elements("Customer"), "customers are other nodes now"
    left = {tuple(row["labels"]): row["nodes"] for row in it.run_cypher(LEFT, "MATCH (n) WHERE n._cnx_stub")}
    assert left == {("Customer",): 1, ("Order",): 2}, left
    it.run_cypher(LEFT, "MATCH (n:Order|Payment)")
    it.graph.rows("MATCH (n:Customer) WHERE n._cnx_stub DETACH DELETE n")
    it.database.execute("DROP TRIGGER touched ON customers; DROP TRIGGER touched ON orders; "
                        "ALTER TABLE customers DROP COLUMN updated_at; ALTER TABLE orders DROP COLUMN updated_at")
    it.wait(lambda: it.graph.value("MATCH (n) WHERE n.updated_at IS NOT NULL RETURN count(n)") == 0 and it.in_step(),
            "the dropped column's property goes")
    found = it.differences()
    assert not found, "\n".join(found[:20])


def main():
    started = time.monotonic()
    servers = servers_module.start(LOCAL / "leaving", heap="512m")
    try:
        print(both(servers)[1], f"in {time.monotonic() - started:.0f} s")
    finally:
        servers.control("stop")


if __name__ == "__main__":
    main()
