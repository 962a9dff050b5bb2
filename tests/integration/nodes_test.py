"""Further nodes of a row, of its own and shared ones: made by the snapshot and by the stream, changed, moved and removed with rows.

Compared with the tables by lib/mapped.py, which shares no code with the engine; what only the graph can tell is written out.
"""

import random
import time

import pytest

from lib import mapped
from lib.live import mapped_tables

_MAPPING = """version: 1
name: nodes
defaults: {key: id, version: version, tenant: tenant}
tables:
  people:
    node: Person
    exclude: [about]
    nodes:
      - LIVES_AT: {to: [Home, Spot], properties: [street, {town: city}]}
      - TELLS: {to: About, key: {person: id}, fields: about}
      - HAS_MARK: {from: Mark}
      - FROM: {to: Country, key: {name: country}, indexes: [{range: name}]}
  firms:
    node: Firm
    nodes:
      - AT: {to: [Office, Spot], properties: [street]}
      - FROM: {to: Country, key: {name: country}}
  towns:
    node: Town
    key: [zone, name]
    nodes:
      - IN: {from: Area, key: area}
      - NOTED: {to: Note, properties: [note]}
"""

_TABLES = """
CREATE TABLE people (id int PRIMARY KEY, tenant text, version int NOT NULL DEFAULT 1, knows int, street text, city text, about jsonb,
                     country text);
ALTER TABLE people ALTER about SET STORAGE EXTERNAL, ALTER country SET STORAGE EXTERNAL;
CREATE TABLE firms (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant text, street text, country text);
CREATE TABLE towns (zone int, name text, area text, note text, PRIMARY KEY (zone, name));
ALTER TABLE towns ALTER area SET STORAGE EXTERNAL;
INSERT INTO people SELECT n, 't' || n % 2, 1, 1 + n % 7, CASE WHEN n % 3 > 0 THEN 'street ' || n END, CASE WHEN n % 5 > 0 THEN 'city' END,
  CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '[1]' ELSE jsonb_build_object('a', n, 'b', 'x') END, 'land ' || n % 4 FROM generate_series(1, 40) n;
INSERT INTO firms (tenant, street, country) SELECT 't' || n % 2, 'street', 'land ' || n % 6 FROM generate_series(1, 12) n;
INSERT INTO towns SELECT n % 3, 'town ' || n, CASE WHEN n % 4 > 0 THEN 'area ' || n % 2 END, 'note' FROM generate_series(1, 12) n;
"""


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "nodes.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_nodes", _TABLES, mapping) as live:
        yield live


def _expect_equal(line, mapping):
    line.sync()
    found = mapped.differences(line.database, line.graph, mapping)
    assert not found, "\n".join(found) + line.engine.tail()


def _settle(line, mapping, timeout=40):
    """Until nothing is left to be read again."""
    deadline = time.monotonic() + timeout
    while line.engine.status()["tables"] or mapped.differences(line.database, line.graph, mapping):
        assert line.engine.running(), line.engine.tail()
        assert time.monotonic() < deadline, "\n".join(mapped.differences(line.database, line.graph, mapping)) + line.engine.tail()
        time.sleep(0.2)
    _expect_equal(line, mapping)


def _about(line):
    found = line.graph.rows("MATCH (n:About {person: 1}) RETURN n")
    assert len(found) <= 1
    return found[0]["n"].properties if found else None


def _count(line, label):
    return line.graph.value(f"MATCH (n:{label}) RETURN count(n)")


def test_the_snapshot_and_the_stream_make_them_alike(line, mapping):
    line.engine.start()
    _expect_equal(line, mapping)
    assert _count(line, "Mark") == 40 and 0 < _count(line, "Home") < 40 and _count(line, "Country") == 6
    line.database.execute("INSERT INTO people SELECT id + 100, tenant, version, knows, street, city, about, country FROM people")
    line.database.execute("INSERT INTO firms (tenant, street, country) SELECT tenant, street, country || '!' FROM firms")
    _expect_equal(line, mapping)
    assert line.graph.node("Home", 101).labels == {"Home", "Spot"}


def test_an_objects_fields_are_the_nodes_properties(line, mapping):
    line.engine.start()
    about = '{"a": 1.50, "b": {"c": [1]}, "d": null, "e": true, "about": "x", "id": 7}'
    line.database.execute("UPDATE people SET about = %s WHERE id = 1", (about,))
    line.sync()
    own = {"person": 1, "tenant": "t1", "version": 1}
    assert _about(line) == own | {"a": 1.5, "b": '{"c": [1]}', "e": True, "about": "x", "id": 7}
    for text in ("[1]", "null", "5", '"x"', '{"person": 1}', '{"version": 1}', '{"_cnx_stub": true}', '{"": 1}', '{"x__pg": 1}'):
        line.database.execute("UPDATE people SET about = %s WHERE id = 1", (text,))
        line.sync()
        assert _about(line) == own | {"about__pg": text}, text
    line.database.execute("UPDATE people SET about = %s WHERE id = 1", ('{"z": 1}',))
    line.sync()
    assert _about(line) == own | {"z": 1}
    line.database.execute("UPDATE people SET about = NULL WHERE id = 1")
    line.sync()
    assert _about(line) is None


def test_an_unchanged_large_object_is_left_alone(line, mapping):
    line.engine.start()
    line.database.execute("UPDATE people SET about = jsonb_build_object('big', repeat('x', 100000), 'n', 1) WHERE id = 1")
    line.sync()
    line.graph.rows("MATCH (n:About {person: 1}) SET n.theirs = 1")
    line.database.execute("UPDATE people SET street = 'another', version = 2 WHERE id = 1")
    line.sync()
    found = _about(line)
    assert len(found.pop("big")) == 100000
    assert found == {"person": 1, "tenant": "t1", "version": 2, "n": 1, "theirs": 1}
    # With the node gone there is nothing to leave alone: the row is read again.
    line.graph.rows("MATCH (n:About {person: 1}) DETACH DELETE n")
    line.database.execute("UPDATE people SET street = 'a third', version = 3 WHERE id = 1")
    _expect_equal(line, mapping)


def test_a_large_name_of_a_shared_node_that_is_left_out_stays(line, mapping):
    line.engine.start()
    line.database.execute("UPDATE people SET country = repeat('x', 5000) WHERE id IN (1, 3); UPDATE towns SET area = repeat('y', 50000) WHERE zone = 1")
    _expect_equal(line, mapping)
    line.database.execute("UPDATE towns SET note = 'another' WHERE zone = 1")
    line.database.execute("UPDATE people SET street = 'another' WHERE id = 1")
    _expect_equal(line, mapping)
    line.database.execute("UPDATE people SET tenant = 't9' WHERE id = 1; UPDATE people SET street = 'a third' WHERE id = 3")
    _expect_equal(line, mapping)
    line.database.execute("UPDATE people SET country = NULL WHERE id = 3; DELETE FROM people WHERE id = 1; UPDATE towns SET area = 'z' WHERE zone = 1")
    _expect_equal(line, mapping)


def test_they_go_along_with_a_key_and_with_its_row(line, mapping):
    line.engine.start()
    line.sync()
    line.graph.rows("MATCH (n:Home {id: 2}) SET n.theirs = 1")
    line.database.execute("UPDATE people SET id = id + 1000 WHERE id = 2")
    line.sync()
    assert line.graph.node("Home", 1002).properties["theirs"] == 1 and line.graph.node("Home", 2) is None
    line.graph.rows("MATCH (n:Home {id: 1002}) SET n.theirs = null")
    with line.database.transaction():  # A swap, of one with an address and one without.
        line.database.execute("UPDATE people SET id = -1 WHERE id = 4; UPDATE people SET id = 4 WHERE id = 3; UPDATE people SET id = 3 WHERE id = -1")
    _expect_equal(line, mapping)
    line.graph.rows("MATCH (n:Home {id: 7}) CREATE (n)-[:THEIRS]->(:Theirs)")
    line.database.execute("DELETE FROM people WHERE id IN (7, 8)")
    line.sync()
    assert line.graph.node("Home", 7).properties == {"id": 7, "tenant": "t1", "_cnx_stub": True}
    assert line.graph.node("Home", 7).labels == {"Home"}
    line.graph.rows("MATCH (n:Theirs) DETACH DELETE n")
    line.graph.rows("MATCH (n:Home {id: 7}) DELETE n")
    _expect_equal(line, mapping)
    line.database.execute("TRUNCATE people; INSERT INTO people VALUES (1, 't0', 1, NULL, 's', NULL, NULL, 'land 9')")
    _expect_equal(line, mapping)
    assert [_count(line, label) for label in ("Person", "Home", "Mark", "About")] == [1, 1, 1, 0]


def test_a_shared_node_goes_with_the_last_row_that_names_it(line, mapping):
    line.engine.start()
    line.sync()
    line.database.execute("UPDATE people SET country = 'once' WHERE id IN (1, 2); UPDATE firms SET country = 'once'")
    _expect_equal(line, mapping)
    names = "MATCH (n:Country {name: 'once'}) RETURN n.tenant AS tenant ORDER BY tenant"
    assert [row["tenant"] for row in line.graph.rows(names)] == ["t0", "t1"]
    line.database.execute("UPDATE firms SET country = NULL; UPDATE people SET country = 'twice' WHERE id = 1")
    _expect_equal(line, mapping)
    assert [row["tenant"] for row in line.graph.rows(names)] == ["t0"]
    line.graph.rows("MATCH (n:Country {name: 'once'}) SET n.theirs = 1")
    line.database.execute("DELETE FROM people WHERE id = 2")
    line.sync()
    assert line.graph.rows("MATCH (n:Country {name: 'once'}) RETURN n")[0]["n"].properties["theirs"] == 1
    line.graph.rows("MATCH (n:Country {name: 'once'}) DELETE n")
    _expect_equal(line, mapping)


@pytest.mark.parametrize("seed", range(4))
def test_any_history_leads_to_what_the_tables_say(line, mapping, seed):
    chosen = random.Random(seed)
    line.engine.start()
    abouts = [None, "[1]", "null", '{"a": 1, "b": "x"}', '{"c": true}', "{}", '{"person": 1}', '{"big": "' + "y" * 9000 + '"}']

    def step():
        key, other = chosen.randint(1, 45), chosen.randint(1, 45)
        database = line.database
        match chosen.randint(0, 9):
            case 0 | 1:
                database.execute("UPDATE people SET about = %s, version = version + 1 WHERE id = %s", (chosen.choice(abouts), key))
            case 2:
                database.execute("UPDATE people SET street = %s, city = %s, version = version + 1 WHERE id = %s",
                                 (chosen.choice([None, "s"]), chosen.choice([None, "c"]), key))
            case 3:
                database.execute("UPDATE people SET country = %s WHERE id = %s", (chosen.choice([None, "A", "B", "land 1"]), key))
            case 4:
                database.execute("UPDATE people SET id = %s WHERE id = %s AND NOT EXISTS (SELECT FROM people WHERE id = %s)", (other, key, other))
            case 5:
                database.execute("DELETE FROM people WHERE id = %s", (key,))
            case 6 | 7:
                database.execute("INSERT INTO people VALUES (%s, 't0', 1, NULL, %s, NULL, %s, 'A') ON CONFLICT (id) DO UPDATE SET knows = %s",
                                 (key, chosen.choice([None, "s"]), chosen.choice(abouts), other))
            case 8:
                database.execute("UPDATE towns SET area = %s, note = %s, zone = zone + %s WHERE name = %s",
                                 (chosen.choice([None, "area 1", "x"]), chosen.choice([None, "n"]), chosen.randint(0, 1), f"town {key % 12}"))
            case 9:
                if chosen.random() < 0.1:
                    database.execute("TRUNCATE " + chosen.choice(["people", "firms", "towns"]))

    for _ in range(40):
        with line.database.transaction():
            for _ in range(chosen.randint(1, 6)):
                step()
        if chosen.random() < 0.05:
            line.engine.kill()
            line.engine.start()
    _expect_equal(line, mapping)


def _restart_with(line, mapping, text):
    assert line.engine.terminate() == 0
    mapping.write_text(text)
    line.engine.start()


def test_another_mapping_leaves_nothing_of_the_one_before(line, mapping):
    line.engine.start()
    _expect_equal(line, mapping)
    line.graph.rows("MATCH (n:Home {id: 1}) CREATE (n)-[:THEIRS]->(:Theirs)")
    fewer = (_MAPPING.replace("[street, {town: city}]", "[street]").replace("to: [Home, Spot]", "to: Home")
             .replace("      - HAS_MARK: {from: Mark}\n", "").replace("fields: about", "properties: [about]"))
    _restart_with(line, mapping, fewer)
    line.graph.rows("MATCH (n:Theirs) DETACH DELETE n")
    _settle(line, mapping)
    assert _count(line, "Mark") == 0 and line.graph.node("Home", 1).labels == {"Home"}
    assert line.graph.node("Home", 1).properties == {"id": 1, "tenant": "t1", "version": 1, "street": "street 1"}
    _restart_with(line, mapping, _MAPPING.replace("{name: country}", "{title: country}").replace("range: name", "range: title"))
    _settle(line, mapping)
    assert line.graph.value("MATCH (n:Country) WHERE n.name IS NOT NULL RETURN count(n)") == 0
    without = "\n".join(each for each in _MAPPING.splitlines() if "Country" not in each).split("  towns:")[0]
    _restart_with(line, mapping, without)
    _settle(line, mapping)
    assert [_count(line, label) for label in ("Country", "Area", "Town", "Note")] == [0, 0, 0, 0]


def test_what_is_left_over_is_swept(line, mapping):
    line.engine.start()
    _expect_equal(line, mapping)
    # Nothing in the stream tells of these rows: the table becomes another.
    line.database.execute("CREATE TABLE fewer (LIKE people INCLUDING ALL); INSERT INTO fewer SELECT * FROM people WHERE id < 20;"
                          "UPDATE fewer SET street = NULL, city = NULL, country = 'new' WHERE id < 10;"
                          "DROP TABLE people; ALTER TABLE fewer RENAME TO people;"
                          "GRANT SELECT ON people TO PUBLIC")
    line.engine.init()
    _settle(line, mapping)
    assert _count(line, "Mark") == 19
    line.database.execute("DROP TABLE people")
    deadline = time.monotonic() + 40
    while sum(_count(line, label) for label in ("Person", "Home", "Mark", "About")) > 0:
        assert time.monotonic() < deadline, line.engine.tail()
        time.sleep(0.2)
    assert line.graph.value("MATCH (n:Country) WHERE NOT (n)--() RETURN count(n)") == 0


def test_they_have_indexes_of_their_own(line):
    found = line.graph.rows("SHOW INDEXES YIELD labelsOrTypes, properties, type WHERE type = 'RANGE' RETURN labelsOrTypes AS labels, properties")
    assert {"labels": ["Country"], "properties": ["name"]} in found


def test_people_see_them(line, mapping):
    shown = line.engine.expect("explain", "people", "--mapping", str(mapping)).output
    assert "also (:Home:Spot {id}) by (:Person)-[:LIVES_AT]->(:Home), there while one has a value of city, street" in shown
    assert "also (:Mark {id}) by (:Mark)-[:HAS_MARK]->(:Person), there for every row" in shown
    assert "(:Person)-[:FROM]->(:Country) by tenant, country, key of nodes that rows share (name)" in shown
    text = line.engine.expect("map show", "--mapping", str(mapping)).output
    assert "(:Person)-[:TELLS]->(:About)" in text and "(:Country {_cnx_key})" in text and "name STRING" in text
    assert "HAS_MARK" in line.engine.expect("map show", "--mapping", str(mapping), "--format", "mermaid").output
    assert "HAS_MARK" in line.engine.expect("map show", "--mapping", str(mapping), "--format", "svg").output


def test_dropping_the_graph_leaves_none(line, mapping):
    line.engine.once()
    line.engine.expect("drop", "--graph", "--yes", "--mapping", str(mapping))
    assert line.graph.value("MATCH (n) RETURN count(n)") == 0
