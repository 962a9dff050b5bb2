"""Every example of docs/types.md, copied and streamed: what the page says is what the graph has (cases A and B of types and zones).

The page is made by the program (`contextnexus docs types`); here PostgreSQL prints each value and Neo4j evaluates what the page
says beside it.
"""

import re

import pytest

from lib.database import REPOSITORY
from lib.live import mapped_tables

_PAGE = REPOSITORY / "docs" / "types.md"
_MAPPING = """version: 1
name: types
naming: as_is
tables:
  typed: {node: Typed, key: id}
"""
_TYPES = """
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE address AS (number int, street text, share numeric);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN scores AS numeric(3,0)[];
"""
# Of the database: a session that does not say its own prints values otherwise (R5, case 3).
_HOSTILE = ("DateStyle = 'SQL, DMY'", "TimeZone = 'America/St_Johns'", "IntervalStyle = 'sql_standard'", "extra_float_digits = -3",
            "bytea_output = 'escape'", "row_security = on")


def _code(cell):
    return "" if cell == "(empty)" else re.fullmatch(r"`` (.*) ``", cell)[1].replace("\\|", "|")


def _read_page():
    """By column: its type, its form, and its examples, each PostgreSQL's text with what the page says of the graph."""
    columns = {}
    for line in _PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5 or not cells[0].startswith("`"):
            continue
        name, form, companion, example, told = cells
        made = columns.setdefault(name.strip("`"), (form, companion == "yes", []))
        made[2].append((_code(example), _code(told)))
    return [(name, *rest) for name, rest in columns.items()]


COLUMNS = _read_page()
MOST = max(len(examples) for _, _, _, examples in COLUMNS)


@pytest.fixture(params=["plain", "hostile"])
def line(servers, graph, tmp_path, request):
    mapping = tmp_path / "types.yaml"
    mapping.write_text(_MAPPING)
    columns = ", ".join(f"c{i} {name}" for i, (name, *_) in enumerate(COLUMNS))
    with mapped_tables(servers, "cnx_types", f"{_TYPES}CREATE TABLE typed (id int PRIMARY KEY, {columns})", mapping) as live:
        if request.param == "hostile":
            for setting in _HOSTILE:
                live.database.execute(f"ALTER DATABASE cnx_types SET {setting}")
        live.zone = {"TZ": "Asia/Ho_Chi_Minh"} if request.param == "hostile" else {}
        yield live


def _values(number):
    """A column's example of that number, where it has so many; else NULL."""
    return [examples[number][0] if number < len(examples) else None for _, _, _, examples in COLUMNS]


def _insert(database, key, number):
    casts = ", ".join(f"%s::{name}" for name, *_ in COLUMNS)
    database.execute(f"INSERT INTO typed VALUES (%s, {casts})", (key, *_values(number)))


def _update(database, key, number):
    sets = ", ".join(f"c{i} = %s::{name}" for i, (name, *_) in enumerate(COLUMNS))
    database.execute(f"UPDATE typed SET {sets} WHERE id = %s", (*_values(number), key))


def _faults(graph, key, number):
    node = graph.node("Typed", key)
    kinds = graph.rows("MATCH (n:Typed {id: $id}) UNWIND keys(n) AS name RETURN name, valueType(n[name]) AS type", id=key)
    types = {row["name"]: row["type"] for row in kinds}
    faults = []
    for i, (name, form, companion, examples) in enumerate(COLUMNS):
        found, beside = node.properties.get(f"c{i}"), node.properties.get(f"c{i}__pg")
        text, told = examples[number] if number < len(examples) else (None, None)
        if told is None:
            good = found is None and beside is None
        elif told.startswith("__pg: "):
            good = companion and found is None and beside == text and told == "__pg: " + _quoted(text)
        elif told.startswith("bytes"):
            good = beside is None and found == bytes.fromhex(told[len("bytes"):].strip())
        else:
            wanted = graph.value(f"RETURN {told}")
            good = beside is None and repr(found) == repr(wanted) and _is(form, types[f"c{i}"])
        if not good:
            faults.append(f"{name} of {key}: {text!r} is {found!r}, {types.get(f'c{i}')}, beside it {beside!r}; the page says {form}, {told}")
    return faults


def _quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _is(form, kind):
    """Neo4j's name of a value's type against the page's."""
    kind = kind.replace(" NOT NULL", "")
    if form.startswith("LIST OF "):
        return kind in (f"LIST<{form[len('LIST OF '):]}>", "LIST<NOTHING>")
    return kind == form


def test_every_example_is_as_the_page_says(line):
    for number in range(MOST):
        _insert(line.database, number, number)
        _insert(line.database, 100 + number, number)
    line.engine.start(environment=line.zone)
    line.sync()
    for number in range(MOST):
        _insert(line.database, 200 + number, number)
        # Each example where another was, and NULL where a value was.
        _update(line.database, 100 + number, (number + 1) % (MOST + 1))
    line.sync()
    faults = []
    for number in range(MOST):
        faults += _faults(line.graph, number, number) + _faults(line.graph, 200 + number, number)
        faults += _faults(line.graph, 100 + number, (number + 1) % (MOST + 1))
    assert not faults, "\n".join(faults)


def test_the_page_has_every_kind_of_value():
    forms = {form for _, form, _, _ in COLUMNS}
    assert len(COLUMNS) >= 60
    for form in ("STRING", "BOOLEAN", "INTEGER", "FLOAT", "BYTES", "DATE", "LOCAL TIME", "ZONED TIME", "LOCAL DATETIME",
                 "ZONED DATETIME", "DURATION", "LIST OF INTEGER", "LIST OF STRING", "LIST OF DATE"):
        assert form in forms, form
    assert not any("not a text" in told for _, _, _, examples in COLUMNS for _, told in examples)
