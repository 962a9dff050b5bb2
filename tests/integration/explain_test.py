"""`contextnexus explain TABLE`: the rule, the types of the live catalog, and the statements that the engine really sends.

Real servers: PostgreSQL and Neo4j. Every module has a database and an engine of its own.
"""

import json

import pytest

from lib.live import database_and_engine
from lib.schema_form import LABELS, NODES, NO_GRAPH_FORM, PAIRS


@pytest.fixture(scope="module")
def line(servers, template):
    with database_and_engine(servers, template, "cnx_explain") as made:
        yield made


def _explain(line, table, *words):
    return json.loads(line.engine.expect("explain", table, "--json", *words, url=line.engine.url).output)


@pytest.mark.parametrize("table", (*NODES, *PAIRS))
def test_every_table_of_the_schema_is_told_as_its_description_has_it(table, line):
    told = _explain(line, table)
    form = NODES.get(table)
    if form:
        assert told["form"] == "node" and told["name"] == form.label
        patterns = {relationship["pattern"] for relationship in told["relationships"]}
        assert patterns == {f"(:{link.start_label})-[:{link.type}]->(:{form.label})" for link in form.parents}
        assert form.stays <= set(told["left_out"])
    else:
        pair = PAIRS[table]
        assert told["pattern"] == f"(:{pair.start_label})-[:{pair.type}]->(:{pair.end_label})"
    assert told["table"] == f"public.{table}"


@pytest.mark.parametrize("table", (*NODES, *PAIRS))
def test_every_statement_is_one_that_neo4j_understands(table, line):
    told = _explain(line, table)
    assert [s["step"] for s in told["statements"]] == sorted(s["step"] for s in told["statements"])
    for statement in told["statements"]:
        assert statement["when"]
        line.graph.rows("EXPLAIN " + statement["text"], rows=[], clear={})
    for text in told["constraints"]:
        line.graph.rows(text)


def test_columns_types_and_roles_come_from_the_live_catalog(line):
    line.database.execute("ALTER TABLE public.tags ADD COLUMN seen_until timestamptz, ADD COLUMN scores numeric(10,2)[]")
    told = _explain(line, "tags")
    properties = {p["property"]: p for p in told["properties"]}
    assert properties["id"]["role"] == "key" and properties["id"]["type"] == "uuid"
    assert properties["version"]["role"] == "version" and told["version"] == "version"
    assert properties["tenantId"]["role"] == "tenant"
    assert properties["seenUntil"] == {"property": "seenUntil", "from": "seen_until", "type": "timestamp with time zone",
                                       "form": "ZONED DATETIME", "companion": "seenUntil__pg", "role": ""}
    assert properties["scores"]["form"] == "LIST OF STRING" and properties["scores"]["type"] == "numeric(10,2)[]"


def test_a_template_is_told_with_its_choice(line):
    told = _explain(line, "content_items")
    key = next(p for p in told["properties"] if p["property"] == "pgStorageKey")
    assert "storage_backend" in key["from"] and "{storage_key}" in key["from"], key


def test_the_text_form_shows_the_same_statements(line):
    told = _explain(line, "public.messages")
    text = line.engine.expect("explain", "public.messages", url=line.engine.url).output
    for statement in told["statements"]:
        assert statement["text"] in text
    for step in ("1. relationship removals", "2. node removals", "3. key changes", "4. node upserts"):
        assert step in text
    assert not [label for label in LABELS if label not in told["pattern"] and f"update {label}:" in text]


@pytest.mark.parametrize("table", NO_GRAPH_FORM)
def test_a_table_without_a_form_is_told_as_such(table, line):
    assert _explain(line, table)["form"] == "none"


def test_a_table_that_is_misspelt_is_asked_for(line):
    outcome = line.engine.verb("explain", "mesages", url=line.engine.url)
    assert outcome.code == 2 and "messages" in outcome.errors, outcome


def test_a_mapping_of_ones_own_is_told_with_its_own_statement(line, tmp_path):
    line.database.execute('CREATE TABLE public."No tes" (id int PRIMARY KEY, "te`xt" text)')
    line.database.execute('GRANT SELECT ON public."No tes" TO PUBLIC')
    mapping = tmp_path / "notes.yaml"
    mapping.write_text("version: 1\nname: notes\ntables:\n  No tes:\n    node: Note\n    key: id\n"
                       "    cypher: 'UNWIND $rows AS row MERGE (n:Note {id: row.id})'\n")
    told = _explain(line, "No tes", "--mapping", str(mapping))
    upserts = [s["text"] for s in told["statements"] if s["step"] == 4]
    assert upserts == ["UNWIND $rows AS row MERGE (n:Note {id: row.id})"]


def test_help_teaches(line):
    text = line.engine.expect("explain", "--help").text
    for word in ("order", "__pg", "Exit codes"):
        assert word in text, text
