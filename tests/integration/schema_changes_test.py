"""Removals and cascades, many changes at once, and changes that must not show in the graph.

Real servers: PostgreSQL and Neo4j; one engine streams for the whole file.
"""

import pytest

from lib.live import running
from lib.marks import MARK, expect_marked, mark, remove_others


@pytest.fixture(scope="module")
def live(servers, template):
    with running(servers, template, "cnx_schema_changes") as made:
        yield made


@pytest.fixture(autouse=True)
def clean(live):
    """Whatever a test leaves, or leaves half done, is not the next one's."""
    yield
    remove_others(live)
    live.database.execute("DELETE FROM public.tenants")


@pytest.fixture
def world(live, request):
    return live.world(request.node.name)


# Removals.

def _everything(live, request):
    world = live.world(request.node.name).fill_more()
    live.expect_equal()
    return world


@pytest.mark.parametrize("table, name", (("threads", "thread"), ("content_items", "item"), ("projects", "project"),
                                         ("tenants", "tenant")))
def test_a_delete_cascades(table, name, live, request):
    world = _everything(live, request)
    live.database.execute(f"DELETE FROM public.{table} WHERE id = %s", (getattr(world, name),))
    live.expect_equal()
    if table == "tenants":
        assert live.graph.value("MATCH (n {tenantId: $id}) RETURN count(n)", id=world.tenant) == 0


def test_a_removed_node_with_a_relationship_of_others_becomes_a_stub(live, world):
    key = world.user2
    element_id = mark(live, "User", key)
    live.database.execute("DELETE FROM public.users WHERE id = %s", (key,))
    live.sync()
    stub = live.graph.node("User", key)
    assert stub.element_id == element_id
    assert stub.properties == {"id": key, "tenantId": world.tenant, "_cnx_stub": True, "userNote": "mine"}
    expect_marked(live, "User", key, element_id)
    assert live.graph.value("MATCH (:User {id: $key})<-[r:HAS_USER]-() RETURN count(r)", key=key) == 0
    world.add_default("users", id=key)
    live.sync()
    expect_marked(live, "User", key, element_id)
    assert "_cnx_stub" not in live.graph.node("User", key).properties
    live.expect_equal(MARK)


def test_a_removed_node_without_relationships_is_gone_with_others_properties(live, world):
    live.graph.rows("MATCH (n:Tag {id: $key}) SET n:Seen, n.userNote = 'mine'", key=world.tag)
    live.database.execute("DELETE FROM public.tags WHERE id = %s", (world.tag,))
    live.expect_equal(MARK)


def test_truncate_removes_all_of_the_table(live, request):
    world = _everything(live, request)
    live.database.execute("TRUNCATE public.messages CASCADE")
    live.expect_equal()
    assert live.graph.value("MATCH (n:Message) RETURN count(n)") == 0
    with live.database.transaction():
        live.database.execute("TRUNCATE public.content_tags")
        world.add("content_tags", content_item_id=world.item, tag_id=world.tag2)
    live.expect_equal()


# Many changes, and what does not change.

def test_many_changes_of_one_row_in_one_transaction(live, world):
    key, final = world.new_id(), world.new_id()
    with live.database.transaction():
        world.add_default("threads", id=key, title="a")
        for title in "bcdef":
            live.database.execute("UPDATE public.threads SET title = %s WHERE id = %s", (title, key))
        live.database.execute("DELETE FROM public.threads WHERE id = %s", (key,))
        world.add_default("threads", id=key, title="g", project_id=world.project2)
        live.database.execute("UPDATE public.threads SET id = %s WHERE id = %s", (final, key))
        live.database.execute("UPDATE public.threads SET project_id = %s WHERE id = %s", (world.project, final))
    live.sync()
    assert live.graph.node("Thread", key) is None
    assert live.graph.node("Thread", final).properties["title"] == "g"
    live.expect_equal()


def test_a_row_made_and_deleted_in_one_transaction_leaves_nothing(live, world):
    key = world.new_id()
    with live.database.transaction():
        world.add_default("threads", id=key)
        world.add_default("messages", thread_id=key)
        live.database.execute("DELETE FROM public.threads WHERE id = %s", (key,))
    live.expect_equal()


def test_delete_and_insert_of_one_key_in_one_transaction_replaces_in_place(live, world):
    key = world.tag
    element_id = mark(live, "Tag", key)
    with live.database.transaction():
        live.database.execute("DELETE FROM public.tags WHERE id = %s", (key,))
        world.add_default("tags", id=key, name="new", project_id=world.project2)
    live.sync()
    expect_marked(live, "Tag", key, element_id)
    live.expect_equal(MARK)


def test_delete_and_insert_of_one_key_in_two_transactions_makes_a_new_node(live, world):
    key = world.tag
    live.graph.rows("MATCH (n:Tag {id: $key}) SET n.userNote = 'mine'", key=key)
    live.database.execute("DELETE FROM public.tags WHERE id = %s", (key,))
    world.add_default("tags", id=key, name="new")
    live.sync()
    node = live.graph.node("Tag", key)
    assert node.properties["name"] == "new" and "userNote" not in node.properties
    live.expect_equal()


def test_what_others_made_survives_updates(live, world):
    marked = {label: mark(live, label, key) for label, key in (("User", world.user), ("Thread", world.thread))}
    live.database.execute("UPDATE public.users SET role = 'owner', display_name = NULL WHERE id = %s", (world.user,))
    live.database.execute("UPDATE public.threads SET project_id = %s WHERE id = %s", (world.project2, world.thread))
    live.sync()
    expect_marked(live, "User", world.user, marked["User"])
    expect_marked(live, "Thread", world.thread, marked["Thread"])
    live.expect_equal(MARK)


def test_an_unchanged_large_value_is_kept(live, world):
    large = "".join(world.new_id() for _ in range(30_000))
    project = world.add_default("projects", description=large)
    live.database.execute("UPDATE public.content_items SET metadata = jsonb_build_object('x', %s) WHERE id = %s",
                          (large, world.item))
    live.expect_equal()
    live.database.execute("UPDATE public.projects SET name = 'renamed' WHERE id = %s", (project,))
    live.database.execute("UPDATE public.content_items SET title = 'renamed' WHERE id = %s", (world.item,))
    live.sync()
    assert live.graph.node("Project", project).properties["description"] == large
    assert live.graph.node("ContentItem", world.item).properties["title"] == "renamed"
    live.expect_equal()
    live.database.execute("UPDATE public.projects SET id = %s WHERE id = %s", (world.new_id(), project))
    live.expect_equal()


def test_a_large_value_inserted_and_updated_in_one_transaction(live, world):
    large = "".join(world.new_id() for _ in range(30_000))
    with live.database.transaction():
        project = world.add_default("projects", description=large)
        live.database.execute("UPDATE public.projects SET name = 'renamed' WHERE id = %s", (project,))
    live.expect_equal()


def test_an_update_of_synchronisation_columns_alone_changes_nothing(live, world):
    before = live.graph.node("ContentItem", world.item)
    live.database.execute("UPDATE public.content_items SET neo4j_node_id = 'x', neo4j_sync_status = 'synced', "
                          "neo4j_synced_version = 1, neo4j_synced_at = now() WHERE id = %s", (world.item,))
    live.sync()
    assert live.graph.node("ContentItem", world.item) == before
    live.expect_equal()


def test_what_was_rolled_back_is_nowhere(live, world):
    live.database.execute("BEGIN")
    kept = world.add_default("tags")
    live.database.execute("SAVEPOINT half")
    lost = world.add_default("tags")
    live.database.execute("ROLLBACK TO half")
    live.database.execute("COMMIT")
    live.database.execute("BEGIN")
    world.add_default("tags")
    live.database.execute("ROLLBACK")
    live.expect_equal()
    assert live.graph.node("Tag", kept) and live.graph.node("Tag", lost) is None


def test_a_time_that_the_graph_cannot_hold_stands_beside_it_as_text(live, world):
    live.database.execute("UPDATE public.tags SET created_at = 'infinity' WHERE id = %s", (world.tag,))
    live.sync()
    properties = live.graph.node("Tag", world.tag).properties
    assert properties["createdAt__pg"] == "infinity" and "createdAt" not in properties
    live.expect_equal()
    live.database.execute("UPDATE public.tags SET created_at = '2024-02-29 12:00:00.000001+02' WHERE id = %s",
                          (world.tag,))
    live.expect_equal()
    assert "createdAt__pg" not in live.graph.node("Tag", world.tag).properties


def test_secrets_and_bodies_are_nowhere_in_the_graph(live, request):
    world = _everything(live, request)
    hashes = [row[0] for row in live.database.rows("SELECT password_hash FROM public.users WHERE tenant_id = %s",
                                                   (world.tenant,))]
    everything = live.graph.rows("MATCH (n) RETURN n") + live.graph.rows("MATCH ()-[r]->() RETURN r")
    text = repr(everything)
    assert "SECRET" not in text and hashes and not any(value in text for value in hashes)
