"""The migrations of sql/ on a real PostgreSQL: what they make, that they may be run again, and what the schema promises.

Each file is run as the engine runs it: as one multi-statement simple query in a transaction. Every test has the database to
itself and is rolled back.
"""

import os
import pathlib
import re
import uuid

import psycopg2
import pytest
from psycopg2 import errors

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIGRATIONS = sorted((ROOT / "sql").glob("[0-9][0-9][0-9]_*.sql"))
DATABASE = f"schema_test_{os.getpid()}"

NODE_TABLES = ("tenants users programs projects threads content_items text_content code_content content_chunks tags messages").split()
JOIN_TABLES = ("project_memberships thread_relationships content_tags thread_content message_relationships "
               "message_context_items").split()
TABLES = NODE_TABLES + JOIN_TABLES + ["knowledge_graph_configurations"]
SYNCHRONISED = ("content_items", "content_chunks", "messages", "thread_content")

# One row of every table in one tenant; `{x}` are the ids that row_ids() makes.
ROWS = """
INSERT INTO tenants (id, name, slug) VALUES ('{tenant}', 'Acme', '{tenant}');
INSERT INTO users (id, tenant_id, email) VALUES ('{user}', '{tenant}', 'a@example.org'), ('{other}', '{tenant}', 'b@example.org');
INSERT INTO programs (id, tenant_id, name) VALUES ('{program}', '{tenant}', 'p');
INSERT INTO projects (id, tenant_id, program_id, name) VALUES ('{project}', '{tenant}', '{program}', 'p');
INSERT INTO project_memberships (tenant_id, project_id, user_id) VALUES ('{tenant}', '{project}', '{user}');
INSERT INTO knowledge_graph_configurations (tenant_id, project_id) VALUES ('{tenant}', NULL), ('{tenant}', '{project}');
INSERT INTO content_items (id, tenant_id, project_id, kind, title, created_by)
  VALUES ('{item}', '{tenant}', '{project}', 'text', 't', '{user}'), ('{code}', '{tenant}', '{project}', 'code', 'c', NULL);
INSERT INTO text_content (tenant_id, content_item_id, body) VALUES ('{tenant}', '{item}', 'words');
INSERT INTO code_content (tenant_id, content_item_id, source) VALUES ('{tenant}', '{code}', 'x = 1');
INSERT INTO content_chunks (id, tenant_id, content_item_id, ordinal, body)
  VALUES ('{chunk}', '{tenant}', '{item}', 1, 'wo'), (gen_random_uuid(), '{tenant}', '{item}', 2, 'rds');
INSERT INTO tags (id, tenant_id, project_id, name) VALUES ('{tag}', '{tenant}', '{project}', 'n');
INSERT INTO content_tags (tenant_id, content_item_id, tag_id) VALUES ('{tenant}', '{item}', '{tag}');
INSERT INTO threads (id, tenant_id, project_id, title, created_by)
  VALUES ('{thread}', '{tenant}', '{project}', 't', '{user}'), ('{child}', '{tenant}', '{project}', 'c', NULL);
INSERT INTO thread_relationships (tenant_id, parent_thread_id, child_thread_id) VALUES ('{tenant}', '{thread}', '{child}');
INSERT INTO thread_content (tenant_id, thread_id, content_item_id, added_by)
  VALUES ('{tenant}', '{thread}', '{item}', '{user}'), ('{tenant}', '{child}', '{code}', NULL);
INSERT INTO messages (id, tenant_id, thread_id, author_id, body)
  VALUES ('{message}', '{tenant}', '{thread}', '{user}', 'q'), ('{reply}', '{tenant}', '{thread}', NULL, 'a');
INSERT INTO message_relationships (tenant_id, message_id, reply_id) VALUES ('{tenant}', '{message}', '{reply}');
INSERT INTO message_context_items (tenant_id, message_id, content_item_id)
  VALUES ('{tenant}', '{message}', '{item}'), ('{tenant}', '{reply}', '{code}');
"""
NAMES = "tenant user other program project item code chunk tag thread child message reply".split()


def connect(database):
    if "PGHOST" not in os.environ:
        pytest.exit("no servers: run scripts/test, or scripts/services start and source its env file", returncode=2)
    return psycopg2.connect(dbname=database)


def install(cursor):
    for file in MIGRATIONS:
        cursor.execute(file.read_text())


@pytest.fixture(scope="module")
def database():
    admin = connect("postgres")
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {DATABASE}")
    connection = connect(DATABASE)
    install(connection.cursor())
    connection.commit()
    yield connection
    connection.close()
    admin.cursor().execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    admin.close()


@pytest.fixture
def sql(database):
    """Runs a statement and returns its rows, if it has any; all is rolled back after the test."""
    cursor = database.cursor()

    def run(statement, **values):
        cursor.execute(statement.format(**values) if values else statement)
        return cursor.fetchall() if cursor.description else None

    yield run
    database.rollback()


def row_ids():
    return {name: str(uuid.uuid4()) for name in NAMES}


@pytest.fixture
def ids(sql):
    made = row_ids()
    sql(ROWS, **made)
    return made


# What the migrations make, as the catalog has it: pg_dump takes no server newer than itself.
CATALOG = (
    "SELECT nspname, nspacl::text, nspowner::regrole::text, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname IN ('public', 'contextnexus')",
    "SELECT oid::regclass::text, relkind, relpersistence, reloptions::text, relacl::text, relrowsecurity, relforcerowsecurity, relreplident, relowner::regrole::text, "
    "obj_description(oid, 'pg_class') FROM pg_class WHERE {mine}",
    "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attacl::text, "
    "pg_get_expr(adbin, adrelid), col_description(attrelid, attnum) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid "
    "AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (SELECT oid FROM pg_class WHERE {mine})",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN (SELECT oid FROM pg_class WHERE {mine})",
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE {mine})",
    "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT pg_get_functiondef(oid), proacl::text, proowner::regrole::text FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN "
    "('public', 'contextnexus'))",
    "SELECT seqrelid::regclass::text, seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_sequence",
    # Users' objects have numbers from there on.
    "SELECT pg_describe_object(classoid, objoid, objsubid), description FROM pg_description WHERE objoid >= 16384",
)
# What they make none of today; one that begins to is compared as well.
CATALOG_EMPTY = (
    "SELECT polrelid::regclass::text, polname, polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid), "
    "pg_get_expr(polwithcheck, polrelid) FROM pg_policy",
    "SELECT oid::regtype::text, typtype, typacl::text FROM pg_type WHERE typtype IN ('d', 'e', 'r') AND oid >= 16384",
    "SELECT oid::regclass::text, pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm') AND {mine}",
    "SELECT defaclnamespace::regnamespace::text, defaclobjtype, defaclacl::text FROM pg_default_acl",
    "SELECT evtname, evtevent, evtenabled FROM pg_event_trigger",
    "SELECT pubname, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication",
)
MINE = "relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'contextnexus'))"


def catalog(cursor):
    made = []
    for statement in CATALOG + CATALOG_EMPTY:
        cursor.execute(statement.format(mine=MINE))
        made.append(sorted(map(repr, cursor.fetchall())))
    return made


def count(sql, table):
    return sql(f"SELECT count(*) FROM {table}")[0][0]


def test_a_second_installation_changes_nothing(database):
    before = catalog(database.cursor())
    assert all(before[:len(CATALOG)])
    install(database.cursor())
    database.commit()
    assert catalog(database.cursor()) == before


def test_files_are_numbered_without_gap_and_leave_the_transaction_to_the_installer():
    assert [int(file.name[:3]) for file in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    for file in MIGRATIONS:
        assert not re.search(r"^\s*(BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\b[^\n]*;", file.read_text(), re.M | re.I), file


def test_every_table_has_the_common_columns(sql):
    found = {}
    for table, column, kind in sql("SELECT table_name, column_name, data_type FROM information_schema.columns "
                                   "WHERE table_schema = 'public'"):
        found.setdefault(table, {})[column] = kind
    assert set(found) == set(TABLES)
    for table, columns in found.items():
        assert columns["version"] == "bigint", table
        assert columns["created_at"] == columns["updated_at"] == "timestamp with time zone", table
        assert ("tenant_id" in columns) == (table != "tenants"), table
        assert ("neo4j_sync_status" in columns) == (table in SYNCHRONISED), table
        assert ("neo4j_node_id" in columns) == (table in SYNCHRONISED), table
        assert ("neo4j_relationship_id" in columns) == (table == "thread_content"), table


def test_every_table_sends_its_primary_key_with_updates_and_deletes(sql):
    rows = sql("SELECT c.relname, c.relreplident, i.indimmediate FROM pg_class c "
               "JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary WHERE c.relnamespace = 'public'::regnamespace")
    assert {name for name, _, _ in rows} == set(TABLES)
    assert all(identity == "d" and immediate for _, identity, immediate in rows)


def test_foreign_keys_carry_the_tenant_follow_a_key_change_and_have_an_index(sql):
    rows = sql("""
      SELECT con.conrelid::regclass::text, con.confrelid::regclass::text, con.confupdtype, array_length(con.conkey, 1),
             (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = con.conrelid AND a.attnum = con.conkey[1]),
             EXISTS (SELECT FROM pg_index i WHERE i.indrelid = con.conrelid
                     AND i.indkey[0] = con.conkey[array_length(con.conkey, 1)]
                     OR i.indrelid = con.conrelid AND i.indkey[0] = con.conkey[1]
                     AND (array_length(con.conkey, 1) = 1 OR i.indkey[1] = con.conkey[2]))
      FROM pg_constraint con WHERE con.contype = 'f' AND con.connamespace = 'public'::regnamespace""")
    assert len(rows) == 33
    for table, target, on_update, columns, first, indexed in rows:
        assert on_update == "c", (table, target)
        assert first == "tenant_id", (table, target)
        assert columns == (1 if target == "tenants" else 2), (table, target)
        assert indexed, (table, target)


def test_the_version_trigger_names_exactly_the_users_columns_and_always_fires(sql):
    triggers = {table: (set(columns), enabled) for table, columns, enabled in sql("""
      SELECT c.relname, array_agg(a.attname)::text[], t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (t.tgattr::int2[])
      WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace GROUP BY 1, 3""")}
    for table in TABLES:
        columns = {name for (name,) in sql(f"SELECT column_name FROM information_schema.columns "
                                           f"WHERE table_schema = 'public' AND table_name = '{table}'")}
        users = {name for name in columns if name not in ("version", "updated_at") and not name.startswith("neo4j_")}
        assert triggers[table] == (users, "A"), table


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_users_update_raises_the_version_and_asks_for_synchronisation(sql, ids, role):
    sql("UPDATE content_items SET neo4j_sync_status = 'synced', neo4j_synced_version = version, neo4j_synced_at = now(), "
        "neo4j_node_id = '4:x:1'")
    assert sql("SELECT version, neo4j_sync_status FROM content_items WHERE id = '{item}'", **ids) == [(1, "synced")]
    sql(f"SET LOCAL session_replication_role = {role}")
    sql("UPDATE content_items SET title = 'new', version = 99 WHERE id = '{item}'", **ids)
    assert sql("SELECT version, neo4j_sync_status, neo4j_synced_version FROM content_items WHERE id = '{item}'",
               **ids) == [(2, "pending", 1)]


def test_every_table_counts_its_versions(sql, ids):
    for table in TABLES:
        sql(f"UPDATE {table} SET created_at = created_at - interval '1 day', updated_at = '-infinity'")
        assert sql(f"SELECT DISTINCT version, updated_at = now() FROM {table}") == [(2, True)], table


def test_a_new_tenant_id_reaches_every_row_below_it(sql, ids):
    second = row_ids()
    sql(ROWS, **second)
    new = str(uuid.uuid4())
    sql("UPDATE tenants SET id = '{new}' WHERE id = '{tenant}'", new=new, tenant=ids["tenant"])
    for table in TABLES[1:]:
        found = dict(sql(f"SELECT tenant_id, count(*) FROM {table} GROUP BY 1"))
        assert set(found) == {new, second["tenant"]} and len(set(found.values())) == 1, table
    sql("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("table, name, references", [
    ("users", "user", [("project_memberships", "user_id"), ("threads", "created_by"), ("content_items", "created_by"),
                       ("messages", "author_id"), ("thread_content", "added_by")]),
    ("programs", "program", [("projects", "program_id")]),
    ("projects", "project", [("threads", "project_id"), ("content_items", "project_id"), ("tags", "project_id"),
                             ("project_memberships", "project_id"), ("knowledge_graph_configurations", "project_id")]),
    ("threads", "thread", [("messages", "thread_id"), ("thread_content", "thread_id"),
                           ("thread_relationships", "parent_thread_id")]),
    ("threads", "child", [("thread_content", "thread_id"), ("thread_relationships", "child_thread_id")]),
    ("content_items", "item", [("text_content", "content_item_id"), ("content_chunks", "content_item_id"),
                               ("content_tags", "content_item_id"), ("thread_content", "content_item_id"),
                               ("message_context_items", "content_item_id")]),
    ("content_items", "code", [("code_content", "content_item_id")]),
    ("tags", "tag", [("content_tags", "tag_id")]),
    ("messages", "message", [("message_relationships", "message_id"), ("message_context_items", "message_id")]),
    ("messages", "reply", [("message_relationships", "reply_id")]),
])
def test_a_new_key_reaches_the_rows_that_name_it(sql, ids, table, name, references):
    new = str(uuid.uuid4())
    sql(f"UPDATE {table} SET id = '{new}' WHERE id = '{ids[name]}'")
    for referencing, column in references:
        assert sql(f"SELECT count(*) FROM {referencing} WHERE {column} = '{new}'")[0][0] > 0, referencing
        assert sql(f"SELECT count(*) FROM {referencing} WHERE {column} = '{ids[name]}'")[0][0] == 0, referencing


def test_deleting_a_tenant_leaves_nothing_of_it_and_all_of_another(sql, ids):
    second = row_ids()
    before = {table: count(sql, table) for table in TABLES}
    sql(ROWS, **second)
    sql("DELETE FROM tenants WHERE id = '{tenant}'", **ids)
    assert {table: count(sql, table) for table in TABLES} == before
    assert all(sql(f"SELECT count(*) FROM {table} WHERE tenant_id <> '{second['tenant']}'")[0][0] == 0 for table in TABLES[1:])


def test_deleting_a_user_clears_only_the_column_that_named_them(sql, ids):
    sql("DELETE FROM users WHERE id = '{user}'", **ids)
    assert sql("SELECT tenant_id, created_by FROM threads WHERE id = '{thread}'", **ids) == [(ids["tenant"], None)]
    assert sql("SELECT tenant_id, created_by FROM content_items WHERE id = '{item}'", **ids) == [(ids["tenant"], None)]
    assert sql("SELECT tenant_id, author_id FROM messages WHERE id = '{message}'", **ids) == [(ids["tenant"], None)]
    assert sql("SELECT tenant_id, added_by, version FROM thread_content WHERE thread_id = '{thread}'",
               **ids) == [(ids["tenant"], None, 2)]
    assert count(sql, "project_memberships") == 0


def test_deleting_a_program_keeps_its_projects(sql, ids):
    sql("DELETE FROM programs")
    assert sql("SELECT id, tenant_id, program_id FROM projects") == [(ids["project"], ids["tenant"], None)]


def test_deleting_a_thread_deletes_its_messages_and_what_hangs_on_them(sql, ids):
    sql("DELETE FROM threads WHERE id = '{thread}'", **ids)
    assert [count(sql, table) for table in ("messages", "message_relationships", "message_context_items",
                                            "thread_relationships", "thread_content", "content_items")] == [0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize("statement", [
    "INSERT INTO projects (tenant_id, program_id, name) VALUES ('{tenant}', '{program}', 'x')",
    "INSERT INTO threads (tenant_id, project_id, title) VALUES ('{tenant}', '{project}', 'x')",
    "INSERT INTO content_tags (tenant_id, content_item_id, tag_id) VALUES ('{tenant}', '{code}', '{tag}')",
    "UPDATE messages SET author_id = '{user}' WHERE tenant_id = '{tenant}'",
    "UPDATE thread_content SET content_item_id = '{item}' WHERE tenant_id = '{tenant}'",
])
def test_no_row_points_into_another_tenant(sql, ids, statement):
    second = row_ids()
    sql(ROWS, **second)
    with pytest.raises(errors.ForeignKeyViolation):
        sql(statement, **{**ids, "tenant": second["tenant"]})


@pytest.mark.parametrize("table, column", [
    ("users", "role"), ("projects", "status"), ("project_memberships", "role"), ("threads", "status"), ("content_items", "kind"),
    ("content_items", "storage_backend"), ("messages", "role"), ("message_relationships", "relationship_type"),
    *((table, "neo4j_sync_status") for table in SYNCHRONISED)])
def test_a_value_outside_its_list_is_refused(sql, ids, table, column):
    with pytest.raises(errors.CheckViolation):
        sql(f"UPDATE {table} SET {column} = 'nonsense'")


def test_an_items_chunks_are_renumbered_by_one_statement(sql, ids):
    sql("UPDATE content_chunks SET ordinal = ordinal + 1")
    assert sql("SELECT ordinal FROM content_chunks ORDER BY 1") == [(2,), (3,)]


def test_a_tenant_has_one_default_configuration(sql, ids):
    with pytest.raises(errors.UniqueViolation):
        sql("INSERT INTO knowledge_graph_configurations (tenant_id) VALUES ('{tenant}')", **ids)


@pytest.fixture
def two_tenants(sql, ids):
    """An application's role that may touch every row as far as grants go."""
    second = row_ids()
    sql(ROWS, **second)
    sql("CREATE ROLE schema_test_application; GRANT ALL ON ALL TABLES IN SCHEMA public TO schema_test_application; "
        "SET LOCAL ROLE schema_test_application")
    return ids, second


def test_without_a_tenant_an_application_sees_no_row(sql, two_tenants):
    assert [count(sql, table) for table in TABLES] == [0] * len(TABLES)
    sql("SET LOCAL contextnexus.tenant_id = ''")
    assert [count(sql, table) for table in TABLES] == [0] * len(TABLES)


def test_an_application_sees_and_changes_its_tenants_rows_alone(sql, two_tenants):
    first, second = two_tenants
    sql("SET LOCAL contextnexus.tenant_id = '{tenant}'", **first)
    assert sql("SELECT id FROM tenants") == [(first["tenant"],)]
    for table in TABLES[1:]:
        assert sql(f"SELECT DISTINCT tenant_id FROM {table}") == [(first["tenant"],)], table
    sql("DELETE FROM threads")
    sql("SET LOCAL contextnexus.tenant_id = '{tenant}'", **second)
    assert count(sql, "threads") == 2
    with pytest.raises(errors.InsufficientPrivilege):
        sql("INSERT INTO programs (tenant_id, name) VALUES ('{tenant}', 'x')", **first)


def test_the_engine_sees_every_tenant_and_writes_only_its_columns(sql, ids):
    sql(ROWS, **row_ids())
    sql("SET LOCAL ROLE contextnexus_engine")
    for table in NODE_TABLES + JOIN_TABLES:
        sql(f"SELECT * FROM {table}")
    assert count(sql, "tenants") == 2
    for table in SYNCHRONISED:
        sql(f"UPDATE {table} SET neo4j_node_id = 'n', neo4j_sync_status = 'synced', neo4j_synced_version = 1, neo4j_synced_at = now()")
        assert sql(f"SELECT DISTINCT version, neo4j_sync_status FROM {table}") == [(1, "synced")]
    sql("UPDATE thread_content SET neo4j_relationship_id = 'r'")
    sql("INSERT INTO contextnexus.pipelines (name, slot, publication) VALUES ('default', 's', 'p')")
    sql("UPDATE contextnexus.pipelines SET fingerprint = 'f'")


@pytest.mark.parametrize("statement", [
    "UPDATE content_items SET title = 'x'", "UPDATE messages SET body = 'x'", "DELETE FROM threads",
    "INSERT INTO tenants (name, slug) VALUES ('x', 'x')", "UPDATE users SET role = 'owner'"])
def test_the_engine_may_not_touch_what_is_a_users(sql, ids, statement):
    sql("SET LOCAL ROLE contextnexus_engine")
    with pytest.raises(errors.InsufficientPrivilege):
        sql(statement)


def test_a_write_back_touches_no_other_row_than_the_partial_index_holds(sql, ids):
    sql("UPDATE messages SET neo4j_sync_status = 'synced' WHERE id = '{message}'", **ids)
    sql("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row for (row,) in sql("EXPLAIN SELECT id FROM messages WHERE neo4j_sync_status <> 'synced' "
                                           "ORDER BY updated_at, id LIMIT 100"))
    assert "messages_not_synced" in plan


def test_an_installer_that_may_not_create_the_engines_role_names_the_statement(sql):
    sql("ALTER ROLE contextnexus_engine RENAME TO schema_test_renamed; CREATE ROLE schema_test_installer; "
        "SET LOCAL ROLE schema_test_installer")
    with pytest.raises(errors.InsufficientPrivilege, match="CREATE ROLE contextnexus_engine NOLOGIN;"):
        sql(MIGRATIONS[0].read_text())
