"""The plans that Neo4j makes of our statements.

Each text is planned once and the plan kept (`replan=skip`), so it must be right whatever the graph held at that moment:
nothing, or counts that mislead. A statement about rows reads no label and no type as a whole.
"""

import re

import pytest

from lib import database as postgres

# Golden texts of every form; a unit test holds the engine to them.
_LINES = (postgres.REPOSITORY / "tests/data/cypher/family_texts.txt").read_text().splitlines()
_TEXTS = list(zip(_LINES[::2], (line.strip() for line in _LINES[1::2])))
_CONSTRAINTS = [text for _, text in _TEXTS if "CREATE CONSTRAINT" in text]
# One that only refuses rows looks nothing up.
_ROW_STATEMENTS = [(name, text) for name, text in _TEXTS if "$batch.rows" in text and re.search("MATCH|MERGE", text)]
# What leads the transactions; the rows of few changes are one statement with it, but for those that divide by zero themselves.
_LEAD = (postgres.REPOSITORY / "tests/data/cypher/compare_and_set.txt").read_text().strip()
_LED = [(name, f"{_LEAD} WITH count(*) AS led {text.removeprefix('CYPHER 5 replan=skip ')}".replace("CYPHER 5", "CYPHER 5 replan=skip"))
        for name, text in _ROW_STATEMENTS if "1/0" not in text]
_LEAD_PARAMETERS = {name: 0 for name in re.findall(r"\$(\w+)", _LEAD)}

_GRAPHS = {
    "an empty graph": [],
    "one parent of all": ["CREATE (p:Parent {id: 0}) WITH p UNWIND range(1, 500) AS i "
                          "CREATE (p)-[:HAS_CHILD]->(:Child {id: i}), (p)-[:LIKES]->(:Child {id: -i})"],
    "few that all follow one another": ["UNWIND range(1, 30) AS i CREATE (:Child {id: i}), (:Order {id: i}), (:Parent {id: i})",
                                        "MATCH (a:Child), (b:Child) CREATE (a)-[:FOLLOWS]->(b)",
                                        "MATCH (a:Order), (b:Order) CREATE (a)-[:FOLLOWS]->(b)",
                                        "MATCH (a:Parent), (b:Child) CREATE (a)-[:HAS_CHILD]->(b), (a)-[:LIKES]->(b)"],
    "one type for much else": ["CREATE (c:Child {id: 1}), (o:Order {id: 1}), (p:Parent {id: 1}) WITH * "
                               "UNWIND range(1, 2000) AS i CREATE (x:Other) "
                               "CREATE (c)<-[:HAS_CHILD]-(x), (c)-[:FOLLOWS]->(x), (o)-[:FOLLOWS]->(x), (p)-[:LIKES]->(x)"],
}


# Operators that find by a unique key; the second is one of Neo4j 2026's, a MERGE by it.
_BY_KEY = ("UniqueIndexSeek", "MergeUniqueNode")


@pytest.fixture(params=_GRAPHS)
def some_graph(request, graph):
    graph.wipe()
    for text in [*_CONSTRAINTS, "CREATE CONSTRAINT position IF NOT EXISTS FOR (p:ContextNexusPosition) REQUIRE p.key IS UNIQUE"]:
        graph.rows(text)
    graph.rows("CALL db.awaitIndexes(60)")
    for text in _GRAPHS[request.param]:
        graph.rows(text)
    yield graph
    graph.wipe()


def _without_keys(graph, statements, seeks=1):
    wrong = []
    for name, text in statements:
        operators = graph.operators(text, batch={"rows": []}, clear={}, max=1, limit=1, **_LEAD_PARAMETERS)
        scans = [each for each in operators if "Scan" in each or "Join" in each]
        if scans or sum(by_key in each for each in operators for by_key in _BY_KEY) < seeks:
            wrong.append((name, scans))
    return wrong


def test_a_statement_about_rows_starts_from_keys(some_graph):
    assert len(_ROW_STATEMENTS) > 40
    assert not _without_keys(some_graph, _ROW_STATEMENTS)


@pytest.mark.parametrize("some_graph", ["one type for much else"], indirect=True)
def test_and_so_it_does_behind_the_position(some_graph):
    assert len(_LED) > 30
    assert not _without_keys(some_graph, _LED, seeks=2), "one is the position's own"


def test_what_stays_behind_leaves_piece_by_piece(some_graph):
    some_graph.rows("MATCH (n) DETACH DELETE n")
    some_graph.rows("CREATE (p:Parent {id: 1, tenant: 'acme'}) WITH p UNWIND range(1, 5) AS i "
                    "CREATE (p)-[:HAS_CHILD {note: i}]->(:Child {id: 'c' + i})")
    text = dict(_TEXTS)["leave behind in pieces Child.HAS_CHILD"]
    rows = {"rows": [{"k": 1, "t": "_cnx_waiting:1", "x": ["c3"]}]}
    assert [some_graph.value(text, batch=rows, limit=3) for _ in range(3)] == [3, 1, 0]
    children = ("MATCH (p:Parent {id: $id})-[r:HAS_CHILD]->(c:Child) WITH p, r, c ORDER BY c.id "
                "RETURN p._cnx_stub AS stub, p.tenant AS tenant, collect(c.id + ' ' + r.note) AS children")
    assert [dict(row) for row in some_graph.rows(children, id="_cnx_waiting:1")] == [
        {"stub": True, "tenant": "acme", "children": ["c1 1", "c2 2", "c4 4", "c5 5"]}]
    assert [dict(row) for row in some_graph.rows(children, id=1)] == [{"stub": None, "tenant": "acme", "children": ["c3 3"]}]


def test_a_scan_would_be_seen(some_graph):
    assert "NodeByLabelScan" in some_graph.operators("CYPHER 5 replan=skip MATCH (n:Nowhere {name: $k}) DELETE n", k=1)


def test_all_texts_are_planned_once():
    for name, text in _TEXTS:
        if "CREATE CONSTRAINT" not in text:
            assert text.startswith("CYPHER 5 replan=skip "), name
            assert not re.search(r"UNWIND \$rows", text), f"{name}: planned anew for each power of ten of its length"
