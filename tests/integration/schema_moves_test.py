"""Foreign keys that move and keys that change: the graph follows, and what others made stays on its node.

Real servers: PostgreSQL and Neo4j; one engine streams for the whole file.
"""

import psycopg2
import pytest

from lib.live import running
from lib.marks import MARK, expect_marked, mark, remove_others


@pytest.fixture(scope="module")
def live(servers, template):
    with running(servers, template, "cnx_schema_moves") as made:
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


# Foreign keys.

MOVES = {  # table: (attribute of the row, column, attribute of the new parent)
    "projects": ("project", "program_id", "program2"),
    "threads": ("thread", "project_id", "project2"),
    "content_items": ("item", "project_id", "project2"),
    "content_chunks": ("chunk", "content_item_id", "item2"),
    "tags": ("tag", "project_id", "project2"),
    "messages": ("message", "thread_id", "thread2"),
}
PARENTS = {
    "projects": ("Program", "HAS_PROJECT", "Project"), "threads": ("Project", "HAS_THREAD", "Thread"),
    "content_items": ("Project", "HAS_CONTENT", "ContentItem"), "tags": ("Project", "HAS_TAG", "Tag"),
    "content_chunks": ("ContentItem", "HAS_CHUNK", "ContentChunk"),
    "messages": ("Thread", "CONTAINS_MESSAGE", "Message"),
}


@pytest.mark.parametrize("table", MOVES)
def test_a_row_moves_to_another_parent(table, live, world):
    world.chunk = world.add("content_chunks", content_item_id=world.item, ordinal=1, body="x")
    live.sync()
    name, column, parent = MOVES[table]
    key, target = getattr(world, name), getattr(world, parent)
    parent_label, kind, label = PARENTS[table]
    before = live.graph.node(label, key)
    live.database.execute(f"UPDATE public.{table} SET {column} = %s WHERE id = %s", (target, key))
    live.sync()
    found = live.graph.rows(f"MATCH (p:{parent_label})-[r:{kind}]->(n:{label} {{id: $key}}) RETURN p.id AS id", key=key)
    assert [row["id"] for row in found] == [target]
    assert live.graph.node(label, key).element_id == before.element_id
    live.expect_equal()


def test_a_detail_row_moves_to_another_content_item(live, world):
    world.add("text_content", content_item_id=world.item, body="x", language="en")
    live.sync()
    before = live.graph.node("Text", world.item)
    live.database.execute("UPDATE public.text_content SET content_item_id = %s WHERE content_item_id = %s",
                          (world.item2, world.item))
    live.sync()
    assert live.graph.node("Text", world.item) is None
    assert live.graph.node("Text", world.item2).element_id == before.element_id
    live.expect_equal()


@pytest.mark.parametrize("end", ("thread_id", "content_item_id"))
def test_a_join_row_moves_to_another_end(end, live, world):
    world.add("thread_content", thread_id=world.thread, content_item_id=world.item, relevance_score=0.5)
    live.sync()
    target = world.thread2 if end == "thread_id" else world.item2
    live.database.execute(f"UPDATE public.thread_content SET {end} = %s WHERE thread_id = %s", (target, world.thread))
    live.sync()
    assert live.graph.relationships("Thread", world.thread, "INCLUDES", "ContentItem", world.item) == []
    live.expect_equal()


def test_a_foreign_key_becomes_null(live, world):
    live.database.execute("UPDATE public.projects SET program_id = NULL WHERE id = %s", (world.project,))
    live.sync()
    node = live.graph.node("Project", world.project)
    assert "programId" not in node.properties
    assert live.graph.value("MATCH (:Program)-[r:HAS_PROJECT]->(:Project {id: $id}) RETURN count(r)",
                            id=world.project) == 0
    live.expect_equal()


def test_a_deleted_programme_leaves_its_projects(live, world):
    live.database.execute("DELETE FROM public.programs WHERE id = %s", (world.program,))
    live.sync()
    assert live.graph.node("Program", world.program) is None
    assert "programId" not in live.graph.node("Project", world.project).properties
    live.expect_equal()


def test_a_deleted_user_leaves_what_it_wrote(live, world):
    world.add("thread_content", thread_id=world.thread, content_item_id=world.item, added_by=world.user)
    live.sync()
    live.database.execute("DELETE FROM public.users WHERE id = %s", (world.user,))
    live.sync()
    assert "createdBy" not in live.graph.node("Thread", world.thread).properties
    assert "authorId" not in live.graph.node("Message", world.message).properties
    live.expect_equal()


def test_a_relationship_without_its_end_is_refused_by_postgresql(live, world):
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        world.add("thread_content", thread_id=world.thread, content_item_id=world.new_id())
    live.expect_equal()


def test_a_row_and_both_ends_in_one_transaction(live, world):
    with live.database.transaction():
        thread, item = world.add_default("threads"), world.add_default("content_items")
        world.add("thread_content", thread_id=thread, content_item_id=item, position=1)
    live.expect_equal()


def test_rows_with_the_same_ends_are_relationships_of_their_own(live, world):
    with live.database.transaction():
        for parent, child in ((world.thread, world.thread2), (world.thread2, world.thread), (world.thread,) * 2):
            world.add("thread_relationships", parent_thread_id=parent, child_thread_id=child)
        for first, second in ((world.message, world.message2), (world.message2, world.message)):
            world.add("message_relationships", message_id=first, reply_id=second, relationship_type="edit")
        world.add("text_content", content_item_id=world.item, body="x")
        world.add("code_content", content_item_id=world.item, source="x")
        world.add("content_chunks", content_item_id=world.item, ordinal=1, body="x")
        world.add("content_chunks", content_item_id=world.item, ordinal=2, body="x")
        world.add("thread_content", thread_id=world.thread, content_item_id=world.item)
        world.add("message_context_items", message_id=world.message, content_item_id=world.item)
    live.expect_equal()
    live.database.execute("DELETE FROM public.text_content WHERE content_item_id = %s", (world.item,))
    live.database.execute("DELETE FROM public.thread_relationships WHERE parent_thread_id = %s", (world.thread2,))
    live.expect_equal()


# Keys.

KEYS = {"users": ("user", "User"), "programs": ("program", "Program"), "projects": ("project", "Project"),
        "threads": ("thread", "Thread"), "content_items": ("item", "ContentItem"), "tags": ("tag", "Tag"),
        "messages": ("message", "Message"), "content_chunks": ("chunk", "ContentChunk"),
        "tenants": ("tenant", "Tenant")}


@pytest.mark.parametrize("table", KEYS)
def test_a_key_change_keeps_the_node_and_what_others_made(table, live, request):
    world = live.world(request.node.name).fill_more()
    name, label = KEYS[table]
    old, new = getattr(world, name), world.new_id()
    live.sync()
    element_id = mark(live, label, old)
    live.database.execute(f"UPDATE public.{table} SET id = %s WHERE id = %s", (new, old))
    live.sync()
    expect_marked(live, label, new, element_id)
    assert live.graph.node(label, old) is None
    live.expect_equal(MARK)


def test_a_swap_of_keys_through_a_third_value(live, world):
    first, second, third = world.user, world.user2, world.new_id()
    ids = [live.graph.node("User", key).element_id for key in (first, second)]
    emails = [live.graph.node("User", key).properties["email"] for key in (first, second)]
    with live.database.transaction():
        for old, new in ((first, third), (second, first), (third, second)):
            live.database.execute("UPDATE public.users SET id = %s WHERE id = %s", (new, old))
    live.sync()
    swapped = [live.graph.node("User", key) for key in (second, first)]
    assert [node.properties["email"] for node in swapped] == emails
    assert [node.element_id for node in swapped] == ids
    live.expect_equal()


def test_a_chain_of_key_changes(live, world):
    first, second, third = world.tag, world.tag2, world.new_id()
    with live.database.transaction():
        live.database.execute("UPDATE public.tags SET id = %s WHERE id = %s", (third, second))
        live.database.execute("UPDATE public.tags SET id = %s WHERE id = %s", (second, first))
    live.expect_equal()
    assert live.graph.node("Tag", first) is None
