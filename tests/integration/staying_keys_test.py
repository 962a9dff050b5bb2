"""Key changes where no foreign key makes the rows follow that name the key: the mapping declares what the database does not.

Each relationship leads to what has the key that its row names, another row or a stub; compared row by row with the tables
(lib/mapped.py), which shares no code with the engine. Real servers: PostgreSQL and Neo4j.
"""

import json
import random
import re
import time

import pytest

from lib import database as postgres
from lib import mapped
from lib.live import database_and_engine, mapped_tables

_MAPPING = """version: 1
name: staying
defaults: {key: id}
tables:
  people: {node: Person, relationships: [MENTORS: {from: {people: mentor}}]}
  places: {node: Place, key: [country, city]}
  pets: {node: Pet, relationships: [OWNS: {from: {people: owner}, properties: [since]}, BORN_IN: {to: {places: [country, city]}}]}
  likes: {relationship: LIKES, from: {people: person}, to: {pets: pet}, properties: [weight]}
  visits: {relationship: VISITED, from: {people: person}, to: {places: [country, city]}, key: id, properties: [note]}
  tags: {node: Tag, relationships: [TAGS: {to: {people: person}}]}
  badges: {node: Badge, relationships: [WEARS: {from: {people: person}}]}
"""

_TABLES = """
CREATE TABLE people (id bigint PRIMARY KEY, name text, mentor bigint);
CREATE TABLE places (country text, city text, note text, PRIMARY KEY (country, city));
CREATE TABLE pets (id text PRIMARY KEY, owner bigint, since date, country text, city text);
CREATE TABLE likes (person bigint, pet text, weight int, PRIMARY KEY (person, pet));
CREATE TABLE visits (id int PRIMARY KEY, person bigint, country text, city text, note text);
CREATE TABLE tags (id int PRIMARY KEY, person bigint REFERENCES people ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE badges (id int PRIMARY KEY, person bigint REFERENCES people DEFERRABLE INITIALLY DEFERRED);
"""

_ROWS = """
INSERT INTO people SELECT n, 'person ' || n, nullif(n % 5, 0) FROM generate_series(1, 8) n;
INSERT INTO places SELECT c, 'city ' || n, 'x' FROM unnest(ARRAY['AT', 'FR']) c, generate_series(1, 3) n;
INSERT INTO pets SELECT 'pet ' || n, 1 + n % 8, '2020-01-01', 'AT', 'city ' || 1 + n % 3 FROM generate_series(1, 20) n;
INSERT INTO likes SELECT 1 + n % 8, 'pet ' || 1 + n * 7 % 20, n FROM generate_series(1, 40) n ON CONFLICT DO NOTHING;
INSERT INTO visits SELECT n, 1 + n % 8, 'FR', 'city ' || 1 + n % 3, 'n' || n FROM generate_series(1, 30) n;
INSERT INTO tags SELECT n, 1 + n % 8 FROM generate_series(1, 10) n;
INSERT INTO badges SELECT n, 1 + n FROM generate_series(1, 2) n;
"""


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "staying.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_staying", _TABLES, mapping) as live:
        live.database.execute(_ROWS)
        live.engine.start()
        live.sync()
        yield live


@pytest.fixture(params=["one batch", "a batch each"])
def play(request, line):
    """Runs transactions, lists of statements, that reach the engine together or one after the other."""
    def run(*transactions):
        together = request.param == "one batch"
        if together:
            assert line.engine.terminate() == 0
        for transaction in transactions:
            with line.database.transaction():
                for statement in transaction:
                    line.database.execute(statement)
            if not together:
                line.sync()
        if together:
            line.engine.start()
        line.sync()
    return run


def _expect_equal(line, mapping):
    line.sync()
    found = mapped.differences(line.database, line.graph, mapping)
    assert not found, "the graph differs:\n" + "\n".join(found)


def _element(line, person):
    return line.graph.value("MATCH (p:Person {id: $id}) RETURN elementId(p)", id=person)


def _stubs(line):
    return sorted(row["id"] for row in line.graph.rows("MATCH (p:Person {_cnx_stub: true}) RETURN p.id AS id"))


def test_only_what_belongs_to_the_node_goes_along(line, mapping):
    line.graph.rows("MATCH (p:Person {id: 2}), (s:Pet {id: 'pet 3'}) SET p.mine = 'note' CREATE (p)-[:MINE]->(s), (p)-[:MINE]->(:Other)")
    element = _element(line, 2)
    with line.database.transaction():
        line.database.execute("UPDATE badges SET person = 3 WHERE person = 2")
        line.database.execute("UPDATE people SET id = 200 WHERE id = 2")
    line.sync()
    assert _element(line, 200) == element
    kinds = "MATCH (p:Person {id: $id})-[r]-() RETURN DISTINCT type(r) + CASE WHEN startNode(r) = p THEN '>' ELSE '<' END AS kind"
    assert {row["kind"] for row in line.graph.rows(kinds, id=200)} == {"MINE>", "MENTORS<", "TAGS<"}
    assert {row["kind"] for row in line.graph.rows(kinds, id=2)} == {"OWNS>", "LIKES>", "VISITED>", "MENTORS>"}
    assert line.graph.value("MATCH (p:Person {id: 200}) RETURN p.mine") == "note"
    line.graph.rows("MATCH (o:Other) DETACH DELETE o")
    line.graph.rows("MATCH (p:Person)-[r:MINE]->() REMOVE p.mine DELETE r")
    _expect_equal(line, mapping)
    assert _stubs(line) == [2]


def test_rows_that_follow_by_a_later_transaction_leave_no_stub(line, mapping, play):
    element = _element(line, 4)
    play(["UPDATE people SET id = 400 WHERE id = 4"],
         ["UPDATE pets SET owner = 400 WHERE owner = 4", "UPDATE likes SET person = 400 WHERE person = 4",
          "UPDATE visits SET person = 400 WHERE person = 4", "UPDATE people SET mentor = 400 WHERE mentor = 4"])
    _expect_equal(line, mapping)
    assert (_element(line, 400), _stubs(line)) == (element, [])


def test_of_rows_some_follow_and_some_stay(line, mapping, play):
    play(["UPDATE people SET id = 400 WHERE id = 4", "UPDATE pets SET owner = 400 WHERE owner = 4 AND id < 'pet 2'",
          "UPDATE likes SET person = 400 WHERE person = 4 AND weight < 20", "UPDATE likes SET weight = -1 WHERE person = 4",
          "UPDATE visits SET person = 400 WHERE person = 4 AND id < 15", "UPDATE visits SET note = 'stays' WHERE person = 4"],
         ["UPDATE pets SET since = '2021-01-01' WHERE owner = 4"])
    _expect_equal(line, mapping)
    assert _stubs(line) == [4]


def test_after_a_swap_relationships_hang_on_the_other_node(line, mapping, play):
    first, second = _element(line, 2), _element(line, 3)
    # Nobody moves the badges: their foreign key asks at the end for a row of that key, whichever it is.
    play(["UPDATE people SET id = 0 WHERE id = 2", "UPDATE people SET id = 2 WHERE id = 3", "UPDATE people SET id = 3 WHERE id = 0"])
    _expect_equal(line, mapping)
    assert (_element(line, 2), _element(line, 3), _stubs(line)) == (second, first, [])
    assert line.graph.value("MATCH (:Badge {id: 1})<-[:WEARS]-(p:Person) RETURN p.name") == "person 3"


def test_a_key_that_is_taken_later_gets_what_waited_for_it(line, mapping, play):
    element = _element(line, 5)
    play(["UPDATE people SET id = 500 WHERE id = 5"], ["UPDATE people SET id = 5 WHERE id = 6"], ["INSERT INTO people VALUES (6, 'new')"],
         ["UPDATE people SET id = 501 WHERE id = 500"])
    _expect_equal(line, mapping)
    assert (_element(line, 501), _stubs(line)) == (element, [])


def test_a_key_that_comes_back_takes_its_stub_over(line, mapping, play):
    element = _element(line, 5)
    play(["UPDATE people SET id = 500 WHERE id = 5"], ["UPDATE people SET id = 5 WHERE id = 500"])
    _expect_equal(line, mapping)
    assert (_element(line, 5), _stubs(line)) == (element, [])


def test_both_ends_of_a_join_row_give_up_their_keys(line, mapping, play):
    line.database.execute("INSERT INTO likes VALUES (7, 'pet 9', 1), (8, 'pet 9', 2), (7, 'pet 8', 3) ON CONFLICT DO NOTHING")
    line.sync()
    play(["UPDATE people SET id = 700 WHERE id = 7", "UPDATE pets SET id = 'pet 900' WHERE id = 'pet 9'",
          "UPDATE likes SET pet = 'pet 900' WHERE pet = 'pet 9' AND person = 7"],
         ["UPDATE likes SET weight = 9 WHERE person = 7 AND pet = 'pet 900'"])
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (:Pet {id: 'pet 9', _cnx_stub: true})<-[r:LIKES]-() RETURN count(r)") > 0


def test_a_key_of_several_columns_gives_up_one_of_them(line, mapping, play):
    play(["UPDATE places SET city = 'Lyon' WHERE country = 'FR' AND city = 'city 1'",
          "UPDATE visits SET city = 'Lyon' WHERE city = 'city 1' AND id > 15"])
    _expect_equal(line, mapping)
    assert line.graph.value("MATCH (p:Place {_cnx_stub: true})<-[r:VISITED]-() RETURN count(r)") > 0


def test_a_row_that_names_itself(line, mapping, play):
    line.database.execute("UPDATE people SET mentor = id WHERE id IN (6, 7)")
    line.sync()
    play(["UPDATE people SET id = 600, mentor = 600 WHERE id = 6", "UPDATE people SET id = 700 WHERE id = 7"])
    _expect_equal(line, mapping)
    # The first four did before.
    assert sorted(line.graph.value("MATCH (p:Person)-[:MENTORS]->(p) RETURN collect(p.id)")) == [1, 2, 3, 4, 600]
    assert line.graph.value("MATCH (:Person {id: 7, _cnx_stub: true})-[:MENTORS]->(p:Person {id: 700}) RETURN count(p)") == 1


def test_the_stub_goes_with_the_last_row_that_names_it(line, mapping, play):
    play(["UPDATE people SET id = 800 WHERE id = 8"],
         ["DELETE FROM pets WHERE owner = 8", "DELETE FROM likes WHERE person = 8", "DELETE FROM visits WHERE person = 8",
          "UPDATE people SET mentor = NULL WHERE mentor = 8"])
    _expect_equal(line, mapping)
    assert _stubs(line) == []


def test_a_foreign_key_that_comes_and_goes_is_noticed(line, mapping):
    def alter(sql):
        before = line.engine.tail(1_000_000).count("following ")
        line.database.execute(sql)
        deadline = time.monotonic() + 30
        while line.engine.tail(1_000_000).count("following ") == before:
            assert time.monotonic() < deadline, line.engine.tail()
            time.sleep(0.05)
        line.sync()

    def explained():
        words = line.engine.expect("explain", "--mapping", str(mapping), "--json", "pets").output
        return {each["other"]: each["follows"] for each in json.loads(words)["relationships"]}

    line.database.execute("INSERT INTO people SELECT DISTINCT owner, 'made' FROM pets ON CONFLICT DO NOTHING")
    alter("ALTER TABLE pets ADD CONSTRAINT owned FOREIGN KEY (owner) REFERENCES people ON UPDATE CASCADE")
    assert explained() == {"public.people (id)": True, "public.places (country, city)": False}
    line.database.execute("UPDATE people SET id = 600 WHERE id = 6")
    _expect_equal(line, mapping)
    alter("ALTER TABLE pets DROP CONSTRAINT owned")
    assert explained()["public.people (id)"] is False
    line.database.execute("UPDATE people SET id = 601 WHERE id = 600")
    _expect_equal(line, mapping)
    assert 600 in _stubs(line)


def test_check_and_explain_say_which_rows_follow(line, mapping):
    found = json.loads(line.engine.verb("check", "--mapping", str(mapping), "--json").output)["findings"]
    (figure,) = [each["figure"] for each in found if each["what"] == "key changes"]
    assert figure.startswith("1 of 9 references follow") and "public.badges (person)" in figure and "tags" not in figure
    told = line.engine.expect("explain", "--mapping", str(mapping), "tags").output
    assert "key of public.people (id); follows a change of it" in told
    told = line.engine.expect("explain", "--mapping", str(mapping), "people").output
    assert "stays at the key that the row names" in told and "leave behind Pet.OWNS" in told


def test_all_references_of_the_built_in_schema_follow(servers, template):
    with database_and_engine(servers, template, "cnx_staying_none") as live:
        found = json.loads(live.engine.verb("check", "--json").output)["findings"]
        (figure,) = [each["figure"] for each in found if each["what"] == "key changes"]
        assert re.fullmatch(r"(\d+) of \1 references follow, by foreign keys with ON UPDATE CASCADE", figure)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_load_ends_equal(line, mapping, seed):
    chance = random.Random(seed)
    for i in range(200):
        _change(line.database, chance)
        if i % 67 == 66:
            _expect_equal(line, mapping)
    _expect_equal(line, mapping)


def _change(database, chance):
    person, other = chance.randrange(1, 10), chance.randrange(1, 10)
    pet, another = (f"pet {chance.randrange(1, 9)}" for _ in range(2))
    city, town = (f"city {chance.randrange(1, 4)}" for _ in range(2))
    statements = [
        ("UPDATE people SET id = %s WHERE id = %s", (other, person)),
        ("UPDATE people SET id = %s WHERE id = %s", (person, other)),
        ("UPDATE pets SET id = %s WHERE id = %s", (another, pet)),
        ("UPDATE places SET city = %s WHERE city = %s AND country = 'FR'", (town, city)),
        ("UPDATE pets SET owner = %s WHERE owner = %s", (other, person)),
        ("UPDATE likes SET person = %s WHERE person = %s AND weight > 20", (other, person)),
        ("UPDATE likes SET pet = %s WHERE pet = %s AND person = %s", (another, pet, person)),
        ("UPDATE likes SET weight = weight + 1 WHERE person = %s", (person,)),
        ("UPDATE visits SET person = %s WHERE person = %s AND id %% 2 = 0", (other, person)),
        ("UPDATE visits SET note = 'seen' WHERE person = %s", (person,)),
        ("UPDATE visits SET city = %s WHERE city = %s", (town, city)),
        ("UPDATE people SET mentor = %s WHERE mentor = %s", (other, person)),
        ("UPDATE pets SET since = since + 1 WHERE owner = %s", (person,)),
        ("DELETE FROM people WHERE id = %s", (person,)),
        ("INSERT INTO people VALUES (%s, 'again', %s) ON CONFLICT DO NOTHING", (person, other)),
        ("DELETE FROM pets WHERE id = %s", (pet,)),
        ("INSERT INTO pets VALUES (%s, %s, '2022-01-01', 'FR', %s) ON CONFLICT DO NOTHING", (pet, person, city)),
        ("INSERT INTO likes VALUES (%s, %s, 30) ON CONFLICT DO NOTHING", (person, pet)),
        ("DELETE FROM likes WHERE person = %s AND weight %% 3 = 0", (person,)),
        ("INSERT INTO places VALUES ('FR', %s) ON CONFLICT DO NOTHING", (city,)),
        ("DELETE FROM places WHERE city = %s AND country = 'FR'", (city,)),
    ]
    with database.transaction():
        for _ in range(1 + chance.randrange(4)):
            text, parameters = chance.choice(statements)
            database.execute("SAVEPOINT s")
            try:
                database.execute(text, parameters)
                database.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except postgres.psycopg2.IntegrityError:
                database.execute("ROLLBACK TO SAVEPOINT s")
