"""Neo4j's HTTP Query API with typed JSON: statements in, plain values out. Nothing but the standard library."""

import base64
import json
import math
import os
import re
import urllib.error
import urllib.request

# The server's own HTTP is asked, never a proxy.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Neo4jError(Exception):
    pass


class Typed(tuple):
    """(type, value) of one value, so that the integer 1, the float 1.0 and the text "1" differ."""

    __slots__ = ()

    def __str__(self):
        return f"{self[0]} {self[1]!r}"


_MOMENT = re.compile(r"([+-]?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)?(\[.*\])?$")


def moment(text):
    """A date and time in one spelling: seconds always, nine digits, the offset as it is."""
    match = _MOMENT.match(text)
    if not match:
        return text
    year, month, day, hour, minute, second, fraction, offset, zone = match.groups()
    return f"{int(year):05d}-{month}-{day}T{hour}:{minute}:{second or '00'}.{(fraction or ''):0<9}{offset or ''}{zone or ''}"


def typed(value):
    """What the typed JSON says, as Typed; lists and maps inside out; a null as None."""
    kind, content = value["$type"], value["_value"]
    if kind == "Null":
        return None
    if kind == "Integer":
        return Typed((kind, int(content)))
    if kind == "Float":
        number = float(content)
        return Typed((kind, "NaN" if math.isnan(number) else number))
    if kind == "List":
        return Typed((kind, tuple(typed(item) for item in content)))
    if kind == "Map":
        return {name: typed(item) for name, item in content.items()}
    if kind in ("OffsetDateTime", "ZonedDateTime", "LocalDateTime"):
        return Typed((kind, moment(content)))
    return Typed((kind, content if isinstance(content, (str, bool)) else json.dumps(content, sort_keys=True)))


def plain(value):
    """The same for showing: without types."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, Typed):
        return [plain(item) for item in value[1]] if value[0] == "List" else value[1]
    return value


class Neo4j:
    def __init__(self, url, user, password, database="neo4j"):
        self._url = f"{url}/db/{database}/query/v2"
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Content-Type": "application/json", "Accept": "application/vnd.neo4j.query",
                         "Authorization": f"Basic {login}"}

    @classmethod
    def from_environment(cls):
        """CNX_NEO4J_HTTP, CNX_NEO4J_USER, CNX_NEO4J_PASSWORD, as scripts/services writes them."""
        return cls(os.environ["CNX_NEO4J_HTTP"], os.environ["CNX_NEO4J_USER"], os.environ["CNX_NEO4J_PASSWORD"])

    def typed_rows(self, statement, parameters=None):
        """The rows as tuples of typed values."""
        sent = {"statement": statement}
        if parameters:
            sent["parameters"] = {name: {"$type": "Integer", "_value": str(value)} if isinstance(value, int)
                                  else {"$type": "String", "_value": value} for name, value in parameters.items()}
            headers = self._headers | {"Content-Type": "application/vnd.neo4j.query"}
        else:
            headers = self._headers
        request = urllib.request.Request(self._url, data=json.dumps(sent).encode(), headers=headers)
        try:
            with _OPENER.open(request, timeout=120) as answer:
                answered = json.load(answer)
        except urllib.error.HTTPError as error:
            answered = _error_body(error)
        except OSError as error:
            raise Neo4jError(f"Neo4j does not answer at {self._url}: {error}") from error
        if answered.get("errors"):
            raise Neo4jError("; ".join(f"{error.get('code')}: {error.get('message')}" for error in answered["errors"]))
        return [tuple(typed(value) for value in row) for row in answered["data"]["values"]]

    def rows(self, statement, parameters=None):
        return [tuple(plain(value) for value in row) for row in self.typed_rows(statement, parameters)]


def _error_body(error):
    try:
        return json.load(error)
    except ValueError:
        return {"errors": [{"code": f"HTTP {error.code}", "message": error.reason}]}
