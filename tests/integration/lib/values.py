"""What a PostgreSQL value must be in Neo4j: the type follows from the column's type alone.

Covers the types that the schema uses, and is told a column's type by the catalog. A value is taken in PostgreSQL's
own text form under the session settings of database.py.
"""

import re

from .graph import Temporal, canonical_time

_STRINGS = re.compile(r"uuid|text|jsonb?|character varying(\(\d+\))?")
_INTEGERS = frozenset({"smallint", "integer", "bigint", "oid"})
_FLOATS = frozenset({"real", "double precision"})
_ZONED = re.compile(r"timestamp(\(\d\))? with time zone")


class Unfit(str):
    """A value that its native type cannot hold: `<property>__pg` holds this text, the property is absent."""


def expected(type_name, text):
    """The graph's value for a column's text (None is SQL NULL, which is an absent property)."""
    if text is None:
        return None
    if type_name.endswith("[]"):
        items = parse_array(text)
        if items is None or None in items:
            return Unfit(text)
        return [expected(type_name[:-2], item) for item in items]
    if _STRINGS.fullmatch(type_name):
        return text
    if type_name in _INTEGERS:
        return int(text)
    if type_name in _FLOATS:
        return float(text)
    if type_name == "boolean":
        return {"t": True, "true": True, "f": False, "false": False}[text]
    if type_name.startswith("numeric"):
        whole = re.fullmatch(r"numeric\((\d+),0\)", type_name)
        return int(text) if whole and int(whole[1]) <= 18 else text
    if _ZONED.fullmatch(type_name):
        return _zoned(text)
    raise AssertionError(f"the comparer knows no rule for type {type_name}")


def _zoned(text):
    match = re.fullmatch(r"(\d{4})-(\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00", text)
    if not match:
        return Unfit(text)
    return Temporal("OffsetDateTime", canonical_time(f"{match[1]}-{match[2]}T{match[3]}Z"))


def parse_array(text):
    """The items of a one-dimensional array's text, None for SQL NULL items; None where it has another shape."""
    if not text.startswith("{") or text.startswith("{{"):
        return None
    items, token, quoted, inside = [], "", False, False
    position = 1
    while position < len(text):
        char = text[position]
        if inside and char == "\\":
            position += 1
            token += text[position]
        elif char == '"':
            inside, quoted = not inside, True
        elif not inside and char in ",}":
            if token or quoted:
                items.append(token if quoted or token != "NULL" else None)
            token, quoted = "", False
        else:
            token += char
        position += 1
    return items


def same(a, b):
    """Equal in type and value. NaN equals NaN, and 0.0 equals -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or (a != a and b != b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b
