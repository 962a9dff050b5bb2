"""The comparer itself: it calls two equal sides equal, and finds every difference that is planted.

The graph is written by hand, statement by statement, neither by the engine nor by the comparer's own expectation.
"""

import json

import pytest

from lib import comparer, values
from lib import database as postgres
from lib.comparer import Foreign
from lib.graph import Temporal
from lib.world import World

_COMMON = "version: row.version, createdAt: datetime(row.created_at), updatedAt: datetime(row.updated_at)"
_NODES = {
    "tenants": "CREATE (:Tenant {id: row.id, tenantId: row.id, name: row.name, slug: row.slug, "
               f"settings: row.settings, {_COMMON}}})",
    "users": "CREATE (:User {id: row.id, tenantId: row.tenant_id, email: row.email, displayName: row.display_name, "
             f"role: row.role, isActive: row.is_active, {_COMMON}}})",
    "programs": "CREATE (:Program {id: row.id, tenantId: row.tenant_id, name: row.name, "
                f"description: row.description, {_COMMON}}})",
    "projects": "CREATE (:Project {id: row.id, tenantId: row.tenant_id, programId: row.program_id, name: row.name, "
                f"description: row.description, status: row.status, {_COMMON}}})",
    "threads": "CREATE (:Thread {id: row.id, tenantId: row.tenant_id, projectId: row.project_id, title: row.title, "
               f"status: row.status, createdBy: row.created_by, {_COMMON}}})",
    "content_items": "CREATE (:ContentItem {id: row.id, tenantId: row.tenant_id, projectId: row.project_id, "
                     "kind: row.kind, title: row.title, storageBackend: row.storage_backend, "
                     "storageKey: row.storage_key, mimeType: row.mime_type, sizeBytes: row.size_bytes, "
                     "checksum: row.checksum, metadata: row.metadata, createdBy: row.created_by, "
                     f"pgStorageKey: 'postgres://content_items/' + row.id, {_COMMON}}})",
    "text_content": "CREATE (:Text {id: row.content_item_id, tenantId: row.tenant_id, language: row.language, "
                    f"wordCount: row.word_count, {_COMMON}}})",
    "code_content": "CREATE (:Code {id: row.content_item_id, tenantId: row.tenant_id, language: row.language, "
                    f"path: row.path, lineCount: row.line_count, {_COMMON}}})",
    "content_chunks": "CREATE (:ContentChunk {id: row.id, tenantId: row.tenant_id, "
                      "contentItemId: row.content_item_id, ordinal: row.ordinal, tokenCount: row.token_count, "
                      "startOffset: row.start_offset, endOffset: row.end_offset, "
                      f"pgStorageKey: 'postgres://content_chunks/' + row.id, {_COMMON}}})",
    "tags": "CREATE (:Tag {id: row.id, tenantId: row.tenant_id, projectId: row.project_id, name: row.name, "
            f"color: row.color, {_COMMON}}})",
    "messages": "CREATE (:Message {id: row.id, tenantId: row.tenant_id, threadId: row.thread_id, "
                "authorId: row.author_id, role: row.role, metadata: row.metadata, "
                f"pgStorageKey: 'postgres://messages/' + row.id, {_COMMON}}})",
}
_LINKS = (
    "MATCH (a:Tenant), (b:User) WHERE b.tenantId = a.id CREATE (a)-[:HAS_USER {role: b.role}]->(b)",
    "MATCH (a:Tenant), (b:Program) WHERE b.tenantId = a.id CREATE (a)-[:HAS_PROGRAM]->(b)",
    "MATCH (a:Program), (b:Project) WHERE b.programId = a.id CREATE (a)-[:HAS_PROJECT]->(b)",
    "MATCH (a:Project), (b:Thread) WHERE b.projectId = a.id CREATE (a)-[:HAS_THREAD]->(b)",
    "MATCH (a:Project), (b:ContentItem) WHERE b.projectId = a.id CREATE (a)-[:HAS_CONTENT]->(b)",
    "MATCH (a:Project), (b:Tag) WHERE b.projectId = a.id CREATE (a)-[:HAS_TAG]->(b)",
    "MATCH (a:ContentItem), (b:Text) WHERE b.id = a.id CREATE (a)-[:HAS_CONTENT]->(b)",
    "MATCH (a:ContentItem), (b:Code) WHERE b.id = a.id CREATE (a)-[:HAS_CONTENT]->(b)",
    "MATCH (a:ContentItem), (b:ContentChunk) WHERE b.contentItemId = a.id "
    "CREATE (a)-[:HAS_CHUNK {ordinal: b.ordinal}]->(b)",
    "MATCH (a:Thread), (b:Message) WHERE b.threadId = a.id CREATE (a)-[:CONTAINS_MESSAGE]->(b)",
)
_PAIR = "version: row.version, createdAt: datetime(row.created_at)"
_PAIRS = {
    "project_memberships": "MATCH (a:Project {id: row.project_id}), (b:User {id: row.user_id}) "
                           f"CREATE (a)-[:HAS_MEMBER {{role: row.role, {_PAIR}}}]->(b)",
    "thread_relationships": "MATCH (a:Thread {id: row.parent_thread_id}), (b:Thread {id: row.child_thread_id}) "
                            f"CREATE (a)-[:PARENT_OF {{relationshipType: row.relationship_type, {_PAIR}}}]->(b)",
    "content_tags": "MATCH (a:ContentItem {id: row.content_item_id}), (b:Tag {id: row.tag_id}) "
                    f"CREATE (a)-[:TAGGED_WITH {{{_PAIR}}}]->(b)",
    "thread_content": "MATCH (a:Thread {id: row.thread_id}), (b:ContentItem {id: row.content_item_id}) "
                      "CREATE (a)-[:INCLUDES {relevanceScore: row.relevance_score, position: row.position, "
                      f"addedBy: row.added_by, {_PAIR}}}]->(b)",
    "message_relationships": "MATCH (a:Message {id: row.message_id}), (b:Message {id: row.reply_id}) "
                             f"CREATE (a)-[:REPLIED_WITH {{relationshipType: row.relationship_type, {_PAIR}}}]->(b)",
    "message_context_items": "MATCH (a:Message {id: row.message_id}), (b:ContentItem {id: row.content_item_id}) "
                             "CREATE (a)-[:USED_CONTEXT {relevanceScore: row.relevance_score, "
                             f"position: row.position, {_PAIR}}}]->(b)",
}


def _write_by_hand(database, graph):
    for table, statement in {**_NODES, **_PAIRS}.items():
        rows = database.rows(f"SELECT to_jsonb(t) FROM public.{table} t")
        texts = [row[0] | {name: database.value("SELECT %s::jsonb::text", (json.dumps(value),))
                           for name, value in row[0].items() if name in ("settings", "metadata")} for row in rows]
        graph.rows(f"UNWIND $rows AS row {statement}", rows=texts)
    for statement in _LINKS:
        graph.rows(statement)


@pytest.fixture(scope="module")
def database(servers, template):
    url = postgres.create_database(servers.postgres_url, "cnx_comparer_test", template)
    with postgres.Database(url) as opened:
        World(opened, "comparer").fill_all()
        yield opened
    postgres.drop_database(servers.postgres_url, "cnx_comparer_test")


@pytest.fixture
def equal(database, graph):
    graph.wipe()
    _write_by_hand(database, graph)
    yield
    graph.wipe()


def test_two_equal_sides_have_no_difference(equal, database, graph):
    assert comparer.differences(database, graph) == []
    nodes, links = comparer.counts(database)
    assert nodes == graph.value("MATCH (n) RETURN count(n)")
    assert links == graph.value("MATCH ()-[r]->() RETURN count(r)")


PLANTED = {
    "a node is missing": "MATCH (n:Text) DETACH DELETE n",
    "a node is there twice": "MATCH (n:Tag) WITH n LIMIT 1 CREATE (m:Tag) SET m = properties(n)",
    "a node has no row": "CREATE (:Message {id: 'no such row'})",
    "a stub is left": "CREATE (:User {id: 'x', tenantId: 'x', _cnx_stub: true})",
    "a node of ours has a second label": "MATCH (n:Tag) WITH n LIMIT 1 SET n:Seen",
    "a node of ours has two of our labels": "MATCH (n:Tag) WITH n LIMIT 1 SET n:User",
    "a node has no label": "CREATE ({id: 'x'})",
    "a value differs": "MATCH (n:Thread) WITH n LIMIT 1 SET n.title = n.title + ' '",
    "a value has another type": "MATCH (n:Code) SET n.lineCount = toString(n.lineCount)",
    "an integer is a float": "MATCH (n:Code) SET n.lineCount = toFloat(n.lineCount)",
    "a boolean is an integer": "MATCH (n:User) WITH n LIMIT 1 SET n.isActive = 1",
    "a time is off by a microsecond": "MATCH (n:User) WITH n LIMIT 1 "
                                      "SET n.createdAt = n.createdAt + duration({microseconds: 1})",
    "a time is a text": "MATCH (n:User) WITH n LIMIT 1 SET n.createdAt = toString(n.createdAt)",
    "a time is local": "MATCH (n:User) WITH n LIMIT 1 SET n.createdAt = localdatetime(n.createdAt)",
    "a time names a zone": "MATCH (n:User) WITH n LIMIT 1 "
                           "SET n.createdAt = datetime({datetime: n.createdAt, timezone: 'Europe/Paris'})",
    "jsonb has another text": "MATCH (n:Tenant) SET n.settings = replace(n.settings, ': ', ':')",
    "a property is missing": "MATCH (n:Program) WITH n LIMIT 1 REMOVE n.tenantId",
    "a property is too many": "MATCH (n:User) WITH n LIMIT 1 SET n.passwordHash = 'x'",
    "a null is there as a value": "MATCH (n:Project) WITH n LIMIT 1 SET n.description = ''",
    "the version is behind": "MATCH (n:Message) WITH n LIMIT 1 SET n.version = n.version - 1",
    "pgStorageKey is wrong": "MATCH (n:Message) WITH n LIMIT 1 SET n.pgStorageKey = 'postgres://content_items/x'",
    "a stub's mark is left": "MATCH (n:ContentItem) WITH n LIMIT 1 SET n._cnx_stub = true",
    "a relationship is missing": "MATCH ()-[r:USED_CONTEXT]->() DELETE r",
    "a relationship is there twice": "MATCH (a)-[r:INCLUDES]->(b) CREATE (a)-[s:INCLUDES]->(b) SET s = properties(r)",
    "a relationship points the other way": "MATCH (a)-[r:PARENT_OF]->(b) CREATE (b)-[s:PARENT_OF]->(a) "
                                           "SET s = properties(r) DELETE r",
    "a relationship has another start": "MATCH (t:Thread)-[r:CONTAINS_MESSAGE]->(m) MATCH (o:Thread) WHERE o <> t "
                                        "WITH r, m, o LIMIT 1 CREATE (o)-[:CONTAINS_MESSAGE]->(m) DELETE r",
    "a relationship's property differs": "MATCH ()-[r:INCLUDES]->() SET r.relevanceScore = 0.1000001",
    "a relationship's property is missing": "MATCH ()-[r:HAS_CHUNK]->() REMOVE r.ordinal",
    "a relationship's property is too many": "MATCH ()-[r:TAGGED_WITH]->() SET r.tenantId = 'x'",
    "a relationship's role is stale": "MATCH ()-[r:HAS_USER]->() WITH r LIMIT 1 SET r.role = 'guest'",
    "a relationship has an unknown type": "MATCH (a:Tag), (b:User) WITH a, b LIMIT 1 CREATE (a)-[:LIKES]->(b)",
    "a row has no form in the graph and is there all the same": "CREATE (:KnowledgeGraphConfiguration {id: 'x'})"
                                                                "-[:HAS_USER]->(:Tenant {id: 'x'})",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_finds_that(planted, equal, database, graph):
    graph.rows(PLANTED[planted])
    found = comparer.differences(database, graph)
    assert found, f"not found: {planted}"
    assert len(found) <= 3, found


def test_a_swapped_pair_of_values_is_two_differences(equal, database, graph):
    graph.rows("MATCH (a:User), (b:User) WHERE a.id < b.id WITH a, b, a.email AS ours SET a.email = b.email, "
               "b.email = ours")
    assert len(comparer.differences(database, graph)) == 2


def test_what_others_own_is_left_out_when_it_is_named(equal, database, graph):
    graph.rows("MATCH (n:Tag) WITH n LIMIT 1 SET n:Seen, n.colour = 1 CREATE (n)-[:LIKES]->(:Person {id: 'p'})")
    graph.rows("CREATE (:ContextNexusPosition {key: 'contextnexus/0', lsn: 1})")
    foreign = Foreign(frozenset({"Seen", "Person"}), frozenset({"colour"}), frozenset({"LIKES"}))
    assert comparer.differences(database, graph, foreign) == []
    assert len(comparer.differences(database, graph)) >= 2


def test_values_follow_the_columns_type():
    zoned = Temporal("OffsetDateTime", "2024-01-02T03:04:05.600000000Z")
    assert values.expected("timestamp with time zone", "2024-01-02 03:04:05.6+00") == zoned
    assert values.expected("timestamp with time zone", "infinity") == values.Unfit("infinity")
    assert values.expected("numeric(5,0)", "12") == 12
    assert values.expected("numeric(5,2)", "1.10") == "1.10"
    assert values.expected("text[]", '{a,"b,c",""}') == ["a", "b,c", ""]
    assert values.expected("text[]", "{}") == []
    assert values.expected("text[]", '{NULL,"NULL"}') == values.Unfit('{NULL,"NULL"}')
    assert values.expected("integer[]", "{1,2}") == [1, 2]
    assert not values.same(1, True) and not values.same(1, 1.0) and not values.same([1], [1.0])
    assert values.same(float("nan"), float("nan")) and values.same(0.0, -0.0)
