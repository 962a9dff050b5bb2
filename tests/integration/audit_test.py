"""The audit: what is written down of each change and each attempt, what finds it, and what happens where it cannot be written.

Real servers: PostgreSQL and Neo4j. A lock on contextnexus.audit_log stands for a PostgreSQL that does not take it.
"""

import contextlib
import json
import time
import uuid

import pytest

from lib.database import Database
from lib.live import mapped_tables
from lib.telemetry import ANY_PORT, Pages

_MAPPING = """version: 1
name: audited
tables:
  items: {node: Item, key: id, tenant: org}
  links: {relationship: LINKS, from: {items: a}, to: {items: b}, properties: [weight]}
"""
_TABLES = """
CREATE TABLE items (id int PRIMARY KEY, org text, email text, n int);
CREATE TABLE links (a int, b int, weight int, PRIMARY KEY (a, b));
CREATE TABLE others (id int);
"""
_ALL = ("--set", "audit.level=all")
# Of the project: whoever keeps ids outside makes the same.
_NAMESPACE = uuid.UUID("6e1f4b0c-9d52-4a37-b18e-27c45d90fa13")


@pytest.fixture
def line(servers, tmp_path):
    mapping = tmp_path / "audited.yaml"
    mapping.write_text(_MAPPING)
    with mapped_tables(servers, "cnx_audit", _TABLES, mapping) as live:
        live.mapping = mapping
        yield live


def _audit(line, *words):
    """By the role that runs the pipeline; the oldest first."""
    return json.loads(line.engine.expect("audit", "--json", "--limit", "100000", *words, url=line.engine.url).output)[::-1]


def _wait_until(condition, timeout=60):
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not so after {timeout} s"
        time.sleep(0.05)
    return found


def _wait_for(line, count, *words):
    """Until so many records fit; all of them."""
    return _wait_until(lambda: (found := _audit(line, *words)) and len(found) >= count and found)


def _changes(line, *words):
    return [each for each in _audit(line, *words) if each["operation"] not in ("batch", "copy")]


def _id_of(line, position):
    system = line.database.value("SELECT system_identifier FROM pg_control_system()")
    database = line.database.value("SELECT current_database()")
    lsn, ordinal = position.split("+")
    return str(uuid.uuid5(_NAMESPACE, f"{system} {lsn} {ordinal} {database}"))


@contextlib.contextmanager
def _locked(line, mode="SHARE"):
    """Nobody adds to the audit meanwhile."""
    with Database(line.engine.admin_url) as holder:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE contextnexus.audit_log IN {mode} MODE")
        yield
        holder.execute("ROLLBACK")


def _start(line, *words):
    line.engine.start(*words)
    line.engine.wait_for_log("following")
    line.sync()


def test_each_change_is_written_down_with_all_that_is_known_of_it(line):
    _start(line, *_ALL)
    line.database.execute("INSERT INTO items VALUES (1, 'acme', 'one', 1), (2, 'acme', 'two', 2), (3, NULL, 'three', 3)")
    line.database.execute("UPDATE items SET n = 5 WHERE id = 1")
    line.database.execute("UPDATE items SET id = 12 WHERE id = 2")
    line.database.execute("INSERT INTO links VALUES (1, 12, 7)")
    line.database.execute("DELETE FROM items WHERE id = 3")
    line.database.execute("TRUNCATE links")
    line.sync()
    _wait_for(line, 1, "--operation", "truncate")
    changes = _changes(line)
    said = [(each["operation"], each["table"], each["key"], each["old_key"], each["tenant"]) for each in changes]
    assert said == [("insert", "public.items", "1", None, "acme"), ("insert", "public.items", "2", None, "acme"),
                    ("insert", "public.items", "3", None, None), ("update", "public.items", "1", None, "acme"),
                    ("update", "public.items", "12", "2", "acme"), ("insert", "public.links", "1,12", None, None),
                    ("delete", "public.items", "3", None, None), ("truncate", "public.links", None, None, None)]
    for each in changes:
        assert each["outcome"] == "applied" and each["attempt"] == 1 and each["code"] is None
        assert each["correlation_id"] == _id_of(line, each["position"])
        assert 0 < each["duration_seconds"] < 60
    assert [each["position"].split("+")[1] for each in changes[:3]] == ["1", "2", "3"]
    batches = _audit(line, "--operation", "batch")
    assert sum(each["rows"] for each in batches) == 8
    assert {each["batch_id"] for each in changes} == {each["correlation_id"] for each in batches}
    for before, after in zip(batches, batches[1:]):
        assert after["from"] == before["position"]
    # Values are nowhere but in keys and tenants.
    assert "three" not in json.dumps(_audit(line))


def test_it_is_found_by_any_of_what_is_known(line):
    _start(line, *_ALL)
    line.database.execute("INSERT INTO items VALUES (1, 'acme', NULL, 1)")
    line.sync()
    line.database.execute("INSERT INTO items VALUES (2, 'other', NULL, 2)")
    line.database.execute("UPDATE items SET id = 22 WHERE id = 2")
    line.sync()
    _wait_for(line, 1, "--operation", "update")
    first, second, moved = _changes(line)
    keys = lambda *words: [each["key"] for each in _changes(line, *words)]  # noqa: E731
    assert keys("--table", "items") == keys("--table", "public.items") == ["1", "2", "22"]
    assert keys("--table", "links") == []
    assert keys("--key", "1") == ["1"] and keys("--key", "2") == ["2", "22"] and keys("--key", "22") == ["22"]
    assert keys("--tenant", "acme") == ["1"]
    assert keys("--operation", "insert") == ["1", "2"]
    assert keys("--outcome", "applied") == ["1", "2", "22"] and keys("--failures") == []
    assert keys("--position", second["position"]) == ["2"]
    assert keys("--from-lsn", second["position"].split("+")[0]) == ["2", "22"]
    assert keys("--to-lsn", first["position"].split("+")[0]) == ["1"]
    assert keys("--since", moved["at"]) and keys("--until", "2020-01-01") == []
    # By the id of a change, its batch is found too; by the batch's, its attempts.
    found = _audit(line, "--id", first["correlation_id"])
    assert [each["operation"] for each in sorted(found, key=lambda each: each["operation"])] == ["batch", "insert"]
    assert [each["operation"] for each in _audit(line, "--id", first["batch_id"])] == ["batch"]
    assert {each["operation"] for each in _audit(line, "--position", first["position"])} == {"batch", "insert"}
    # The newest first, and no more than asked for.
    newest = json.loads(line.engine.expect("audit", "--json", "--limit", "1", url=line.engine.url).output)
    assert len(newest) == 1 and newest[0]["at"] == _audit(line)[-1]["at"]
    text = line.engine.expect("audit", "--key", "1", url=line.engine.url).output
    assert "applied  insert  public.items (1)" in text and first["correlation_id"] in text and "tenant acme" in text
    assert all(len(each) <= 100 for each in text.splitlines())
    assert "nothing like that" in line.engine.expect("audit", "--key", "77", url=line.engine.url).output
    wrong = line.engine.verb("audit", "--position", "nonsense", url=line.engine.url)
    assert wrong.code == 2 and "no position" in wrong.text


def test_levels_say_how_much_is_written_down(line):
    line.database.execute("INSERT INTO items SELECT n, 'acme', NULL, n FROM generate_series(1, 50) n")
    _start(line)  # batches
    line.database.execute("UPDATE items SET n = 0")
    line.sync()
    _wait_for(line, 1, "--operation", "batch")
    assert _changes(line) == []
    copied = _audit(line, "--operation", "copy")
    assert sum(each["rows"] for each in copied if each["table"] == "public.items") == 50
    assert {(each["position"], each["correlation_id"], each["outcome"]) for each in copied} == {(None, None, "applied")}
    assert sum(each["rows"] for each in _audit(line, "--operation", "batch")) == 50
    for level in ("failures", "off"):
        line.engine.terminate()
        before = len(_audit(line))
        _start(line, "--set", f"audit.level={level}")
        line.database.execute("UPDATE items SET n = n + 1")
        line.sync()
        line.engine.terminate()
        assert len(_audit(line)) == before, level
    wrong = line.engine.verb("run", "--set", "audit.level=some", url=line.engine.url)
    assert wrong.code == 2 and "audit.level" in wrong.text


def _held_in_neo4j(line):
    """The transactions of the engine's that are open there, by their metadata."""
    return line.graph.rows("SHOW TRANSACTIONS YIELD transactionId AS tx, metaData WHERE metaData.app = 'contextnexus' "
                           "AND metaData.correlation_id IS NOT NULL RETURN tx, metaData.correlation_id AS id")


@pytest.mark.parametrize("level", ["all", "batches", "failures"])
def test_an_attempt_that_failed_is_written_down_and_a_replay_has_the_same_id(line, level):
    level_words = ("--set", f"audit.level={level}")
    line.engine.start(*level_words)
    line.engine.wait_for_log("the graph is consistent")
    with line.graph.open_transaction("MATCH (p:ContextNexusPosition) SET p._cnx_lock = true"):
        line.database.execute("INSERT INTO items VALUES (1, 'acme', NULL, 1)")
        found = _wait_until(lambda: _held_in_neo4j(line))
        line.graph.rows("TERMINATE TRANSACTIONS $tx YIELD message RETURN message", tx=found[0]["tx"])
        failed = _wait_for(line, 1, "--failures")[0]
        assert failed["operation"] == "batch" and failed["outcome"] in ("retried", "lost") and failed["attempt"] == 1
        assert failed["code"].startswith("Neo.") or failed["outcome"] == "lost"
        assert failed["correlation_id"] == found[0]["id"], "the transaction's metadata has the same"
        line.engine.wait_for_log(f"correlation_id={failed['correlation_id']}")
        _wait_until(lambda: _held_in_neo4j(line))
        line.engine.kill()
    line.engine.start(*level_words)
    line.sync()
    if level == "failures":
        line.engine.terminate()
        assert _audit(line, "--outcome", "applied") == []
        return
    applied = _wait_for(line, 1, "--id", failed["correlation_id"], "--outcome", "applied")
    assert [each["operation"] for each in applied] == ["batch"]
    if level == "all":
        change, = _changes(line)
        assert change["correlation_id"] == _id_of(line, change["position"]) and change["batch_id"] == failed["correlation_id"]


def test_a_kill_before_the_audit_was_written_loses_nothing_of_it(line):
    _start(line, *_ALL)
    line.database.execute("INSERT INTO items VALUES (1, 'acme', NULL, 1)")
    line.sync()
    _wait_for(line, 1, "--key", "1")
    before = _audit(line, "--key", "1")
    with _locked(line):
        for number in range(2, 30):
            line.database.execute("INSERT INTO items VALUES (%s, 'acme', NULL, 1)", (number,))
        line.database.execute("UPDATE items SET id = 100 WHERE id = 2")
        line.sync()
        line.engine.wait_for_log("audit: ")
        reached = line.graph.position()[0]
        assert line.database.confirmed() < reached, "the slot is confirmed no further than the audit is written"
        line.engine.kill()
        # The table is another when they come again.
        line.database.execute("ALTER TABLE items ADD COLUMN added int")
    line.engine.start(*_ALL)
    line.database.execute("INSERT INTO items VALUES (200, 'acme', NULL, 1)")
    line.sync()
    _wait_for(line, 1, "--key", "200")
    assert _audit(line, "--key", "1") == before, "what was written is not told again"
    recovered = _audit(line, "--outcome", "recovered")
    assert [each["key"] for each in recovered] == [str(n) for n in range(2, 30)] + ["100"]
    assert recovered[-1]["old_key"] == "2"
    for each in recovered:
        assert each["correlation_id"] == _id_of(line, each["position"]) and each["attempt"] == 0 and each["tenant"] == "acme"
    _wait_until(lambda: line.database.confirmed() >= reached)
    keys = [row["id"] for row in line.graph.rows("MATCH (i:Item) RETURN i.id AS id ORDER BY id")]
    assert keys == [row[0] for row in line.database.rows("SELECT id FROM items ORDER BY id")]


def test_without_a_kill_all_is_written_once_whatever_the_audit_met(line):
    _start(line, *_ALL)
    for number in range(1, 40):
        line.database.execute("INSERT INTO items VALUES (%s, 'acme', NULL, 1)", (number,))
        if number % 10 == 0:
            line.database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'contextnexus audit'")
    line.sync()
    _wait_for(line, 39, "--operation", "insert")
    assert line.engine.terminate() == 0
    assert sorted(int(each["key"]) for each in _changes(line)) == list(range(1, 40))


def test_where_the_queue_is_full_the_line_waits_and_then_catches_up(line):
    _start(line, *_ALL, *ANY_PORT, "--set", "audit.queue_bytes_max=4KiB", "--set", "health.stalled_seconds=3")
    pages = Pages(line.engine)
    with _locked(line):
        # Each is a batch of its own, or shares one: more than fits.
        for number in range(1, 60):
            line.database.execute("INSERT INTO items VALUES (%s, 'acme', NULL, 1)", (number,))
        assert "the line waits" in line.engine.wait_for_log("audit: ")
        line.database.execute("INSERT INTO items VALUES (1000, 'acme', NULL, 1)")
        body = pages.wait_for_state("stalled")
        assert "the audit cannot be written" in body["reason"], body
        assert line.graph.value("MATCH (i:Item) RETURN count(i)") < 60, "it stands still"
        assert pages.metrics().value("contextnexus_queue_bytes", queue="audit") > 4096
    line.sync()
    pages.wait_for_state("idle", "streaming")
    assert pages.metrics().value("contextnexus_audit_failures_total") > 0
    assert line.graph.value("MATCH (i:Item) RETURN count(i)") == 60
    _wait_for(line, 60, "--operation", "insert")
    assert sorted(int(each["key"]) for each in _changes(line)) == [*range(1, 60), 1000]
    line.engine.wait_for_log("the audit is written again")


def test_at_the_level_failures_the_line_never_waits_for_it(line):
    _start(line, "--set", "audit.level=failures", "--set", "audit.queue_bytes_max=4KiB")
    with _locked(line):
        line.graph.rows("CREATE CONSTRAINT by_email IF NOT EXISTS FOR (n:Item) REQUIRE n.email IS UNIQUE")
        line.database.execute("INSERT INTO items SELECT n, 'acme', 'same', 1 FROM generate_series(1, 10) n")
        line.sync()
    line.graph.rows("DROP CONSTRAINT by_email")


def test_what_becomes_of_a_dead_letter_is_written_down(line):
    line.graph.rows("CREATE CONSTRAINT by_email IF NOT EXISTS FOR (n:Item) REQUIRE n.email IS UNIQUE")
    line.database.execute("INSERT INTO items VALUES (1, 'acme', 'taken', 1)")
    _start(line, *_ALL)
    for number in (2, 3):
        line.database.execute("INSERT INTO items VALUES (%s, 'acme', 'taken', 1)", (number,))
    line.database.execute("UPDATE items SET n = 2 WHERE id = 2")
    line.sync()
    held, = _wait_for(line, 1, "--outcome", "held")
    assert (held["operation"], held["key"], held["attempt"]) == ("update", "2", 0)
    letter, other = _audit(line, "--outcome", "dead_letter")
    assert (letter["operation"], letter["table"], letter["key"]) == ("insert", "public.items", "2")
    assert letter["code"] == "Neo.ClientError.Schema.ConstraintValidationFailed"
    listed = json.loads(line.engine.expect("dead-letters list", "--json", url=line.engine.url).output)
    assert [each["correlation_id"] for each in listed] == [letter["correlation_id"], other["correlation_id"]]
    assert f"correlation_id={letter['correlation_id']}" in line.engine.tail(1_000_000)
    attempts = _audit(line, "--operation", "batch", "--failures")
    # The position and one row are one statement at first: whose the refusal is shows when they are tried apart.
    assert {each["outcome"] for each in attempts} == {"retried", "refused"}
    assert {each["code"] for each in attempts} == {letter["code"]}
    line.database.execute("UPDATE items SET email = NULL WHERE id = 1")
    line.engine.expect("dead-letters retry", "--key", "2", url=line.engine.url)
    applied = _wait_for(line, 1, "--id", letter["correlation_id"], "--operation", "retry", "--outcome", "applied")
    assert (applied[0]["key"], applied[0]["attempt"]) == ("2", 2)
    assert [each["key"] for each in _audit(line, "--operation", "read_again")] == ["2"]
    line.engine.expect("dead-letters discard", "--key", "3", url=line.engine.url)
    assert [each["outcome"] for each in _audit(line, "--id", other["correlation_id"])] == ["dead_letter", "discarded"]
    assert [each["key"] for each in _audit(line, "--outcome", "asked")] == ["2"]
    line.graph.rows("DROP CONSTRAINT by_email")


def _days(line):
    return sorted(row[0] for row in line.database.rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'contextnexus.audit_log'::regclass"))


def test_days_are_made_ahead_and_old_ones_dropped(line):
    line.database.rows("SELECT contextnexus.audit_partitions(current_date - 40, current_date - 9, 0)")
    line.database.execute("INSERT INTO contextnexus.audit_log (at, pipeline, operation, lsn, ordinal, attempt, outcome) "
                          "SELECT now() - d * interval '1 day', 'contextnexus', 'batch', '0/1', 0, 1, 'applied' FROM unnest(ARRAY[40, 10]) d")
    assert len(_days(line)) == 32
    _start(line, "--set", "audit.retention_days=0")
    _wait_until(lambda: len(_days(line)) == 34)
    line.engine.terminate()
    _start(line)
    _wait_until(lambda: len(_days(line)) == 24)
    tomorrow = line.database.value("SELECT to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD')")
    assert f"contextnexus.audit_log_{tomorrow}" in _days(line)
    assert line.database.value("SELECT count(*) FROM contextnexus.audit_log WHERE lsn = '0/1'") == 1


def test_the_engines_role_may_add_and_no_more(line):
    with Database(line.engine.url) as engine:
        engine.rows("SELECT contextnexus.audit_partitions(current_date, current_date, 0)")
        engine.execute("INSERT INTO contextnexus.audit_log (at, pipeline, operation, lsn, ordinal, attempt, outcome) "
                       "VALUES (now(), 'p', 'batch', '0/1', 0, 1, 'applied')")
        for change in ("UPDATE contextnexus.audit_log SET outcome = 'failed'", "DELETE FROM contextnexus.audit_log",
                       "TRUNCATE contextnexus.audit_log", "DROP TABLE contextnexus.audit_log"):
            with pytest.raises(Exception, match="permission denied|must be owner"):
                engine.execute(change)


def test_a_role_that_may_not_write_it_is_told_by_check_and_by_the_log(line):
    report = json.loads(line.engine.expect("check", "--json", "--mapping", str(line.mapping), url=line.engine.url).output)
    assert any(each["what"] == "audit" and each["grade"] == "ok" for each in report["findings"]), report
    line.database.execute("REVOKE EXECUTE ON FUNCTION contextnexus.audit_partitions(date, date, int) FROM contextnexus_engine")
    outcome = line.engine.verb("check", "--json", "--mapping", str(line.mapping), url=line.engine.url)
    finding, = [each for each in json.loads(outcome.output)["findings"] if each["what"] == "audit"]
    assert (finding["grade"], finding["code"]) == ("warning", "audit_not_written") and "init" in finding["cure"]
    _start(line, *_ALL)
    assert "permission denied" in line.engine.wait_for_log("audit: ")
    line.database.execute("INSERT INTO items VALUES (1, 'acme', NULL, 1)")
    line.sync()
    assert line.graph.value("MATCH (i:Item) RETURN count(i)") == 1, "the line goes on meanwhile"
    line.engine.init()
    _wait_for(line, 1, "--key", "1")


def test_what_is_nobodys_change_is_not_written_down(line):
    _start(line, *_ALL, "--set", "capture.idle_advance_seconds_max=0.2")
    line.database.execute("INSERT INTO items VALUES (1, 'acme', NULL, 1)")
    line.sync()
    _wait_for(line, 1, "--key", "1")
    before = _audit(line)
    for number in range(5):
        line.database.execute("INSERT INTO others VALUES (%s)", (number,))
        lsn = line.database.current_lsn()
        _wait_until(lambda: line.graph.position()[0] >= lsn)  # noqa: B023
        _wait_until(lambda: line.database.confirmed() >= lsn)  # noqa: B023
    assert _audit(line) == before
    line.engine.terminate()
    assert _audit(line) == before
    assert line.database.value("SELECT count(*) FROM pg_publication_tables WHERE schemaname = 'contextnexus'") == 0


def test_a_large_transaction_in_pieces_is_written_down_row_by_row_once(line):
    _start(line, *_ALL, "--set", "apply.transaction_elements_max=1000", "--set", "apply.piece_rows=100")
    line.database.execute("INSERT INTO items SELECT n, 'acme', NULL, n FROM generate_series(1, 3000) n")
    line.sync()
    _wait_for(line, 3000, "--operation", "insert")
    changes = _changes(line)
    assert sorted(int(each["key"]) for each in changes) == list(range(1, 3001))
    assert len({each["correlation_id"] for each in changes}) == 3000
    assert len({each["batch_id"] for each in changes}) > 10
