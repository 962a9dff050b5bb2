"""Tables that become others while the engine follows them: cases 23 and 38 to 43, each noticed without a restart.

Compared row by row with the tables by lib/mapped.py, which shares no code with the engine.
"""

import contextlib
import random
import threading
import time

import pytest

from lib import mapped
from lib import database as postgres
from lib.live import mapped_tables

_MAPPING = """version: 1
name: changes
tables:
  things: {node: Thing, key: id, relationships: [OF: {to: {kinds: kind}}]}
  kinds: {node: Kind, key: id}
  links: {relationship: LINKED, from: {things: one}, to: {things: other}, properties: [note]}
  parts: {node: Part, key: [id, region]}
  cats: {node: Animal, key: id, relationships: [OF: {to: {kinds: kind}}]}
  dogs: {node: Animal, key: id, relationships: [OF: {to: {kinds: kind}}]}
  chases: {relationship: MET, from: {cats: one}, to: {dogs: other}}
  flights: {relationship: MET, from: {dogs: one}, to: {cats: other}}
"""

_TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE kinds (id int PRIMARY KEY, name text, mood mood);
CREATE TABLE things (id int PRIMARY KEY, kind int REFERENCES kinds, name text, amount numeric(10,2), n int);
CREATE TABLE links (one int REFERENCES things, other int REFERENCES things, note text, PRIMARY KEY (one, other));
CREATE TABLE parts (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_north PARTITION OF parts FOR VALUES IN ('north');
CREATE TABLE parts_south PARTITION OF parts FOR VALUES IN ('south');
CREATE TABLE cats (id int PRIMARY KEY, kind int REFERENCES kinds, name text);
CREATE TABLE dogs (id int PRIMARY KEY, kind int REFERENCES kinds, name text);
CREATE TABLE chases (one int, other int, PRIMARY KEY (one, other));
CREATE TABLE flights (one int, other int, PRIMARY KEY (one, other));
INSERT INTO kinds SELECT n, 'kind ' || n, 'ok' FROM generate_series(1, 5) n;
INSERT INTO things SELECT n, 1 + n % 5, 'thing ' || n, n + 0.5, n FROM generate_series(1, 40) n;
INSERT INTO links SELECT n, n + 1, 'note' FROM generate_series(1, 30) n;
INSERT INTO cats SELECT n, 1, 'cat' FROM generate_series(1, 10) n;
INSERT INTO dogs SELECT n, 2, 'dog' FROM generate_series(101, 110) n;
INSERT INTO chases SELECT n, n + 100 FROM generate_series(1, 5) n;
INSERT INTO flights SELECT n + 100, n FROM generate_series(6, 10) n;
INSERT INTO parts SELECT n, CASE WHEN n % 2 = 0 THEN 'north' ELSE 'south' END, 'part ' || n FROM generate_series(1, 20) n;
"""


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "changes.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_changes", _TABLES, mapping) as live:
        live.engine.once()
        live.engine.start()
        yield live
        assert live.engine.running(), live.engine.tail()


def _wait(condition, line, timeout=40):
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if not found:
            return
        assert line.engine.running(), line.engine.tail()
        assert time.monotonic() < deadline, f"not within {timeout} s:\n{found}\n{line.engine.tail()}"
        time.sleep(0.2)


def _expect_equal(line, mapping, timeout=40):
    """In the end, and then with nothing left to be done."""
    _wait(lambda: "\n".join(mapped.differences(line.database, line.graph, mapping)), line, timeout)
    _wait(lambda: line.engine.status()["tables"], line, timeout)
    line.sync()
    found = mapped.differences(line.database, line.graph, mapping)
    assert not found, "\n".join(found)


def _state(line, table):
    return next((each for each in line.engine.status()["tables"] if each["table"] == f"public.{table}"), None)


# Columns.

@pytest.mark.parametrize("default", ["int DEFAULT 7 NOT NULL", "uuid DEFAULT gen_random_uuid()", "int", "text[] DEFAULT '{a}'"])
def test_an_added_column_is_on_every_node(line, mapping, default):
    line.database.execute(f"ALTER TABLE things ADD extra {default}")
    if default == "int":
        line.database.execute("UPDATE things SET extra = id WHERE id < 5")
    _expect_equal(line, mapping)
    line.database.execute("UPDATE things SET n = n + 1 WHERE id = 3")
    _expect_equal(line, mapping)


@pytest.mark.parametrize("change", ["ADD extra int DEFAULT 7", "ADD extra uuid DEFAULT gen_random_uuid()", "RENAME note TO remark",
                                    "ALTER note TYPE int USING id * 2"])
def test_the_same_of_a_partitioned_table(line, mapping, change):
    line.database.execute(f"ALTER TABLE parts {change}")
    _expect_equal(line, mapping)


def test_a_column_is_added_and_used_in_one_transaction(line, mapping):
    with line.database.transaction():
        line.database.execute("UPDATE things SET n = 100 WHERE id = 1")
        line.database.execute("ALTER TABLE things ADD extra text DEFAULT 'x'")
        line.database.execute("UPDATE things SET extra = 'y' WHERE id < 10; DELETE FROM links WHERE one = 5; DELETE FROM links WHERE other = 5;"
                              "DELETE FROM things WHERE id = 5; INSERT INTO things VALUES (99, 1, 'new', 1, 1, 'z')")
    _expect_equal(line, mapping)


def test_a_dropped_column_is_gone_and_may_come_again_as_another(line, mapping):
    line.database.execute("ALTER TABLE things DROP amount")
    _expect_equal(line, mapping)
    line.database.execute("ALTER TABLE things ADD amount boolean; UPDATE things SET amount = true WHERE id < 20")
    _expect_equal(line, mapping)
    line.database.execute("ALTER TABLE things DROP amount; ALTER TABLE things ADD amount text DEFAULT 'none'")
    _expect_equal(line, mapping)


def test_a_renamed_column_is_a_renamed_property(line, mapping):
    line.database.execute("ALTER TABLE things RENAME name TO title")
    line.database.execute("UPDATE things SET title = 'changed' WHERE id = 7")
    _expect_equal(line, mapping)


@pytest.mark.parametrize("change", ["n TYPE text USING 'v' || n", "amount TYPE numeric(10,4)", "n TYPE int USING n + 1",
                                    "name TYPE int USING id * 2", "n TYPE bigint"])
def test_a_column_of_another_type_is_converted_on_every_node(line, mapping, change):
    line.database.execute("DELETE FROM links WHERE one = 3; UPDATE things SET n = 0 WHERE id = 9")
    line.database.execute(f"ALTER TABLE things ALTER {change}")
    line.database.execute("DELETE FROM links WHERE one = 4; UPDATE things SET kind = 2 WHERE id = 10")
    _expect_equal(line, mapping)


def test_a_text_column_becomes_an_enum_and_a_value_of_it_is_renamed(line, mapping):
    line.database.execute("CREATE TYPE size AS ENUM ('small', 'large'); ALTER TABLE things ADD size text DEFAULT 'small'")
    line.database.execute("UPDATE things SET size = 'large' WHERE id > 20")
    line.database.execute("ALTER TABLE things ALTER size DROP DEFAULT, ALTER size TYPE size USING size::size")
    _expect_equal(line, mapping)
    line.database.execute("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'")
    _expect_equal(line, mapping)
    line.database.execute("ALTER TYPE mood ADD VALUE 'great'")
    line.database.execute("UPDATE kinds SET mood = 'great' WHERE id = 2")
    _expect_equal(line, mapping)


# Tables.

def _recreate(database):
    database.execute("DROP TABLE links; CREATE TABLE links (one int REFERENCES things, other int REFERENCES things, note text, PRIMARY KEY (one, other))")
    database.execute("INSERT INTO links VALUES (1, 5, 'again'), (2, 7, 'again')")


def test_a_table_that_is_dropped_and_made_again_is_another(line, mapping):
    _recreate(line.database)
    _wait(lambda: not _state(line, "links"), line)
    assert _state(line, "links")["state"] == "held"
    # The others go on meanwhile.
    line.database.execute("UPDATE things SET n = 1000 WHERE id = 1")
    _wait(lambda: line.graph.value("MATCH (t:Thing {id: 1}) RETURN t.n") != 1000, line)
    line.engine.init()
    line.database.execute("INSERT INTO links VALUES (3, 9, 'published')")
    _expect_equal(line, mapping)


def test_a_table_swapped_with_a_staging_table_is_read_anew(line, mapping):
    with line.database.transaction():
        line.database.execute("CREATE TABLE kinds_new (LIKE kinds INCLUDING ALL); INSERT INTO kinds_new SELECT id, 'swapped ' || id, mood FROM kinds WHERE id < 5")
        line.database.execute("UPDATE things SET kind = NULL WHERE kind = 5; ALTER TABLE things DROP CONSTRAINT things_kind_fkey")
        line.database.execute("ALTER TABLE kinds RENAME TO kinds_old; ALTER TABLE kinds_new RENAME TO kinds")
    line.database.execute("INSERT INTO kinds VALUES (20, 'after')")
    line.engine.init()
    _expect_equal(line, mapping)
    line.database.execute("UPDATE kinds SET name = 'later' WHERE id = 1; UPDATE kinds_old SET name = 'no' WHERE id = 2")
    _expect_equal(line, mapping)


def test_a_dropped_table_leaves_nothing_and_stops_nobody(line, mapping):
    line.database.execute("DROP TABLE links")
    _wait(lambda: line.graph.value("MATCH ()-[r:LINKED]->() RETURN count(r)"), line)
    assert "not there" in _state(line, "links")["reason"]
    line.database.execute("INSERT INTO kinds VALUES (77, 'goes on', 'sad')")
    _wait(lambda: line.graph.node("Kind", 77) is None, line)


def test_a_table_without_its_key_is_held_until_it_has_one(line, mapping):
    line.database.execute("ALTER TABLE links DROP CONSTRAINT links_pkey")
    _wait(lambda: not _state(line, "links"), line)
    assert _state(line, "links")["state"] == "held" and _state(line, "links")["advice"]
    line.database.execute("INSERT INTO links VALUES (8, 1, 'unkeyed')")
    line.database.execute("INSERT INTO kinds VALUES (78, 'goes on', 'sad')")
    _wait(lambda: line.graph.node("Kind", 78) is None, line)
    assert line.graph.value("MATCH (:Thing {id: 8})-[r:LINKED]->(:Thing {id: 1}) RETURN count(r)") == 0
    line.database.execute("ALTER TABLE links ADD PRIMARY KEY (one, other)")
    _expect_equal(line, mapping)


def test_what_changed_while_nobody_followed_is_found_at_the_start(line, mapping):
    line.engine.terminate()
    line.database.execute("UPDATE things SET name = 'before' WHERE id = 2; ALTER TABLE things ADD extra int DEFAULT 3")
    line.database.execute("ALTER TABLE things RENAME n TO number; DELETE FROM links WHERE one < 5; UPDATE things SET number = 5 WHERE id = 3")
    line.database.execute("ALTER TABLE kinds ALTER id TYPE bigint; DELETE FROM parts WHERE id = 4")
    line.engine.start()
    _expect_equal(line, mapping)


def test_tables_of_one_label_leave_each_others_nodes(line, mapping):
    line.database.execute("ALTER TABLE cats ADD extra int DEFAULT 1; DELETE FROM cats WHERE id = 10; DELETE FROM flights WHERE other = 10")
    _expect_equal(line, mapping)
    line.database.execute("ALTER TABLE chases ADD extra int DEFAULT 1")
    _expect_equal(line, mapping)
    line.database.execute("DROP TABLE cats; DROP TABLE chases")
    _wait(lambda: line.graph.value("MATCH (a:Animal) WHERE a.id < 100 AND a.name IS NOT NULL RETURN count(a)"), line)
    _wait(lambda: line.graph.value("MATCH (:Animal)-[r:MET]->(:Animal) RETURN count(r)") > 4, line)
    _wait(lambda: not _state(line, "chases") or not _state(line, "cats"), line)
    assert line.graph.value("MATCH (a:Animal {name: 'dog'})-[:OF]->(:Kind {id: 2}) RETURN count(a)") == 10
    assert line.graph.value("MATCH (:Animal)-[r:MET]->(:Animal) RETURN count(r)") == 4


def test_a_table_that_leaves_the_publication_for_a_moment_is_read_again(line, mapping):
    with line.database.transaction():
        line.database.execute("ALTER PUBLICATION contextnexus DROP TABLE kinds")
    line.database.execute("UPDATE kinds SET name = 'nobody was told'; INSERT INTO kinds VALUES (60, 'nor of this')")
    line.database.execute("ALTER PUBLICATION contextnexus ADD TABLE ONLY kinds")
    _expect_equal(line, mapping)


# Partitions.

# Copy and stream take turns.

# So short that a turn ends with what was read into the queue: four megabytes.
_TURNS = ("--set", "copy.turn_seconds=0.05", "--set", "apply.batch_rows=50", "--set", "copy.workers=1", "--log-level", "debug")


def _is_copied(line, table):
    """Asked of the graph, as `status` does, but at once."""
    return line.graph.value("MATCH (t:ContextNexusTable {table: $table}) RETURN t.state", table=table) == "copying"


def _fill_things(line, rows):
    line.database.execute("INSERT INTO things SELECT n, 1 + n %% 5, repeat(md5(n::text), 120), n, n "
                          "FROM generate_series(1000, 999 + %s) n", (rows,))
    line.engine.terminate()
    line.engine.start(*_TURNS)
    line.sync()


def _change_things(url, stop):
    """Until `stop` is set: rows come, go, and take other keys, in what is read already and in what is not."""
    chance = random.Random(5)
    with postgres.Database(url) as database:
        while not stop.is_set():
            key = chance.randrange(1000, 9000)
            with contextlib.suppress(postgres.psycopg2.IntegrityError):
                database.execute(chance.choice([
                    "UPDATE things SET n = n + 1, kind = 1 + (kind %% 5) WHERE id = %s",
                    "DELETE FROM things WHERE id = %s",
                    "INSERT INTO things (id, kind, name) VALUES (%s, 1, 'new') ON CONFLICT DO NOTHING",
                    "UPDATE things SET id = id + 10000 WHERE id = %s",
                    "UPDATE things SET id = id - 10000 WHERE id = 10000 + %s AND NOT EXISTS (SELECT FROM things t WHERE t.id = things.id - 10000)",
                ]), (key,))


@contextlib.contextmanager
def _changing_things(line):
    stop = threading.Event()
    writer = threading.Thread(target=_change_things, args=(line.database.url, stop))
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def test_a_dropped_column_of_one_table_leaves_the_property_of_another_with_the_same_label(line, mapping):
    line.database.execute("ALTER TABLE dogs DROP COLUMN name; UPDATE dogs SET kind = 3 WHERE id = 101")
    _wait(lambda: line.graph.value("MATCH (a:Animal) WHERE a.id > 100 AND a.name IS NOT NULL RETURN count(a)"), line)
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (a:Animal {name: 'cat'}) RETURN count(a)") == 10


def test_a_property_that_one_table_makes_no_more_stays_on_another_tables_row_whose_key_changes_meanwhile(line, mapping):
    """The graph still has it at the old key when it is held against the tables, and the key change does not bring a value that
    is stored aside."""
    line.database.execute("ALTER TABLE cats ALTER name SET STORAGE EXTERNAL; UPDATE cats SET name = repeat('x', 10000) WHERE id = 3")
    line.sync()
    line.engine.terminate()
    mapping.write_text(_MAPPING.replace("dogs: {node: Animal, key: id,", "dogs: {node: Animal, key: id, exclude: [name],"))
    line.database.execute("UPDATE cats SET id = 53 WHERE id = 3")
    line.engine.init()
    line.engine.start()
    _wait(lambda: line.graph.value("MATCH (a:Animal) WHERE a.id > 100 AND a.name IS NOT NULL RETURN count(a)"), line)
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (a:Animal {id: 53}) RETURN size(a.name)") == 10000


def _pets(line):
    found = line.graph.rows("MATCH (a:Animal:Pet) RETURN a.name AS name, count(*) AS pets")
    return {row["name"]: row["pets"] for row in found}


def test_a_label_that_one_table_makes_no_more_stays_where_another_makes_it(line, mapping):
    both = _MAPPING.replace("node: Animal", "node: [Animal, Pet]")
    for text, pets in ((both, {"cat": 10, "dog": 10}), (both.replace("[Animal, Pet]", "Animal", 1), {"dog": 10})):
        line.engine.terminate()
        mapping.write_text(text)
        line.engine.init()
        line.engine.start()
        _wait(lambda: _pets(line) != pets and f"{_pets(line)} pets", line)
        _expect_equal(line, mapping)
        assert _pets(line) == pets


def test_other_tables_go_on_while_one_is_read_again(line, mapping):
    _fill_things(line, 12000)
    with _changing_things(line):
        line.database.execute("ALTER TABLE things ADD extra int DEFAULT 7")
        _wait(lambda: not _is_copied(line, "things"), line)
        seen = 0
        while _is_copied(line, "things"):
            name = f"while it is copied {seen}"
            line.database.execute("UPDATE kinds SET name = %s WHERE id = 3", (name,))
            _wait(lambda: line.graph.value("MATCH (k:Kind {id: 3}) RETURN k.name") != name, line)
            seen += _is_copied(line, "things")
        assert seen >= 2, f"the copy was over too soon:\n{line.engine.tail()}"
    _expect_equal(line, mapping)
    turns = line.engine.log.read_text().count("following contextnexus")
    assert turns >= 4, f"{turns} turns"


def test_a_copy_in_turns_goes_on_after_a_kill(line, mapping):
    _fill_things(line, 12000)
    with _changing_things(line):
        line.database.execute("ALTER TABLE things ADD extra int DEFAULT 7")
        for _ in range(4):
            _wait(lambda: not _is_copied(line, "things"), line)
            time.sleep(1)
            line.engine.kill()
            line.engine.start(*_TURNS)
        _wait(lambda: _state(line, "things"), line)
    _expect_equal(line, mapping)


def test_the_line_does_not_wait_for_writers_that_a_copy_waits_for(line, mapping):
    with postgres.Database(line.database.url) as other:
        with other.transaction():
            other.execute("UPDATE kinds SET name = 'open' WHERE id = 1")
            line.database.execute("DROP TABLE links; CREATE TABLE links (one int, other int, note text, PRIMARY KEY (one, other));"
                                  "INSERT INTO links VALUES (1, 2, 'new')")
            line.engine.init()
            _wait(lambda: _state(line, "links") is None or _state(line, "links")["state"] != "copying", line)
            line.database.execute("UPDATE things SET name = 'meanwhile' WHERE id = 7")
            _wait(lambda: line.graph.value("MATCH (t:Thing {id: 7}) RETURN t.name") != "meanwhile", line)
            assert _state(line, "links")["state"] == "copying"
    _expect_equal(line, mapping)


def test_partitions_come_and_go(line, mapping):
    execute = line.database.execute
    execute("CREATE TABLE alone (id int, region text, note text, PRIMARY KEY (id, region)); INSERT INTO alone VALUES (100, 'west', 'attached')")
    execute("ALTER TABLE parts ATTACH PARTITION alone FOR VALUES IN ('west')")
    _expect_equal(line, mapping)
    execute("UPDATE parts SET note = 'moved', region = 'north' WHERE id = 100")
    execute("CREATE TABLE parts_east PARTITION OF parts FOR VALUES IN ('east'); INSERT INTO parts VALUES (200, 'east', 'made')")
    _expect_equal(line, mapping)
    execute("UPDATE parts SET note = 'last' WHERE region = 'south'; ALTER TABLE parts DETACH PARTITION parts_south")
    _expect_equal(line, mapping)
    execute("TRUNCATE parts_north")
    _expect_equal(line, mapping)
    execute("INSERT INTO parts VALUES (300, 'north', 'again'); DROP TABLE parts_east")
    _expect_equal(line, mapping)
    log = line.engine.tail(100_000)
    assert "truncated" in log and log.count("public.parts is read again") == 1, "what a partition leaves behind is no reason to read all others"


@pytest.mark.parametrize("fill", ["INSERT INTO alone VALUES (100, 'west', 'in silence')",
                                  "SAVEPOINT s; INSERT INTO alone VALUES (100, 'west', 'in silence'); RELEASE s"])
def test_rows_of_a_table_that_is_made_and_attached_in_one_transaction_are_read(line, mapping, fill):
    """They were written before it was a partition, so that the stream does not tell of them."""
    with line.database.transaction():
        line.database.execute("CREATE TABLE alone (id int NOT NULL, region text NOT NULL, note text)")
        line.database.execute(fill)
        line.database.execute("ALTER TABLE parts ATTACH PARTITION alone FOR VALUES IN ('west')")
    _expect_equal(line, mapping)


def test_a_partition_that_was_away_for_a_moment_is_read_again(line, mapping):
    line.engine.terminate()
    line.database.execute("ALTER TABLE parts DETACH PARTITION parts_south; UPDATE parts_south SET note = 'nobody was told'")
    line.database.execute("ALTER TABLE parts ATTACH PARTITION parts_south FOR VALUES IN ('south')")
    line.engine.start()
    _expect_equal(line, mapping)


# What comes and goes between two looks at the catalog leaves no trace there.

@pytest.mark.parametrize("leave", ["ALTER TABLE parts DETACH PARTITION parts_east", "DROP TABLE parts_east", "TRUNCATE parts_east"])
@pytest.mark.parametrize("runs", [True, False], ids=["running", "stopped"])
def test_rows_of_a_partition_that_came_and_went_go(line, mapping, runs, leave):
    if not runs:
        line.engine.terminate()
    for number in range(3):
        line.database.execute("CREATE TABLE parts_east PARTITION OF parts FOR VALUES IN ('east')")
        line.database.execute("INSERT INTO parts VALUES (200, 'east', 'made'), (201, 'east', 'made')")
        line.database.execute(leave)
        if number < 2:
            line.database.execute("DROP TABLE IF EXISTS parts_east")
    if not runs:
        line.engine.start()
    line.sync()
    _expect_equal(line, mapping)
    log = line.engine.tail(100_000)
    assert "public.parts is read again" not in log, "what a partition leaves behind is no reason to read all others"


def test_a_partition_that_comes_back_and_goes_is_found_again(line, mapping):
    line.database.execute("CREATE TABLE parts_east PARTITION OF parts FOR VALUES IN ('east'); INSERT INTO parts VALUES (200, 'east', 'made')")
    line.database.execute("ALTER TABLE parts DETACH PARTITION parts_east")
    line.sync()
    _expect_equal(line, mapping)
    line.database.execute("DELETE FROM parts_east; ALTER TABLE parts ATTACH PARTITION parts_east FOR VALUES IN ('east')")
    line.database.execute("INSERT INTO parts VALUES (201, 'east', 'again')")
    line.database.execute("ALTER TABLE parts DETACH PARTITION parts_east")
    line.sync()
    _expect_equal(line, mapping)


@pytest.mark.parametrize("runs", [True, False], ids=["running", "stopped"])
def test_changes_under_another_name_are_not_lost(line, mapping, runs):
    if not runs:
        line.engine.terminate()
    execute = line.database.execute
    execute("DELETE FROM links WHERE 8 IN (one, other)")
    execute("ALTER TABLE things RENAME TO away")
    execute("UPDATE away SET name = 'under another name' WHERE id = 7; DELETE FROM away WHERE id = 8")
    execute("ALTER TABLE away RENAME TO things")
    execute("UPDATE things SET name = 'under its own' WHERE id = 9")
    if not runs:
        line.engine.start()
    line.sync()
    _expect_equal(line, mapping)


def test_rows_of_a_dropped_partition_go_while_keys_of_others_change(line, mapping):
    """A key that no row has at that moment may be one that the stream is still to change: its node stays, with what others put on it."""
    line.database.execute("INSERT INTO parts SELECT n, 'north', 'n' FROM generate_series(1000, 1400) n")
    line.sync()
    line.graph.rows("MATCH (p:Part) SET p.theirs = p.id")
    line.database.execute("DROP TABLE parts_south")
    for key in range(1000, 1400):
        line.database.execute("UPDATE parts SET id = id + 10000 WHERE id = %s", (key,))
    _wait(lambda: line.graph.value("MATCH (p:Part {region: 'south'}) RETURN count(p)"), line)
    line.sync()
    assert line.graph.value("MATCH (p:Part) WHERE p.theirs >= 1000 AND p.id >= 11000 RETURN count(p)") == 400
    line.graph.rows("MATCH (p:Part) REMOVE p.theirs")
    _expect_equal(line, mapping)


# The mapping.

def test_a_change_of_the_mapping_syncs_only_what_it_is_about(line, mapping):
    line.graph.rows("MATCH (k:Kind) SET k.theirs = 'kept'")
    line.engine.terminate()
    text = mapping.read_text().replace("kinds: {node: Kind, key: id}", "kinds: {node: Sort, key: id, exclude: [mood]}")
    mapping.write_text(text.replace("properties: [note]", "properties: [{remark: note}]"))
    line.engine.start()
    _wait(lambda: "\n".join(each for each in mapped.differences(line.database, line.graph, mapping) if "theirs" not in each and "Kind" not in each and "?" not in each), line)
    log = line.engine.tail(100_000)
    assert "public.kinds is read again" in log and "public.parts is read again" not in log
    # What others hung on the old nodes stays, on stubs.
    assert line.graph.value("MATCH (k:Kind) WHERE k.theirs = 'kept' AND k.name IS NULL RETURN count(k)") == 5
    line.graph.rows("MATCH (k:Kind) DELETE k")
    _expect_equal(line, mapping)


def _start_with(line, mapping, text):
    line.engine.terminate()
    mapping.write_text(text)
    line.engine.init()
    line.engine.start()


def test_a_table_that_leaves_the_mapping_takes_its_nodes_from_among_those_of_its_label(line, mapping):
    gone = ("dogs:", "chases:", "flights:")
    line.graph.rows("MATCH (a:Animal {name: 'cat'}) SET a.theirs = 1")
    _start_with(line, mapping, "\n".join(each for each in _MAPPING.splitlines() if not each.strip().startswith(gone)) + "\n")
    _wait(lambda: line.graph.value("MATCH (a:Animal {name: 'dog'}) RETURN count(a)"), line)
    line.graph.rows("MATCH (a:Animal {name: 'cat', theirs: 1}) REMOVE a.theirs")
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (a:Animal) RETURN count(a)") == 10


def test_relationships_that_one_table_makes_no_more_stay_where_another_of_its_label_makes_them(line, mapping):
    without = "dogs: {node: Animal, key: id}"
    _start_with(line, mapping, _MAPPING.replace("dogs: {node: Animal, key: id, relationships: [OF: {to: {kinds: kind}}]}", without))
    _wait(lambda: line.graph.value("MATCH (a:Animal {name: 'dog'})-[r:OF]->() RETURN count(r)"), line)
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (a:Animal {name: 'cat'})-[r:OF]->() RETURN count(r)") == 10


def test_a_key_that_the_mapping_chooses_otherwise_leaves_no_node_of_the_old_one(line, mapping):
    line.database.execute("CREATE TABLE boxes (id int PRIMARY KEY, name text NOT NULL UNIQUE); INSERT INTO boxes VALUES (1, 'a'), (2, 'b')")
    for key in ("id", "name"):
        _start_with(line, mapping, f"{_MAPPING}  boxes: {{node: Box, key: {key}}}\n")
        _expect_equal(line, mapping)
        assert line.graph.value("MATCH (b:Box) RETURN count(b)") == 2


def test_properties_of_a_foreign_keys_relationship_that_the_mapping_says_no_more_go(line, mapping):
    properties = "things: {node: Thing, key: id, relationships: [OF: {to: {kinds: kind}, properties: [n, amount]}]}"
    plain = "things: {node: Thing, key: id, relationships: [OF: {to: {kinds: kind}}]}"
    _start_with(line, mapping, _MAPPING.replace(plain, properties))
    _wait(lambda: line.graph.value("MATCH (:Thing)-[r:OF]->(:Kind) WHERE r.n IS NULL RETURN count(r)"), line)
    _expect_equal(line, mapping)
    line.graph.rows("MATCH (:Thing {id: 1})-[r:OF]->(:Kind) SET r.theirs = 1")
    _start_with(line, mapping, _MAPPING.replace(plain, properties.replace("n, amount", "n")))
    _wait(lambda: line.graph.value("MATCH (:Thing)-[r:OF]->(:Kind) WHERE any(k IN keys(r) WHERE k STARTS WITH 'amount') "
                                   "RETURN count(r)"), line)
    assert line.graph.value("MATCH (:Thing {id: 1})-[r:OF]->(:Kind) RETURN r.theirs") == 1
    line.graph.rows("MATCH (:Thing {id: 1})-[r:OF]->(:Kind) REMOVE r.theirs")
    _expect_equal(line, mapping)


def test_nodes_of_a_tenant_go_with_the_table_that_leaves_the_mapping(line, mapping):
    line.engine.terminate()
    whole = mapping.read_text()
    mapping.write_text(whole.replace("parts: {node: Part, key: [id, region]}", "parts: {node: Part, key: [id, region], tenant: region}"))
    line.engine.start()
    _wait(lambda: line.graph.value("MATCH (p:Part) WHERE p.tenantId IS NULL RETURN count(p)"), line)
    line.engine.terminate()
    mapping.write_text("\n".join(each for each in whole.splitlines() if "parts:" not in each) + "\n")
    line.engine.start()
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (p:Part) RETURN count(p)") == 0


def test_labels_that_the_mapping_says_no_more_go(line, mapping):
    whole = mapping.read_text()
    line.engine.terminate()
    mapping.write_text(whole.replace("kinds: {node: Kind,", "kinds: {node: [Kind, Sort],"))
    line.engine.start()
    _wait(lambda: line.graph.value("MATCH (k:Kind) WHERE NOT k:Sort RETURN count(k)"), line)
    line.graph.rows("MATCH (k:Kind {id: 1}) SET k:Theirs")
    line.engine.terminate()
    mapping.write_text(whole)
    line.engine.start()
    _wait(lambda: line.graph.value("MATCH (k:Sort) RETURN count(k)"), line)
    assert line.graph.value("MATCH (k:Kind:Theirs) RETURN count(k)") == 1
    _expect_equal(line, mapping)


def test_a_table_leaves_the_mapping_and_comes_again(line, mapping):
    whole = mapping.read_text()
    line.engine.terminate()
    mapping.write_text("\n".join(each for each in whole.splitlines() if "links:" not in each) + "\n")
    line.engine.start()
    _expect_equal(line, mapping)
    line.database.execute("DELETE FROM links WHERE one = 1")
    line.engine.terminate()
    mapping.write_text(whole)
    line.engine.start()
    _expect_equal(line, mapping)
