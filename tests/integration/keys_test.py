"""Keys of every kind: of several columns, of types whose text is not the key, and relationships with a key of their own.

Snapshot and stream; what changes is compared row by row with the tables (lib/mapped.py), which shares no code with the engine.
"""

import random

import pytest

from lib import mapped
from lib import database as postgres
from lib.live import mapped_tables

_MAPPING = """version: 1
name: keys
defaults: {key: id}
tables:
  people: {node: Person}
  places:
    node: Place
    key: [city, country]
    relationships:
      - TWIN_OF: {to: {places: [twin_city, twin_country]}, properties: [since]}
  codes: {node: Code, key: code, relationships: [USED_IN: {to: {places: [city, country]}}]}
  amounts: {node: Amount, key: amount}
  days: {node: Day, key: [day, person], relationships: [OF: {to: {people: person}}]}
  domained: {node: Domained, key: id}
  visits:
    relationship: VISITED
    from: {people: person}
    to: {places: [city, country]}
    key: id
    properties: [note, paid]
  lodgings:
    relationship: LODGED
    from: {places: [city, country]}
    to: {codes: code}
    properties: [beds]
  versioned:
    relationship: RATED
    from: {people: person}
    to: {codes: code}
    key: [id, part]
    version: version
    conflict: graph_wins
    properties: [stars]
"""

_TABLES = """
CREATE DOMAIN whole AS integer; CREATE DOMAIN whole_too AS whole;
CREATE TABLE people (id bigint PRIMARY KEY, name text);
CREATE TABLE places (country char(3), city varchar(60), twin_country char(3), twin_city varchar(60), since date,
                     PRIMARY KEY (city, country),
                     FOREIGN KEY (twin_city, twin_country) REFERENCES places (city, country) ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE codes (code char(6) PRIMARY KEY, country char(3), city varchar(60),
                    FOREIGN KEY (city, country) REFERENCES places (city, country) ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE amounts (amount numeric PRIMARY KEY, what text);
CREATE TABLE days (day date, person bigint REFERENCES people ON UPDATE CASCADE ON DELETE CASCADE, mood text, PRIMARY KEY (day, person));
CREATE TABLE domained (id whole_too PRIMARY KEY, note text);
CREATE TABLE visits (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person bigint REFERENCES people ON UPDATE CASCADE ON DELETE SET NULL,
                     country char(3), city varchar(60), note text, paid numeric(10,2),
                     FOREIGN KEY (city, country) REFERENCES places (city, country) ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE lodgings (country char(3), city varchar(60), code char(6) REFERENCES codes ON UPDATE CASCADE ON DELETE CASCADE, beds int,
                       PRIMARY KEY (country, city, code),
                       FOREIGN KEY (city, country) REFERENCES places (city, country) ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE versioned (id int, part char(2), person bigint NOT NULL REFERENCES people ON UPDATE CASCADE ON DELETE CASCADE,
                        code char(6) NOT NULL REFERENCES codes ON UPDATE CASCADE ON DELETE CASCADE, stars int, version int NOT NULL DEFAULT 1,
                        PRIMARY KEY (id, part));
"""
_PEOPLE, _CITIES, _COUNTRIES, _CODES = range(1, 9), ("Wien", "x|y", "3:a", "a:", "é", ""), ("AT", "x", "FRA"), ("A", "AB", "A B")


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "keys.yaml"
    path.write_text(_MAPPING)
    return path


@pytest.fixture
def line(servers, mapping, graph):
    with mapped_tables(servers, "cnx_keys", _TABLES, mapping) as live:
        yield live


def _fill(database):
    for person in _PEOPLE:
        database.execute("INSERT INTO people VALUES (%s, %s)", (person, f"person {person}"))
    for city in _CITIES:
        for country in _COUNTRIES:
            database.execute("INSERT INTO places VALUES (%s, %s)", (country, city))
    for code in _CODES:
        database.execute("INSERT INTO codes VALUES (%s, 'AT', 'Wien')", (code,))
    for amount in ("1.50", "-0.00", "100", "1e-7", "NaN", "123456789012345678901234567890.10"):
        database.execute("INSERT INTO amounts VALUES (%s, 'x')", (amount,))
    database.execute("INSERT INTO days SELECT '2024-01-01'::date + n, 1 + n %% 8, 'fair' FROM generate_series(0, 19) n", ())
    database.execute("INSERT INTO domained VALUES (5, 'five')")
    database.execute("UPDATE places SET twin_city = 'Wien', twin_country = 'AT', since = '2001-01-01' WHERE city = 'é'")
    database.execute("INSERT INTO visits (person, country, city, note, paid) SELECT 1 + n % 8, 'AT', 'Wien', 'n' || n, n FROM generate_series(1, 30) n")
    database.execute("INSERT INTO visits (person, country, city) VALUES (NULL, 'AT', 'Wien'), (3, NULL, 'Wien'), (3, 'AT', NULL)")
    database.execute("INSERT INTO lodgings VALUES ('AT', 'Wien', 'A', 3), ('x', 'x|y', 'AB', 4)")
    database.execute("INSERT INTO versioned SELECT n, 'p', 1 + n % 8, 'AB', 5 FROM generate_series(1, 10) n")


def _expect_equal(line, mapping):
    line.sync()
    found = mapped.differences(line.database, line.graph, mapping)
    assert not found, "the graph differs:\n" + "\n".join(found)


def test_the_copy_holds_every_key(line, mapping):
    _fill(line.database)
    line.engine.start()
    _expect_equal(line, mapping)
    assert mapped.counts(line.database, mapping)[1] > 40
    assert line.graph.value("MATCH (p:Place {_cnx_key: '3:x|y1:x'}) RETURN p.city") == "x|y"


def test_the_stream_holds_every_key(line, mapping):
    line.engine.start()
    line.sync()
    _fill(line.database)
    _expect_equal(line, mapping)


def test_a_node_whose_key_changes_in_one_part_keeps_its_node_and_its_relationships(line, mapping):
    _fill(line.database)
    line.engine.start()
    line.sync()
    line.graph.rows("MATCH (p:Place {city: 'Wien', country: 'AT '}) SET p.note = 'mine' CREATE (p)-[:MINE]->(:Somebody)")
    line.database.execute("UPDATE places SET city = 'Vienna' WHERE city = 'Wien' AND country = 'AT'")
    line.sync()
    row = line.graph.rows("MATCH (p:Place {city: 'Vienna'})-[:MINE]->(:Somebody) REMOVE p.note WITH p MATCH ()-[r]->(p) "
                          "RETURN count(r) AS n, count(DISTINCT type(r)) AS kinds")[0]
    assert (row["n"] > 30, row["kinds"]) == (True, 3)
    line.graph.rows("MATCH (s:Somebody) DETACH DELETE s")
    _expect_equal(line, mapping)


def test_a_relationship_with_a_key_of_its_own_goes_where_its_row_leads(line, mapping):
    _fill(line.database)
    line.engine.start()
    line.sync()
    database = line.database
    database.execute("UPDATE visits SET person = 8 WHERE note = 'n1'")
    database.execute("UPDATE visits SET city = 'é', country = 'FRA' WHERE note = 'n2'")
    database.execute("UPDATE visits SET person = NULL WHERE note = 'n3'")
    database.execute("UPDATE visits SET person = 2, country = 'AT', city = 'Wien', note = 'found' WHERE person IS NULL AND note IS NULL")
    database.execute("UPDATE visits SET id = gen_random_uuid() WHERE note = 'n4'")
    database.execute("DELETE FROM visits WHERE note = 'n5'")
    database.execute("UPDATE versioned SET code = 'A B', version = 2 WHERE id = 1")
    with database.transaction():
        database.execute("UPDATE people SET id = 100 WHERE id = 7")
        database.execute("UPDATE visits SET person = 100 WHERE note = 'n9'")
    with database.transaction():
        database.execute("DELETE FROM people WHERE id = 6")
        database.execute("INSERT INTO people VALUES (6, 'another')")
        database.execute("UPDATE visits SET person = 6 WHERE note = 'n10'")
    _expect_equal(line, mapping)


def test_a_refused_row_leaves_its_relationship_where_it_is(line, mapping):
    _fill(line.database)
    line.engine.start()
    line.sync()
    line.graph.rows("MATCH ()-[r:RATED]->() WHERE r._cnx_key = '1:11:p' SET r.version = 9")
    line.database.execute("UPDATE versioned SET code = 'A B', stars = 1, version = 2 WHERE id = 1")
    line.sync()
    rows = line.graph.rows("MATCH ()-[r:RATED {_cnx_key: '1:11:p'}]->(c) RETURN c.code AS code, r.stars AS stars, r.version AS version")
    assert [dict(row) for row in rows] == [{"code": "AB    ", "stars": 5, "version": 9}]


@pytest.mark.parametrize("seed", range(3))
def test_a_random_load_ends_equal(line, mapping, seed):
    chance = random.Random(seed)
    _fill(line.database)
    line.engine.start()
    for _ in range(250):
        _change(line.database, chance)
    _expect_equal(line, mapping)


def _change(database, chance):
    person, other = chance.choice(_PEOPLE), chance.choice(_PEOPLE)
    city, country, code = chance.choice(_CITIES), chance.choice(_COUNTRIES), chance.choice(_CODES)
    statements = [
        ("UPDATE visits SET person = %s WHERE id = (SELECT id FROM visits ORDER BY random() LIMIT 1)", (person,)),
        ("UPDATE visits SET city = %s, country = %s WHERE id = (SELECT id FROM visits ORDER BY random() LIMIT 1)", (city, country)),
        ("INSERT INTO visits (person, city, country, note) VALUES (%s, %s, %s, 'new')", (person, city, country)),
        ("DELETE FROM visits WHERE id = (SELECT id FROM visits ORDER BY random() LIMIT 1)", ()),
        ("UPDATE places SET twin_city = %s, twin_country = %s WHERE city = 'a:'", (city, country)),
        ("UPDATE places SET city = city || '!' WHERE city = %s AND country = %s", (city, country)),
        ("INSERT INTO places (city, country) VALUES (%s, %s) ON CONFLICT DO NOTHING", (city, country)),
        ("DELETE FROM places WHERE city = %s AND country = %s", (city, country)),
        ("INSERT INTO codes VALUES (%s, %s, %s) ON CONFLICT (code) DO UPDATE SET country = excluded.country, city = excluded.city",
         (code, country, city)),
        ("DELETE FROM codes WHERE code = %s", (code,)),
        ("INSERT INTO lodgings VALUES (%s, %s, %s, 1) ON CONFLICT (country, city, code) DO UPDATE SET beds = lodgings.beds + 1",
         (country, city, code)),
        ("DELETE FROM people WHERE id = %s", (person,)),
        ("INSERT INTO people VALUES (%s, 'again') ON CONFLICT DO NOTHING", (other,)),
        ("INSERT INTO versioned VALUES (%s, 'q', %s, %s, 3) ON CONFLICT (id, part) DO UPDATE SET person = excluded.person, "
         "code = excluded.code, version = versioned.version + 1", (person, other, code)),
        ("UPDATE days SET day = day + 100 WHERE person = %s AND mood = 'fair'", (person,)),
        ("UPDATE amounts SET what = %s WHERE amount = 1.5", (city,)),
    ]
    with database.transaction():
        for _ in range(1 + chance.randrange(3)):
            text, parameters = chance.choice(statements)
            database.execute("SAVEPOINT s")
            try:
                database.execute(text, parameters)
            except postgres.psycopg2.IntegrityError:
                database.execute("ROLLBACK TO SAVEPOINT s")
