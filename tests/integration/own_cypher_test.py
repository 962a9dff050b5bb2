"""A Cypher statement of the user's own in place of the generated upsert: it gets each row once, by copy and by stream, in order;
rows that go are removed by the engine."""

import pytest

from lib.live import mapped_tables

_MAPPING = """version: 1
name: own
tables:
  documents:
    node: Document
    key: id
    cypher: |
      UNWIND $rows AS row
      MERGE (d:Document {id: row.id})
      SET d.title = row.title, d.words = size(split(coalesce(row.body, ''), ' ')), d.runs = coalesce(d.runs, 0) + 1
      FOREACH (_ IN CASE WHEN row.folder IS NULL THEN [] ELSE [1] END |
        MERGE (f:Folder {name: row.folder}) MERGE (d)-[:LIES_IN]->(f))
  notes: {node: Note, key: id, relationships: [ABOUT: {to: {documents: document}}]}
"""
_TABLES = """
CREATE TABLE documents (id int PRIMARY KEY, title text, body text, folder text);
CREATE TABLE notes (id int PRIMARY KEY, document int REFERENCES documents ON DELETE SET NULL ON UPDATE CASCADE, text text);
INSERT INTO documents SELECT n, 'title ' || n, repeat('word ', n), 'folder ' || n % 3 FROM generate_series(1, 30) n;
INSERT INTO notes SELECT n, n, 'note' FROM generate_series(1, 30) n;
"""


@pytest.fixture
def line(servers, graph, tmp_path):
    mapping = tmp_path / "own.yaml"
    mapping.write_text(_MAPPING)
    with mapped_tables(servers, "cnx_own", _TABLES, mapping) as live:
        live.engine.start()
        live.sync()
        yield live
        assert live.engine.running(), live.engine.tail()


def _documents(line):
    return {row["id"]: (row["title"], row["words"], row["runs"], row["folder"]) for row in line.graph.rows(
        "MATCH (d:Document) OPTIONAL MATCH (d)-[:LIES_IN]->(f:Folder) WITH d, collect(f.name) AS folders "
        "RETURN d.id AS id, d.title AS title, d.words AS words, d.runs AS runs, folders[0] AS folder")}


def test_each_row_is_given_once_whole_and_in_order(line):
    assert _documents(line) == {n: (f"title {n}", n + 1, 1, f"folder {n % 3}") for n in range(1, 31)}
    assert line.graph.value("MATCH (:Note)-[r:ABOUT]->(:Document) RETURN count(r)") == 30
    for step in range(5):
        line.database.execute("UPDATE documents SET title = 'step ' || %s WHERE id <= 10", (step,))
    line.database.execute("INSERT INTO documents VALUES (31, 'new', NULL, NULL)")
    line.sync()
    documents = _documents(line)
    assert all(documents[n] == ("step 4", n + 1, 6, f"folder {n % 3}") for n in range(1, 11))
    assert documents[11] == ("title 11", 12, 1, "folder 2") and documents[31] == ("new", 1, 1, None)


def test_rows_that_go_take_their_node_and_leave_what_the_statement_made_beside_it(line):
    with line.database.transaction():
        line.database.execute("INSERT INTO documents VALUES (50, 'short', 'lived', 'nowhere')")
        line.database.execute("DELETE FROM documents WHERE id IN (50, 3)")
    line.sync()
    assert line.graph.value("MATCH (d:Document) WHERE d.id IN [3, 50] AND d._cnx_stub IS NULL RETURN count(d)") == 0
    # LIES_IN is no relationship of the mapping's: a node that has one stays as a stub for those who made it.
    line.database.execute("TRUNCATE documents CASCADE")
    line.sync()
    assert line.graph.value("MATCH (n:Note) RETURN count(n)") == 0
    assert line.graph.value("MATCH (d:Document) WHERE d._cnx_stub IS NULL RETURN count(d)") == 0


def test_after_a_restart_nothing_is_given_again(line):
    line.engine.kill()
    line.database.execute("UPDATE documents SET body = 'one two three' WHERE id = 7")
    line.engine.start()
    line.sync()
    documents = _documents(line)
    assert documents[7][1:3] == (3, 2) and documents[8][2] == 1
