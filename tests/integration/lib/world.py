"""A tenant with rows of every table, for tests to change; ids come from a seed that the failing test's name gives."""

import random
import uuid


class World:
    """One tenant. `fill()` inserts the rows that others hang on; each attribute is the id of the row it names."""

    def __init__(self, database, seed):
        self.database = database
        self._random = random.Random(seed)
        self.tenant = self.new_id()

    def new_id(self):
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def add(self, table, **columns):
        """A row of this tenant; returns its id, which is made where the table has one."""
        if table in WITH_ID:
            columns.setdefault("id", self.new_id())
        if table != "tenants":
            columns["tenant_id"] = self.tenant
        self.database.insert(table, **columns)
        return columns.get("id")

    def add_default(self, table, **columns):
        """A row of the tables that nodes hang on, with whatever it must have."""
        return self.add(table, **(self._defaults(table) | columns))

    def _defaults(self, table):
        word = self.new_id()[:8]
        return {
            "users": lambda: dict(email=f"{word}@example.org", display_name=f"User {word}", password_hash=f"${word}"),
            "programs": lambda: dict(name=f"Program {word}"),
            "projects": lambda: dict(name=f"Project {word}", program_id=self.program),
            "threads": lambda: dict(title=f"Thread {word}", project_id=self.project, created_by=self.user),
            "content_items": lambda: dict(title=f"Item {word}", kind="text", project_id=self.project,
                                          created_by=self.user, metadata={"word": word, "n": [1, 2.50]}),
            "tags": lambda: dict(name=f"tag {word}", project_id=self.project),
            "messages": lambda: dict(thread_id=self.thread, author_id=self.user, body=f"SECRET-BODY {word}"),
        }[table]()

    def fill(self):
        """The tenant, two users, a programme, and two each of what the other tables point to."""
        with self.database.transaction():
            self.add("tenants", id=self.tenant, name="Acme", slug=self.tenant[:13], settings={"b": 1, "a": [True, None]})
            self.user, self.user2 = self.add_default("users"), self.add_default("users")
            self.program, self.program2 = self.add_default("programs"), self.add_default("programs")
            self.project, self.project2 = self.add_default("projects"), self.add_default("projects")
            self.thread, self.thread2 = self.add_default("threads"), self.add_default("threads")
            self.item, self.item2 = self.add_default("content_items"), self.add_default("content_items")
            self.tag, self.tag2 = self.add_default("tags"), self.add_default("tags")
            self.message, self.message2 = self.add_default("messages"), self.add_default("messages")
        return self

    def fill_all(self):
        """`fill()` and one row of every other table, so that each row of the schema's description is there."""
        return self.fill().fill_more()

    def fill_more(self):
        """One row of every table that `fill()` leaves out."""
        with self.database.transaction():
            self.add("text_content", content_item_id=self.item, body="SECRET-BODY", language="en", word_count=1)
            self.add("code_content", content_item_id=self.item2, source="SECRET-BODY", language="c", path="a/b.c",
                     line_count=7)
            self.chunk = self.add("content_chunks", content_item_id=self.item, ordinal=1, body="SECRET-BODY",
                                  token_count=3, start_offset=0, end_offset=11)
            self.add("project_memberships", project_id=self.project, user_id=self.user, role="owner")
            self.add("thread_relationships", parent_thread_id=self.thread, child_thread_id=self.thread2,
                     relationship_type="fork")
            self.add("content_tags", content_item_id=self.item, tag_id=self.tag)
            self.add("thread_content", thread_id=self.thread, content_item_id=self.item, relevance_score=0.1,
                     position=1, added_by=self.user)
            self.add("message_relationships", message_id=self.message, reply_id=self.message2)
            self.add("message_context_items", message_id=self.message, content_item_id=self.item,
                     relevance_score=-0.5, position=2)
            self.add("knowledge_graph_configurations", project_id=self.project, settings={"depth": 2})
        return self


WITH_ID = frozenset({"tenants", "users", "programs", "projects", "threads", "content_items", "content_chunks", "tags",
                     "messages", "knowledge_graph_configurations"})
