"""The graph that a mapping file asks for, made from the tables themselves; and how Neo4j's differs from it.

Shares nothing with the engine: the mapping is read as YAML, rows as PostgreSQL prints them, values by values.py. Written for
mappings as `init --from` makes them and for tests: columns, renamed, left out and `as: float`; foreign keys; rows that are
relationships; further nodes of a row. Statements of a user's own and templates are not asked for here.
"""

import hashlib
import json
from collections import defaultdict
from typing import NamedTuple

import yaml

from . import values
from .comparer import _short

_PLAIN = frozenset({"smallint", "integer", "bigint", "uuid", "text", "character varying"})
_NUMBERS = ("numeric", "real", "double precision")


class Mapping(NamedTuple):
    naming: str
    schema: str
    defaults: dict
    tables: dict  # Handle -> rule.


class Table(NamedTuple):
    handle: str
    schema: str
    name: str
    rule: dict
    types: dict  # Column -> format_type() of its type with domains taken off; generated ones left out.
    key: tuple


class Found(NamedTuple):
    nodes: dict  # (label, key value) -> properties
    links: dict  # (type, start, end) -> [properties]


def load(path):
    words = yaml.safe_load(path.read_text())
    return Mapping(words.get("naming", "camelCase"), words.get("schema", "public"), words.get("defaults") or {}, words["tables"])


def differences(database, graph, path, limit=30):
    """Sentences, at most so many; none: both are equal. Nothing writes meanwhile."""
    expected = _expected(database, load(path))
    actual = _actual(graph).named(expected.nodes)
    lines = _compare(expected.nodes, actual.nodes, "node") + _compare(expected.links, actual.links, "relationship")
    return lines[:limit] + ([f"… and {len(lines) - limit} more"] if len(lines) > limit else [])


def counts(database, path):
    expected = _expected(database, load(path))
    return len(expected.nodes), sum(map(len, expected.links.values()))


# What the tables ask for.

def _expected(database, mapping):
    tables = {handle: _table(database, mapping, handle, rule) for handle, rule in mapping.tables.items()
              if isinstance(rule, dict) and rule.get("graph") != "none"}
    nodes, links = {}, defaultdict(list)
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in tables.values():
            for row in _rows(database, table):
                if "node" in table.rule:
                    _expect_node(mapping, tables, table, row, nodes, links)
                else:
                    _expect_link(mapping, tables, table, row, links)
    # An end that no row has is a stub: its key and the mark.
    for _, start, end in list(links):
        for identity in (start, end):
            nodes.setdefault(identity, {identity[1]: identity[2], "_cnx_stub": True})
    return Found(nodes, links)


def _table(database, mapping, handle, rule):
    schema, name = rule.get("schema", mapping.schema), rule.get("table", handle)
    rows = database.rows("""
        WITH RECURSIVE base AS (
          SELECT a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS modifier
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          UNION ALL
          SELECT b.attnum, b.attname, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.modifier END
          FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
        SELECT b.attname, format_type(b.type, b.modifier) FROM base b JOIN pg_type t ON t.oid = b.type
        WHERE t.typtype <> 'd' ORDER BY b.attnum""", (schema, name))
    assert rows, f"no table {schema}.{name}"
    key = rule.get("key", mapping.defaults.get("key"))
    if "node" not in rule and "key" not in rule:
        key = [*_end_columns(rule["from"]), *_end_columns(rule["to"])]
    return Table(handle, schema, name, rule, dict(rows), tuple([key] if isinstance(key, str) else key))


def _rows(database, table):
    name = f"{_quoted(table.schema)}.{_quoted(table.name)}"
    # By the output function: a cast of char(n) to text loses its padding.
    columns = ", ".join("CASE WHEN {0} IS NOT NULL THEN format('%%s', {0}) END".format(_quoted(column).replace("%", "%%"))
                        for column in table.types)
    only = "" if _is_partitioned(database, table) else "ONLY "
    name = name.replace("%", "%%")
    return [dict(zip(table.types, row)) for row in database.rows(f"SELECT {columns} FROM {only}{name}", ())]


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


def _is_partitioned(database, table):
    return database.value("SELECT relkind = 'p' FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                          "WHERE nspname = %s AND relname = %s", (table.schema, table.name))


def _expect_node(mapping, tables, table, row, nodes, links):
    identity = _identity(mapping, table, [row[c] for c in table.key])
    properties = _properties(table, row, _node_columns(mapping, table))
    properties[identity[1]] = identity[2]
    assert identity not in nodes, f"two rows are {identity}"
    nodes[identity] = properties
    for link in table.rule.get("relationships", []):
        (kind, form), = link.items()
        end = form.get("from") or form["to"]
        (other, columns), = end.items()
        texts = [row[c] for c in ([columns] if isinstance(columns, str) else columns)]
        if None in texts:
            continue
        ends = [_identity(mapping, tables[other], texts), identity]
        if "to" in form:
            ends.reverse()
        links[(kind, *ends)].append(_properties(table, row, _listed(mapping, form.get("properties", []))))
    for item in table.rule.get("nodes", []):
        (kind, form), = item.items()
        other = _expect_further(mapping, table, row, form, nodes)
        if other:
            links[(kind, *((identity, other) if "to" in form else (other, identity)))].append({})


def _expect_further(mapping, table, row, form, nodes):
    """The identity of a further node of the row, which is then among `nodes`; none where the row has none."""
    label = _list(form.get("to") or form["from"])[0]
    key = form.get("key", [])
    key = _listed(mapping, [key] if isinstance(key, str) else key)
    owner = _owner(mapping, table)
    if key and set(key.values()) != set(table.key):
        columns = owner | dict(sorted(key.items()))
        if any(row[column] is None for column in columns.values()):
            return None
        single = len(columns) == 1 and table.types[next(iter(columns.values()))] in _PLAIN - {"text", "character varying"}
        properties = _properties(table, row, columns)
        name = next(iter(columns)) if single else "_cnx_key"
        if not single:
            properties[name] = _key_text(table, columns.values(), [row[column] for column in columns.values()])
        assert nodes.setdefault((label, name, properties[name]), properties) == properties
        return label, name, properties[name]
    own, fields = _listed(mapping, form.get("properties", [])), form.get("fields")
    made_of = [*own.values(), *_list(fields)]
    if made_of and all(row[column] is None for column in made_of):
        return None
    names = key or {_name(mapping, column): column for column in table.key}
    version = table.rule.get("version", mapping.defaults.get("version"))
    kept = {_name(mapping, version): version} if version in table.types else {}
    properties = _properties(table, row, names | kept | owner | own)
    if fields and row[fields] is not None:
        properties |= _fields(row[fields], {*names, *kept, *owner, *own}, f"{_name(mapping, fields)}__pg")
    kind = _plain_name(table.types[table.key[0]])
    if len(table.key) == 1 and kind in _PLAIN:
        name = next(iter(names))
    else:
        name = "_cnx_key"
        properties[name] = _key_text(table, table.key, [row[column] for column in table.key])
    nodes[(label, name, properties[name])] = properties
    return label, name, properties[name]


def _owner(mapping, table):
    tenant = table.rule.get("tenant", mapping.defaults.get("tenant"))
    return {_name(mapping, tenant): tenant} if tenant in table.types else {}


def _fields(text, taken, companion):
    """Of a JSON object with plain values, its fields; all else is kept as its text."""
    value = json.loads(text)
    fits = isinstance(value, dict) and not any(name in taken or name == "" or name.startswith("_cnx_") or name.endswith("__pg")
                                               for name in value)
    return {name: one for name, one in value.items() if one is not None} if fits else {companion: text}


def _expect_link(mapping, tables, table, row, links):
    rule, ends = table.rule, []
    for side in ("from", "to"):
        (other, _), = rule[side].items()
        texts = [row[c] for c in _end_columns(rule[side])]
        if None in texts:
            return
        ends.append(_identity(mapping, tables[other], texts))
    columns = _listed(mapping, rule.get("properties", []))
    version = rule.get("version", mapping.defaults.get("version"))
    if version in table.types and version not in columns.values():
        columns |= {_name(mapping, version): version}
    properties = _properties(table, row, columns)
    if set(table.key) != {*_end_columns(rule["from"]), *_end_columns(rule["to"])}:
        properties["_cnx_key"] = _key_text(table, table.key, [row[c] for c in table.key])
    links[(rule["relationship"], *ends)].append(properties)


def _end_columns(end):
    (_, columns), = end.items()
    return [columns] if isinstance(columns, str) else columns


def _label(table):
    """The one that finds the node, of several."""
    label = table.rule["node"]
    return label if isinstance(label, str) else label[0]


def _identity(mapping, table, texts):
    """(label, key property, value) of the node whose key columns hold these texts."""
    kind = _plain_name(table.types[table.key[0]])
    if len(table.key) > 1 or kind not in _PLAIN:
        return _label(table), "_cnx_key", _key_text(table, table.key, texts)
    name = next(iter(name for name, column in _node_columns(mapping, table).items() if column == table.key[0]))
    return _label(table), name, values.expected(table.types[table.key[0]], texts[0])


def _plain_name(type_name):
    return type_name.split("(")[0]


def _key_text(table, columns, texts):
    key = b""
    for column, text in zip(columns, texts):
        kind = _plain_name(table.types[column])
        if kind == "character":
            text = text.rstrip(" ")
        elif kind == "citext":
            text = text.lower()
        elif kind in _NUMBERS and "." in text and not any(letter in text for letter in "eEN"):
            text = text.rstrip("0").rstrip(".")
        if kind in _NUMBERS and text == "-0":
            text = "0"
        data = text.encode()
        key += str(len(data)).encode() + b":" + data
    return key.decode() if len(key) < 1024 else "sha256:" + hashlib.sha256(key).hexdigest()


def _node_columns(mapping, table):
    rule, columns = table.rule, {}
    excluded = _list(rule.get("exclude")) + [c for c in _list(mapping.defaults.get("exclude")) if c not in table.key]
    kept = _list(rule.get("include")) + list(table.key) if "include" in rule else list(table.types)
    for column in kept:
        if column in table.types and column not in excluded:
            columns[_name(mapping, column)] = column
    for name, column in _listed(mapping, rule.get("properties", {})).items():
        columns.pop(_name(mapping, _form(column)["column"]), None)
        columns[name] = column
    return columns


def _listed(mapping, properties):
    """{property: column} of a map, or of a list of columns and maps."""
    if isinstance(properties, dict):
        return properties
    columns = {}
    for entry in properties:
        columns |= entry if isinstance(entry, dict) else {_name(mapping, entry): entry}
    return columns


def _form(column):
    return column if isinstance(column, dict) else {"column": column}


def _list(words):
    return [words] if isinstance(words, str) else list(words or [])


def _name(mapping, column):
    if mapping.naming == "as_is":
        return column
    head = len(column) - len(column.lstrip("_"))
    tail = len(column.rstrip("_")) if column.strip("_") else len(column)
    parts = [part for part in column[head:tail].split("_") if part]
    if not parts:
        return column
    joined = parts[0] + "".join(part[0].upper() + part[1:] for part in parts[1:])
    return column[:head] + joined + column[tail:]


def _properties(table, row, columns):
    result = {}
    for name, column in columns.items():
        form = _form(column)
        text = row[form["column"]]
        if form.get("as") == "float":
            if text is not None:
                result[name] = float(text)
            continue
        value = values.expected(table.types[form["column"]], text)
        if isinstance(value, values.Unfit):
            result[f"{name}__pg"] = str(value)
        elif value is not None:
            result[name] = value
    return result


# What the graph has.

def _actual(graph):
    nodes, by_element, links = {}, {}, defaultdict(list)
    for row in graph.rows("MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH 'ContextNexus') RETURN n", timeout=300):
        node = row["n"]
        by_element[node.element_id] = node
    for row in graph.rows("MATCH ()-[r]->() RETURN r", timeout=300):
        link = row["r"]
        links[(link.type, link.start, link.end)].append(link.properties)
    return _Actual(by_element, links)


class _Actual:
    """Nodes by element id; an expected identity is looked up by its label, its key's property and value."""

    def __init__(self, by_element, links):
        self._identities, self.nodes, self.links = {}, {}, defaultdict(list)
        self._by_element, self._raw_links = by_element, links

    def named(self, expected):
        """With the identities by which the expected nodes go."""
        keys = defaultdict(set)
        for label, name, _ in expected:
            keys[label].add(name)
        for element, node in self._by_element.items():
            identity = ("?", "elementId", element)
            for label in node.labels:
                for name in keys.get(label, ()):
                    if name in node.properties:
                        identity = (label, name, node.properties[name])
            while identity in self.nodes:
                identity = (*identity, "again")
            self._identities[element] = identity
            self.nodes[identity] = node.properties
        for (kind, start, end), properties in self._raw_links.items():
            self.links[(kind, self._identities.get(start), self._identities.get(end))] += properties
        return self


def _compare(expected, actual, what):
    lines = []
    for identity in expected.keys() | actual.keys():
        want, have = expected.get(identity, []), actual.get(identity, [])
        want, have = ([want] if isinstance(want, dict) else want), ([have] if isinstance(have, dict) else have)
        if len(want) != len(have):
            lines.append(f"the {what} {identity} is there {len(have)} times, expected {len(want)}")
            continue
        for one, other in zip(sorted(want, key=_order), sorted(have, key=_order)):
            for name in sorted(one.keys() | other.keys()):
                if name not in one or name not in other or not values.same(one[name], other[name]):
                    lines.append(f"the {what} {identity} has {name} = {_short(other.get(name))}, expected {_short(one.get(name))}")
    return sorted(lines)


def _order(properties):
    return properties.get("_cnx_key", ""), repr(sorted(properties.items(), key=lambda item: item[0]))
