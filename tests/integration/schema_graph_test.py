"""Each row of the schema's table, inserted, updated and deleted, with the exact outcome in both databases.

Real servers: PostgreSQL and Neo4j; one engine streams for the whole file. The last test compares everything.
"""

import pytest

from lib import values
from lib.live import running
from lib.schema_cases import NODE_TABLES, PAIR_TABLES, node_case, pair_case


@pytest.fixture(scope="module")
def live(servers, template):
    with running(servers, template, "cnx_schema_graph") as made:
        yield made


@pytest.fixture
def world(live, request):
    return live.world(request.node.name)


# Nodes.

def _insert_node(live, world, case):
    columns = dict(case.columns)
    world.add(case.table, **columns)
    live.sync()


def _row(live, case):
    found = live.database.rows(f"SELECT *, created_at::text AS created, updated_at::text AS updated "
                               f"FROM public.{case.table} WHERE {case.key_column} = %s", (case.key,))
    return found[0] if found else None


def _links_of(live, case):
    """Every relationship of the node: (type, other label, other id, properties), incoming and outgoing."""
    found = live.graph.rows(
        f"MATCH (n:{case.label} {{id: $key}})-[r]-(o) RETURN type(r) AS type, startNode(r) = o AS incoming, "
        "labels(o) AS labels, o.id AS id, properties(r) AS properties", key=case.key)
    assert all(row["incoming"] for row in found), found
    return sorted(((row["type"], *row["labels"], row["id"], row["properties"]) for row in found), key=repr)


def _expect_node(live, world, case, properties, links):
    """The node and its relationships are exactly what the row says; returns the node."""
    row, node = _row(live, case), live.graph.node(case.label, case.key)
    assert row and node, (row, node)
    assert node.labels == {case.label}
    common = {"id": case.key, "tenantId": case.key if case.table == "tenants" else world.tenant,
              "version": row["version"], "createdAt": values.expected("timestamp with time zone", row["created"]),
              "updatedAt": values.expected("timestamp with time zone", row["updated"])}
    _expect_properties(node.properties, properties | common)
    assert _links_of(live, case) == sorted(links, key=repr)
    return node


def _expect_properties(actual, expected):
    expected = {name: value for name, value in expected.items() if value is not None}
    assert actual.keys() == expected.keys()
    wrong = {name: (actual[name], value) for name, value in expected.items() if not values.same(actual[name], value)}
    assert not wrong, wrong


@pytest.mark.parametrize("table", NODE_TABLES)
def test_insert_of_a_node(table, live, world):
    case = node_case(table, world)
    assert live.graph.node(case.label, case.key) is None
    _insert_node(live, world, case)
    _expect_node(live, world, case, case.properties, case.links)


@pytest.mark.parametrize("table", NODE_TABLES)
def test_update_of_a_node(table, live, world):
    case = node_case(table, world)
    _insert_node(live, world, case)
    before = _expect_node(live, world, case, case.properties, case.links)
    assignments = ", ".join(f"{name} = %s" for name in case.change)
    live.database.execute(f"UPDATE public.{case.table} SET {assignments} WHERE {case.key_column} = %s",
                          [*case.change.values(), case.key])
    live.sync()
    after = _expect_node(live, world, case, case.properties | case.changed, case.changed_links)
    assert after.element_id == before.element_id
    assert after.properties["version"] == before.properties["version"] + 1
    assert after.properties["createdAt"] == before.properties["createdAt"]


@pytest.mark.parametrize("table", NODE_TABLES)
def test_delete_of_a_node(table, live, world):
    nodes, links = _size(live)
    case = node_case(table, world)
    _insert_node(live, world, case)
    _expect_node(live, world, case, case.properties, case.links)
    live.database.execute(f"DELETE FROM public.{case.table} WHERE {case.key_column} = %s", (case.key,))
    live.sync()
    assert _row(live, case) is None
    assert live.graph.node(case.label, case.key) is None
    assert _size(live) == (nodes, links)


def _size(live):
    return (live.graph.value("MATCH (n) RETURN count(n)"), live.graph.value("MATCH ()-[r]->() RETURN count(r)"))


# Relationships of join tables.

def _insert_pair(live, world, case):
    world.add(case.table, **{case.start[1]: case.start[2], case.end[1]: case.end[2]}, **case.columns)
    live.sync()


def _pair_row(live, case):
    found = live.database.rows(f"SELECT *, created_at::text AS created FROM public.{case.table} "
                               f"WHERE {case.start[1]} = %s AND {case.end[1]} = %s", (case.start[2], case.end[2]))
    return found[0] if found else None


def _pair(live, case):
    return live.graph.relationships(case.start[0], case.start[2], case.type, case.end[0], case.end[2])


def _expect_pair(live, case, properties):
    row, found = _pair_row(live, case), _pair(live, case)
    assert row and len(found) == 1, (row, found)
    _expect_properties(found[0].properties, properties | {
        "version": row["version"], "createdAt": values.expected("timestamp with time zone", row["created"])})
    return found[0]


@pytest.mark.parametrize("table", PAIR_TABLES)
def test_insert_of_a_relationship(table, live, world):
    case = pair_case(table, world)
    assert _pair(live, case) == []
    _insert_pair(live, world, case)
    _expect_pair(live, case, case.properties)


@pytest.mark.parametrize("table", PAIR_TABLES)
def test_update_of_a_relationship(table, live, world):
    case = pair_case(table, world)
    _insert_pair(live, world, case)
    before = _expect_pair(live, case, case.properties)
    change = case.change or {case.end[1]: world.tag2}
    assignments = ", ".join(f"{name} = %s" for name in change)
    live.database.execute(f"UPDATE public.{case.table} SET {assignments} WHERE {case.start[1]} = %s "
                          f"AND {case.end[1]} = %s", [*change.values(), case.start[2], case.end[2]])
    live.sync()
    if not case.change:
        assert _pair(live, case) == []
        case = case._replace(end=(*case.end[:2], world.tag2))
    after = _expect_pair(live, case, case.properties | case.changed)
    assert after.properties["version"] == before.properties["version"] + 1
    if case.change:
        assert after.element_id == before.element_id


@pytest.mark.parametrize("table", PAIR_TABLES)
def test_delete_of_a_relationship(table, live, world):
    size = _size(live)
    case = pair_case(table, world)
    _insert_pair(live, world, case)
    _expect_pair(live, case, case.properties)
    live.database.execute(f"DELETE FROM public.{case.table} WHERE {case.start[1]} = %s AND {case.end[1]} = %s",
                          (case.start[2], case.end[2]))
    live.sync()
    assert _pair_row(live, case) is None
    assert _pair(live, case) == []
    assert _size(live) == size


# The table without a form in the graph.

@pytest.mark.parametrize("operation", ("insert", "update", "delete"))
def test_a_configuration_never_reaches_the_graph(operation, live, world):
    size = _size(live)
    key = world.add("knowledge_graph_configurations", project_id=world.project, max_depth=2)
    if operation != "insert":
        live.database.execute("UPDATE public.knowledge_graph_configurations SET max_depth = 5 WHERE id = %s", (key,))
    if operation == "delete":
        live.database.execute("DELETE FROM public.knowledge_graph_configurations WHERE id = %s", (key,))
    world.add_default("programs")  # Something of ours behind it, so that there is a position to wait for.
    live.sync()
    assert _size(live) == (size[0] + 1, size[1] + 1)
    assert live.graph.value("MATCH (n {id: $key}) RETURN count(n)", key=key) == 0


def test_everything_is_equal_in_the_end(live):
    live.expect_equal()
