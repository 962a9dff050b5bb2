"""fill.py --dir DIRECTORY: makes a tenant of the ContextNexus schema out of a directory of text and code and its git history.

    directory                the tenant, its programme and its project
    authors                  users and members of the project
    files                    content items with text or code, in chunks; what is neither is a file that stays where it is
    folders (two levels)     threads, children under their parents, that include the files below them; tags
    languages                tags
    commits                  messages in the thread of the folder that they touch most, parents replied by children;
                             a commit's files are the context that it used. Without history: a message for each folder

Ids are made from names, so a second run writes only what has changed. The database is $CONTEXTNEXUS_POSTGRES.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import sys
import uuid

import psycopg2
import psycopg2.extras
import tree

NAMESPACE = uuid.UUID("6b1f6d1e-6d0c-5d0e-9c55-2f0f0a4c1a10")
CHUNK_CHARACTERS = 1600
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2")


def key(*words):
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(words)))


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def chunks(text):
    """(start, end) of pieces that end at a line's end where they can."""
    start = 0
    while start < len(text):
        end = min(start + CHUNK_CHARACTERS, len(text))
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        yield start, end
        start = end


class World:
    """The rows, by table, before anything is written."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.tenant = key("tenant", str(self.directory))
        self.project = self.key("project")
        self.files = tree.files(self.directory)
        self.commits = tree.commits(self.directory) or tree.imported(self.files, int(self.directory.stat().st_mtime))
        self.paths = {file.path for file in self.files}
        self.users = self.find_users()
        self.touched = collections.defaultdict(list)  # Path → its commits, oldest first.
        for commit in self.commits:
            for path in commit.paths:
                self.touched[path].append(commit)

    def key(self, *words):
        return key(self.tenant, *words)

    def find_users(self):
        """E-mail → (name, commits), the busiest first."""
        users = {}
        for commit in self.commits:
            name, count = users.get(commit.email, (commit.author, 0))
            users[commit.email] = (name, count + 1)
        return dict(sorted(users.items(), key=lambda user: -user[1][1]))

    def user(self, email):
        return self.key("user", email)

    def item(self, path):
        return self.key("item", path)

    def thread(self, folder):
        return self.key("thread", folder)

    def author_of(self, path):
        commits = self.touched.get(path)
        return self.user(commits[0].email if commits else next(iter(self.users)))

    def time_of(self, path):
        commits = self.touched.get(path)
        return moment(commits[0].seconds) if commits else moment(int(os.stat(self.directory / path).st_mtime))

    def folders(self):
        """Every folder that a file is spoken of under, with the folders above it."""
        found = {""}
        for file in self.files:
            words = file.folder.split("/")
            found |= {"/".join(words[:depth]) for depth in range(1, len(words) + 1)}
        return sorted(found)

    def organisation(self):
        name = self.directory.name or "root"
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + "-" + self.tenant[:8]
        yield "tenants", ("id", "name", "slug", "settings"), [
            (self.tenant, name, slug, json.dumps({"directory": str(self.directory)}))]
        yield "users", ("id", "tenant_id", "email", "display_name", "role", "password_hash"), [
            (self.user(email), self.tenant, email, author, "member" if rank else "owner", "!")
            for rank, (email, (author, _)) in enumerate(self.users.items())]
        yield "programs", ("id", "tenant_id", "name", "description"), [
            (self.key("program"), self.tenant, f"{name} and its neighbours", "Everything that grows in this directory.")]
        yield "projects", ("id", "tenant_id", "program_id", "name", "description"), [
            (self.project, self.tenant, self.key("program"), name, None)]
        yield "project_memberships", ("tenant_id", "project_id", "user_id", "role"), [
            (self.tenant, self.project, self.user(email), "editor" if rank else "owner") for rank, email in enumerate(self.users)]
        yield "knowledge_graph_configurations", ("id", "tenant_id", "settings"), [
            (self.key("configuration"), self.tenant, json.dumps({"made_by": "demo"}))]

    def content(self):
        items, texts, codes, pieces = [], [], [], []
        for file in self.files:
            item = self.item(file.path)
            stays = file.kind == "file"
            items.append((item, self.tenant, self.project, file.kind, file.path, "file" if stays else "postgres",
                          str(self.directory / file.path) if stays else None, file.mime_type, file.size, file.checksum,
                          json.dumps({"path": file.path, "commits": len(self.touched.get(file.path, ()))}),
                          self.author_of(file.path), self.time_of(file.path)))
            if file.kind == "text":
                texts.append((item, self.tenant, file.text, file.language, len(file.text.split())))
            elif file.kind == "code":
                codes.append((item, self.tenant, file.text, file.language, file.path, file.text.count("\n")))
            for ordinal, (start, end) in enumerate(chunks(file.text), 1):
                body = file.text[start:end]
                pieces.append((self.key("chunk", file.path, str(ordinal)), self.tenant, item, ordinal, body, len(body.split()), start, end))
        yield "content_items", ("id", "tenant_id", "project_id", "kind", "title", "storage_backend", "storage_key", "mime_type",
                                "size_bytes", "checksum", "metadata", "created_by", "created_at"), items
        yield "text_content", ("content_item_id", "tenant_id", "body", "language", "word_count"), texts
        yield "code_content", ("content_item_id", "tenant_id", "source", "language", "path", "line_count"), codes
        yield "content_chunks", ("id", "tenant_id", "content_item_id", "ordinal", "body", "token_count", "start_offset",
                                 "end_offset"), pieces

    def tags(self):
        names = sorted({file.language for file in self.files if file.kind != "file"} | {file.folder for file in self.files if file.folder})
        yield "tags", ("id", "tenant_id", "project_id", "name", "color"), [
            (self.key("tag", name), self.tenant, self.project, name, COLOURS[number % len(COLOURS)])
            for number, name in enumerate(names)]
        yield "content_tags", ("content_item_id", "tag_id", "tenant_id"), [
            (self.item(file.path), self.key("tag", name), self.tenant) for file in self.files
            for name in sorted({file.folder} | ({file.language} if file.kind != "file" else set())) if name]

    def conversation(self):
        folders = self.folders()
        first = next(iter(self.users))
        yield "threads", ("id", "tenant_id", "project_id", "title", "created_by"), [
            (self.thread(folder), self.tenant, self.project, f"Work on {folder or self.directory.name}", self.user(first))
            for folder in folders]
        yield "thread_relationships", ("parent_thread_id", "child_thread_id", "tenant_id"), [
            (self.thread("/".join(folder.split("/")[:-1])), self.thread(folder), self.tenant) for folder in folders if folder]
        most = max((len(commits) for commits in self.touched.values()), default=1)
        yield "thread_content", ("thread_id", "content_item_id", "tenant_id", "relevance_score", "position", "added_by"), [
            (self.thread(file.folder), self.item(file.path), self.tenant, len(self.touched.get(file.path, ())) / most, position,
             self.author_of(file.path)) for position, file in enumerate(self.files, 1)]
        yield from self.messages()

    def messages(self):
        known = {commit.name for commit in self.commits}
        rows, replies, context = [], [], []
        for commit in self.commits:
            folders = collections.Counter(tree.folder_of(path) for path in commit.paths if path in self.paths)
            folder = folders.most_common(1)[0][0] if folders else ""
            message = self.key("message", commit.name)
            rows.append((message, self.tenant, self.thread(folder), self.user(commit.email), commit.message,
                         json.dumps({"commit": commit.name, "files": len(commit.paths)}), moment(commit.seconds)))
            replies += [(self.key("message", parent), message, self.tenant) for parent in dict.fromkeys(commit.parents) if parent in known]
            used = [path for path in dict.fromkeys(commit.paths) if path in self.paths]
            context += [(message, self.item(path), self.tenant, 1 / len(used), position) for position, path in enumerate(used, 1)]
        yield "messages", ("id", "tenant_id", "thread_id", "author_id", "body", "metadata", "created_at"), rows
        yield "message_relationships", ("message_id", "reply_id", "tenant_id"), replies
        yield "message_context_items", ("message_id", "content_item_id", "tenant_id", "relevance_score", "position"), context

    def tables(self):
        for part in (self.organisation, self.content, self.tags, self.conversation):
            yield from part()


# The columns of each table's key, and those that a later run brings up to date where they differ.
KEYS = {
    "project_memberships": ("project_id", "user_id"), "text_content": ("content_item_id",), "code_content": ("content_item_id",),
    "content_tags": ("content_item_id", "tag_id"), "thread_relationships": ("parent_thread_id", "child_thread_id"),
    "thread_content": ("thread_id", "content_item_id"), "message_relationships": ("message_id", "reply_id"),
    "message_context_items": ("message_id", "content_item_id"),
}
FOLLOWED = {
    "content_items": ("kind", "storage_backend", "storage_key", "mime_type", "size_bytes", "checksum", "metadata"),
    "text_content": ("body", "language", "word_count"),
    "code_content": ("source", "language", "line_count"),
    "content_chunks": ("body", "token_count", "start_offset", "end_offset"),
}


def upsert(table, columns):
    names = ", ".join(columns)
    statement = f"INSERT INTO {table} ({names}) VALUES %s ON CONFLICT "
    followed = FOLLOWED.get(table)
    if not followed:
        return statement + "DO NOTHING"
    own = ", ".join(f"{table}.{name}" for name in followed)
    new = ", ".join(f"excluded.{name}" for name in followed)
    changes = ", ".join(f"{name} = excluded.{name}" for name in followed)
    return (f"{statement}({', '.join(KEYS.get(table, ('id',)))}) DO UPDATE SET {changes} "
            f"WHERE ({own}) IS DISTINCT FROM ({new})")


def write(connection, world):
    """One transaction a table: a reader of the graph sees them one after another."""
    written = {}
    with connection.cursor() as cursor:
        # What is no longer in the directory goes, chunks beyond a shortened file's end as well.
        cursor.execute("DELETE FROM content_items WHERE project_id = %s AND metadata ? 'path' AND id <> ALL (%s::uuid[])",
                       (world.project, [world.item(file.path) for file in world.files]))
        written["gone"] = cursor.rowcount
        for table, columns, rows in world.tables():
            psycopg2.extras.execute_values(cursor, upsert(table, columns), rows, page_size=500)
            if table == "content_chunks":
                cursor.execute("DELETE FROM content_chunks c USING content_items i WHERE i.id = c.content_item_id AND i.project_id = %s "
                               "AND c.id <> ALL (%s::uuid[])", (world.project, [row[0] for row in rows]))
                # A file that became another kind leaves its old form behind.
                for detail, kind in (("text_content", "text"), ("code_content", "code")):
                    cursor.execute(f"DELETE FROM {detail} d USING content_items i WHERE i.id = d.content_item_id "
                                   "AND i.project_id = %s AND i.kind <> %s", (world.project, kind))
            connection.commit()
            written[table] = len(rows)
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[1].split("\n")[0].strip())
    parser.add_argument("--dir", default=str(pathlib.Path(__file__).resolve().parents[2]))
    options = parser.parse_args()
    if not os.path.isdir(options.dir):
        sys.exit(f"fill: {options.dir} is no directory")
    try:
        connection = psycopg2.connect(os.environ["CONTEXTNEXUS_POSTGRES"])
    except (KeyError, psycopg2.OperationalError) as error:
        sys.exit(f"fill: no PostgreSQL at $CONTEXTNEXUS_POSTGRES: {str(error).strip()}")
    world = World(options.dir)
    if not world.files:
        sys.exit(f"fill: {options.dir} holds no file")
    written = write(connection, world)
    print(f"fill: {world.directory}: {written['content_items']} files in {written['content_chunks']} chunks, "
          f"{written['messages']} commits by {written['users']} authors in {written['threads']} threads")
    # The tenant, for who goes on from here.
    print(world.tenant)


if __name__ == "__main__":
    main()
