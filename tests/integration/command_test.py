"""The command line: help, errors, what init and drop leave behind, status, and no secret in any output.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json
from urllib.parse import urlsplit

import pytest

from lib import database as postgres
from lib.comparer import Foreign, differences
from lib.engine import Engine
from lib.live import database_and_engine, expect_equal
from lib.schema_form import LABELS, NODES, PAIRS
from lib.world import World

VERBS = ("schema", "init", "check", "explain", "run", "status", "pause", "resume", "resync", "drop", "version", "docs")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_command") as made:
        yield made


def _fill(line):
    return World(line.database, "command").fill_all()


# Help and errors.

def test_help_names_every_verb(line):
    text = line.engine.expect("--help").text
    assert not [verb for verb in VERBS if verb not in text], text


@pytest.mark.parametrize("verb", ("schema install", "init", "check", "explain", "run", "status", "pause", "resume", "resync", "drop"))
def test_every_verb_has_help(verb, line):
    assert "--postgres" in line.engine.expect(verb, "--help").text


@pytest.mark.parametrize("words", (("no-such-verb",), ("run", "--no-such-option"), ("drop",), ("schema",)))
def test_what_is_wrong_with_the_words_is_said_at_once(words, line):
    outcome = line.engine.verb(words[0], *words[1:])
    assert outcome.code not in (0, 134, 139), outcome
    assert outcome.text.strip()
    assert line.graph.position() is not None, "wrong words remove nothing"


@pytest.mark.parametrize("url, word", (
    ("postgresql://nobody:x@127.0.0.1:1/x", "127.0.0.1"),
    ("postgresql://nobody_there:x@{place}/cnx_command", "nobody_there"),
    ("postgresql://{user}@{place}/no_such_database", "no_such_database"),
))
def test_a_postgresql_that_is_not_there_is_named(url, word, line):
    parts = urlsplit(line.engine.admin_url)
    url = url.format(place=f"{parts.hostname}:{parts.port}", user=f"{parts.username}:{parts.password}")
    outcome = line.engine.verb("run", "--once", url=url, timeout=90)
    assert outcome.code != 0 and word in outcome.text, outcome
    assert parts.password not in outcome.text


def test_run_before_init_says_what_to_do(line, servers, template):
    url = postgres.create_database(servers.postgres_url, "cnx_command_bare", template)
    try:
        outcome = Engine(servers, url).verb("run", "--once", timeout=60)
        assert outcome.code != 0 and "init" in outcome.text, outcome
    finally:
        postgres.drop_database(servers.postgres_url, "cnx_command_bare")


# Schema and init.

def test_the_schema_may_be_installed_again_and_again(line, servers):
    url = postgres.create_database(servers.postgres_url, "cnx_command_schema")
    engine = Engine(servers, url)
    try:
        for _ in range(2):
            engine.expect("schema install")
        with postgres.Database(url) as database:
            World(database, "schema").fill_all()
            engine.expect("schema install")
            files = sorted((postgres.REPOSITORY / "sql").glob("[0-9]*.sql"))
            assert database.value("SELECT count(*) FROM contextnexus.schema_migrations") == len(files)
            assert database.value("SELECT count(*) FROM public.messages") == 2
    finally:
        postgres.drop_database(servers.postgres_url, "cnx_command_schema")


def test_init_may_be_run_again(line):
    _fill(line)
    line.engine.init()
    line.engine.once()
    before = line.graph.position()
    line.engine.init()
    assert line.graph.position() == before
    line.engine.once()
    expect_equal(line.database, line.graph)


def test_init_publishes_the_mapped_tables_and_no_others(line):
    published = {row[0] for row in line.database.rows("SELECT tablename FROM pg_publication_tables")}
    assert published == {*NODES, *PAIRS}


def test_every_label_has_its_constraint_before_the_first_row(line):
    constrained = {label for row in line.graph.rows("SHOW CONSTRAINTS YIELD type, labelsOrTypes "
                                                    "WHERE type = 'UNIQUENESS' RETURN labelsOrTypes AS labels")
                   for label in row["labels"]}
    assert LABELS <= constrained


def test_init_names_what_stands_in_the_way_of_a_constraint(line, servers, template):
    """Two nodes of one key that somebody made before: listed, not merged in silence."""
    line.engine.expect("drop", "--yes", "--graph")
    line.graph.wipe()
    line.graph.rows("CREATE (:Tag {id: 'twice'}), (:Tag {id: 'twice'})")
    with pytest.raises(AssertionError, match="Tag"):
        line.engine.init()
    assert line.graph.value("MATCH (n:Tag) RETURN count(n)") == 2


# Drop.

def test_drop_wants_to_be_asked_twice(line):
    outcome = line.engine.verb("drop")
    assert outcome.code != 0 and "--yes" in outcome.text
    assert line.graph.position() is not None


def test_drop_leaves_nothing_in_postgresql_and_keeps_the_graph(line):
    _fill(line)
    line.engine.once()
    nodes = line.graph.value("MATCH (n:Message) RETURN count(n)")
    line.engine.expect("drop", "--yes")
    assert line.database.slot() is None
    assert line.database.value("SELECT count(*) FROM pg_publication") == 0
    assert line.graph.position() is None
    assert line.graph.value("MATCH (n:Message) RETURN count(n)") == nodes


def test_drop_with_the_graph_removes_what_tables_made_that_are_gone(line):
    _fill(line)
    line.engine.once()
    assert line.graph.value("MATCH (:Tag) RETURN count(*)") > 0
    line.database.execute("DROP TABLE tags, content_tags; ALTER TABLE messages DROP COLUMN thread_id CASCADE")
    line.engine.expect("drop", "--yes", "--graph")
    assert line.graph.rows("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties") == []


def test_drop_with_the_graph_leaves_what_others_wrote(line):
    world = _fill(line)
    line.engine.once()
    line.graph.rows("MATCH (n:User {id: $id}) SET n:Seen, n.userNote = 'mine' "
                    "CREATE (n)-[:LIKES]->(:Person {id: 'p', name: 'x'})-[:KNOWS]->(:Person {id: 'q'})", id=world.user)
    line.engine.expect("drop", "--yes", "--graph")
    found = line.graph.rows("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
    persons = [row["properties"] for row in found if row["labels"] == ["Person"]]
    assert sorted(row["id"] for row in persons) == ["p", "q"] and {"id": "p", "name": "x"} in persons
    assert line.graph.value("MATCH ()-[r:KNOWS]->() RETURN count(r)") == 1
    assert line.graph.value("MATCH (n {userNote: 'mine'})-[:LIKES]->(:Person) RETURN count(n)") == 1
    rest = [row for row in found if row["labels"] != ["Person"]]
    assert len(rest) == 1, rest
    assert "email" not in rest[0]["properties"]


def test_after_a_drop_everything_can_be_made_anew(line):
    _fill(line)
    line.engine.once()
    line.engine.expect("drop", "--yes", "--graph")
    assert line.graph.value("MATCH (n) RETURN count(n)") == 0
    line.engine.init()
    line.engine.once()
    assert differences(line.database, line.graph, Foreign()) == []


# Status and secrets.

def test_status_as_json_says_where_the_line_stands(line):
    _fill(line)
    line.engine.once()
    status = line.engine.status()
    text = json.dumps(status)
    lsn, _ = line.graph.position()
    assert f"{lsn >> 32:X}/{lsn & 0xffffffff:X}" in text, text
    assert status["pipeline"] == "contextnexus"


def test_no_output_shows_a_password(line):
    _fill(line)
    line.engine.start()
    line.sync()
    texts = [line.engine.verb("status").text, line.engine.verb("status", "--json").text]
    line.engine.terminate()
    texts.append(line.engine.tail(1_000_000))
    outcome = line.engine.verb("run", "--once", url=line.engine.url.replace("a%20password", "a%20wrong"))
    assert outcome.code != 0
    texts += [outcome.text, line.engine.verb("status", url="postgresql://a:TOP-SECRET@127.0.0.1:1/x").text]
    admin = line.engine.admin_url.split(":")[2].split("@")[0]
    for secret in ("a password", "a%20password", "a%20wrong", "a wrong", "TOP-SECRET", admin):
        assert not [text for text in texts if secret in text], secret
