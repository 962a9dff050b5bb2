"""What the program keeps carries a version: an older program leaves a newer one's alone, a newer one upgrades an older's.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json
import re

import pytest

from lib.live import database_and_engine, expect_equal
from lib.world import World

VERBS = (("run", "--once"), ("status",), ("init",), ("init", "--dry-run"), ("drop", "--yes"), ("pause",), ("resume",))


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_versions") as made:
        World(made.database, "versions").fill_all()
        yield made


def test_the_program_says_which_it_is(line):
    text = line.engine.expect("--version").output
    assert re.fullmatch(r"contextnexus \d+\.\d+\.\d+( \(\S+\))?\n", text), text
    assert line.engine.expect("version").output.startswith(text)
    told = json.loads(line.engine.expect("version", "--json").output)
    assert told["version"] in text and told["commit"] in text
    assert told["position_format"] == line.graph.value("MATCH (p:ContextNexusPosition) RETURN p.format")
    assert told["engine_schema_version"] == line.database.value("SELECT version FROM contextnexus.version")


@pytest.mark.parametrize("verb", VERBS + (("schema install",),), ids=" ".join)
def test_tables_of_a_newer_program_are_left_alone(verb, line):
    line.engine.once()
    before, known = _state(line), line.database.value("SELECT version FROM contextnexus.version")
    line.database.execute("UPDATE contextnexus.version SET version = 99")
    outcome = line.engine.verb(*verb)
    assert outcome.code == 1 and "newer version" in outcome.text and "99" in outcome.text, outcome
    assert _state(line) == before
    check = line.engine.verb("check", "--json")
    assert check.code == 1 and "newer version" in check.output
    line.database.execute("UPDATE contextnexus.version SET version = %s", (known,))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb[0] not in ("pause", "resume")], ids=" ".join)
def test_a_graph_of_a_newer_program_is_left_alone(verb, line):
    line.engine.once()
    line.graph.rows("MATCH (p:ContextNexusPosition) SET p.format = 99")
    before = _state(line)
    outcome = line.engine.verb(*verb)
    assert outcome.code == 1 and "newer version" in outcome.text, outcome
    assert _state(line) == before


def _state(line):
    return (line.graph.rows("MATCH (p:ContextNexusPosition) RETURN p"), line.graph.value("MATCH (n) RETURN count(n)"),
            line.database.rows("SELECT * FROM contextnexus.pipelines"), line.database.slot()["slot_name"],
            line.database.rows("SELECT pubname FROM pg_publication"))


def _as_the_first_program_made_it(line):
    line.database.execute("DROP TABLE contextnexus.version")
    line.database.execute("ALTER TABLE contextnexus.pipelines DROP COLUMN paused_at, DROP COLUMN paused_by")


@pytest.mark.parametrize("upgrade", ("init", "schema install"))
def test_tables_of_an_older_program_are_brought_up_to_date(upgrade, line):
    line.engine.once()
    _as_the_first_program_made_it(line)
    outcome = line.engine.verb("run", "--once", url=line.engine.url)
    assert outcome.code == 2 and "older version" in outcome.text and "contextnexus init" in outcome.text, outcome
    if upgrade == "init":
        assert "brought up to date" in line.engine.expect("init", "--dry-run").output
        assert "brought up to date" in line.engine.expect("init").output
        assert "brought up to date" not in line.engine.expect("init").output
    else:
        line.engine.expect("schema install")
    line.engine.once()
    line.engine.expect("pause", url=line.engine.url)
    line.engine.expect("resume", url=line.engine.url)
    expect_equal(line.database, line.graph)


def test_a_role_that_may_not_upgrade_is_told_who_may(line):
    _as_the_first_program_made_it(line)
    outcome = line.engine.verb("init", url=line.engine.url)
    assert outcome.code == 5 and "owns the schema contextnexus" in outcome.output, outcome
