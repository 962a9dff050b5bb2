"""The ContextNexus schema and its graph, as data: what each table's row must be in Neo4j.

Written from the schema's description, not from the engine's mapping, so that a mistake in one shows against the other.
"""

from typing import NamedTuple

SYNC_COLUMNS = frozenset({
    "neo4j_node_id", "neo4j_relationship_id", "neo4j_sync_status", "neo4j_synced_version", "neo4j_synced_at"})


class ParentLink(NamedTuple):
    """A relationship from the row that a foreign key names to this row's own node."""
    type: str
    start_label: str
    column: str
    properties: dict = {}  # Property of the relationship: column of this row.


class NodeTable(NamedTuple):
    label: str
    parents: tuple = ()
    key: str = "id"
    stays: frozenset = frozenset()  # Columns that never reach the graph.
    storage_key: str = ""           # "row": the row's own table; "backend": by storage_backend.


class PairTable(NamedTuple):
    """A join table: its key is the pair of its ends, and it is a relationship."""
    type: str
    start_label: str
    start: str
    end_label: str
    end: str
    columns: tuple = ()  # Beside version and created_at.


NODES = {
    "tenants": NodeTable("Tenant"),
    "users": NodeTable("User", (ParentLink("HAS_USER", "Tenant", "tenant_id", {"role": "role"}),),
                       stays=frozenset({"password_hash"})),
    "programs": NodeTable("Program", (ParentLink("HAS_PROGRAM", "Tenant", "tenant_id"),)),
    "projects": NodeTable("Project", (ParentLink("HAS_PROJECT", "Program", "program_id"),)),
    "threads": NodeTable("Thread", (ParentLink("HAS_THREAD", "Project", "project_id"),)),
    "content_items": NodeTable("ContentItem", (ParentLink("HAS_CONTENT", "Project", "project_id"),),
                               storage_key="backend"),
    "text_content": NodeTable("Text", (ParentLink("HAS_CONTENT", "ContentItem", "content_item_id"),),
                              key="content_item_id", stays=frozenset({"body"})),
    "code_content": NodeTable("Code", (ParentLink("HAS_CONTENT", "ContentItem", "content_item_id"),),
                              key="content_item_id", stays=frozenset({"source"})),
    "content_chunks": NodeTable(
        "ContentChunk", (ParentLink("HAS_CHUNK", "ContentItem", "content_item_id", {"ordinal": "ordinal"}),),
        stays=frozenset({"body"}), storage_key="row"),
    "tags": NodeTable("Tag", (ParentLink("HAS_TAG", "Project", "project_id"),)),
    "messages": NodeTable("Message", (ParentLink("CONTAINS_MESSAGE", "Thread", "thread_id"),),
                          stays=frozenset({"body"}), storage_key="row"),
}

PAIRS = {
    "project_memberships": PairTable("HAS_MEMBER", "Project", "project_id", "User", "user_id", ("role",)),
    "thread_relationships": PairTable("PARENT_OF", "Thread", "parent_thread_id", "Thread", "child_thread_id",
                                      ("relationship_type",)),
    "content_tags": PairTable("TAGGED_WITH", "ContentItem", "content_item_id", "Tag", "tag_id"),
    "thread_content": PairTable("INCLUDES", "Thread", "thread_id", "ContentItem", "content_item_id",
                                ("relevance_score", "position", "added_by")),
    "message_relationships": PairTable("REPLIED_WITH", "Message", "message_id", "Message", "reply_id",
                                       ("relationship_type",)),
    "message_context_items": PairTable("USED_CONTEXT", "Message", "message_id", "ContentItem", "content_item_id",
                                       ("relevance_score", "position")),
}

NO_GRAPH_FORM = ("knowledge_graph_configurations",)
TABLES = (*NODES, *PAIRS, *NO_GRAPH_FORM)
LABELS = frozenset(form.label for form in NODES.values())
TYPES = frozenset(form.type for form in PAIRS.values()) | frozenset(
    link.type for form in NODES.values() for link in form.parents)


def camel(column):
    head, *rest = column.split("_")
    return head + "".join(word.capitalize() for word in rest)


def storage_key(table, form, row):
    """pgStorageKey of a row (column values as text), or None where the table has none."""
    if form.storage_key == "row" or (form.storage_key == "backend" and row["storage_backend"] == "postgres"):
        return f"postgres://{table}/{row[form.key]}"
    if form.storage_key == "backend":
        return f"{row['storage_backend']}://{row['storage_key']}"
    return None
