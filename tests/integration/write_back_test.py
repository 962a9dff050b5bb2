"""The write-back: PostgreSQL's own rows say that they are in the graph, after the commit, and nothing comes of that.

Real servers: PostgreSQL and Neo4j. A user's REPEATABLE READ transaction that read a row before the write-back marked it, and
then updates it, gets PostgreSQL's serialisation failure (40001), as from any other writer, and is to be tried again.
"""

import json
import time

import psycopg2
import pytest

from lib.database import Database, leave_key_unmarked
from lib.live import database_and_engine
from lib.world import World

TABLES = ("content_items", "messages", "content_chunks", "thread_content")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_write_back") as made:
        yield made


def _pending(line):
    return sum(line.database.value(f"SELECT count(*) FROM public.{table} WHERE neo4j_sync_status <> 'synced' "
                                   "OR neo4j_synced_version IS DISTINCT FROM version") for table in TABLES)


def _wait(condition, timeout=45):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def _row(line, message):
    return line.database.rows("SELECT * FROM public.messages WHERE id = %s", (message,))[0]


def _synced(line, message, body):
    row = _row(line, message)
    return row["body"] == body and row["neo4j_sync_status"] == "synced" and row["neo4j_synced_version"] == row["version"]


def _update(database, message, body):
    database.execute("UPDATE public.messages SET body = %s WHERE id = %s", (body, message))


def test_copied_and_followed_rows_are_synced_with_their_element_ids(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    message = world.add_default("messages")
    _wait(lambda: _pending(line) == 0)
    row = _row(line, message)
    assert row["neo4j_synced_at"] is not None
    assert row["neo4j_node_id"] == line.graph.node("Message", message).element_id
    included = line.database.rows("SELECT * FROM public.thread_content")[0]
    assert included["neo4j_node_id"] == line.graph.node("ContentItem", world.item).element_id
    assert included["neo4j_relationship_id"] == line.graph.relationships(
        "Thread", world.thread, "INCLUDES", "ContentItem", world.item)[0].element_id
    line.expect_equal()


@pytest.mark.parametrize("trigger", ("of all columns", "of all but the key"))
def test_each_change_is_applied_once_though_it_is_written_back(line, trigger):
    if trigger == "of all but the key":
        leave_key_unmarked(line.database)
    world = World(line.database, "write-back").fill_all()
    line.engine.start("--set", "audit.level=all")
    line.sync()
    _wait(lambda: _pending(line) == 0)
    for number in range(5):
        _update(line.database, world.message, f"body {number}")
        _wait(lambda number=number: _synced(line, world.message, f"body {number}"))
    # Behind all of them in the log, and audited in order.
    world.add_default("messages")
    applied = "SELECT count(*) FROM contextnexus.audit_log WHERE table_name = 'messages' AND operation = '{}' AND outcome = 'applied'"
    _wait(lambda: line.database.value(applied.format("insert")) == 1)
    assert line.database.value(applied.format("update")) == 5
    moved = line.database.value("UPDATE public.messages SET id = gen_random_uuid() WHERE id = %s RETURNING id::text", (world.message,))
    line.sync()
    assert line.graph.node("Message", moved) and not line.graph.node("Message", world.message)
    line.expect_equal()


def test_it_makes_no_transactions_in_the_graph(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    message = world.add_default("messages")
    _wait(lambda: _pending(line) == 0)
    before = line.graph.position()
    synced_at = _row(line, message)["neo4j_synced_at"]
    time.sleep(3)
    # At most the one idle advance that a quiet slot makes every ten seconds; the row is not written again either.
    positions = {before, line.graph.position()}
    assert len(positions) <= 2
    assert _row(line, message)["neo4j_synced_at"] == synced_at
    line.expect_equal()
    assert line.database.confirmed() is not None


def test_a_locked_row_is_done_later_and_holds_up_nothing(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    with Database(line.engine.admin_url) as other:
        _update(line.database, world.message, "one")
        with other.transaction():
            other.rows("SELECT FROM public.messages WHERE id = %s FOR UPDATE", (world.message,))
            _update(line.database, world.message2, "two")
            _wait(lambda: _synced(line, world.message2, "two"))
        _wait(lambda: _synced(line, world.message, "one"))
    line.expect_equal()


def test_a_version_that_a_user_has_overtaken_is_synced_when_it_is_applied(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    for number in range(200):
        _update(line.database, world.message, f"body {number}")
        row = _row(line, world.message)
        assert row["neo4j_sync_status"] == "pending" or row["neo4j_synced_version"] == row["version"]
    _wait(lambda: _synced(line, world.message, "body 199"))
    line.expect_equal()


def test_what_a_kill_left_pending_is_found_by_the_sweep(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.expect("run", "--once", "--no-write-back", url=line.engine.url)
    assert _pending(line) > 0
    line.engine.start()
    line.sync()
    _update(line.database, world.message, "before the kill")
    line.engine.kill()
    line.engine.start()
    _wait(lambda: _pending(line) == 0)
    line.expect_equal()


def test_run_once_leaves_nothing_pending(line):
    World(line.database, "write-back").fill_all()
    line.engine.once()
    assert _pending(line) == 0


# Every form of the schema.

def _expect_ids_of_the_graph(line):
    """Each row's element ids are those that the graph has now."""
    labels = {"content_items": "ContentItem", "messages": "Message", "content_chunks": "ContentChunk"}
    for table, label in labels.items():
        in_graph = {r["id"]: r["element"] for r in line.graph.rows(f"MATCH (n:{label}) RETURN n.id AS id, elementId(n) AS element")}
        rows = line.database.rows(f"SELECT id::text AS id, neo4j_node_id FROM public.{table}")
        assert {r["id"]: r["neo4j_node_id"] for r in rows} == in_graph, table
    in_graph = {(r["thread"], r["item"]): (r["node"], r["relationship"]) for r in line.graph.rows(
        "MATCH (t:Thread)-[r:INCLUDES]->(i:ContentItem) RETURN t.id AS thread, i.id AS item, elementId(i) AS node, "
        "elementId(r) AS relationship")}
    rows = line.database.rows("SELECT thread_id::text AS thread, content_item_id::text AS item, neo4j_node_id AS node, "
                              "neo4j_relationship_id AS relationship FROM public.thread_content")
    assert {(r["thread"], r["item"]): (r["node"], r["relationship"]) for r in rows} == in_graph


def _expect_all_synced(line):
    _wait(lambda: _pending(line) == 0)
    line.expect_equal()
    _expect_ids_of_the_graph(line)


def test_every_table_of_the_schema_changes_under_the_write_back(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    for table, column in (("tenants", "name"), ("users", "display_name"), ("programs", "name"), ("projects", "name"),
                          ("project_memberships", "role"), ("threads", "title"), ("thread_relationships", "relationship_type"),
                          ("content_items", "title"), ("text_content", "language"), ("code_content", "language"),
                          ("content_chunks", "body"), ("tags", "name"), ("thread_content", "position"), ("messages", "body"),
                          ("message_relationships", "relationship_type"), ("message_context_items", "position")):
        value = {"role": "'viewer'", "position": "7", "relationship_type": "'edit'"}.get(column, f"{column} || '!'")
        assert line.database.execute(f"UPDATE public.{table} SET {column} = {value}") > 0
    _expect_all_synced(line)
    for table in ("messages", "thread_content"):
        assert line.database.value(f"SELECT bool_and(version = 2 AND neo4j_synced_version = 2) FROM public.{table}"), table
    line.database.execute("DELETE FROM public.threads WHERE id = %s", (world.thread2,))
    line.database.execute("TRUNCATE public.content_chunks")
    world.add("content_chunks", content_item_id=world.item, ordinal=1, body="again")
    _expect_all_synced(line)


def test_element_ids_follow_a_changed_key_and_a_moved_row(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    before = line.database.rows("SELECT * FROM public.thread_content")[0]
    line.database.execute("UPDATE public.thread_content SET content_item_id = %s", (world.item2,))
    _expect_all_synced(line)
    after = line.database.rows("SELECT * FROM public.thread_content")[0]
    assert after["neo4j_node_id"] != before["neo4j_node_id"]
    assert after["neo4j_relationship_id"] != before["neo4j_relationship_id"]
    line.database.execute("UPDATE public.content_items SET id = %s WHERE id = %s", (world.new_id(), world.item2))
    line.database.execute("UPDATE public.messages SET id = %s WHERE id = %s", (world.new_id(), world.message))
    _expect_all_synced(line)


def test_element_ids_are_written_anew_for_a_graph_that_is_filled_anew(line):
    World(line.database, "write-back").fill_all()
    line.engine.once()
    _expect_ids_of_the_graph(line)
    line.engine.expect("drop", "--yes", "--graph")
    line.graph.rows("UNWIND range(1, 50) AS n CREATE (:Other)")  # So that no id comes out the same.
    line.engine.init()
    line.engine.once()
    assert _pending(line) == 0
    _expect_ids_of_the_graph(line)
    assert line.database.value("SELECT renewed_at > filled_at FROM contextnexus.write_back")


# What is not in the graph.

def _item(line, item):
    return line.database.rows("SELECT * FROM public.content_items WHERE id = %s", (item,))[0]


def _has(line, item, status, title):
    row = _item(line, item)
    return row["title"] == title and row["neo4j_sync_status"] == status and (status != "synced" or row["neo4j_synced_version"] == row["version"])


def _retitle(line, item, title):
    line.database.execute("UPDATE public.content_items SET title = %s WHERE id = %s", (title, item))


def _listed(line, verb, *words):
    return json.loads(line.engine.expect(verb, *words, "--json").output)


def test_a_row_behind_a_dead_letter_has_failed_until_a_retry_brings_it(line):
    world = World(line.database, "write-back").fill_all()
    _retitle(line, world.item2, "taken")
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    line.graph.rows("CREATE CONSTRAINT by_title IF NOT EXISTS FOR (c:ContentItem) REQUIRE c.title IS UNIQUE")
    try:
        _retitle(line, world.item, "taken")
        _wait(lambda: _has(line, world.item, "failed", "taken"))
        letter, = _listed(line, "dead-letters list")
        # Saying so is no change of the row's, whoever says it.
        line.database.execute("UPDATE public.content_items SET neo4j_sync_status = 'conflict' WHERE id = %s", (world.item,))
        _retitle(line, world.item2, "free")
        _wait(lambda: _has(line, world.item2, "synced", "free"))
        assert _listed(line, "dead-letters list")[0]["held_changes"] == letter["held_changes"]
        _listed(line, "dead-letters retry", str(letter["id"]))
        _wait(lambda: _has(line, world.item, "synced", "taken"))
        line.expect_equal()
    finally:
        line.graph.rows("DROP CONSTRAINT by_title IF EXISTS")


@pytest.mark.parametrize(("strategy", "take"), (("manual", "postgres"), ("manual", "graph"), ("graph_wins", None)))
def test_a_row_that_the_graph_has_otherwise_is_in_conflict(line, strategy, take):
    world = World(line.database, "write-back").fill_all()
    line.database.execute("DELETE FROM public.knowledge_graph_configurations")
    line.database.execute("INSERT INTO public.knowledge_graph_configurations (tenant_id, conflict_strategy) SELECT tenant_id, %s "
                          "FROM public.content_items WHERE id = %s", (strategy, world.item))
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    line.graph.rows("MATCH (c:ContentItem {id: $id}) SET c.version = 100, c.title = 'theirs'", id=world.item)
    _retitle(line, world.item, "ours")
    _wait(lambda: _has(line, world.item, "conflict", "ours"))
    if take is None:
        return
    conflict, = _listed(line, "conflicts list")
    held = conflict["held_changes"]
    _retitle(line, world.item2, "another")
    _wait(lambda: _has(line, world.item2, "synced", "another"))
    assert _listed(line, "conflicts list")[0]["held_changes"] == held, "saying so is no change"
    _listed(line, "conflicts resolve", str(conflict["id"]), "--take", take)
    if take == "postgres":
        _wait(lambda: _has(line, world.item, "synced", "ours"))
        line.expect_equal()
    else:
        _wait(lambda: not _listed(line, "conflicts list"))
        assert _has(line, world.item, "conflict", "ours")
        assert line.graph.value("MATCH (c:ContentItem {id: $id}) RETURN c.title", id=world.item) == "theirs"


# In step.

def test_its_own_transactions_are_no_lag_and_nobody_waits_for_them(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    position = line.graph.position()
    started = time.monotonic()
    for number in range(10):
        _update(line.database, world.message, f"body {number}")
        _wait(lambda: _synced(line, world.message, f"body {number}"))
        line.sync()
        # What is committed meanwhile (its own figures, a checkpoint) may be a moment ahead.
        _wait(lambda: line.engine.status()["in_step"], timeout=8)
    status = line.engine.status()
    assert status["lag_bytes"] == 0 or not status["in_step"], status
    # An idle advance each would have taken a hundred.
    assert time.monotonic() - started < 70
    assert line.graph.position() > position


# The origin.

def _told(line, words):
    return [text for text in line.engine.tail(100_000).splitlines() if words in text]


def test_its_transactions_carry_an_origin_of_the_pipelines_name(line):
    World(line.database, "write-back").fill_all()
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    assert _told(line, "carries the replication origin contextnexus/contextnexus")
    assert line.database.value("SELECT count(*) FROM pg_replication_origin_status WHERE external_id = 'contextnexus/contextnexus'") == 1
    assert line.engine.terminate() == 0
    line.engine.expect("drop", "--yes")
    assert line.database.value("SELECT count(*) FROM pg_replication_origin WHERE roname = 'contextnexus/contextnexus'") == 0


@pytest.mark.parametrize("hindrance", ("not granted", "held by another session"))
def test_without_an_origin_it_does_the_same(line, hindrance):
    World(line.database, "write-back").fill_all()
    with Database(line.engine.admin_url) as other:
        if hindrance == "not granted":
            line.database.execute("REVOKE EXECUTE ON FUNCTION pg_replication_origin_session_setup(text) FROM contextnexus_engine")
        else:
            other.rows("SELECT CASE WHEN pg_replication_origin_oid(n) IS NULL THEN pg_replication_origin_create(n) END "
                       "FROM (VALUES ('contextnexus/contextnexus')) AS v(n)")
            other.rows("SELECT pg_replication_origin_session_setup('contextnexus/contextnexus')")
        line.engine.start()
        line.sync()
        _wait(lambda: _pending(line) == 0)
        assert _told(line, "carries no replication origin")
        # An applied row would put back what is taken away here.
        line.graph.rows("MATCH (m:Message) REMOVE m.role")
        line.database.execute("UPDATE public.messages SET neo4j_synced_at = now()")
        line.sync()
        assert line.graph.value("MATCH (m:Message) WHERE m.role IS NOT NULL RETURN count(m)") == 0, "a row that is not pending is no change"


# What others do.

def test_what_a_users_trigger_does_in_its_transaction_is_a_change(line):
    """An AFTER trigger at our own UPDATE writes another mapped table: that is a user's change, in a transaction of ours."""
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    line.database.execute("CREATE FUNCTION public.note_sync() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
                          "UPDATE public.tags SET color = NEW.neo4j_synced_version::text; RETURN NULL; END $$")
    line.database.execute("CREATE TRIGGER note_sync AFTER UPDATE OF neo4j_sync_status ON public.messages FOR EACH ROW "
                          "EXECUTE FUNCTION public.note_sync()")
    _update(line.database, world.message, "watched")
    _wait(lambda: _synced(line, world.message, "watched"))
    line.sync()
    assert line.graph.node("Tag", world.tag).properties["color"] == "2"
    _expect_all_synced(line)


def test_a_users_trigger_that_changes_more_in_its_row_is_followed_and_comes_to_rest(line):
    world = World(line.database, "write-back").fill_all()
    line.database.execute("CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                          "NEW.metadata := jsonb_build_object('touched', NEW.neo4j_synced_version); RETURN NEW; END $$")
    line.database.execute("CREATE TRIGGER touch BEFORE UPDATE ON public.messages FOR EACH ROW EXECUTE FUNCTION public.touch()")
    line.engine.start()
    line.sync()
    _update(line.database, world.message, "touched")
    _wait(lambda: _synced(line, world.message, "touched"))
    line.sync()
    synced_at = _row(line, world.message)["neo4j_synced_at"]
    time.sleep(2)
    assert _row(line, world.message)["neo4j_synced_at"] == synced_at, "it goes round in circles"
    line.expect_equal()


def test_a_column_that_the_trigger_does_not_know_is_followed(line):
    world = World(line.database, "write-back").fill_all()
    line.database.execute("ALTER TABLE public.messages ADD extra text")
    line.engine.start()
    line.sync()
    _wait(lambda: _pending(line) == 0)
    line.database.execute("UPDATE public.messages SET extra = 'known' WHERE id = %s", (world.message,))
    line.sync()
    assert line.graph.value("MATCH (m:Message {id: $id}) RETURN m.extra", id=world.message) == "known"


def test_a_table_that_marks_nothing_is_left_alone_and_said(line):
    world = World(line.database, "write-back").fill_all()
    line.database.execute("ALTER TABLE public.messages DISABLE TRIGGER row_version")
    line.engine.start()
    line.sync()
    _wait(lambda: line.database.value("SELECT bool_and(neo4j_sync_status = 'synced') FROM public.content_items"))
    assert _row(line, world.message)["neo4j_sync_status"] == "pending"
    assert _told(line, "row_version is disabled")
    line.expect_equal()


def test_a_right_that_is_taken_away_stops_nothing_is_said_once_and_shown(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    line.database.execute("REVOKE UPDATE (neo4j_sync_status) ON public.messages FROM contextnexus_engine")
    for number in range(5):
        _update(line.database, world.message, f"unsaid {number}")
        line.database.execute("UPDATE public.content_items SET title = title || '!' WHERE id = %s", (world.item,))
        line.sync()
        time.sleep(0.5)
    _wait(lambda: line.database.value("SELECT bool_and(neo4j_synced_version = version) FROM public.content_items"))
    line.expect_equal()
    _wait(lambda: "permission denied" in (line.engine.status()["write_back"]["problem"] or ""))
    shown = line.engine.status()["write_back"]
    assert "public.messages" in shown["problem"] and shown["pending"] == 1 and shown["failures"] >= 1, shown
    assert "does not work now" in line.engine.expect("status", url=line.engine.url).output
    assert len(_told(line, "permission denied")) == 1, line.engine.tail()
    line.database.execute("GRANT UPDATE (neo4j_sync_status) ON public.messages TO contextnexus_engine")
    _expect_all_synced(line)
    _wait(lambda: line.engine.status()["write_back"]["problem"] == "")
    shown = line.engine.status()["write_back"]
    assert "permission denied" in shown["last_error"] and shown["written"] > 5 and shown["pending"] == 0, shown


def test_a_locked_table_holds_up_neither_the_line_nor_the_other_tables(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    with Database(line.engine.admin_url) as other:
        _update(line.database, world.message, "behind the lock")
        line.sync()
        with other.transaction():
            other.execute("LOCK TABLE public.content_chunks IN ACCESS EXCLUSIVE MODE")
            # A row of the locked table has been handed over, and waits.
            line.database.execute("UPDATE public.content_items SET title = 'locked out' WHERE id = %s", (world.item,))
            _update(line.database, world.message, "beside the lock")
            _wait(lambda: _synced(line, world.message, "beside the lock"))
            line.sync()
    _expect_all_synced(line)


def test_a_repeatable_read_that_read_before_it_meets_a_serialisation_failure(line):
    """As from any other writer: docs/write-back.md says so."""
    world = World(line.database, "write-back").fill_all()
    line.engine.start()
    _expect_all_synced(line)
    with Database(line.engine.admin_url) as user:
        user.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        user.rows("SELECT body FROM public.messages WHERE id = %s", (world.message,))
        line.database.execute("UPDATE public.messages SET body = 'newer' WHERE id = %s", (world.message2,))
        _wait(lambda: _synced(line, world.message2, "newer"))
        _update(user, world.message, "of this transaction: nobody wrote that row")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            _update(user, world.message2, "written by the user and by us meanwhile")
        user.execute("ROLLBACK")
    _expect_all_synced(line)


def test_many_rows_are_swept_though_the_engine_is_killed_on_the_way(line):
    world = World(line.database, "write-back").fill_all()
    line.engine.expect("run", "--once", "--no-write-back", url=line.engine.url)
    line.database.execute("INSERT INTO public.messages (id, tenant_id, thread_id, body) SELECT gen_random_uuid(), %s, %s, 'x' "
                          "FROM generate_series(1, 20000)", (world.tenant, world.thread))
    line.engine.expect("run", "--once", "--no-write-back", url=line.engine.url)
    kills = 0
    for _ in range(20):
        line.engine.start()
        before = _pending(line)
        _wait(lambda: _pending(line) < before)  # noqa: B023
        left = _pending(line)
        line.engine.kill()
        kills += left > 0
        if left < 4000:
            break
    assert kills >= 1
    line.engine.start()
    _expect_all_synced(line)
