"""The demo's comparison finds every kind of difference: a graph written by hand beside a few rows, then spoilt in one place."""

import os
import pathlib
import subprocess

import pytest
from lib import database as postgres

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "demo.d" / "compare.py"


def uid(number):
    return f"00000000-0000-4000-8000-{number:012d}"


TENANT, USER, PROJECT, ITEM, THREAD = (uid(number) for number in range(1, 6))
AT = "created_at, updated_at"
TIMES = "'2024-02-29 12:00:00+00', '0044-03-15 10:00:00.5+00 BC'"

ROWS = f"""
INSERT INTO tenants (id, name, slug, settings, {AT}) VALUES ('{TENANT}', 'Acme', 'acme', '{{"b": 1, "a": [1.10]}}', {TIMES});
INSERT INTO users (id, tenant_id, email, role, password_hash, {AT})
  VALUES ('{USER}', '{TENANT}', 'é@example.org', 'owner', 'secret', {TIMES});
INSERT INTO projects (id, tenant_id, name, {AT}) VALUES ('{PROJECT}', '{TENANT}', 'p', '2024-02-29 12:00:00+00', 'infinity');
INSERT INTO content_items (id, tenant_id, project_id, kind, title, storage_backend, storage_key, size_bytes, {AT})
  VALUES ('{ITEM}', '{TENANT}', '{PROJECT}', 'text', 't', 's3', 'bucket/key', 9007199254740993, {TIMES});
INSERT INTO text_content (tenant_id, content_item_id, body, word_count, {AT})
  VALUES ('{TENANT}', '{ITEM}', 'two words', 2, {TIMES});
INSERT INTO threads (id, tenant_id, project_id, title, created_by, {AT})
  VALUES ('{THREAD}', '{TENANT}', '{PROJECT}', 't', '{USER}', {TIMES});
INSERT INTO thread_content (tenant_id, thread_id, content_item_id, relevance_score, position, {AT})
  VALUES ('{TENANT}', '{THREAD}', '{ITEM}', 0.30000000000000004, 1, {TIMES});
"""

COMMON = f"tenantId: '{TENANT}', version: 1, createdAt: datetime('2024-02-29T12:00:00Z')"
UPDATED = "updatedAt: datetime('-0043-03-15T10:00:00.5Z')"
GRAPH = f"""
CREATE (t:Tenant {{id: '{TENANT}', name: 'Acme', slug: 'acme', settings: '{{"a": [1.10], "b": 1}}', {COMMON}, {UPDATED}}})
CREATE (u:User {{id: '{USER}', email: 'é@example.org', role: 'owner', isActive: true, {COMMON}, {UPDATED}}})
CREATE (p:Project {{id: '{PROJECT}', name: 'p', status: 'active', {COMMON}, updatedAt__pg: 'infinity'}})
CREATE (i:ContentItem {{id: '{ITEM}', projectId: '{PROJECT}', kind: 'text', title: 't', storageBackend: 's3', storageKey: 'bucket/key',
        sizeBytes: 9007199254740993, metadata: '{{}}', pgStorageKey: 's3://bucket/key', {COMMON}, {UPDATED}}})
CREATE (x:Text {{id: '{ITEM}', wordCount: 2, {COMMON}, {UPDATED}}})
CREATE (h:Thread {{id: '{THREAD}', projectId: '{PROJECT}', title: 't', status: 'open', createdBy: '{USER}', {COMMON}, {UPDATED}}})
CREATE (t)-[:HAS_USER {{role: 'owner'}}]->(u), (p)-[:HAS_THREAD]->(h), (p)-[:HAS_CONTENT]->(i), (i)-[:HAS_CONTENT]->(x),
       (h)-[:INCLUDES {{relevanceScore: 0.30000000000000004, position: 1, version: 1,
                        createdAt: datetime('2024-02-29T12:00:00Z')}}]->(i)
CREATE (:ContextNexusPosition {{key: 'pipeline/0', lsn: 1}})
"""


def compare(database_url, servers):
    name, password = servers.neo4j_url.split("//")[1].split("@")[0].split(":")
    environment = os.environ | {"CONTEXTNEXUS_POSTGRES": database_url, "CNX_NEO4J_HTTP": servers.neo4j_http, "CNX_NEO4J_USER": name,
                                "CNX_NEO4J_PASSWORD": password}
    done = subprocess.run(["/usr/bin/python3", "-B", str(COMPARE)], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def rows_url(servers, template):
    url = postgres.create_database(servers.postgres_url, "cnx_test_compare", template)
    with postgres.Database(url) as database:
        database.execute(ROWS)
    yield url
    postgres.drop_database(servers.postgres_url, "cnx_test_compare")


@pytest.fixture
def both(rows_url, graph, servers):
    """The two sides, equal; the result runs the comparison."""
    graph.wipe()
    graph.rows(GRAPH)
    yield lambda: compare(rows_url, servers)
    graph.wipe()


def test_a_graph_written_by_hand_is_equal(both):
    code, text = both()
    assert (code, text.endswith("; equal\n")) == (0, True), text


@pytest.mark.parametrize("spoil, said", [
    ("MATCH (n:Thread) SET n.title = 'x'", f"Thread {THREAD}: title is String 't' by PostgreSQL and String 'x' in Neo4j"),
    ("MATCH (n:Thread) SET n.title = null", f"Thread {THREAD}: title is String 't' by PostgreSQL and absent in Neo4j"),
    ("MATCH (n:Thread) SET n.priority = 1", "priority is absent by PostgreSQL and Integer 1 in Neo4j"),
    ("MATCH (n:Thread) SET n.version = 1.0", "version is Integer 1 by PostgreSQL and Float 1.0 in Neo4j"),
    ("MATCH (n:ContentItem) SET n.sizeBytes = 9007199254740992", "sizeBytes is Integer 9007199254740993"),
    ("MATCH (n:Tenant) SET n.createdAt = datetime('2024-02-29T12:00:00.000000001Z')", "createdAt is OffsetDateTime"),
    ("MATCH (n:Tenant) SET n.createdAt = datetime('2024-02-29T13:00:00+01:00')", "createdAt is OffsetDateTime"),
    ("MATCH (n:Tenant) SET n.createdAt = '2024-02-29T12:00:00Z'", "createdAt is OffsetDateTime"),
    ("MATCH (n:Tenant) SET n.tenantId = null", "tenantId is String"),
    ("MATCH (n:User) SET n.passwordHash = 'secret'", "passwordHash is absent"),
    ("MATCH (n:Text) SET n.body = 'two words'", "body is absent"),
    ("MATCH (n:ContentItem) SET n.pgStorageKey = 'postgres://content_items/' + n.id", "pgStorageKey is String 's3://bucket/key'"),
    ("MATCH (n:Project) SET n.updatedAt__pg = null", "updatedAt__pg is String 'infinity' by PostgreSQL and absent"),
    ("MATCH (n:Text) DETACH DELETE n", f"Text {ITEM} is in PostgreSQL alone"),
    (f"CREATE (:Tag {{id: '{uid(9)}'}})", f"Tag {uid(9)} is in Neo4j alone"),
    ("MATCH (n:Thread) CREATE (m:Thread) SET m = properties(n)", f"Thread {THREAD} is there more than once"),
    ("CREATE (:Thread {title: 't'})", "1 nodes :Thread have no id"),
    ("CREATE (:Thread {id: 7})", "1 nodes :Thread have no id"),
    ("MATCH (n:Thread) SET n:Other", "1 nodes with the labels Other:Thread"),
    ("CREATE (:Other)", "1 nodes with the labels Other"),
    ("CREATE ()", "1 nodes with the labels (none)"),
    ("MATCH (n:Thread) SET n._cnx_stub = true", f"Thread {THREAD} is a stub"),
    ("MATCH ()-[r:INCLUDES]->() DELETE r", f"(Thread {THREAD})-[INCLUDES]->(ContentItem {ITEM}) is in PostgreSQL alone"),
    ("MATCH (a)-[r:INCLUDES]->(b) CREATE (a)-[s:INCLUDES]->(b) SET s = properties(r)", "is there more than once"),
    ("MATCH (a)-[r:INCLUDES]->(b) CREATE (b)-[s:INCLUDES]->(a) SET s = properties(r) DELETE r", "is in Neo4j alone"),
    ("MATCH (a:Tenant), (b:Project) CREATE (a)-[:HAS_PROGRAM]->(b)", "[HAS_PROGRAM]->(Project"),
    ("MATCH ()-[r:INCLUDES]->() SET r.relevanceScore = 0.3", "relevanceScore is Float 0.30000000000000004"),
    ("MATCH ()-[r:INCLUDES]->() SET r.version = null", "version is Integer 1 by PostgreSQL and absent"),
    ("MATCH ()-[r:INCLUDES]->() SET r.addedBy = 'x'", "addedBy is absent"),
    ("MATCH ()-[r:HAS_USER]->() SET r.role = 'member'", "role is String 'owner'"),
    ("MATCH ()-[r:HAS_THREAD]->() SET r.version = 1", "version is absent"),
    ("MATCH (t:Thread) CREATE (:Other)-[:SEES]->(t)", "1 relationships begin at no node of ours"),
])
def test_a_planted_difference_is_named(both, graph, spoil, said):
    graph.rows(spoil)
    code, text = both()
    assert code == 1 and said in text, text


def test_a_changed_row_is_a_difference(database_url, database, graph, servers):
    database.execute(ROWS + "UPDATE threads SET status = 'resolved'")
    graph.rows(GRAPH)
    code, text = compare(database_url, servers)
    assert code == 1 and "status is String 'resolved' by PostgreSQL and String 'open' in Neo4j" in text


def test_a_side_that_cannot_be_read_is_no_difference(rows_url, servers):
    code, text = compare(rows_url, servers._replace(neo4j_http="http://127.0.0.1:1"))
    assert code == 2 and text.startswith("compare: Neo4j does not answer"), text
