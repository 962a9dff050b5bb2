"""Public databases as they are: inferred, checked, prepared, copied and followed, with no edit of the mapping.

The folder of CONTEXTNEXUS_DATASETS holds them (its `load` puts one into a database of its name). Counts and values are compared
with the tables by lib/mapped.py, which shares no code with the engine.
"""

import random

import pytest

from lib import datasets, mapped
from lib import database as postgres
from lib.engine import Engine

EXAMPLES = postgres.REPOSITORY / "examples" / "inferred"
_CHANGES = 400

pytestmark = datasets.needed


@pytest.fixture
def dataset(servers, graph, name):
    with datasets.loaded(servers, graph, name) as url:
        yield url


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_a_public_database_is_in_the_graph_and_stays_there(servers, graph, tmp_path, dataset, name):
    mapping = tmp_path / "mapping.yaml"
    engine = Engine(servers, dataset, mapping=mapping)
    engine.expect("init", "--from", dataset)
    engine.init()
    checked = engine.verb("check", "--mapping", str(mapping), url=engine.url)
    assert checked.code == 0, checked.text
    with postgres.Database(dataset) as database:
        try:
            engine.once()
            _expect_equal(database, graph, mapping)
            engine.start()
            _change_at_random(database, mapped.load(mapping), random.Random(name))
            engine.catch_up(120)
            _expect_equal(database, graph, mapping)
            assert mapped.counts(database, mapping)[0] > 100
        finally:
            engine.kill()


def _expect_equal(database, graph, mapping):
    found = mapped.differences(database, graph, mapping)
    assert not found, "the graph differs:\n" + "\n".join(found)


def _change_at_random(database, mapping, chance):
    """Columns that take another row's value, rows that go, and rows that go and come again; what a rule forbids is passed over."""
    tables = [(rule.get("schema", mapping.schema), rule.get("table", handle)) for handle, rule in mapping.tables.items()
              if isinstance(rule, dict) and rule.get("graph") != "none"]
    done = 0
    for _ in range(_CHANGES):
        with database.transaction():
            for _ in range(1 + chance.randrange(3)):
                database.execute("SAVEPOINT s")
                try:
                    done += _change(database, chance, *chance.choice(tables))
                except (postgres.psycopg2.IntegrityError, postgres.psycopg2.DataError, postgres.psycopg2.ProgrammingError,
                        postgres.psycopg2.InternalError, postgres.psycopg2.NotSupportedError):
                    database.execute("ROLLBACK TO SAVEPOINT s")
    assert done > _CHANGES / 4, f"only {done} rows changed"


def _change(database, chance, schema, name):
    table = ".".join('"' + part.replace('"', '""').replace("%", "%%") + '"' for part in (schema, name))
    # A partition's tuples are found in it alone.
    place = database.rows(f"SELECT tableoid::regclass::text, ctid::text FROM {table} ORDER BY random() LIMIT 1", ())
    if not place:
        return 0
    leaf, ctid = place[0]
    draw = chance.random()
    if draw < 0.6:
        columns = [row[0] for row in database.rows(
            "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped "
            "AND a.attgenerated = '' AND a.attidentity = '' ORDER BY a.attnum", (leaf,))]
        column = '"' + chance.choice(columns).replace('"', '""').replace("%", "%%") + '"'
        return database.execute(f"UPDATE {leaf} SET {column} = (SELECT {column} FROM {table} ORDER BY random() LIMIT 1) "
                                "WHERE ctid = %s::tid", (ctid,))
    if draw < 0.85:
        return database.execute(f"WITH gone AS (DELETE FROM {leaf} WHERE ctid = %s::tid RETURNING *) "
                                f"INSERT INTO {leaf} SELECT * FROM gone", (ctid,))
    return database.execute(f"DELETE FROM {leaf} WHERE ctid = %s::tid", (ctid,))
