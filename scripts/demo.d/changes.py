"""The demo's live changes: one PostgreSQL transaction each, and the Cypher that sees it in the graph."""

import json
import time
import uuid


class Changes:
    """Insert, update, change of a key, delete, and again. Each next() commits one and returns (what it was, Cypher, parameters):
    the Cypher returns true once the whole transaction is in the graph."""

    def __init__(self, connection, tenant):
        self._connection = connection
        self._tenant = tenant
        self._steps = [self._insert, self._update, self._change_key, self._delete]
        self._step = 0
        self._thread = self._message = None
        # What a run that was interrupted left.
        self._commit("DELETE FROM threads WHERE tenant_id = %s AND title LIKE 'Live at %%'", tenant)

    def __len__(self):
        return len(self._steps)

    def next(self):
        step = self._steps[self._step]
        self._step = (self._step + 1) % len(self._steps)
        return step()

    def _commit(self, statement, *parameters):
        # Several statements in one string are one transaction.
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def _insert(self):
        self._thread, self._message = str(uuid.uuid4()), str(uuid.uuid4())
        self._commit("""
          INSERT INTO threads (id, tenant_id, project_id, title)
            SELECT %s, tenant_id, id, %s FROM projects WHERE tenant_id = %s LIMIT 1;
          INSERT INTO messages (id, tenant_id, thread_id, author_id, role, body, metadata)
            SELECT %s, tenant_id, %s, id, 'user', 'What changed here?', %s FROM users WHERE tenant_id = %s ORDER BY email LIMIT 1;
          INSERT INTO message_context_items (message_id, content_item_id, tenant_id, relevance_score, position)
            SELECT %s, id, tenant_id, random(), row_number() OVER () FROM
              (SELECT id, tenant_id FROM content_items WHERE tenant_id = %s ORDER BY random() LIMIT 3) AS chosen""",
                     self._thread, f"Live at {time.strftime('%H:%M:%S')}", self._tenant,
                     self._message, self._thread, json.dumps({"made_by": "demo"}), self._tenant, self._message, self._tenant)
        return ("INSERT of a thread, its message and the context it used", """
          RETURN COUNT { (:Thread {id: $thread})-[:CONTAINS_MESSAGE]->(:Message {id: $message}) } = 1
             AND COUNT { (:Message {id: $message})-[:USED_CONTEXT]->() } > 0 AS seen""", self._named())

    def _update(self):
        self._commit("UPDATE threads SET status = 'resolved' WHERE id = %s", self._thread)
        return ("UPDATE of the thread's status", "MATCH (t:Thread {id: $thread}) RETURN t.status = 'resolved' AND t.version = 2 AS seen",
                self._named())

    def _change_key(self):
        old, self._thread = self._thread, str(uuid.uuid4())
        self._commit("UPDATE threads SET id = %s WHERE id = %s", self._thread, old)
        return ("UPDATE of the thread's key, which its message follows", """
          RETURN COUNT { (:Thread {id: $thread})-[:CONTAINS_MESSAGE]->(:Message {id: $message}) } = 1
             AND NOT EXISTS { (:Thread {id: $old}) } AS seen""", self._named() | {"old": old})

    def _delete(self):
        self._commit("DELETE FROM threads WHERE id = %s", self._thread)
        return ("DELETE of the thread and of what hung on it",
                "RETURN NOT EXISTS { (:Thread {id: $thread}) } AND NOT EXISTS { (:Message {id: $message}) } AS seen", self._named())

    def _named(self):
        return {"thread": self._thread, "message": self._message}
