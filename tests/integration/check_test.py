"""`contextnexus check`: nothing wrong is nothing said; each thing that is wrong is named with its cure; nothing stays.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json

import pytest

from lib import database as postgres
from lib.engine import ROLE
from lib.live import database_and_engine
from lib.world import World


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_check") as made:
        yield made


def _check(line, *words, url=None):
    outcome = line.engine.verb("check", "--json", *words, url=url or line.engine.url)
    assert outcome.code in (0, 1), outcome
    report = json.loads(outcome.output)
    assert (outcome.code == 0) == (report["faults"] == 0), report
    assert all(finding["cure"] for finding in report["findings"] if finding["grade"] != "ok"), report
    return report


def _found(report, grade):
    return [f"{f['side']} {f['what']}: {f['figure']} → {f['cure']}" for f in report["findings"] if f["grade"] == grade]


def _expect_fault(line, *words, url=None):
    """One fault says all of the words."""
    faults = _found(_check(line, url=url), "fault")
    assert [fault for fault in faults if all(word in fault for word in words)], faults or "no fault"
    return faults


def test_after_init_the_engines_role_has_no_faults(line):
    report = _check(line)
    assert _found(report, "fault") == []
    assert {"PostgreSQL", "mapping", "Neo4j", "pipeline"} == {f["side"] for f in report["findings"]}


def test_while_the_pipeline_runs_and_after_it_there_are_no_faults(line):
    World(line.database, "check").fill_all()
    line.engine.start()
    line.sync()
    assert _found(_check(line), "fault") == []
    line.engine.terminate()
    assert _found(_check(line), "fault") == []


def test_before_init_only_what_init_makes_is_missing(line, servers, template):
    line.engine.expect("drop", "--yes", "--graph")
    faults = _found(_check(line, url=line.engine.admin_url), "fault")
    assert faults and all("init" in fault for fault in faults), faults


def test_the_table_fits_and_ends_with_the_counts(line):
    outcome = line.engine.expect("check", url=line.engine.url)
    assert all(len(text) <= 100 for text in outcome.output.splitlines()), outcome.output
    assert outcome.output.rstrip().splitlines()[-1].startswith("faults: 0"), outcome.output


def test_nothing_stays_of_what_was_tried(line):
    def state():
        slots = line.database.value("SELECT count(*) FROM pg_replication_slots")
        graph = line.graph.rows("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties ORDER BY elementId(n)")
        return slots, graph
    before = state()
    _check(line)
    assert state() == before


def test_a_superuser_is_warned_of(line):
    report = _check(line, url=line.engine.admin_url)
    assert _found(report, "fault") == []
    assert any("superuser" in text for text in _found(report, "warning")), report


# One thing wrong at a time.

@pytest.mark.parametrize("harm, words", (
    ("ALTER PUBLICATION contextnexus DROP TABLE public.message_context_items;"
     "ALTER TABLE public.message_context_items SET UNLOGGED", ("public.message_context_items", "SET LOGGED")),
    ("ALTER TABLE public.messages REPLICA IDENTITY NOTHING", ("public.messages", "REPLICA IDENTITY NOTHING")),
    ("DROP POLICY engine_sees_all ON public.tags", ("public.tags", "row-level security", "CREATE POLICY")),
    ("CREATE POLICY fewer ON public.tags AS RESTRICTIVE USING (color IS NULL)", ("public.tags", "row-level security")),
    ("REVOKE SELECT ON public.users FROM contextnexus_engine", ("public.users", "GRANT SELECT")),
    ("ALTER PUBLICATION contextnexus DROP TABLE public.tags", ("publication", "lacks public.tags")),
    ("ALTER PUBLICATION contextnexus SET (publish = 'insert')", ("publication", "operations")),
    ("DROP PUBLICATION contextnexus", ("publication", "does not exist")),
    ("ALTER TABLE public.tags RENAME COLUMN project_id TO project", ("public.tags", "`project_id`")),
    ('ALTER TABLE public.tags ADD COLUMN "projectId" text', ("public.tags", "`projectId`")),
))
def test_what_is_wrong_is_named(harm, words, line):
    for part in harm.split(";"):
        line.database.execute(part)
    _expect_fault(line, *words)


def test_all_faults_are_named_at_once(line):
    line.database.execute("ALTER TABLE public.tags RENAME COLUMN project_id TO project")
    line.database.execute("ALTER TABLE public.messages REPLICA IDENTITY NOTHING")
    line.database.execute("DROP TABLE public.text_content")
    faults = _expect_fault(line, "public.tags")
    for word in ("public.messages", "public.text_content"):
        assert [fault for fault in faults if word in fault], faults


def test_a_deferrable_key_is_named(line, tmp_path):
    line.database.execute("CREATE TABLE public.notes (id int PRIMARY KEY DEFERRABLE, text text)")
    line.database.execute(f'GRANT SELECT ON public.notes TO "{ROLE}"')
    mapping = tmp_path / "notes.yaml"
    mapping.write_text("version: 1\nname: notes\ntables:\n  notes: {node: Note, key: id}\n")
    faults = _found(_check(line, "--mapping", str(mapping)), "fault")
    assert [fault for fault in faults if "public.notes" in fault and "DEFERRABLE" in fault], faults


def test_a_role_without_replication_is_told_what_it_needs(line, servers):
    line.database.execute(f'ALTER ROLE "{ROLE}" NOREPLICATION')
    try:
        _expect_fault(line, "replication connection", "REPLICATION")
    finally:
        line.database.execute(f'ALTER ROLE "{ROLE}" REPLICATION')


def test_a_schema_that_the_role_may_not_use_is_named_though_the_table_is_granted(line, tmp_path):
    """has_table_privilege() says yes: only the trial shows it."""
    line.database.execute("CREATE SCHEMA closed")
    line.database.execute("CREATE TABLE closed.notes (id int PRIMARY KEY)")
    line.database.execute(f'GRANT SELECT ON closed.notes TO "{ROLE}"')
    mapping = tmp_path / "notes.yaml"
    mapping.write_text("version: 1\nname: notes\nschema: closed\ntables:\n  notes: {node: Note, key: id}\n")
    faults = _found(_check(line, "--mapping", str(mapping)), "fault")
    assert [fault for fault in faults if "closed.notes" in fault and "USAGE" in fault], faults


# Both sides.

def test_a_graph_that_was_set_back_is_a_fault(line):
    World(line.database, "check").fill_all()
    line.engine.once()
    line.graph.rows("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) SET p.lsn = p.lsn - 1000000")
    _expect_fault(line, "pipeline", "restored")


def test_a_slot_that_is_gone_is_a_fault(line):
    World(line.database, "check").fill_all()
    line.engine.once()
    line.database.rows("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                       "WHERE database = current_database()")
    _expect_fault(line, "pipeline", "slot")


def test_a_graph_with_nodes_of_others_under_our_labels_is_a_fault_before_the_copy(line):
    line.graph.rows("CREATE (:Tag {id: 'mine'})")
    _expect_fault(line, "pipeline", "Tag")


def test_a_missing_constraint_is_a_warning(line):
    line.graph.rows("DROP CONSTRAINT contextnexus_Tag_id")
    report = _check(line)
    assert _found(report, "fault") == []
    assert any("constraints" in text for text in _found(report, "warning")), report


# What cannot be reached.

def test_a_postgresql_that_is_not_there_is_a_fault_and_the_graph_is_looked_at_all_the_same(line):
    report = _check(line, url="postgresql://nobody:TOP-SECRET@127.0.0.1:1/x")
    assert any("connection" in text for text in _found(report, "fault")), report
    assert any(f["side"] == "Neo4j" and f["what"] == "writing" and f["grade"] == "ok" for f in report["findings"])
    assert "TOP-SECRET" not in json.dumps(report)


def test_a_neo4j_that_is_not_there_is_a_fault_and_postgresql_is_looked_at_all_the_same(line):
    report = _check(line, "--neo4j", "bolt://neo4j:TOP-SECRET@127.0.0.1:1")
    assert any(text.startswith("Neo4j connection") for text in _found(report, "fault")), report
    assert any(f["side"] == "PostgreSQL" and f["grade"] == "ok" for f in report["findings"])
    assert "TOP-SECRET" not in json.dumps(report)


def test_a_transaction_that_is_open_makes_the_trial_slot_a_warning_and_leaves_no_slot(line):
    with postgres.Database(line.engine.admin_url) as other, other.transaction():
        other.rows("SELECT pg_current_xact_id()")
        report = _check(line)
        assert any("transactions are open" in text for text in _found(report, "warning")), report
        assert _found(report, "fault") == []
    assert line.database.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'contextnexus_check%'") == 0


def test_help_teaches(line):
    text = line.engine.expect("check", "--help").text
    for word in ("warning", "fault", "Exit codes", "rolled back"):
        assert word in text, text
