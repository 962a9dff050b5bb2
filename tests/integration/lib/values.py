"""What a PostgreSQL value must be in Neo4j: the type follows from the column's type alone.

Is told a column's type by the catalog, with domains taken off. A value is taken in PostgreSQL's
own text form under the session settings of database.py.
"""

import re

from .graph import Temporal, canonical_time

_INTEGERS = frozenset({"smallint", "integer", "bigint", "oid"})
_FLOATS = frozenset({"real", "double precision"})
_ZONED = re.compile(r"timestamp(\(\d\))? with time zone")
_LOCAL = re.compile(r"timestamp(\(\d\))? without time zone")


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
    if type_name in ("bytea",):
        return bytes.fromhex(text[2:])
    if type_name == "money":
        return re.sub(r"[$,]", "", text)
    if type_name == "date":
        return _dated("Date", text, "")
    if _LOCAL.fullmatch(type_name):
        return _dated("LocalDateTime", text, "T")
    if type_name.startswith("time"):
        return _timed(text)
    if type_name.startswith("interval"):
        return _interval(text)
    # Any other type is PostgreSQL's own text.
    return text


def _year(match, era):
    """The proleptic Gregorian year, as ISO 8601 writes it: 1 BC is 0."""
    year = int(match)
    year = 1 - year if era else year
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}"


def _dated(kind, text, middle):
    match = re.fullmatch(r"(\d{4,})-(\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?( BC)?", text)
    if not match:
        return Unfit(text)
    day = f"{_year(match[1], match[4])}-{match[2]}"
    return Temporal(kind, canonical_time(f"{day}T{match[3]}") if middle else day)


def _timed(text):
    match = re.fullmatch(r"(\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)*)?", text)
    if match[1].startswith("24"):
        return Unfit(text)
    if not match[2]:
        return Temporal("LocalTime", canonical_time(f"T{match[1]}")[1:])
    zone = "Z" if re.fullmatch(r"[+-]00", match[2]) else match[2] if ":" in match[2] else f"{match[2]}:00"
    return Temporal("Time", canonical_time(f"T{match[1]}")[1:] + zone)


class Duration(tuple):
    """(months, days, nanoseconds)."""


def _interval(text):
    months = days = 0
    for number, unit in re.findall(r"([+-]?\d+) (year|mon|day)", text):
        months += {"year": 12, "mon": 1, "day": 0}[unit] * int(number)
        days += int(number) if unit == "day" else 0
    nanoseconds = 0
    clock = re.search(r"([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d+))?", text)
    if clock:
        whole = (int(clock[2]) * 60 + int(clock[3])) * 60 + int(clock[4])
        nanoseconds = whole * 10**9 + int((clock[5] or "").ljust(9, "0"))
        nanoseconds = -nanoseconds if clock[1] == "-" else nanoseconds
    elif not re.fullmatch(r"(?:[+-]?\d+ (?:years?|mons?|days?) ?)+|00:00:00", text):
        return Unfit(text)
    return Duration((months, days, nanoseconds))


def duration(text):
    """What Neo4j prints of a duration, in the same form."""
    date, _, clock = text.removeprefix("P").partition("T")
    months = days = 0
    for number, unit in re.findall(r"([+-]?\d+)([YMWD])", date):
        months += {"Y": 12, "M": 1}.get(unit, 0) * int(number)
        days += {"W": 7, "D": 1}.get(unit, 0) * int(number)
    nanoseconds = 0
    for number, fraction, unit in re.findall(r"([+-]?\d+)(?:\.(\d+))?([HMS])", clock):
        sign = -1 if number.startswith("-") else 1
        whole = abs(int(number)) * {"H": 3600, "M": 60, "S": 1}[unit]
        nanoseconds += sign * (whole * 10**9 + int((fraction or "").ljust(9, "0")))
    return Duration((months, days, nanoseconds))


def _zoned(text):
    match = re.fullmatch(r"(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00( BC)?", text)
    if not match:
        return Unfit(text)
    return Temporal("OffsetDateTime", canonical_time(f"{_year(match[1], match[4])}-{match[2]}T{match[3]}Z"))


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
    if isinstance(b, Temporal) and b.type == "Duration":
        b = duration(b.text)
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or (a != a and b != b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b
