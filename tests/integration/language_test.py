"""The mapping language beyond columns and foreign keys: forms of a property, indexes, constants, labels, types, row filters.

What is expected is written out here, value by value: the snapshot and the stream must both come to it.
"""

import json
import random

import pytest

from lib import database as postgres
from lib.graph import Temporal
from lib.live import mapped_tables

_MAPPING = """version: 1
name: language
defaults: {key: id}
tables:
  forms:
    node: Form
    properties:
      price: {column: price, as: float}
      place: {column: place, as: point}
      weights: {column: weights, as: vector}
      numbers: {column: numbers, as: list<float>}
      told: {column: told, as: vector}
      meta: {column: meta, as: flatten}
      day: {column: day, as: string}
      source: {constant: shop}
      tier: {constant: 3}
    indexes:
      - range: [price, day]
      - text: day
      - fulltext: [day, meta_title]
      - point: place
      - {vector: weights, dimensions: 2}
  staff:
    node: [Employee, Human]
    labels: {column: kind, when: {a: Admin, g: Guest}}
    version: version
    conflict: graph_wins
    properties: {note: {column: note, as: flatten}}
    relationships:
      - WORKS_UNDER: {to: {staff: chief}}
  guests: {node: [Guest1, Human], labels: {column: kind, when: {v: Vip}, otherwise: Plain}, exclude: kind}
  opinions:
    relationship: {column: kind, when: {l: LIKES, h: HATES}}
    from: {staff: a}
    to: {staff: b}
    properties: [note]
    indexes: [{range: note}]
  calls:
    relationship: {column: kind, when: {v: VIDEO}, otherwise: CALL}
    from: {staff: a}
    to: {staff: b}
    key: id
    properties: [note]
  posts:
    node: Post
    where: |
      state <> 'draft' AND id < 1000   -- published ones
    relationships:
      - BY: {to: {staff: author}}
  marks:
    relationship: MARKED
    from: {staff: a}
    to: {posts: b}
    where: a > 0
  follows:
    relationship: FOLLOWS
    from: {forms: a}
    to: {forms: b}
    properties: [{about: {column: about, as: flatten}}, {share: {column: share, as: float}}, {weight: {constant: 0.5}}, {sure: {constant: true}}]
    indexes: [{range: share}]
"""

_TABLES = """
CREATE TABLE forms (id int PRIMARY KEY, price numeric, place point, weights real[], numbers numeric[], told text, meta jsonb, day date);
CREATE TABLE staff (id int PRIMARY KEY, kind text, chief int, version int NOT NULL DEFAULT 1, note jsonb);
CREATE TABLE guests (id int PRIMARY KEY, kind text);
CREATE TABLE opinions (a int, b int, kind text, note text, PRIMARY KEY (a, b));
CREATE TABLE calls (id int PRIMARY KEY, a int, b int, kind text, note text);
CREATE TABLE posts (id int PRIMARY KEY, state text, author int, body text);
ALTER TABLE posts REPLICA IDENTITY FULL;
CREATE TABLE marks (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE follows (a int REFERENCES forms, b int REFERENCES forms, about json, share numeric, PRIMARY KEY (a, b));
"""


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "language.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_language", _TABLES, mapping) as live:
        yield live


def _properties(line, label, key):
    found = line.graph.node(label, key)
    return {name: value for name, value in found.properties.items() if name not in ("id", "source", "tier")}


# Forms of a property.

_FORMS = [
    (("1.10", "(1.5,-2)", "{0.1,2}", "{1.50,NaN}", "[1,2.5]", '{"a": 1, "b": "x", "c": {"d": [1]}, "e": null, "f": 1.50, "g": true}', "2024-02-01"),
     {"price": 1.1, "place": Temporal("Point", "SRID=7203;POINT (1.5 -2.0)"), "weights": [0.1, 2.0], "numbers": [1.5, float("nan")],
      "told": [1.0, 2.5], "meta_a": 1, "meta_b": "x", "meta_c": '{"d": [1]}', "meta_f": 1.5, "meta_g": True, "day": "2024-02-01"}),
    (("NaN", "(NaN,1)", "{1,NULL}", "{{1,2}}", "none", "[1]", "infinity"),
     {"price": float("nan"), "place__pg": "(NaN,1)", "weights__pg": "{1,NULL}", "numbers__pg": "{{1,2}}", "told__pg": "none",
      "meta__pg": "[1]", "day": "infinity"}),
    (("1e400", "(1,Infinity)", "{}", "{}", "[1,NaN]", "{}", "4713-01-01 BC"),
     {"price__pg": "1" + "0" * 400, "place__pg": "(1,Infinity)", "weights__pg": "{}", "numbers": [], "told__pg": "[1,NaN]",
      "day": "4713-01-01 BC"}),
    ((None,) * 7, {}),
]


def _insert_form(database, key, values):
    database.execute("INSERT INTO forms VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", (key, *values))


def _same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert type(found[name]) is type(value), name
        assert repr(found[name]) == repr(value), name


def test_each_form_is_the_same_by_snapshot_and_by_stream(line):
    for number, (values, _) in enumerate(_FORMS):
        _insert_form(line.database, number, values)
    line.engine.start()
    line.sync()
    for number, (values, _) in enumerate(_FORMS):
        _insert_form(line.database, 10 + number, values)
    line.sync()
    for number, (_, expected) in enumerate(_FORMS):
        _same(_properties(line, "Form", number), expected)
        _same(_properties(line, "Form", 10 + number), expected)


def test_each_form_leads_to_each_other_and_leaves_nothing_behind(line):
    line.engine.start()
    _insert_form(line.database, 1, _FORMS[0][0])
    columns = ", ".join(f"{name} = %s" for name in ("price", "place", "weights", "numbers", "told", "meta", "day"))
    for values, expected in [_FORMS[i] for i in (1, 0, 2, 3, 0, 3, 1, 2, 0)]:
        line.database.execute(f"UPDATE forms SET {columns} WHERE id = 1", values)
        line.sync()
        _same(_properties(line, "Form", 1), expected)


def test_fields_that_vanish_go_and_what_is_others_stays(line):
    line.engine.start()
    line.database.execute("INSERT INTO forms (id, meta) VALUES (1, '{\"a\": 1, \"b\": 2}')")
    line.sync()
    line.graph.rows("MATCH (f:Form {id: 1}) SET f.mine = 1")
    line.database.execute("UPDATE forms SET meta = '{\"b\": 3, \"c\": \"new\"}' WHERE id = 1")
    line.sync()
    assert _properties(line, "Form", 1) == {"mine": 1, "meta_b": 3, "meta_c": "new"}
    line.database.execute("UPDATE forms SET meta = '\"text\"' WHERE id = 1")
    line.sync()
    assert _properties(line, "Form", 1) == {"mine": 1, "meta__pg": '"text"'}
    with line.database.transaction():
        line.database.execute("DELETE FROM forms WHERE id = 1")
        line.database.execute("INSERT INTO forms (id, meta) VALUES (1, '{\"d\": true}')")
    line.sync()
    assert _properties(line, "Form", 1) == {"mine": 1, "meta_d": True}


def test_an_unchanged_object_keeps_its_fields(line):
    line.engine.start()
    line.database.execute("ALTER TABLE forms ALTER meta SET STORAGE EXTERNAL")
    line.database.execute("INSERT INTO forms (id, price, meta) VALUES (1, 1, jsonb_build_object('big', repeat('x', 100000), 'a', 1))")
    line.sync()
    line.database.execute("UPDATE forms SET price = 2 WHERE id = 1")
    line.sync()
    found = _properties(line, "Form", 1)
    assert (found["price"], found["meta_a"], len(found["meta_big"])) == (2.0, 1, 100000)


def test_a_stub_keeps_no_field(line):
    line.engine.start()
    line.database.execute("INSERT INTO forms (id, meta) VALUES (1, '{\"a\": 1}')")
    line.sync()
    line.graph.rows("MATCH (f:Form {id: 1}) CREATE (f)-[:MINE]->(:Somebody)")
    line.database.execute("DELETE FROM forms WHERE id = 1")
    line.sync()
    assert _properties(line, "Form", 1) == {"_cnx_stub": True}


def test_a_refused_row_leaves_the_fields_that_are_there(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1, 'a', 9, 1, '{\"x\": 1}')")
    line.sync()
    line.graph.rows("MATCH (s:Employee {id: 1}) SET s.version = 5")
    for version, expected in ((2, {"note_x": 1}), (6, {"note_y": 2})):
        line.database.execute("UPDATE staff SET note = '{\"y\": 2}', version = %s WHERE id = 1", (version,))
        line.sync()
        found = line.graph.node("Employee", 1).properties
        assert {name: value for name, value in found.items() if name.startswith("note")} == expected


def test_fields_of_a_relationship(line):
    line.engine.start()
    line.database.execute("INSERT INTO forms (id) VALUES (1), (2)")
    line.database.execute("INSERT INTO follows VALUES (1, 2, '{\"a\": 1, \"b\": \"\\u00e9\"}', 0.5)")
    line.sync()
    found = [r.properties for r in line.graph.relationships("Form", 1, "FOLLOWS", "Form", 2)]
    assert found == [{"about_a": 1, "about_b": "é", "share": 0.5, "weight": 0.5, "sure": True}]
    line.database.execute("UPDATE follows SET about = '{\"b\": null, \"c\": 2}', share = 1e999 WHERE a = 1")
    line.sync()
    found = [r.properties for r in line.graph.relationships("Form", 1, "FOLLOWS", "Form", 2)]
    assert found == [{"about_c": 2, "share__pg": "1" + "0" * 999, "weight": 0.5, "sure": True}]


def test_fields_go_with_a_mapping_that_flattens_no_more(line, mapping):
    line.database.execute("INSERT INTO forms (id, meta) VALUES (1, '{\"a\": 1, \"title\": \"x\"}'), (2, NULL);"
                          "INSERT INTO follows VALUES (1, 2, '{\"a\": 1}', 0.5)")
    line.engine.once()
    assert _properties(line, "Form", 1) == {"meta_a": 1, "meta_title": "x"}
    line.graph.rows("MATCH (f:Form {id: 1}) SET f.metamine = 1")
    mapping.write_text(_MAPPING.replace("[day, meta_title]", "[day]").replace("meta: {column: meta, as: flatten}", "about: {column: meta}")
                       .replace("about: {column: about, as: flatten}", "about_a: {column: about}"))
    line.engine.init()
    line.engine.once()
    assert _properties(line, "Form", 1) == {"metamine": 1, "about": '{"a": 1, "title": "x"}'}
    found = [r.properties for r in line.graph.relationships("Form", 1, "FOLLOWS", "Form", 2)]
    assert found == [{"about_a": '{"a": 1}', "share": 0.5, "weight": 0.5, "sure": True}]


def test_the_graph_is_dropped_with_all_fields(line, mapping):
    line.database.execute("INSERT INTO forms (id, meta) VALUES (1, '{\"a\": 1}')")
    line.engine.once()
    line.engine.expect("drop", "--graph", "--yes", "--mapping", str(mapping))
    assert line.graph.value("MATCH (f:Form) RETURN count(f)") == 0


# Constants.

def test_a_constant_is_on_every_row_by_snapshot_and_by_stream(line):
    line.database.execute("INSERT INTO forms (id) VALUES (1)")
    line.engine.start()
    line.sync()
    line.database.execute("INSERT INTO forms (id) VALUES (2)")
    line.database.execute("UPDATE forms SET price = 1 WHERE id = 1")
    line.sync()
    for key in (1, 2):
        found = line.graph.node("Form", key).properties
        assert (found["source"], found["tier"], type(found["tier"])) == ("shop", 3, int)
    line.graph.rows("MATCH (f:Form {id: 1}) CREATE (f)-[:MINE]->(:Somebody)")
    line.database.execute("DELETE FROM forms WHERE id = 1")
    line.sync()
    assert line.graph.node("Form", 1).properties == {"id": 1, "_cnx_stub": True}


# Indexes.

def _indexes(line):
    rows = line.graph.rows("SHOW INDEXES YIELD name, type, entityType, properties, options, state, owningConstraint "
                           "WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN *")
    return {(row["type"], row["entityType"], *row["properties"]): row for row in rows}


_WANTED = {("RANGE", "NODE", "price", "day"), ("TEXT", "NODE", "day"), ("FULLTEXT", "NODE", "day", "meta_title"), ("POINT", "NODE", "place"),
           ("VECTOR", "NODE", "weights"), ("RANGE", "RELATIONSHIP", "share"), ("RANGE", "RELATIONSHIP", "note")}


def test_indexes_are_online_after_init_and_found_by_check(line):
    found = _indexes(line)
    assert set(found) == _WANTED
    assert {row["state"] for row in found.values()} == {"ONLINE"}
    assert "indexes online in Neo4j: 8" in line.engine.init().output
    line.graph.rows(f"DROP INDEX `{found['VECTOR', 'NODE', 'weights']['name']}`")
    assert "VECTOR INDEX" in line.engine.expect("init", "--dry-run").output
    line.engine.once()
    assert set(_indexes(line)) == _WANTED


def test_a_vector_is_found_by_its_index(line):
    line.engine.start()
    for key, weights in ((1, "{1,0}"), (2, "{0,1}"), (3, "{0.9,0.1}"), (4, "{1,2,3}"), (5, "{1,NULL}")):
        line.database.execute("INSERT INTO forms (id, weights) VALUES (%s, %s)", (key, weights))
    line.sync()
    name = _indexes(line)["VECTOR", "NODE", "weights"]["name"]
    line.graph.rows("CALL db.awaitIndexes(60)")
    rows = line.graph.rows("CALL db.index.vector.queryNodes($name, 5, [1.0, 0.0]) YIELD node RETURN node.id AS id", name=name)
    assert [row["id"] for row in rows] == [1, 3, 2]


def test_an_index_with_another_definition_replaces_ours(line, mapping):
    mapping.write_text(_MAPPING.replace("dimensions: 2", "dimensions: 3, similarity: euclidean"))
    line.engine.init()
    options = _indexes(line)["VECTOR", "NODE", "weights"]["options"]["indexConfig"]
    assert (options["vector.dimensions"], options["vector.similarity_function"]) == (3, "EUCLIDEAN")
    assert set(_indexes(line)) == _WANTED


def test_drop_takes_the_indexes_too(line, mapping):
    line.graph.rows("CREATE RANGE INDEX mine FOR (f:Form) ON (f.day)")
    line.engine.expect("drop", "--graph", "--yes", "--mapping", str(mapping))
    assert set(_indexes(line)) == {("RANGE", "NODE", "day")}


# Labels.

def _labels(line, label, key):
    return set(line.graph.node(label, key).labels) - {label}


def test_labels_are_the_same_by_snapshot_and_by_stream(line):
    rows = ((1, "a", {"Human", "Admin"}), (2, "g", {"Human", "Guest"}), (3, "x", {"Human"}), (4, None, {"Human"}))
    for key, kind, _ in rows:
        line.database.execute("INSERT INTO staff VALUES (%s, %s, 1)", (key, kind))
    line.database.execute("INSERT INTO guests VALUES (1, 'v'), (2, 'x'), (3, NULL)")
    line.engine.start()
    line.sync()
    for key, kind, _ in rows:
        line.database.execute("INSERT INTO staff VALUES (%s, %s, %s)", (10 + key, kind, None if key == 1 else 11))
    line.sync()
    for key, _, expected in rows:
        assert _labels(line, "Employee", key) == expected
        assert _labels(line, "Employee", 10 + key) == expected
    assert [_labels(line, "Guest1", key) for key in (1, 2, 3)] == [{"Human", "Vip"}, {"Human", "Plain"}, {"Human", "Plain"}]


def test_a_label_follows_its_value_and_others_keep_theirs(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1, 'a', NULL), (2, 'a', 1)")
    line.sync()
    line.graph.rows("MATCH (s:Employee) SET s:Mine")
    for kind, expected in (("g", {"Guest"}), ("x", set()), ("a", {"Admin"}), (None, set()), ("g", {"Guest"})):
        line.database.execute("UPDATE staff SET kind = %s, version = version + 1", (kind,))
        line.sync()
        for key in (1, 2):
            assert _labels(line, "Employee", key) == {"Human", "Mine"} | expected
    with line.database.transaction():
        line.database.execute("DELETE FROM staff WHERE id = 2")
        line.database.execute("INSERT INTO staff VALUES (2, 'a', 1)")
    line.sync()
    assert _labels(line, "Employee", 2) == {"Human", "Mine", "Admin"}


def test_a_stub_and_a_refused_row_choose_no_label(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1, 'a', 9)")
    line.sync()
    assert _labels(line, "Employee", 9) == set()
    line.graph.rows("MATCH (s:Employee {id: 1}) SET s.version = 5")
    line.database.execute("UPDATE staff SET kind = 'g', version = 2 WHERE id = 1")
    line.sync()
    assert _labels(line, "Employee", 1) == {"Human", "Admin"}
    line.database.execute("INSERT INTO staff VALUES (9, 'g')")
    line.sync()
    assert _labels(line, "Employee", 9) == {"Human", "Guest"}
    line.database.execute("DELETE FROM staff WHERE id = 9")
    line.sync()
    assert line.graph.node("Employee", 9).labels == {"Employee"}
    assert line.graph.node("Employee", 9).properties == {"id": 9, "_cnx_stub": True}


def test_a_value_that_the_stream_leaves_out_keeps_its_label(line):
    line.engine.start()
    line.database.execute("ALTER TABLE guests ADD big text, ALTER big SET STORAGE EXTERNAL")
    line.database.execute("INSERT INTO guests VALUES (1, 'v', repeat('x', 100000))")
    line.sync()
    line.database.execute("UPDATE guests SET kind = 'p' WHERE id = 1")
    line.sync()
    assert _labels(line, "Guest1", 1) == {"Human", "Plain"}
    assert len(line.graph.node("Guest1", 1).properties["big"]) == 100000


# Types.

def _links(line, *types):
    rows = line.graph.rows("MATCH (a)-[r]->(b) WHERE type(r) IN $types RETURN a.id AS a, type(r) AS type, b.id AS b, r.note AS note", types=list(types))
    return sorted((row["a"], row["type"], row["b"], row["note"]) for row in rows)


def test_a_type_is_the_same_by_snapshot_and_by_stream(line):
    def fill(first):
        for key in (first, first + 1):
            line.database.execute("INSERT INTO staff VALUES (%s)", (key,))
        line.database.execute("INSERT INTO opinions VALUES (%s, %s, 'l', 'x'), (%s, %s, 'h', 'y'), (%s, %s, 'q', 'z')",
                              (first, first, first, first + 1, first + 1, first))
        line.database.execute("INSERT INTO calls VALUES (%s, %s, %s, 'v', '1'), (%s, %s, %s, 'a', '2'), (%s, %s, %s, NULL, '3')",
                              (first, first, first + 1, first + 1, first, first + 1, first + 2, first, first + 1))

    fill(1)
    line.engine.start()
    line.sync()
    fill(11)
    line.sync()
    for n in (1, 11):
        assert [link for link in _links(line, "LIKES", "HATES") if link[0] in (n, n + 1)] == [(n, "HATES", n + 1, "y"), (n, "LIKES", n, "x")]
        assert [link for link in _links(line, "VIDEO", "CALL") if link[0] == n] == [
            (n, "CALL", n + 1, "2"), (n, "CALL", n + 1, "3"), (n, "VIDEO", n + 1, "1")]


def test_a_type_follows_its_value_and_its_ends(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1), (2), (3)")
    line.database.execute("INSERT INTO opinions VALUES (1, 2, 'l', 'x')")
    line.database.execute("INSERT INTO calls VALUES (1, 1, 2, 'v', 'c')")
    line.sync()
    for kind, expected in (("h", ["HATES"]), ("q", []), ("l", ["LIKES"]), (None, []), ("h", ["HATES"])):
        line.database.execute("UPDATE opinions SET kind = %s", (kind,))
        line.database.execute("UPDATE calls SET kind = %s", ("v" if kind == "l" else kind,))
        line.sync()
        assert _links(line, "LIKES", "HATES") == [(1, kind_, 2, "x") for kind_ in expected]
        assert _links(line, "VIDEO", "CALL") == [(1, "VIDEO" if kind == "l" else "CALL", 2, "c")]
    line.database.execute("UPDATE opinions SET b = 3, kind = 'l'")
    line.database.execute("UPDATE calls SET b = 3, kind = 'v'")
    line.sync()
    assert _links(line, "LIKES", "HATES", "VIDEO", "CALL") == [(1, "LIKES", 3, "x"), (1, "VIDEO", 3, "c")]
    line.database.execute("UPDATE calls SET b = NULL")
    line.sync()
    assert _links(line, "VIDEO", "CALL") == []
    line.database.execute("UPDATE calls SET b = 2, kind = 'x'")
    line.sync()
    assert _links(line, "VIDEO", "CALL") == [(1, "CALL", 2, "c")]
    line.database.execute("DELETE FROM opinions")
    line.database.execute("DELETE FROM calls")
    line.sync()
    assert _links(line, "LIKES", "HATES", "VIDEO", "CALL") == []


def test_a_truncated_table_loses_relationships_of_all_types(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1), (2)")
    line.database.execute("INSERT INTO opinions VALUES (1, 2, 'l', 'x'), (2, 1, 'h', 'y')")
    line.sync()
    assert len(_links(line, "LIKES", "HATES")) == 2
    line.database.execute("TRUNCATE opinions")
    line.sync()
    assert _links(line, "LIKES", "HATES") == []


# Row filters.

def _posts(line):
    return {row["id"]: row["state"] for row in line.graph.rows("MATCH (p:Post) WHERE p._cnx_stub IS NULL RETURN p.id AS id, p.state AS state")}


def test_the_copy_and_the_stream_take_the_rows_of_the_filter(line):
    rows = [(1, "public"), (2, "draft"), (3, None), (1001, "public")]
    for key, state in rows:
        line.database.execute("INSERT INTO posts VALUES (%s, %s, 1)", (key, state))
    line.database.execute("INSERT INTO marks VALUES (1, 1), (-1, 1)")
    line.engine.start()
    line.sync()
    assert _posts(line) == {1: "public"}
    for key, state in rows:
        line.database.execute("INSERT INTO posts VALUES (%s, %s, 1)", (key + 10, state))
    line.database.execute("INSERT INTO marks VALUES (1, 11), (-1, 11)")
    line.sync()
    assert _posts(line) == {1: "public", 11: "public"}
    assert line.graph.value("MATCH (:Employee {id: 1})-[r:MARKED]->(:Post) RETURN count(r)") == 2
    assert line.graph.value("MATCH ()-[r:MARKED]->() RETURN count(r)") == 2


def test_a_row_that_leaves_the_filter_goes_and_one_that_enters_comes(line):
    line.engine.start()
    line.database.execute("INSERT INTO staff VALUES (1)")
    line.database.execute("INSERT INTO posts VALUES (1, 'public', 1), (2, 'draft', 1)")
    line.sync()
    line.database.execute("UPDATE posts SET state = 'draft' WHERE id = 1")
    line.database.execute("UPDATE posts SET state = 'public' WHERE id = 2")
    line.sync()
    assert _posts(line) == {2: "public"}
    line.database.execute("UPDATE posts SET body = 'changed' WHERE id = 1")
    line.database.execute("UPDATE posts SET id = 1002 WHERE id = 2")
    line.sync()
    assert _posts(line) == {}
    with line.database.transaction():
        line.database.execute("UPDATE posts SET id = 3 WHERE id = 1002")
        line.database.execute("UPDATE posts SET state = 'public' WHERE id = 1")
    line.sync()
    assert _posts(line) == {1: "public", 3: "public"}
    assert line.graph.value("MATCH (:Post)-[r:BY]->(:Employee {id: 1}) RETURN count(r)") == 2


def test_a_row_that_is_read_again_is_held_against_the_filter(line):
    line.engine.start()
    line.database.execute("ALTER TABLE posts ALTER body SET STORAGE EXTERNAL")
    line.database.execute("INSERT INTO posts SELECT n, 'public', 1, repeat('x', 100000) FROM generate_series(1, 2) n")
    line.sync()
    assert line.engine.terminate() == 0
    line.graph.rows("MATCH (p:Post) DETACH DELETE p")
    line.database.execute("UPDATE posts SET author = 2")
    line.database.execute("UPDATE posts SET state = 'draft' WHERE id = 2")
    line.engine.start()
    line.sync()
    assert _posts(line) == {1: "public"}
    assert len(line.graph.node("Post", 1).properties["body"]) == 100000


def test_a_publication_without_the_filter_is_seen_and_mended(line, mapping):
    assert line.engine.verb("check", "--mapping", str(mapping), url=line.engine.url).code == 0
    assert line.engine.expect("init", "--dry-run").output.count("PUBLICATION") == 0
    for other in ("", " WHERE (state <> 'draft')"):
        line.database.execute("ALTER PUBLICATION contextnexus SET TABLE forms, staff, guests, opinions, calls, follows, marks WHERE (a > 0), posts" + other)
        outcome = line.engine.verb("check", "--mapping", str(mapping), url=line.engine.url)
        assert outcome.code != 0 and "the mapping takes WHERE" in outcome.text
        outcome = line.engine.verb("run", "--once", url=line.engine.url)
        assert outcome.code != 0 and "other rows" in outcome.text
        line.engine.init()
        assert line.engine.verb("check", "--mapping", str(mapping), url=line.engine.url).code == 0
    line.database.execute("INSERT INTO posts VALUES (1, 'public', 1), (2, 'draft', 1)")
    line.engine.once()
    assert _posts(line) == {1: "public"}


@pytest.mark.parametrize("where, word", [
    ("stat = 'public'", 'column "stat" does not exist'),
    ("body", "must be type boolean"),
    ("state = ", "syntax error"),
    ("kind = 'a'", "kind"),
])
def test_a_condition_that_is_none_is_refused_with_the_servers_word(line, mapping, where, word):
    mapping.write_text(_MAPPING.replace("state <> 'draft' AND id < 1000   -- published ones", where))
    outcome = line.engine.verb("init")
    assert outcome.code != 0 and word in outcome.text and "posts" in outcome.text


def test_a_filter_by_a_column_that_old_rows_lack_is_refused_before_it_harms(line, mapping):
    mapping.write_text(_MAPPING.replace("    where: a > 0\n", "    where: note IS NULL\n"))
    line.database.execute("ALTER TABLE marks ADD note text")
    for verb in ("init", "run"):
        outcome = line.engine.verb(verb)
        assert outcome.code != 0 and "REPLICA IDENTITY FULL" in outcome.text
    line.database.execute("INSERT INTO marks VALUES (1, 1)")
    line.database.execute("UPDATE marks SET note = 'x'")


# All of it together.

def _rows(line, text):
    return [tuple(row) for row in line.database.rows(text)]


def _expect_equal(line):
    line.sync()
    kinds = {"a": {"Admin"}, "g": {"Guest"}}
    staff = {key: {"Human"} | kinds.get(kind, set()) for key, kind in _rows(line, "SELECT id, kind FROM staff")}
    found = line.graph.rows("MATCH (s:Employee) WHERE s._cnx_stub IS NULL RETURN s.id AS id, labels(s) AS labels")
    assert {row["id"]: set(row["labels"]) - {"Employee"} for row in found} == staff
    posts = _rows(line, "SELECT id, state, author FROM posts WHERE state <> 'draft' AND id < 1000")
    assert _posts(line) == {key: state for key, state, _ in posts}
    links = [(key, "BY", author, None) for key, _, author in posts if author is not None]
    links += [(a, {"l": "LIKES", "h": "HATES"}[kind], b, note)
              for a, b, kind, note in _rows(line, "SELECT a, b, kind, note FROM opinions WHERE kind IN ('l', 'h')")]
    links += [(a, "VIDEO" if kind == "v" else "CALL", b, note)
              for a, b, kind, note in _rows(line, "SELECT a, b, kind, note FROM calls WHERE a IS NOT NULL AND b IS NOT NULL")]
    links += [(a, "MARKED", b, None) for a, b in _rows(line, "SELECT a, b FROM marks WHERE a > 0")]
    order = [str(link) for link in _links(line, "BY", "LIKES", "HATES", "VIDEO", "CALL", "MARKED")]
    assert sorted(order) == sorted(map(str, links))
    fields = {}
    for key, text in _rows(line, "SELECT id, meta::text FROM forms WHERE meta IS NOT NULL"):
        fields[key] = text
    for key, text in fields.items():
        have = {name: value for name, value in _properties(line, "Form", key).items() if name.startswith("meta_")}
        want = {f"meta_{name}": value for name, value in json.loads(text).items()} if text.startswith("{") else {"meta__pg": text}
        assert have == want


def _change(database, chance):
    one, other = chance.randrange(1, 6), chance.randrange(1, 6)
    kind, state = chance.choice(("a", "g", "x", None)), chance.choice(("public", "draft", "other", None))
    opinion, call = chance.choice(("l", "h", "q", None)), chance.choice(("v", "c", None))
    meta = chance.choice(('{"a": 1}', '{"a": "x", "b": true}', '{"c": 1.5}', "{}", "[1]", '"s"'))
    statements = [
        ("INSERT INTO staff VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, version = staff.version + 1", (one, kind)),
        ("DELETE FROM staff WHERE id = %s", (one,)),
        ("INSERT INTO opinions VALUES (%s, %s, %s, 'n') ON CONFLICT (a, b) DO UPDATE SET kind = excluded.kind, note = opinions.note || '.'",
         (one, other, opinion)),
        ("UPDATE opinions SET b = b + 1 WHERE a = %s AND b = 5", (one,)),
        ("DELETE FROM opinions WHERE a = %s", (one,)),
        ("INSERT INTO calls VALUES (%s, %s, %s, %s, 'n') ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = excluded.b, kind = excluded.kind",
         (chance.randrange(8), chance.choice((one, None)), other, call)),
        ("UPDATE calls SET id = id + 10 WHERE id = %s", (one,)),
        ("DELETE FROM calls WHERE id = %s", (one,)),
        ("INSERT INTO posts VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET state = excluded.state, author = excluded.author",
         (one, state, other)),
        ("UPDATE posts SET id = id + 999 WHERE id = %s", (one,)),
        ("DELETE FROM posts WHERE id = %s", (one,)),
        ("INSERT INTO marks VALUES (%s, %s) ON CONFLICT DO NOTHING", (chance.choice((one, -one)), other)),
        ("UPDATE marks SET a = -a WHERE a = %s AND NOT EXISTS (SELECT FROM marks m WHERE m.a = -marks.a AND m.b = marks.b)", (one,)),
        ("INSERT INTO forms (id, meta) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET meta = excluded.meta", (one, meta)),
        ("DELETE FROM forms WHERE id = %s", (one,)),
    ]
    with database.transaction():
        for _ in range(1 + chance.randrange(4)):
            text, parameters = chance.choice(statements)
            database.execute("SAVEPOINT s")
            try:
                database.execute(text, parameters)
            except postgres.psycopg2.IntegrityError:
                database.execute("ROLLBACK TO SAVEPOINT s")


@pytest.mark.parametrize("seed", range(3))
def test_a_random_load_ends_equal(line, seed):
    chance = random.Random(seed)
    for _ in range(60):
        _change(line.database, chance)
    line.engine.start()
    for _ in range(4):
        for _ in range(60):
            _change(line.database, chance)
        _expect_equal(line)
