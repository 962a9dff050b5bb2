"""The independent comparer: reads every row and every node and relationship, and says each difference in words.

The expected graph is made from PostgreSQL's rows by schema_form.py and values.py. Strict by default: a label, property,
relationship or node of ours that no row asks for is a difference, and so is a second copy of anything. What a test let
other writers put into the graph it names in `Foreign`; the engine's own nodes begin with "ContextNexus".
"""

from collections import defaultdict
from typing import NamedTuple

from . import schema_form, values
from .schema_form import camel


class Foreign(NamedTuple):
    """What others own in the graph and the comparer leaves out of account."""
    labels: frozenset = frozenset()
    properties: frozenset = frozenset()
    types: frozenset = frozenset()


class ExpectedNode(NamedTuple):
    label: str
    key: str
    properties: dict


def differences(database, graph, foreign=Foreign(), limit=50):
    """At most `limit` differences as sentences; an empty list means that both sides are equal.

    PostgreSQL is read in one REPEATABLE READ transaction; the caller sees to it that the graph has everything up to
    then and that nothing writes meanwhile.
    """
    nodes, links = expected_graph(database)
    found, by_element = _compare_nodes(graph, nodes, foreign)
    found += _compare_relationships(graph, links, by_element, foreign)
    return found[:limit] + ([f"… and {len(found) - limit} more"] if len(found) > limit else [])


def counts(database):
    """How many nodes and relationships the graph must hold."""
    nodes, links = expected_graph(database)
    return len(nodes), sum(map(len, links.values()))


def expected_graph(database):
    """(nodes by (label, key), relationship properties by (type, start, end)); an end is a (label, key)."""
    nodes, links = {}, defaultdict(list)
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table, form in schema_form.NODES.items():
            types = _column_types(database, table)
            for row in _rows(database, table, types):
                node = _expected_node(table, form, types, row)
                nodes[node.label, node.key] = node
                _expect_parents(form, types, row, node, links)
        for table, form in schema_form.PAIRS.items():
            types = _column_types(database, table)
            columns = (*form.columns, "version", "created_at")
            for row in _rows(database, table, types):
                ends = (form.start_label, row[form.start]), (form.end_label, row[form.end])
                links[form.type, *ends].append(_properties(types, row, {camel(c): c for c in columns}))
    return nodes, links


def _column_types(database, table):
    rows = database.rows(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", (f'public."{table}"',))
    return dict(rows)


def _rows(database, table, types):
    columns = ", ".join(f'"{name}"::text' for name in types)
    return [dict(zip(types, row)) for row in database.rows(f'SELECT {columns} FROM public."{table}"')]


def _properties(types, row, columns):
    """The properties of a node or relationship: {property: column} in, companions and absences applied."""
    result = {}
    for name, column in columns.items():
        value = values.expected(types[column], row[column])
        if isinstance(value, values.Unfit):
            result[f"{name}__pg"] = str(value)
        elif value is not None:
            result[name] = value
    return result


def _expected_node(table, form, types, row):
    left_out = form.stays | schema_form.SYNC_COLUMNS | {form.key}
    properties = _properties(types, row, {camel(c): c for c in types if c not in left_out})
    properties["id"] = row[form.key]
    properties["tenantId"] = row["id"] if table == "tenants" else row["tenant_id"]
    storage_key = schema_form.storage_key(table, form, row)
    if storage_key:
        properties["pgStorageKey"] = storage_key
    return ExpectedNode(form.label, row[form.key], properties)


def _expect_parents(form, types, row, node, links):
    for link in form.parents:
        if row[link.column] is not None:
            ends = (link.start_label, row[link.column]), (node.label, node.key)
            links[link.type, *ends].append(_properties(types, row, link.properties))


def _ours(labels):
    return labels & schema_form.LABELS


def _compare_nodes(graph, expected, foreign):
    """Differences of nodes, and {element id: (label, key)} of those of ours."""
    found, by_element, seen = [], {}, set()
    for row in graph.rows("MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH 'ContextNexus') RETURN n",
                          timeout=300):
        node = row["n"]
        ours = _ours(node.labels)
        strange = node.labels - schema_form.LABELS - foreign.labels
        if not ours and not strange and node.labels:
            continue
        if len(ours) != 1 or strange:
            found.append(f"a node has the labels {sorted(node.labels)} and the id {node.properties.get('id')}")
        if not ours:
            continue
        identity = min(ours), node.properties.get("id")
        by_element[node.element_id] = identity
        if identity in seen:
            found.append(f"{_name(identity)} is there twice")
        elif identity not in expected:
            found.append(f"{_name(identity)} has no row; properties {sorted(node.properties)}")
        else:
            found += _compare_properties(_name(identity), expected[identity].properties, node.properties, foreign)
        seen.add(identity)
    found += [f"{_name(identity)} is missing" for identity in expected if identity not in seen]
    return found, by_element


def _compare_properties(name, expected, actual, foreign):
    found = []
    for key in sorted(expected.keys() | actual.keys() - foreign.properties):
        if key not in actual:
            found.append(f"{name} lacks {key}, expected {_short(expected[key])}")
        elif key not in expected:
            found.append(f"{name} has {key} = {_short(actual[key])}, which no column gives")
        elif not values.same(expected[key], actual[key]):
            found.append(f"{name} has {key} = {_short(actual[key])}, expected {_short(expected[key])}")
    return found


def _compare_relationships(graph, expected, by_element, foreign):
    actual, found = defaultdict(list), []
    for row in graph.rows("MATCH ()-[r]->() RETURN r", timeout=300):
        link = row["r"]
        if link.type in foreign.types:
            continue
        if link.type not in schema_form.TYPES or link.start not in by_element or link.end not in by_element:
            found.append(f"a relationship :{link.type} from {by_element.get(link.start)} to "
                         f"{by_element.get(link.end)} is none of ours")
            continue
        actual[link.type, by_element[link.start], by_element[link.end]].append(link.properties)
    for identity in expected.keys() | actual.keys():
        found += _compare_parallel(identity, expected.get(identity, []), actual.get(identity, []), foreign)
    return found


def _compare_parallel(identity, expected, actual, foreign):
    """All relationships of one type between the same two nodes."""
    name = f"{_name(identity[1])}-[:{identity[0]}]->{_name(identity[2])}"
    if len(expected) != len(actual):
        return [f"{name} is there {len(actual)} times, expected {len(expected)}"]
    ordered = zip(sorted(expected, key=repr), sorted(actual, key=repr))
    if len(expected) == 1:
        ordered = zip(expected, actual)
    return [line for want, have in ordered for line in _compare_properties(name, want, have, foreign)]


def _name(identity):
    return f"(:{identity[0]} {{id: {identity[1]}}})"


def _short(value):
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"
