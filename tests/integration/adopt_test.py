"""A graph that a sink or a script filled is taken over by label and key: nothing of others' is lost, and what has no row is told."""

import json
import os
import signal
import subprocess
import time

import pytest

from lib import mapped
from lib import database as postgres
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
        from lib.engine import Engine
        engine = Engine(servers, url, mapping=mapping)
        refused = engine.verb("init", url=url)
        assert refused.code == 3, refused.text
        assert all(each in refused.text for each in ids), refused.text
    finally:
        graph.wipe()
        postgres.drop_database(servers.postgres_url, "cnx_adopt_twice")


# The guide, as it is written.

def _guide():
    """The commands of docs/adopting-a-graph.md, without what is each reader's own."""
    lines = (postgres.REPOSITORY / "docs" / "adopting-a-graph.md").read_text().splitlines()
    return [line.strip() for line in lines if line.startswith("    contextnexus ")]


def test_the_guide_works_as_it_is_written(line, servers, tmp_path):
    graph = line.graph
    graph.wipe()
    line.database.execute("ALTER TABLE people RENAME COLUMN city TO lives_in")
    graph.rows("UNWIND range(1, 50) AS n CREATE (:Person {id: n, name: 'from the sink', score: n})")
    graph.rows("CREATE (:City {code: 'W', name: 'from the sink'})")
    environment = os.environ | {
        "CONTEXTNEXUS_POSTGRES": line.engine.admin_url, "CONTEXTNEXUS_NEO4J": servers.neo4j_url, "CONTEXTNEXUS_PIPELINE": "guide",
        "PATH": f"{line.engine.program.parent}:{os.environ['PATH']}"}
    commands = _guide()
    assert len(commands) == 5 and commands[-1].startswith("contextnexus run"), commands
    for command in commands[:-1]:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
        told = f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        if command.startswith("contextnexus check"):
            assert done.returncode == 1 and done.stdout.count("fault ") == 1 and "--adopt" in done.stdout, told
        else:
            assert done.returncode == 0, told
    with (tmp_path / "run.log").open("wb") as log:
        running = subprocess.Popen(["bash", "-c", "exec " + commands[-1]], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert running.poll() is None and time.monotonic() < deadline, (tmp_path / "run.log").read_text()
            done = subprocess.run(["bash", "-c", "contextnexus status --json --mapping mapping.yaml"], cwd=tmp_path, env=environment,
                                  capture_output=True, text=True, timeout=60, check=True)
            if json.loads(done.stdout)["in_step"]:
                break
            time.sleep(0.3)
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert graph.value("MATCH (p:Person) WHERE p.name STARTS WITH 'person' AND p.score = p.id RETURN count(p)") == 50
    assert graph.value("MATCH (:Person)-[r]->(:City) RETURN count(r)") == 50
    subprocess.run(["bash", "-c", "contextnexus drop --yes --mapping mapping.yaml"], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
