"""Rows that the graph refuses: found, written into contextnexus.dead_letters before they are passed, and settled by a person.

Real servers: PostgreSQL and Neo4j. A user's constraint, a user's index and a user's own Cypher refuse rows.
"""

import json
import signal
import time

import failpoints
import pytest

from lib import mapped
from lib.live import mapped_tables

_MAPPING = """version: 1
name: dead
tables:
  items: {node: Item, key: id}
  notes: {node: Note, key: id, relationships: [ABOUT: {to: {items: item}}]}
  links: {relationship: LINKS, from: {items: start_id}, to: {items: end_id}, properties: [weight]}
  own:
    node: Own
    key: id
    cypher: |
      UNWIND $rows AS row
      MERGE (o:Own {id: row.id})
      SET o.half = 100 / row.divisor, o.runs = coalesce(o.runs, 0) + 1
"""
_TABLES = """
CREATE TABLE items (id int PRIMARY KEY, email text, body text, n int);
CREATE TABLE notes (id int PRIMARY KEY, item int, text text);
CREATE TABLE links (start_id int, end_id int, weight int, PRIMARY KEY (start_id, end_id));
CREATE TABLE own (id int PRIMARY KEY, divisor int);
"""
_UNIQUE = "CREATE CONSTRAINT by_email IF NOT EXISTS FOR (n:Item) REQUIRE n.email IS UNIQUE"


@pytest.fixture
def line(servers, tmp_path):
    mapping = tmp_path / "dead.yaml"
    mapping.write_text(_MAPPING)
    with mapped_tables(servers, "cnx_dead", _TABLES, mapping) as live:
        live.mapping = mapping
        live.graph.rows(_UNIQUE)
        live.database.execute("INSERT INTO items VALUES (0, 'taken@example.org', NULL, 0)")
        yield live


def _letters(line, *words):
    outcome = line.engine.expect("dead-letters list", *words, "--json", url=line.engine.url)
    return json.loads(outcome.output)


def _settle(line, verb, *words):
    return json.loads(line.engine.expect(f"dead-letters {verb}", *words, "--json", url=line.engine.url).output)


def _items(line):
    return {row["id"]: (row["email"], row["n"]) for row in line.graph.rows(
        "MATCH (i:Item) WHERE i.id > 0 AND i._cnx_stub IS NULL RETURN i.id AS id, i.email AS email, i.n AS n")}


def _rows(line):
    return {row[0]: (row[1], row[2]) for row in line.database.rows("SELECT id, email, n FROM items WHERE id > 0")}


def _wait_until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not so after {timeout} s"
        time.sleep(0.05)


def _free_the_address(line):
    """What the constraint of the graph's stood upon is gone, in the graph as well."""
    line.database.execute("UPDATE items SET email = NULL WHERE id = 0")
    if line.engine.running():
        line.sync()


def _expect_equal(line):
    line.sync()
    found = mapped.differences(line.database, line.graph, line.mapping)
    assert not found, "\n".join(found)


def _poison(line, number):
    line.database.execute("INSERT INTO items VALUES (%s, 'taken@example.org', NULL, 1)", (number,))


def test_one_row_of_a_thousand_is_passed_and_the_rest_is_applied(line):
    line.engine.start()
    line.sync()
    for number in range(1, 1001):
        if number == 500:
            _poison(line, number)
        else:
            line.database.execute("INSERT INTO items VALUES (%s, %s, NULL, %s)", (number, f"{number}@example.org", number))
    line.sync()
    assert sorted(_items(line)) == [n for n in range(1, 1001) if n != 500]
    letter, = _letters(line)
    assert (letter["state"], letter["table"], letter["key_values"]) == ("open", "public.items", ["500"])
    assert letter["code"] == "Neo.ClientError.Schema.ConstraintValidationFailed"
    assert letter["statement"] == "insert Item" and letter["operation"] == "insert"
    assert "already exists with label `Item` and property `email`" in letter["reason"]
    assert letter["position"].endswith("+1") and len(letter["correlation_id"]) == 36
    assert letter["values"] is None
    # The key is in PostgreSQL; values, and keys, are in no log and no reason.
    assert "taken@example.org" not in line.engine.tail(1_000_000) + letter["reason"]
    status = line.engine.status()
    assert status["dead_letters"] == {"open": 1, "retrying": 0, "held_changes": 0}
    assert not status["in_step"] and not status["consistent"]
    assert "1 open" in line.engine.expect("status").output
    shown = line.engine.expect("dead-letters show", str(letter["id"]), url=line.engine.url).output
    assert letter["correlation_id"] in shown and "id = 500" in shown


def test_inside_one_transaction_the_others_of_it_are_one_transaction_in_the_graph(line):
    line.engine.start()
    line.sync()
    with line.database.transaction():
        line.database.execute("INSERT INTO items SELECT n, CASE WHEN n IN (17, 400) THEN 'taken@example.org' ELSE n || '@example.org' END, "
                              "NULL, n FROM generate_series(1, 500) n")
        line.database.execute("INSERT INTO notes SELECT n, n, 'note' FROM generate_series(1, 500) n")
        line.database.execute("INSERT INTO own VALUES (1, 5), (2, 0), (3, 10)")
    line.sync()
    assert len(_items(line)) == 498
    # What leads to a dead row leads to a stub.
    assert line.graph.value("MATCH (:Note)-[r:ABOUT]->(i:Item {id: 17}) WHERE i._cnx_stub RETURN count(r)") == 1
    assert line.graph.rows("MATCH (o:Own) RETURN o.id AS id, o.half AS half, o.runs AS runs ORDER BY id") == [
        {"id": 1, "half": 20, "runs": 1}, {"id": 3, "half": 10, "runs": 1}]
    letters = {(each["table"], each["key_values"][0]): each for each in _letters(line)}
    assert set(letters) == {("public.items", "17"), ("public.items", "400"), ("public.own", "2")}
    own = letters["public.own", "2"]
    assert own["code"] == "Neo.ClientError.Statement.ArithmeticError" and own["statement"] == "user's statement for Own"
    _free_the_address(line)
    line.database.execute("UPDATE own SET divisor = 4 WHERE id = 2")
    line.database.execute("UPDATE items SET email = 'other@example.org' WHERE id = 400")
    assert _settle(line, "retry", "--all") == {"retrying": 3}
    _wait_until(lambda: not _letters(line))
    assert _items(line)[17] == ("taken@example.org", 17) and _items(line)[400] == ("other@example.org", 400)
    assert line.graph.value("MATCH (o:Own {id: 2}) RETURN o.half") == 25
    assert line.graph.value("MATCH (i:Item) WHERE i._cnx_stub RETURN count(i)") == 0
    line.sync()
    _wait_until(lambda: line.engine.status()["in_step"])
    assert {each["state"] for each in _letters(line, "--closed")} == {"applied"}


def test_later_changes_are_held_behind_a_letter_and_a_retry_brings_the_row_as_it_is_now(line):
    line.database.execute("INSERT INTO items VALUES (1, 'one@example.org', NULL, 0), (2, 'two@example.org', NULL, 0)")
    line.engine.start()
    line.sync()
    line.database.execute("UPDATE items SET email = 'taken@example.org' WHERE id = 1")
    for number in range(1, 6):
        line.database.execute("UPDATE items SET n = %s WHERE id > 0", (number,))
    line.database.execute("UPDATE items SET email = 'free@example.org' WHERE id = 1")
    line.sync()
    assert _items(line) == {1: ("one@example.org", 0), 2: ("two@example.org", 5)}, "it keeps what it was"
    _wait_until(lambda: _letters(line)[0]["held_changes"] == 6)
    assert line.engine.status()["dead_letters"]["held_changes"] == 6
    assert _settle(line, "retry", "--table", "items", "--key", "1") == {"retrying": 1}
    _wait_until(lambda: not _letters(line))
    _expect_equal(line)
    line.database.execute("UPDATE items SET n = 9")
    _expect_equal(line)


def test_a_retry_that_fails_again_stays_open_with_its_new_reason(line):
    line.engine.start()
    line.sync()
    _poison(line, 1)
    line.sync()
    _settle(line, "retry", "--all")
    _wait_until(lambda: _letters(line)[0]["attempts"] == 2 and _letters(line)[0]["state"] == "open")
    assert line.engine.status()["dead_letters"]["open"] == 1
    # Without a running engine the next start tries it.
    line.engine.terminate()
    _free_the_address(line)
    _settle(line, "retry", "--code", "Neo.ClientError.Schema.ConstraintValidationFailed")
    assert _letters(line)[0]["state"] == "retrying"
    line.engine.once()
    assert not _letters(line)
    assert mapped.differences(line.database, line.graph, line.mapping) == []


def test_a_discarded_row_is_missing_until_it_changes_again(line):
    line.engine.start()
    line.sync()
    _poison(line, 1)
    line.database.execute("INSERT INTO items VALUES (2, '2@example.org', NULL, 2)")
    line.sync()
    assert "which dead letters" in line.engine.verb("dead-letters discard", url=line.engine.url).text
    assert _settle(line, "discard", "--since", "2020-01-01") == {"discarded": 1}
    assert not _letters(line)
    letter, = _letters(line, "--closed")
    assert (letter["state"], letter["closed_by"]) == ("discarded", "contextnexus_sync") and letter["closed_at"]
    line.sync()
    assert sorted(_items(line)) == [2]
    _wait_until(lambda: line.engine.status()["in_step"])
    _free_the_address(line)
    line.database.execute("UPDATE items SET n = 7 WHERE id = 1")
    _expect_equal(line)


def test_a_row_that_is_removed_ends_its_letter_and_may_come_again(line):
    line.engine.start()
    line.sync()
    for number in (1, 2, 3):
        _poison(line, number)
    line.database.execute("INSERT INTO notes VALUES (1, 1, 'note')")
    line.sync()
    assert len(_letters(line)) == 3
    line.database.execute("DELETE FROM items WHERE id = 1")
    line.database.execute("UPDATE items SET id = 12 WHERE id = 2")
    line.sync()
    # Its key is another: so is its letter's.
    _wait_until(lambda: {each["key_values"][0] for each in _letters(line)} == {"3", "12"})
    line.database.execute("INSERT INTO items VALUES (1, 'again@example.org', NULL, 1)")
    line.sync()
    assert _items(line) == {1: ("again@example.org", 1)}
    line.database.execute("TRUNCATE items")
    line.sync()
    _wait_until(lambda: not _letters(line))
    _expect_equal(line)


def test_a_kill_between_the_letter_and_the_transaction_that_passes_it_does_no_harm(line):
    line.engine.start()
    line.sync()
    with line.graph.open_transaction("MATCH (p:ContextNexusPosition) SET p._cnx_lock = true"):
        with line.database.transaction():
            _poison(line, 1)
            line.database.execute("INSERT INTO items VALUES (2, '2@example.org', NULL, 2)")
        time.sleep(0.5)
    _wait_until(lambda: _letters(line))
    line.engine.kill()
    assert len(_letters(line)) == 1
    line.database.execute("UPDATE items SET n = 5 WHERE id > 0")
    line.engine.start()
    line.sync()
    assert _items(line) == {2: ("2@example.org", 5)}
    letter, = _letters(line)
    assert letter["attempts"] == 1, "known as dead, it was not tried again"
    _free_the_address(line)
    _settle(line, "retry", "--all")
    _wait_until(lambda: not _letters(line))
    _expect_equal(line)


@pytest.mark.parametrize("place", ["batch_begins", "batch_acknowledged"])
def test_a_kill_where_the_row_of_a_letter_goes_leaves_nothing_held_behind_it(line, place):
    line.engine.start()
    line.sync()
    _poison(line, 7)
    line.sync()
    assert [letter["key_values"] for letter in _letters(line)] == [["7"]]
    line.engine.terminate()
    with line.database.transaction():
        line.database.execute("DELETE FROM items WHERE id = 7")
        line.database.execute("INSERT INTO items VALUES (8, 'witness@example.org', NULL, 8)")
    line.engine.start(environment=failpoints.arm(place))
    failpoints.wait_for_kill(line.engine)
    assert (8 in _items(line)) == (place == "batch_acknowledged")
    line.database.execute("INSERT INTO items VALUES (7, '7@example.org', NULL, 7)")
    line.engine.start()
    _expect_equal(line)
    _wait_until(lambda: _letters(line) == [])
    assert _items(line)[7] == ("7@example.org", 7)


def test_a_text_too_long_for_an_index_is_a_dead_letter_by_bytes(line):
    line.graph.rows("CREATE INDEX by_body FOR (n:Item) ON (n.body)")
    line.graph.rows("CALL db.awaitIndexes(60)")
    line.engine.start()
    line.sync()
    line.database.execute("INSERT INTO items VALUES (1, '1', repeat('x', 8160), 1), (2, '2', repeat('x', 8168), 2), "
                          "(3, '3', repeat('é', 4085), 3), (4, '4', repeat('x', 100), 4)")
    line.sync()
    assert sorted(_items(line)) == [1, 4]
    letters = _letters(line)
    assert [each["key_values"] for each in letters] == [["2"], ["3"]]
    assert "too large to index" in letters[0]["reason"] and "xxx" not in json.dumps(letters)
    assert "xxx" not in line.engine.tail(1_000_000)


def test_rows_that_were_there_before_are_copied_but_for_those_that_are_refused(line):
    line.database.execute("INSERT INTO items SELECT n, CASE WHEN n % 1000 = 7 THEN 'taken@example.org' ELSE n || '@example.org' END, NULL, n "
                          "FROM generate_series(1, 5000) n")
    line.database.execute("INSERT INTO own VALUES (1, 0), (2, 1)")
    line.engine.start()
    line.engine.catch_up(120)
    assert len(_items(line)) == 4995
    letters = _letters(line)
    assert len(letters) == 6 and all(each["position"] == "" and each["operation"] == "copy" for each in letters)
    assert line.engine.status()["dead_letters"]["open"] == 6
    line.database.execute("UPDATE items SET n = -n")
    line.database.execute("DELETE FROM items WHERE id = 7")
    line.sync()
    _wait_until(lambda: len(_letters(line)) == 5)
    line.database.execute("UPDATE items SET email = id || '@example.org'")
    line.database.execute("UPDATE own SET divisor = 1")
    line.sync()
    _settle(line, "retry", "--all")
    _wait_until(lambda: not _letters(line))
    line.sync()
    assert _items(line) == _rows(line)


def test_where_most_rows_fail_the_same_way_the_line_stops(line):
    line.engine.start("--set", "dead_letters.window_rows=20", "--set", "dead_letters.same_percent_max=50")
    line.sync()
    line.database.execute("INSERT INTO items VALUES (1, '1@example.org', NULL, 1)")
    line.sync()
    for number in range(2, 40):
        _poison(line, number)
    outcome = line.engine.wait_for_end()
    assert outcome.code == 3 and "most rows fail the same way" in outcome.text and "insert Item" in outcome.text, outcome.text[-2000:]
    letters = _letters(line)
    assert len(letters) == 11 and all(each["stopped_line"] for each in letters)
    status = line.engine.status()
    assert status["state"] == "stopped" and "insert Item" in status["problem"] and "dead-letters" in status["advice"]
    # It stays so over restarts: nothing is drained.
    outcome = line.engine.verb("run", "--once", url=line.engine.url)
    assert outcome.code == 3 and "the line is stopped" in outcome.text
    assert len(_letters(line)) == 11
    line.database.execute("UPDATE items SET email = id || '@example.org'")
    _settle(line, "retry", "--all")
    line.graph.rows("DROP CONSTRAINT by_email")
    line.engine.start()
    _wait_until(lambda: not _letters(line))
    line.sync()
    _expect_equal(line)


def test_only_so_many_letters_may_be_open(line):
    line.engine.start("--set", "dead_letters.open_max=2")
    line.sync()
    for number in (1, 2, 3):
        _poison(line, number)
    outcome = line.engine.wait_for_end()
    assert outcome.code == 3 and "as many dead letters as may be open" in outcome.text
    assert len(_letters(line)) == 2
    _settle(line, "discard", "--all")
    line.engine.once()
    assert [each["key_values"] for each in _letters(line)] == [["3"]]


def test_too_much_behind_a_letter_holds_its_table_which_is_copied_anew(line):
    line.engine.start("--set", "dead_letters.held_changes_max=3")
    line.sync()
    _poison(line, 1)
    line.database.execute("INSERT INTO items VALUES (2, '2@example.org', NULL, 0)")
    line.sync()
    for number in range(6):
        line.database.execute("UPDATE items SET n = %s WHERE id > 0", (number,))
    _wait_until(lambda: any(table["state"] == "held" for table in line.engine.status()["tables"]))
    held, = line.engine.status()["tables"]
    assert held["table"] == "public.items" and "dead letter" in held["reason"] and "dead-letters" in held["advice"]
    line.database.execute("INSERT INTO items VALUES (3, '3@example.org', NULL, 3)")
    line.database.execute("INSERT INTO notes VALUES (1, 3, 'goes on')")
    line.sync()
    assert line.graph.value("MATCH (n:Note) RETURN count(n)") == 1
    assert 3 not in _items(line)
    line.database.execute("UPDATE items SET email = NULL WHERE id = 0")
    _settle(line, "discard", "--all")
    _wait_until(lambda: not line.engine.status()["tables"], timeout=60)
    _expect_equal(line)


def test_values_are_kept_where_that_is_asked_for(line):
    line.engine.start("--set", "dead_letters.keep_values=true")
    line.sync()
    line.database.execute("INSERT INTO items VALUES (1, 'taken@example.org', 'a \"quoted\" body', NULL)")
    line.sync()
    letter, = _letters(line)
    assert letter["values"] == {"id": "1", "email": "taken@example.org", "body": 'a "quoted" body', "n": None}
    assert "quoted" not in line.engine.tail(1_000_000)


def test_a_relationships_row_is_found_by_the_pair_of_its_ends(line):
    line.graph.rows("CREATE CONSTRAINT by_weight IF NOT EXISTS FOR ()-[r:LINKS]-() REQUIRE r.weight IS UNIQUE")
    line.database.execute("INSERT INTO items SELECT n, n || '@example.org', NULL, n FROM generate_series(1, 4) n")
    line.engine.start()
    line.sync()
    line.database.execute("INSERT INTO links VALUES (1, 2, 7), (1, 3, 7), (1, 4, 8)")
    line.sync()
    letter, = _letters(line)
    assert (letter["table"], letter["key_columns"], letter["key_values"]) == ("public.links", ["start_id", "end_id"], ["1", "3"])
    assert line.graph.value("MATCH ()-[r:LINKS]->() RETURN count(r)") == 2
    line.database.execute("UPDATE links SET weight = 9 WHERE end_id = 3")
    _settle(line, "retry", "--key", "1,3")
    _wait_until(lambda: not _letters(line))
    _expect_equal(line)


def test_an_outage_of_neo4j_is_no_dead_letter(line):
    line.engine.start()
    line.engine.wait_for_log("the graph is consistent")
    with line.graph.open_transaction("MATCH (p:ContextNexusPosition) SET p._cnx_lock = true"):
        line.database.execute("INSERT INTO items VALUES (1, '1@example.org', NULL, 1)")
        _wait_until(lambda: line.graph.rows(
            "SHOW TRANSACTIONS YIELD transactionId AS tx, metaData WHERE metaData.app = 'contextnexus' "
            "TERMINATE TRANSACTIONS tx YIELD message RETURN message"))
    line.sync()
    assert _letters(line) == [] and 1 in _items(line)


def test_dead_letters_survive_a_second_signal(line):
    line.engine.start()
    line.sync()
    _poison(line, 1)
    line.sync()
    line.engine.signal(signal.SIGTERM)
    assert line.engine.wait_for_end(30).code == 0
    line.database.execute("INSERT INTO items VALUES (2, '2@example.org', NULL, 2)")
    line.engine.once()
    assert sorted(_items(line)) == [2] and len(_letters(line)) == 1
