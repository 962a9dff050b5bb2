"""A seeded random load on the schema's tables: what many users do at once, and what they seldom do.

Inserts, updates, deletes, key changes, moves, cascades and transactions of many rows, by several writers. Each writer's
sequence of actions comes from the seed; which rows it meets depends on the others. A writer outlives a restart of
PostgreSQL: it connects again and goes on; whether its last transaction was committed does not matter to it.
"""

import contextlib
import random
import threading
import time
import uuid

import psycopg2

ROWS = ("users", "programs", "projects", "threads", "content_items", "content_chunks", "tags", "messages")
LOST_CONNECTION = (psycopg2.OperationalError, psycopg2.InterfaceError)
# What two writers can do to each other; the transaction is rolled back and the writer goes on.
COLLISION = (psycopg2.errors.DeadlockDetected, psycopg2.IntegrityError, psycopg2.errors.SerializationFailure)


class Writer(threading.Thread):
    """One connection and one sequence of actions. `committed` counts transactions whose COMMIT returned."""

    # It looks after so many transactions how far the graph is behind.
    _LOOK = 20

    def __init__(self, url, seed, tenants, pause, stop, behind_max):
        super().__init__(daemon=True)
        self._behind_max = behind_max
        self._url = url
        self._random = random.Random(seed)
        self._tenants = tenants
        self._pause = pause
        self._stop_event = stop
        self._connection = None
        self._cursor = None
        self.committed = 0
        self.error = None

    def run(self):
        try:
            while not self._stop_event.is_set():
                self._step()
                self._stop_event.wait(self._pause * self._random.random() * 2)
        except Exception as error:  # Shown by Load.stop(): a thread has nobody to raise to.
            self.error = error
        finally:
            self._disconnect()

    def _step(self):
        action = self._pick(ACTIONS)
        try:
            if self._connection is None:
                self._connect()
            if self.committed % self._LOOK == 0 and self._is_far_behind():
                self._stop_event.wait(0.1)
                return
            action(self, self._random.choice(self._tenants))
            self._connection.commit()
            self.committed += 1
        except COLLISION:
            self._connection.rollback()
        except LOST_CONNECTION:
            self._disconnect()
            self._stop_event.wait(0.2)

    def _connect(self):
        self._connection = psycopg2.connect(self._url, connect_timeout=5)
        self._cursor = self._connection.cursor()

    def _is_far_behind(self):
        """Whether PostgreSQL keeps more log for the slot than is wanted."""
        if self._behind_max is None:
            return False
        behind = self.sql("SELECT max(pg_current_wal_lsn() - confirmed_flush_lsn) FROM pg_replication_slots "
                          "WHERE database = current_database()").fetchone()[0]
        self._connection.rollback()
        return behind is not None and behind > self._behind_max

    def _disconnect(self):
        with contextlib.suppress(psycopg2.Error):
            if self._connection:
                self._connection.close()
        self._connection = None

    def _pick(self, weighted):
        actions, weights = zip(*weighted)
        return self._random.choices(actions, weights)[0]

    # What the actions below are made of.

    def sql(self, text, *parameters):
        self._cursor.execute(text, parameters)
        return self._cursor

    def new_id(self):
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def word(self):
        return f"{self._random.getrandbits(32):08x}"

    def number(self, top):
        return self._random.randrange(top)

    def one_of(self, *values):
        return self._random.choice(values)

    def some(self, table, tenant, column="id"):
        """The id of a row of the tenant near a random place, or None where it has none."""
        found = self.sql(f"SELECT {column} FROM public.{table} WHERE tenant_id = %s AND {column} >= %s "
                         f"ORDER BY {column} LIMIT 1", tenant, self.new_id()).fetchone()
        found = found or self.sql(f"SELECT {column} FROM public.{table} WHERE tenant_id = %s "
                                  f"ORDER BY {column} LIMIT 1", tenant).fetchone()
        return found and found[0]

    def add(self, table, tenant, **columns):
        columns["tenant_id"] = tenant
        self.sql(f"INSERT INTO public.{table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                 *columns.values())


def _ensure_project(w, tenant):
    """A project of the tenant, and tenant, user and programme above it where they are gone."""
    project = w.some("projects", tenant)
    if project:
        return project
    w.sql("INSERT INTO public.tenants (id, name, slug) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING",
          tenant, w.word(), tenant)
    user, program, project = w.new_id(), w.new_id(), w.new_id()
    w.add("users", tenant, id=user, email=f"{user}@example.org", password_hash=w.word())
    w.add("programs", tenant, id=program, name=w.word())
    w.add("projects", tenant, id=project, program_id=program, name=w.word())
    w.add("project_memberships", tenant, project_id=project, user_id=user, role="owner")
    return project


def add_content(w, tenant):
    project, item = _ensure_project(w, tenant), w.new_id()
    kind = w.one_of("text", "code", "file")
    w.add("content_items", tenant, id=item, project_id=project, kind=kind, title=w.word(),
          created_by=w.some("users", tenant), metadata=f'{{"n": {w.number(1000)}, "w": ["{w.word()}"]}}')
    if kind == "text":
        w.add("text_content", tenant, content_item_id=item, body=w.word() * w.number(200), word_count=w.number(999))
    if kind == "code":
        w.add("code_content", tenant, content_item_id=item, source=w.word(), path=f"{w.word()}.c", line_count=w.number(99))
    for ordinal in range(w.number(4)):
        w.add("content_chunks", tenant, id=w.new_id(), content_item_id=item, ordinal=ordinal, body=w.word(),
              token_count=w.number(500))
    tag = w.some("tags", tenant)
    if tag is None or w.number(10) == 0:
        tag = w.new_id()
        w.add("tags", tenant, id=tag, project_id=project, name=w.word() + w.word())
    w.add("content_tags", tenant, content_item_id=item, tag_id=tag)


def add_conversation(w, tenant):
    project, thread = _ensure_project(w, tenant), w.new_id()
    user, item, parent = w.some("users", tenant), w.some("content_items", tenant), w.some("threads", tenant)
    w.add("threads", tenant, id=thread, project_id=project, title=w.word(), created_by=user)
    if parent:
        w.add("thread_relationships", tenant, parent_thread_id=parent, child_thread_id=thread, relationship_type=w.word())
    if item:
        w.add("thread_content", tenant, thread_id=thread, content_item_id=item, relevance_score=w.number(1000) / 7,
              position=w.number(9), added_by=user)
    previous = None
    for _ in range(1 + w.number(5)):
        message = w.new_id()
        w.add("messages", tenant, id=message, thread_id=thread, author_id=user, body=w.word(),
              role=w.one_of("user", "assistant", "system", "tool"))
        if previous:
            w.add("message_relationships", tenant, message_id=previous, reply_id=message,
                  relationship_type=w.one_of("reply", "alternative", "edit"))
        if item and w.number(2):
            w.add("message_context_items", tenant, message_id=message, content_item_id=item, position=w.number(9))
        previous = message


def add_user(w, tenant):
    project, user = _ensure_project(w, tenant), w.new_id()
    w.add("users", tenant, id=user, email=f"{user}@example.org", role=w.one_of("admin", "member", "guest"))
    w.add("project_memberships", tenant, project_id=project, user_id=user, role=w.one_of("editor", "viewer"))


CHANGES = {
    "users": ("display_name", "role"), "programs": ("description",), "projects": ("name", "description"),
    "threads": ("title",), "content_items": ("title", "checksum"), "content_chunks": ("token_count",),
    "tags": ("color",), "messages": ("body",),
}


def change_rows(w, tenant):
    """One to four rows of any tables, some of them twice, in one transaction."""
    for _ in range(1 + w.number(4)):
        table = w.one_of(*CHANGES)
        key, column = w.some(table, tenant), w.one_of(*CHANGES[table])
        value = {"role": w.one_of("admin", "member", "guest"), "token_count": w.number(999)}.get(column, w.word())
        if column in ("description", "color", "checksum", "display_name") and w.number(4) == 0:
            value = None
        for _ in range(1 + w.number(2)):
            w.sql(f"UPDATE public.{table} SET {column} = %s WHERE id = %s", value, key)


def change_many(w, tenant):
    project = w.some("projects", tenant)
    w.sql("UPDATE public.content_items SET title = %s WHERE project_id = %s", w.word(), project)


def change_relationships(w, tenant):
    thread, message = w.some("threads", tenant), w.some("messages", tenant)
    w.sql("UPDATE public.thread_content SET relevance_score = %s, position = NULL WHERE thread_id = %s",
          w.number(99) / 10, thread)
    w.sql("UPDATE public.message_context_items SET position = %s WHERE message_id = %s", w.number(99), message)
    w.sql("UPDATE public.project_memberships SET role = %s WHERE user_id = %s", w.one_of("editor", "viewer"),
          w.some("users", tenant))


def move_row(w, tenant):
    table, column, parent = w.one_of(
        ("threads", "project_id", "projects"), ("content_items", "project_id", "projects"),
        ("messages", "thread_id", "threads"), ("projects", "program_id", "programs"),
        ("content_chunks", "content_item_id", "content_items"))
    target = None if parent == "programs" and w.number(3) == 0 else w.some(parent, tenant)
    if target or parent == "programs":
        w.sql(f"UPDATE public.{table} SET {column} = %s WHERE id = %s", target, w.some(table, tenant))


def change_key(w, tenant):
    table = w.one_of(*ROWS)
    w.sql(f"UPDATE public.{table} SET id = %s WHERE id = %s", w.new_id(), w.some(table, tenant))


def swap_keys(w, tenant):
    first, second, third = w.some("tags", tenant), w.some("tags", tenant), w.new_id()
    if first and second and first != second:
        for old, new in ((first, third), (second, first), (third, second)):
            w.sql("UPDATE public.tags SET id = %s WHERE id = %s", new, old)


def replace_row(w, tenant):
    """Delete and insert of one key in one transaction, or in two."""
    key, project = w.some("tags", tenant), _ensure_project(w, tenant)
    if key:
        w.sql("DELETE FROM public.tags WHERE id = %s", key)
        if w.number(2):
            w.sql("COMMIT")
            w.sql("BEGIN")
        w.add("tags", tenant, id=key, project_id=project, name=w.word() + w.word())


def delete_rows(w, tenant):
    for _ in range(1 + w.number(3)):
        table = w.one_of("messages", "content_items", "content_chunks", "tags", "users")
        w.sql(f"DELETE FROM public.{table} WHERE id = %s", w.some(table, tenant))


def delete_relationships(w, tenant):
    w.sql("DELETE FROM public.content_tags WHERE content_item_id = %s", w.some("content_items", tenant))
    w.sql("DELETE FROM public.thread_content WHERE thread_id = %s", w.some("threads", tenant))
    w.sql("DELETE FROM public.message_relationships WHERE message_id = %s", w.some("messages", tenant))
    w.sql("DELETE FROM public.text_content WHERE content_item_id = %s",
          w.some("text_content", tenant, "content_item_id"))


def delete_tree(w, tenant):
    table = w.one_of("threads", "threads", "threads", "threads", "projects", "programs")
    w.sql(f"DELETE FROM public.{table} WHERE id = %s", w.some(table, tenant))


def delete_tenant(w, tenant):
    w.sql("DELETE FROM public.tenants WHERE id = %s", tenant)


def rename_tenant_and_back(w, tenant):
    """The longest cascade that there is: every row of the tenant, twice, in one transaction."""
    other = w.new_id()
    w.sql("UPDATE public.tenants SET id = %s WHERE id = %s", other, tenant)
    w.sql("UPDATE public.tenants SET id = %s, name = %s WHERE id = %s", tenant, w.word(), other)


def roll_back(w, tenant):
    add_content(w, tenant)
    w.sql("ROLLBACK")


def with_savepoint(w, tenant):
    w.sql("SAVEPOINT half")
    add_conversation(w, tenant)
    w.sql("ROLLBACK TO half")
    add_user(w, tenant)


ACTIONS = (
    (add_content, 25), (add_conversation, 15), (add_user, 4), (change_rows, 25), (change_many, 1),
    (change_relationships, 6), (move_row, 6), (change_key, 5), (swap_keys, 2), (replace_row, 3), (delete_rows, 5),
    (delete_relationships, 3), (delete_tree, 1.5), (delete_tenant, 0.05), (rename_tenant_and_back, 0.05),
    (roll_back, 1), (with_savepoint, 1),
)


class Load:
    """Several writers on a few tenants. `pause` is the mean time between two transactions of a writer, in seconds.

    They wait while the graph is more than `behind_max` bytes of log behind: who writes on while it cannot follow (it is killed
    again and again) only makes the end of the run long.
    """

    def __init__(self, url, seed, writers=3, tenants=4, pause=0.01, behind_max=None):
        chance = random.Random(seed)
        keys = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(tenants)]
        self._stop = threading.Event()
        self._writers = [Writer(url, chance.random(), keys, pause, self._stop, behind_max) for _ in range(writers)]

    def start(self):
        for writer in self._writers:
            writer.start()
        return self

    def committed(self):
        return sum(writer.committed for writer in self._writers)

    def stop(self):
        """Ends the writers; raises what one of them could not cope with."""
        self._stop.set()
        for writer in self._writers:
            writer.join(60)
            assert not writer.is_alive(), "a writer does not end"
        for writer in self._writers:
            if writer.error:
                raise writer.error

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self._stop.set()

    def run_until(self, transactions, timeout=60):
        """Waits until that many transactions were committed in all."""
        deadline = time.monotonic() + timeout
        while self.committed() < transactions:
            assert time.monotonic() < deadline, f"{self.committed()} of {transactions} transactions in {timeout} s"
            assert not any(writer.error for writer in self._writers), [writer.error for writer in self._writers]
            time.sleep(0.02)
