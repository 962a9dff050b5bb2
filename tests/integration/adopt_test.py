"""A graph that a sink or a script filled is taken over by label and key: nothing of others' is lost, and what has no row is told."""

import json
import os
import signal
import time

import pytest

from lib import mapped
from lib import database as postgres
from lib.engine import Engine
from lib.guide import Guide, Shell
from lib.live import mapped_tables

_MAPPING = """version: 1
name: adopt
tables:
  people: {node: Person, key: id, relationships: [LIVES_IN: {to: {cities: city}}]}
  cities: {node: City, key: code}
  likes: {relationship: LIKES, from: {people: one}, to: {people: other}, properties: [since]}
"""
_TABLES = """
CREATE TABLE cities (code text PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, city text REFERENCES cities, name text);
CREATE TABLE likes (one int REFERENCES people, other int REFERENCES people, since date, PRIMARY KEY (one, other));
INSERT INTO cities VALUES ('W', 'Wien'), ('G', 'Graz');
INSERT INTO people SELECT n, CASE WHEN n % 2 = 0 THEN 'W' ELSE 'G' END, 'person ' || n FROM generate_series(1, 50) n;
INSERT INTO likes SELECT n, n + 1, '2024-01-01' FROM generate_series(1, 40) n;
"""


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "adopt.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_adopt", _TABLES, mapping) as live:
        yield live


def _fill_as_a_script_would(graph):
    """Most rows, some of them stale; a relationship that is wrong by now; labels, properties and relationships of others."""
    graph.rows("UNWIND range(1, 45) AS n CREATE (p:Person {id: n, name: 'stale', score: n * 0.5})")
    graph.rows("CREATE (:City {code: 'W', name: 'Vienna', population: 2000000}), (:City {code: 'G'})")
    graph.rows("MATCH (p:Person), (c:City {code: 'W'}) CREATE (p)-[:LIVES_IN {by: 'script'}]->(c)")
    graph.rows("MATCH (a:Person), (b:Person {id: a.id + 1}) CREATE (a)-[:LIKES]->(b)")
    graph.rows("MATCH (p:Person {id: 7}) SET p:Vip CREATE (p)-[:KNOWS {since: 1}]->(:Robot {name: 'r'})")
    graph.rows("CREATE (:Person {id: 1000, name: 'no row', score: 1.0}), (:Person {nick: 'no key'})")


def test_nodes_are_matched_by_key_and_others_things_stay(line, mapping):
    _fill_as_a_script_would(line.graph)
    refused = line.engine.verb("run", "--once", url=line.engine.url)
    assert refused.code == 3 and "--adopt" in refused.text, refused.text
    elements = {row["id"]: row["e"] for row in line.graph.rows("MATCH (p:Person) WHERE p.id <= 45 RETURN p.id AS id, elementId(p) AS e")}
    adopted = line.engine.verb("run", "--once", "--adopt", url=line.engine.url)
    assert adopted.code == 0, adopted.text
    lone = line.graph.value("MATCH (p:Person {id: 1000}) RETURN elementId(p)")
    assert lone in adopted.text and "1 nodes :Person" in adopted.text, adopted.text
    assert "4 relationships :LIKES" in adopted.text, adopted.text
    line.graph.rows("MATCH (a:Person)-[r:LIKES]->() WHERE a.id > 40 DELETE r")
    after = {row["id"]: row["e"] for row in line.graph.rows("MATCH (p:Person) WHERE p.id <= 45 RETURN p.id AS id, elementId(p) AS e")}
    assert after == elements
    assert line.graph.value("MATCH (p:Vip)-[k:KNOWS]->(:Robot) RETURN p.score + k.since") == 4.5
    assert line.graph.value("MATCH (p:Person) WHERE p.id <= 45 AND p.score = p.id * 0.5 RETURN count(p)") == 45
    assert line.graph.value("MATCH (p:Person {nick: 'no key'}) RETURN count(p)") == 1
    # What the tables say is in the graph, and followed.
    line.engine.start()
    line.database.execute("UPDATE people SET city = 'W', name = 'followed' WHERE id < 10; DELETE FROM likes WHERE one = 3")
    line.sync()
    _expect_equal_but_for_others(line, mapping)
    line.database.execute("INSERT INTO people VALUES (1000, 'G', 'has a row now'); ALTER TABLE people ADD extra int DEFAULT 1")
    deadline = time.monotonic() + 30
    while line.engine.status()["tables"] or not line.graph.value("MATCH (p:Person {id: 1000}) RETURN p.extra"):
        assert time.monotonic() < deadline, line.engine.tail()
        time.sleep(0.2)
    _expect_equal_but_for_others(line, mapping)
    assert line.graph.value("MATCH (p:Person {id: 1000}) RETURN p.score") == 1.0


def _expect_equal_but_for_others(line, mapping):
    line.graph.rows("MATCH (p:Person) WHERE p.nick IS NOT NULL DELETE p")
    found = [each for each in mapped.differences(line.database, line.graph, mapping, limit=1000)
             if not any(word in each for word in ("score", "population", "Robot", "KNOWS", "elementId", " by ", "1000"))]
    assert not found, "\n".join(found)


def test_nodes_that_share_a_key_stop_it_with_their_ids(servers, mapping, graph):
    url = postgres.create_database(servers.postgres_url, "cnx_adopt_twice")
    try:
        with postgres.Database(url) as database:
            database.execute(_TABLES)
        graph.wipe()
        graph.rows("CREATE (:City {code: 'W'}), (:City {code: 'W'})")
        ids = [row["e"] for row in graph.rows("MATCH (c:City) RETURN elementId(c) AS e")]
        engine = Engine(servers, url, mapping=mapping)
        refused = engine.verb("init", url=url)
        assert refused.code == 3, refused.text
        assert all(each in refused.text for each in ids), refused.text
    finally:
        graph.wipe()
        postgres.drop_database(servers.postgres_url, "cnx_adopt_twice")


_KEYS = """
CREATE TABLE payments (order_id int, number int, amount int, PRIMARY KEY (order_id, number));
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE calls (id int PRIMARY KEY, one int REFERENCES people, other int REFERENCES people);
INSERT INTO payments SELECT n, 1, n FROM generate_series(1, 5) n;
INSERT INTO people VALUES (1), (2), (3);
INSERT INTO calls VALUES (1, 1, 2), (2, 1, 2);
"""
_KEYS_MAPPING = """version: 1
name: adopt
tables:
  payments: {node: Payment, key: [order_id, number]}
  people: {node: Person, key: id}
  calls: {relationship: CALLED, key: id, from: {people: one}, to: {people: other}}
"""


def test_what_no_row_can_find_is_told_before_and_after(servers, tmp_path, graph):
    path = tmp_path / "keys.yaml"
    path.write_text(_KEYS_MAPPING)
    with mapped_tables(servers, "cnx_adopt_keys", _KEYS, path) as line:
        graph.rows("UNWIND range(1, 5) AS n CREATE (:Payment {orderId: n, number: 1})")
        graph.rows("CREATE (a:Person {id: 1.0}), (:Person {id: '2'}), (b:Person {id: 3}), (a)-[:CALLED]->(b)")
        checked = line.engine.verb("check", "--mapping", str(path), "--json", url=line.engine.url)
        found = {each["what"]: each["figure"] for each in json.loads(checked.output)["findings"] if each["code"] == "graph_keys"}
        assert found == {"label Payment": "5 of 5 nodes looked at have no text in _cnx_key: no row finds them",
                         "label Person": "1 of 3 nodes looked at have no number in id: no row finds them"}, checked.text
        adopted = line.engine.verb("run", "--once", "--adopt", url=line.engine.url)
        assert adopted.code == 0, adopted.text
        for words in ("5 of 10 nodes :Payment", "1 of 4 nodes :Person", "1 relationships :CALLED have no row"):
            assert words in adopted.text, adopted.text
        assert graph.value("MATCH (p:Person) WHERE p.id = 1 RETURN collect(valueType(p.id))") == ["INTEGER NOT NULL"]
        checked = line.engine.verb("check", "--mapping", str(path), url=line.engine.url)
        assert "graph_keys" not in checked.text and checked.code == 0, checked.text


def test_a_constraint_that_was_there_stands_for_ours(servers, mapping, graph):
    """A sink's owner makes one, so that MERGE is quick; a plain index is in the way, and is named."""
    url = postgres.create_database(servers.postgres_url, "cnx_adopt_own")
    try:
        with postgres.Database(url) as database:
            database.execute(_TABLES)
        graph.wipe()
        graph.rows("CREATE CONSTRAINT mine FOR (n:Person) REQUIRE n.id IS UNIQUE")
        graph.rows("CREATE INDEX plain FOR (n:City) ON (n.code)")
        engine = Engine(servers, url, mapping=mapping)
        refused = engine.verb("init", url=url)
        assert refused.code == 3 and "DROP INDEX `plain`" in refused.text, refused.text
        graph.rows("DROP INDEX plain")
        assert engine.verb("init", url=url).code == 0
        checked = engine.verb("check", "--mapping", str(mapping), url=url)
        assert checked.code == 0 and "missing" not in checked.text, checked.text
        ours = "SHOW CONSTRAINTS YIELD name WHERE name = 'contextnexus_Person_id' RETURN count(*)"
        assert graph.value(ours) == 0
        # Of a relationship type that is called so, it is none of the nodes'.
        graph.rows("DROP CONSTRAINT mine")
        graph.rows("CREATE CONSTRAINT mine FOR ()-[r:Person]-() REQUIRE r.id IS UNIQUE")
        engine.once()
        assert graph.value(ours) == 1
    finally:
        graph.wipe()
        postgres.drop_database(servers.postgres_url, "cnx_adopt_own")


def test_the_guide_works_as_it_is_written(line, servers, tmp_path):
    graph = line.graph
    graph.wipe()
    line.database.execute("ALTER TABLE people RENAME COLUMN city TO lives_in")
    graph.rows("UNWIND range(1, 50) AS n CREATE (:Person {id: n, name: 'from the sink', score: n})")
    graph.rows("CREATE (:City {code: 'W', name: 'from the sink'})")
    shell = Shell(tmp_path, os.environ | {
        "CONTEXTNEXUS_POSTGRES": line.engine.admin_url, "CONTEXTNEXUS_NEO4J": servers.neo4j_url, "CONTEXTNEXUS_PIPELINE": "guide",
        "PATH": f"{line.engine.program.parent}:{os.environ['PATH']}"})
    init_from, show, init, check, run = Guide("adopting-a-graph.md").commands("Taking over a graph that is there")
    for command in (init_from, show, init):
        shell.run(command)
    found = shell.run(check, code=1)
    assert found.count("fault ") == 1 and "--adopt" in found, found
    log = tmp_path / "run.log"
    running = shell.start(run, log)
    try:
        deadline = time.monotonic() + 60
        while not json.loads(shell.run("contextnexus status --json --mapping mapping.yaml"))["in_step"]:
            assert running.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert graph.value("MATCH (p:Person) WHERE p.name STARTS WITH 'person' AND p.score = p.id RETURN count(p)") == 50
    assert graph.value("MATCH (:Person)-[r]->(:City) RETURN count(r)") == 50
    shell.run("contextnexus drop --yes --mapping mapping.yaml")
