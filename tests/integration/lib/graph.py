"""Reads (and, for tests, writes) Neo4j over its HTTP Query API v2 with typed JSON.

The engine speaks Bolt; this file shares nothing with it. Values keep their type: Integer is int, Float is float,
Boolean is bool, and a temporal value is a `Temporal` of its type name and canonical text, so that a comparison can
tell a string from a date.
"""

import base64
import contextlib
import json
import re
import time
import urllib.error
import urllib.request
from typing import NamedTuple


class GraphError(Exception):
    """Neo4j's answer to a statement that failed: `code` as the server gave it."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


_OUTDATED = "Neo.TransientError.Transaction.Outdated"

# For which schema a graph was emptied last, by its URL.
_schemas = {}


class GraphUnavailable(Exception):
    """Nothing answered, or the answer broke off."""


class Temporal(NamedTuple):
    type: str
    text: str


class Node(NamedTuple):
    element_id: str
    labels: frozenset
    properties: dict


class Relationship(NamedTuple):
    element_id: str
    type: str
    start: str
    end: str
    properties: dict


_TIME = re.compile(r"T(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?")


def canonical_time(text):
    """The one spelling of a temporal text: seconds always there, the fraction with nine digits."""

    def full(match):
        return f"T{match[1]}:{match[2] or '00'}.{(match[3] or '').ljust(9, '0')}"

    return _TIME.sub(full, text, count=1)


def _decode(item):
    kind, value = item["$type"], item["_value"]
    if kind in ("Null", "String", "Boolean"):
        return value
    if kind == "Integer":
        return int(value)
    if kind == "Float":
        return float(value)
    if kind == "List":
        return [_decode(entry) for entry in value]
    if kind == "Map":
        return {name: _decode(entry) for name, entry in value.items()}
    if kind == "Base64":
        return base64.b64decode(value)
    if kind == "Node":
        return Node(value["_element_id"], frozenset(value["_labels"]), _properties(value))
    if kind == "Relationship":
        return Relationship(value["_element_id"], value["_type"], value["_start_node_element_id"],
                            value["_end_node_element_id"], _properties(value))
    return Temporal(kind, canonical_time(str(value)))


def _quoted(name):
    """As an identifier of Cypher: an escape is read before a backtick is."""
    return "`" + name.replace("\\", "\\u005C").replace("`", "``") + "`"


def _properties(value):
    return {name: _decode(entry) for name, entry in value["_properties"].items()}


class Graph:
    """One Neo4j database. One request is one transaction."""

    def __init__(self, http_url, user, password, database="neo4j"):
        self._url = f"{http_url.rstrip('/')}/db/{database}/query/v2"
        self._transactions = f"{http_url.rstrip('/')}/db/{database}/tx"
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {token}",
            "Accept": "application/vnd.neo4j.query",
            "Content-Type": "application/json",
        }

    def rows(self, statement, timeout=60, **parameters):
        """The records of a statement as dictionaries, one per row. A read whose nodes were removed before it could answer is made again."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                data = self._answer(statement, timeout, parameters)["data"]
                return [dict(zip(data["fields"], map(_decode, values))) for values in data["values"]]
            except GraphError as error:
                if error.code != _OUTDATED or time.monotonic() > deadline:
                    raise

    def operators(self, statement, **parameters):
        """The names of the operators of the plan that the server would run a statement by."""

        def walk(step):
            yield step["operatorType"].removesuffix("@neo4j")
            for child in step["children"]:
                yield from walk(child)

        return list(walk(self._answer(f"EXPLAIN {statement}", 60, parameters)["queryPlan"]))

    def _answer(self, statement, timeout, parameters):
        body = json.dumps({"statement": statement, "parameters": parameters}).encode()
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = self._error_body(error)
        except (OSError, ValueError) as error:
            raise GraphUnavailable(str(error)) from error
        if answer.get("errors"):
            first = answer["errors"][0]
            raise GraphError(first["code"], first["message"])
        return answer

    @contextlib.contextmanager
    def open_transaction(self, statement):
        """Runs a statement in a transaction that stays open meanwhile, and is rolled back in the end."""
        headers = self._headers | {"Accept": "application/json"}
        body = json.dumps({"statements": [{"statement": statement}]}).encode()
        with urllib.request.urlopen(urllib.request.Request(self._transactions, body, headers), timeout=20) as response:
            begun = json.load(response)
        assert not begun["errors"], begun
        try:
            yield
        finally:
            own = begun["commit"].removesuffix("/commit")
            urllib.request.urlopen(urllib.request.Request(own, headers=headers, method="DELETE"), timeout=20).close()

    @staticmethod
    def _error_body(error):
        try:
            return json.load(error)
        except ValueError:
            raise GraphUnavailable(f"HTTP {error.code} without a body") from error

    def value(self, statement, **parameters):
        """The only column of the only row; None where there is no row."""
        rows = self.rows(statement, **parameters)
        return next(iter(rows[0].values())) if rows else None

    def node(self, label, key):
        """The only node of that label and id, or None; two of them are an error at once."""
        rows = self.rows(f"MATCH (n:{label} {{id: $key}}) RETURN n", key=key)
        assert len(rows) <= 1, f"{len(rows)} nodes :{label} {{id: {key}}}"
        return rows[0]["n"] if rows else None

    def relationships(self, start_label, start, kind, end_label, end):
        """Every relationship of a type between two nodes."""
        rows = self.rows(f"MATCH (:{start_label} {{id: $start}})-[r:{kind}]->(:{end_label} {{id: $end}}) RETURN r",
                         start=start, end=end)
        return [row["r"] for row in rows]

    def position(self, pipeline="contextnexus"):
        """(lsn, ordinal) of the pipeline's lane 0, or None where there is no position node."""
        rows = self.rows("MATCH (p:ContextNexusPosition {key: $key}) RETURN p.lsn AS lsn, p.ordinal AS ordinal",
                         key=f"{pipeline}/0")
        if not rows or rows[0]["lsn"] is None:
            return None
        return rows[0]["lsn"], rows[0]["ordinal"] or 0

    def wipe(self, schema=None):
        """Removes everything: relationships and nodes in bounded pieces, then constraints and indexes.

        Those stay where the graph was emptied before for the same `schema`, whatever names it: each that is made or dropped
        makes the server forget every plan, and planning a mapping's statements anew takes it half a minute on two cores.
        """
        while self.value("MATCH ()-[r]->() WITH r LIMIT 20000 DELETE r RETURN count(*)"):
            pass
        while self.value("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*)"):
            pass
        if schema is not None and schema == _schemas.get(self._url):
            return
        _schemas[self._url] = schema
        for row in self.rows("SHOW CONSTRAINTS YIELD name"):
            self.rows(f"DROP CONSTRAINT {_quoted(row['name'])} IF EXISTS")
        for row in self.rows("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
            self.rows(f"DROP INDEX {_quoted(row['name'])} IF EXISTS")

    def wait_until_up(self, timeout=120):
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.rows("RETURN 1", timeout=5)
                return
            except (GraphUnavailable, GraphError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
