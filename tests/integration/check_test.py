"""`contextnexus check`: nothing wrong is nothing said; each thing that is wrong is named with its cure; nothing stays.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
import psycopg2.extras
import pytest

from lib import database as postgres
from lib.cluster import Cluster
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
    line.database.drop_slot()
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


def _codes(report):
    return {f["code"] for f in report["findings"] if f["grade"] != "ok"}


def _mapped(line, tmp_path, text, schema="public"):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(f"version: 1\nname: other\nschema: {schema}\ntables:\n{text}")
    return _check(line, "--mapping", str(mapping))


# Tables that cannot be followed.

@pytest.mark.parametrize("made, code", (
    ("CREATE VIEW public.notes AS SELECT 1 AS id", "table_kind"),
    ("CREATE MATERIALIZED VIEW public.notes AS SELECT 1 AS id", "table_kind"),
    ("CREATE UNLOGGED TABLE public.notes (id int PRIMARY KEY)", "table_unlogged"),
    ("CREATE TABLE public.notes (id int NOT NULL)", "key_not_unique"),
    ("CREATE TABLE public.notes (id int UNIQUE)", "key_nullable"),
    ("CREATE TABLE public.notes (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)", "generated_column"),
    ("CREATE TABLE public.notes (id int GENERATED ALWAYS AS (1) STORED PRIMARY KEY)", "mapping_catalog"),
))
def test_a_table_that_cannot_be_followed_whole_is_named(made, code, line, tmp_path):
    line.database.execute(made)
    line.database.execute(f'GRANT SELECT ON public.notes TO "{ROLE}"')
    assert code in _codes(_mapped(line, tmp_path, "  notes: {node: Note, key: id}\n"))


def test_a_foreign_table_is_named(line, tmp_path):
    for part in ("CREATE EXTENSION file_fdw", "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
                 "CREATE FOREIGN TABLE public.notes (id int) SERVER files OPTIONS (filename '/dev/null')"):
        line.database.execute(part)
    line.database.execute(f'GRANT SELECT ON public.notes TO "{ROLE}"')
    assert "table_kind" in _codes(_mapped(line, tmp_path, "  notes: {node: Note, key: id}\n"))


def test_a_temporary_table_is_named(line, tmp_path):
    with postgres.Database(line.engine.url) as own:
        line.database.execute(f'GRANT TEMPORARY ON DATABASE {own.value("SELECT current_database()")} TO "{ROLE}"')
        own.execute("CREATE TEMPORARY TABLE notes (id int PRIMARY KEY)")
        schema = own.value("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
        assert "table_unlogged" in _codes(_mapped(line, tmp_path, "  notes: {node: Note, key: id}\n", schema=schema))


def test_a_partition_beside_its_table_is_named(line, tmp_path):
    line.database.execute("CREATE TABLE public.notes (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    line.database.execute("CREATE TABLE public.notes_1 PARTITION OF public.notes FOR VALUES FROM (1) TO (9)")
    line.database.execute(f'GRANT SELECT ON public.notes, public.notes_1 TO "{ROLE}"')
    report = _mapped(line, tmp_path, "  notes: {node: Note, key: id}\n  notes_1: {node: Part, key: id}\n")
    assert {"partition_mapped", "publication_lacks_table"} <= _codes(report)


# The write-back.

@pytest.mark.parametrize("harm, words", (
    ("DROP TRIGGER row_version ON public.messages", ("public.messages", "no trigger", "docs/write-back.md")),
    ("ALTER TABLE public.messages DISABLE TRIGGER row_version", ("public.messages", "disabled", "ENABLE ALWAYS TRIGGER")),
    ("ALTER TABLE public.messages ENABLE TRIGGER row_version", ("public.messages", "not ENABLE ALWAYS", "ENABLE ALWAYS TRIGGER")),
    ("CREATE OR REPLACE TRIGGER row_version BEFORE UPDATE ON public.messages FOR EACH ROW EXECUTE FUNCTION "
     "public.raise_row_version_and_mark_pending()", ("public.messages", "own UPDATE", "BEFORE UPDATE OF")),
    ("REVOKE UPDATE (neo4j_synced_at) ON public.messages FROM contextnexus_engine", ("public.messages", "may not update", "GRANT UPDATE")),
    ("DROP POLICY engine_sees_all ON public.messages; CREATE POLICY engine_sees_all ON public.messages FOR SELECT TO "
     "contextnexus_engine USING (true)", ("public.messages", "row-level security", "CREATE POLICY")),
    ("CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch "
     "BEFORE UPDATE ON public.messages FOR EACH ROW EXECUTE FUNCTION public.touch()", ("public.messages", "touch", "once more")),
))
def test_what_the_write_back_would_leave_alone_is_a_warning(harm, words, line):
    line.database.execute(harm)
    report = _check(line)
    assert _found(report, "fault") == []
    warnings = [text for text in _found(report, "warning") if all(word in text for word in words)]
    assert warnings and _codes(report) & {"write_back_left_out", "write_back_trigger"}, report


def test_a_trigger_that_is_not_for_the_key_is_none(line):
    """An UPDATE of the key is told from the write-back's own without it."""
    postgres.leave_key_unmarked(line.database)
    assert "write_back_trigger" not in _codes(_check(line))
    line.database.execute("ALTER TABLE public.messages REPLICA IDENTITY FULL")
    assert "write_back_trigger" in _codes(_check(line)), "the old key is in every UPDATE then"


# What the whole server has too little of. These tests change the server's own settings, and put them back.

@contextlib.contextmanager
def _setting(servers, name, value):
    with postgres.Database(servers.postgres_url) as admin:
        admin.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        admin.rows("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            admin.execute(f"ALTER SYSTEM RESET {name}")
            admin.rows("SELECT pg_reload_conf()")


def test_a_limit_on_the_log_that_is_shorter_than_a_day_is_a_warning(line, servers):
    with _setting(servers, "max_slot_wal_keep_size", "1MB"):
        report = _check(line)
    assert "log_kept" in _codes(report) and _found(report, "fault") == [], report


def test_slots_that_are_used_up_are_a_fault(line, servers):
    with postgres.Database(servers.postgres_url) as admin:
        free = admin.value("SELECT current_setting('max_replication_slots')::int - count(*) FROM pg_replication_slots")
        try:
            for number in range(free):
                admin.rows("SELECT pg_create_physical_replication_slot(%s)", (f"cnx_check_full_{number}",))
            assert {"slots_used_up", "slot_refused"} <= _codes(_check(line))
        finally:
            admin.rows("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'cnx_check_full_%'")


def test_senders_that_are_used_up_are_a_fault(line, servers):
    with contextlib.ExitStack() as stack:
        with postgres.Database(servers.postgres_url) as admin:
            senders = admin.value("SELECT current_setting('max_wal_senders')::int - count(*) FROM pg_stat_replication")
        for _ in range(senders):
            opened = psycopg2.connect(servers.postgres_url, connection_factory=psycopg2.extras.PhysicalReplicationConnection)
            stack.callback(opened.close)
        assert "senders_used_up" in _codes(_check(line)) or "replication_refused" in _codes(_check(line))
        _expect_fault(line, "max_wal_senders")


def test_a_slot_of_the_same_name_that_is_somebody_elses_is_a_fault(line):
    line.database.rows("SELECT pg_create_physical_replication_slot('contextnexus')")
    try:
        assert "slot_of_others" in _codes(_check(line))
    finally:
        line.database.rows("SELECT pg_drop_replication_slot('contextnexus')")


def test_a_slot_that_is_lost_is_a_fault(line, servers):
    World(line.database, "check").fill_all()
    line.engine.once()
    with _setting(servers, "max_slot_wal_keep_size", "1MB"):
        for _ in range(4):
            line.database.rows("SELECT pg_switch_wal()")
            line.database.execute("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
            line.database.execute("DROP TABLE filler")
        line.database.execute("CHECKPOINT")
        assert "slot_lost" in _codes(_check(line))


def test_a_database_whose_encoding_is_unknown_is_a_fault(line, servers):
    with postgres.Database(servers.postgres_url) as admin:
        postgres.drop_database(servers.postgres_url, "cnx_ascii")
        admin.execute("CREATE DATABASE cnx_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
        try:
            assert "encoding" in _codes(_check(line, url=postgres.with_database(servers.postgres_url, "cnx_ascii")))
        finally:
            postgres.drop_database(servers.postgres_url, "cnx_ascii")


# What stands in between, and which server it is.

def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def _as_postgres(directory, words, port):
    """A server's process as the user that PostgreSQL's servers run as, until it listens; it is ended with the block."""
    program = shutil.which(words[0]) or next(map(str, pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{words[0]}")), None)
    assert program, f"{words[0]} is not installed; run scripts/install-packages"
    become = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        for path in (directory, *directory.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, *words[1:]], cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **become)
    try:
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < deadline, (directory / "log").read_text()
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def room():
    """A directory that the servers' user may reach."""
    with tempfile.TemporaryDirectory(prefix="cnx-check-", dir="/tmp") as made:
        directory = pathlib.Path(made)
        directory.chmod(0o755)
        yield directory


def _at_port(url, port):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))


@pytest.mark.parametrize("mode", ("session", "transaction"))
def test_a_pooler_that_keeps_replication_away_is_named(mode, line, room):
    port, server = _free_port(), urlsplit(line.engine.url)
    (room / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port} user={server.username} password='{unquote(server.password).replace(chr(39), 2 * chr(39))}'\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        "ignore_startup_parameters = extra_float_digits,options\n")
    with _as_postgres(room, ["pgbouncer", "pgbouncer.ini"], port):
        report = _check(line, url=_at_port(line.engine.url, port))
    assert {"pooler", "replication_refused"} <= _codes(report), report
    assert all("pooler" in text for text in _found(report, "fault") if "replication" in text), report


def test_a_hot_standby_is_a_fault(line, servers):
    primary = Cluster(servers.directory)
    primary.url = servers.postgres_url
    place = ROOT / ".local" / "check-standby"
    Cluster(place).destroy()
    try:
        standby = primary.standby(place)
        standby.wait_until_up(30)
        port = urlsplit(standby.url).port
        assert "standby" in _codes(_check(line, url=_at_port(line.engine.url, port)))
    finally:
        Cluster(place).destroy()


# The graph.

def test_a_constraint_that_cannot_be_made_is_a_fault_and_the_trial_leaves_nothing(line):
    line.graph.rows("DROP CONSTRAINT contextnexus_Tag_id")
    constraints = "SHOW CONSTRAINTS YIELD name RETURN count(*)"
    before = line.graph.value(constraints)
    assert "constraints_missing" in _codes(_check(line))
    assert line.graph.value(constraints) == before
    line.graph.rows("CREATE (:Tag {id: 'twice'}), (:Tag {id: 'twice'})")
    assert "constraint_refused" in _codes(_check(line))


def test_a_graph_without_its_position_is_a_fault(line):
    World(line.database, "check").fill_all()
    line.engine.once()
    line.graph.rows("MATCH (p:ContextNexusPosition) DELETE p")
    assert "position_gone" in _codes(_check(line))


def test_another_graph_and_another_mapping_are_faults(line, tmp_path):
    line.database.execute("UPDATE contextnexus.pipelines SET neo4j_database_id = 'another'")
    assert "other_graph" in _codes(_check(line))
    line.database.execute(f'REVOKE ALL ON contextnexus.pipelines FROM contextnexus_engine; REVOKE contextnexus_engine FROM "{ROLE}"')
    try:
        assert "engine_schema" in _codes(_check(line))
    finally:
        line.database.execute(f'GRANT contextnexus_engine TO "{ROLE}"')


# The page.

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _listed(line):
    text = line.engine.expect("check", "--list").output
    return text, [row.split("`")[1] for row in text.splitlines() if row.startswith("| `")]


def test_the_page_lists_everything_that_may_be_found(line):
    text, codes = _listed(line)
    assert len(codes) > 40
    assert text in (ROOT / "docs" / "check.md").read_text(), "contextnexus check --list prints what belongs there"


def test_help_teaches(line):
    text = line.engine.expect("check", "--help").text
    for word in ("warning", "fault", "Exit codes", "rolled back"):
        assert word in text, text
