"""For each table of the schema: a row, what it is in the graph, a change of it, and what it is then.

Written out by hand, apart from schema_form.py: two descriptions of one page that must agree. The version, the times and
the tenant are the same for all and left to the test.
"""

from typing import NamedTuple


class NodeCase(NamedTuple):
    table: str
    label: str
    key: str
    columns: dict
    properties: dict       # Beside id, tenantId, version, createdAt, updatedAt.
    links: tuple           # (type, label of the start, its id, properties)
    change: dict
    changed: dict          # Properties after it; None is absence.
    changed_links: tuple
    key_column: str = "id"


class PairCase(NamedTuple):
    table: str
    type: str
    start: tuple           # (label, column, id)
    end: tuple
    columns: dict
    properties: dict       # Beside version and createdAt.
    change: dict           # Empty: the row is its pair alone, and a change moves an end.
    changed: dict


NODE_TABLES = ("tenants", "users", "programs", "projects", "threads", "content_items", "text_content", "code_content",
               "content_chunks", "tags", "messages")
PAIR_TABLES = ("project_memberships", "thread_relationships", "content_tags", "thread_content",
               "message_relationships", "message_context_items")


def node_case(table, w):
    """The case of a node's table in the world `w`; nothing is inserted."""
    return globals()[f"_{table}"](w, w.new_id())


def pair_case(table, w):
    return globals()[f"_{table}"](w)


def _tenants(w, key):
    return NodeCase(
        "tenants", "Tenant", key,
        dict(id=key, name="Blue", slug=key[:12], settings='{"limits": {"n": 1.50}, "b": [null, true]}'),
        {"name": "Blue", "slug": key[:12], "settings": '{"b": [null, true], "limits": {"n": 1.50}}'}, (),
        dict(name="Bleu é \U0001f600", settings='"text"'), {"name": "Bleu é \U0001f600", "settings": '"text"'}, ())


def _users(w, key):
    return NodeCase(
        "users", "User", key,
        dict(id=key, email=f"{key[:8]}@x.org", display_name="Ann", role="admin", password_hash="SECRET-HASH",
             is_active=False),
        {"email": f"{key[:8]}@x.org", "displayName": "Ann", "role": "admin", "isActive": False},
        (("HAS_USER", "Tenant", w.tenant, {"role": "admin"}),),
        dict(display_name=None, role="guest", is_active=True, password_hash="SECRET-HASH 2"),
        {"displayName": None, "role": "guest", "isActive": True},
        (("HAS_USER", "Tenant", w.tenant, {"role": "guest"}),))


def _programs(w, key):
    link = ("HAS_PROGRAM", "Tenant", w.tenant, {})
    return NodeCase("programs", "Program", key, dict(id=key, name="P", description="about"),
                    {"name": "P", "description": "about"}, (link,), dict(name="Q", description=None),
                    {"name": "Q", "description": None}, (link,))


def _projects(w, key):
    return NodeCase(
        "projects", "Project", key, dict(id=key, name="J", program_id=w.program),
        {"name": "J", "status": "active", "programId": w.program}, (("HAS_PROJECT", "Program", w.program, {}),),
        dict(status="archived", description="", program_id=w.program2),
        {"status": "archived", "description": "", "programId": w.program2},
        (("HAS_PROJECT", "Program", w.program2, {}),))


def _threads(w, key):
    return NodeCase(
        "threads", "Thread", key, dict(id=key, project_id=w.project, title="T", status="resolved", created_by=w.user),
        {"projectId": w.project, "title": "T", "status": "resolved", "createdBy": w.user},
        (("HAS_THREAD", "Project", w.project, {}),), dict(title="U", created_by=None),
        {"title": "U", "createdBy": None}, (("HAS_THREAD", "Project", w.project, {}),))


def _content_items(w, key):
    link = ("HAS_CONTENT", "Project", w.project, {})
    return NodeCase(
        "content_items", "ContentItem", key,
        dict(id=key, project_id=w.project, kind="file", title="I", mime_type="text/plain", size_bytes=2**40,
             checksum="abc", metadata='{"k": [1, 2.0]}', created_by=w.user),
        {"projectId": w.project, "kind": "file", "title": "I", "storageBackend": "postgres", "mimeType": "text/plain",
         "sizeBytes": 2**40, "checksum": "abc", "metadata": '{"k": [1, 2.0]}', "createdBy": w.user,
         "pgStorageKey": f"postgres://content_items/{key}"}, (link,),
        dict(storage_backend="s3", storage_key="bucket/a b/c", size_bytes=None, metadata="{}"),
        {"storageBackend": "s3", "storageKey": "bucket/a b/c", "sizeBytes": None, "metadata": "{}",
         "pgStorageKey": "s3://bucket/a b/c"}, (link,))


def _text_content(w, _):
    link = ("HAS_CONTENT", "ContentItem", w.item, {})
    return NodeCase("text_content", "Text", w.item,
                    dict(content_item_id=w.item, body="SECRET-BODY", language="en", word_count=-1),
                    {"language": "en", "wordCount": -1}, (link,),
                    dict(body="SECRET-BODY 2", language=None, word_count=2), {"language": None, "wordCount": 2}, (link,),
                    "content_item_id")


def _code_content(w, _):
    link = ("HAS_CONTENT", "ContentItem", w.item2, {})
    return NodeCase("code_content", "Code", w.item2,
                    dict(content_item_id=w.item2, source="SECRET-BODY", language="c++", path="src/a.cpp", line_count=10),
                    {"language": "c++", "path": "src/a.cpp", "lineCount": 10}, (link,),
                    dict(path="src/b.cpp", line_count=None), {"path": "src/b.cpp", "lineCount": None}, (link,),
                    "content_item_id")


def _content_chunks(w, key):
    return NodeCase(
        "content_chunks", "ContentChunk", key,
        dict(id=key, content_item_id=w.item, ordinal=7, body="SECRET-BODY", token_count=3, start_offset=0,
             end_offset=11),
        {"contentItemId": w.item, "ordinal": 7, "tokenCount": 3, "startOffset": 0, "endOffset": 11,
         "pgStorageKey": f"postgres://content_chunks/{key}"}, (("HAS_CHUNK", "ContentItem", w.item, {"ordinal": 7}),),
        dict(ordinal=8, token_count=None), {"ordinal": 8, "tokenCount": None},
        (("HAS_CHUNK", "ContentItem", w.item, {"ordinal": 8}),))


def _tags(w, key):
    link = ("HAS_TAG", "Project", w.project, {})
    return NodeCase("tags", "Tag", key, dict(id=key, project_id=w.project, name="t"),
                    {"projectId": w.project, "name": "t"}, (link,), dict(color="#fff"), {"color": "#fff"}, (link,))


def _messages(w, key):
    link = ("CONTAINS_MESSAGE", "Thread", w.thread, {})
    return NodeCase(
        "messages", "Message", key,
        dict(id=key, thread_id=w.thread, author_id=w.user, role="tool", body="SECRET-BODY", metadata="[1e2]"),
        {"threadId": w.thread, "authorId": w.user, "role": "tool", "metadata": "[100]",
         "pgStorageKey": f"postgres://messages/{key}"}, (link,),
        dict(body="SECRET-BODY 2", role="assistant", author_id=w.user2),
        {"role": "assistant", "authorId": w.user2}, (link,))


def _project_memberships(w):
    return PairCase("project_memberships", "HAS_MEMBER", ("Project", "project_id", w.project),
                    ("User", "user_id", w.user), dict(role="editor"), {"role": "editor"}, dict(role="owner"),
                    {"role": "owner"})


def _thread_relationships(w):
    return PairCase("thread_relationships", "PARENT_OF", ("Thread", "parent_thread_id", w.thread),
                    ("Thread", "child_thread_id", w.thread2), dict(relationship_type="fork"),
                    {"relationshipType": "fork"}, dict(relationship_type="merge"), {"relationshipType": "merge"})


def _content_tags(w):
    return PairCase("content_tags", "TAGGED_WITH", ("ContentItem", "content_item_id", w.item),
                    ("Tag", "tag_id", w.tag), {}, {}, {}, {})


def _thread_content(w):
    return PairCase("thread_content", "INCLUDES", ("Thread", "thread_id", w.thread),
                    ("ContentItem", "content_item_id", w.item),
                    dict(relevance_score=0.1 + 0.2, position=3, added_by=w.user),
                    {"relevanceScore": 0.1 + 0.2, "position": 3, "addedBy": w.user},
                    dict(relevance_score=1e-300, position=None, added_by=None),
                    {"relevanceScore": 1e-300, "position": None, "addedBy": None})


def _message_relationships(w):
    return PairCase("message_relationships", "REPLIED_WITH", ("Message", "message_id", w.message),
                    ("Message", "reply_id", w.message2), dict(relationship_type="alternative"),
                    {"relationshipType": "alternative"}, dict(relationship_type="edit"), {"relationshipType": "edit"})


def _message_context_items(w):
    return PairCase("message_context_items", "USED_CONTEXT", ("Message", "message_id", w.message),
                    ("ContentItem", "content_item_id", w.item), dict(relevance_score=2.0, position=0),
                    {"relevanceScore": 2.0, "position": 0}, dict(relevance_score=float("nan")),
                    {"relevanceScore": float("nan")})
