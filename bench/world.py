"""The rows of the benchmark: the same at every run, from a seed; as PostgreSQL takes them and as Neo4j does.

10 projects, 2,000 threads, 100,000 content items, 200,000 thread_content rows; `scale` shrinks all but the projects.
"""

import random
import uuid
from datetime import datetime, timezone
from typing import NamedTuple

SEED = 20240229
EPOCH = 1_700_000_000  # updated_at of the first row, seconds since 1970-01-01.

TABLES = """
CREATE TABLE public.project (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.content_items (
  id uuid PRIMARY KEY, project_id uuid NOT NULL, title text NOT NULL, body text NOT NULL,
  version integer NOT NULL DEFAULT 1, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE public.thread (id uuid PRIMARY KEY, project_id uuid NOT NULL, title text NOT NULL);
CREATE TABLE public.thread_content (
  thread_id uuid NOT NULL, content_id uuid NOT NULL, relevance_score double precision NOT NULL,
  position integer NOT NULL, PRIMARY KEY (thread_id, content_id));
"""

# What the write-back needs of content_items: columns, and a trigger that marks what a user changed (schema.md's, but for the
# version, which the benchmark sets itself).
WRITE_BACK = """
ALTER TABLE public.content_items ADD neo4j_node_id text, ADD neo4j_synced_version bigint, ADD neo4j_synced_at timestamptz,
  ADD neo4j_sync_status text NOT NULL DEFAULT 'pending';
ALTER TABLE public.content_items SET (fillfactor = 85);
CREATE INDEX content_items_pending ON public.content_items (id) WHERE neo4j_sync_status <> 'synced';
CREATE FUNCTION public.mark_pending() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.neo4j_sync_status := 'pending'; RETURN NEW; END $$;
CREATE TRIGGER mark_pending BEFORE UPDATE OF project_id, title, body ON public.content_items
  FOR EACH ROW EXECUTE FUNCTION public.mark_pending();
ALTER TABLE public.content_items ENABLE ALWAYS TRIGGER mark_pending;
"""

COLUMNS = {
    "project": ("id", "name"),
    "thread": ("id", "project_id", "title"),
    "content_items": ("id", "project_id", "title", "body", "version", "updated_at"),
    "thread_content": ("thread_id", "content_id", "relevance_score", "position"),
}


class Item(NamedTuple):
    id: str
    project: str
    title: str
    body: str
    version: int
    updated: int  # Seconds since 1970-01-01.


def timestamp(seconds):
    """Seconds since 1970-01-01 as PostgreSQL reads them."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(sep=" ")


_WORDS = ("graph lane batch commit row slot thread project context nexus query index page record stream label node edge "
          "value change order time store log key").split()


def _text(source, length):
    words = []
    size = 0
    while size < length:
        words.append(source.choice(_WORDS))
        size += len(words[-1]) + 1
    return " ".join(words)[:length].ljust(length, ".")


class World:
    """All rows, in the order in which they are committed."""

    def __init__(self, scale=1.0, seed=SEED):
        source = random.Random(seed)
        identity = lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))  # noqa: E731
        count = lambda full: max(10, round(full * scale))  # noqa: E731
        self.projects = [(identity(), f"Project {n}") for n in range(10)]
        self.threads = [(identity(), source.choice(self.projects)[0], _text(source, 30)) for _ in range(count(2_000))]
        self.items = [
            Item(identity(), source.choice(self.projects)[0], _text(source, 40), _text(source, 200), 1, EPOCH + n)
            for n in range(count(100_000))
        ]
        self.links = []
        seen = set()
        wanted = min(count(200_000), len(self.threads) * len(self.items) // 2)
        while len(self.links) < wanted:
            pair = (source.randrange(len(self.threads)), source.randrange(len(self.items)))
            if pair in seen:
                continue
            seen.add(pair)
            n = len(self.links)
            self.links.append((self.threads[pair[0]][0], self.items[pair[1]][0], source.randrange(1, 1000) / 1000.0, n % 100))

    @property
    def rows(self):
        """How many table rows there are."""
        return len(self.projects) + len(self.threads) + len(self.items) + len(self.links)

    def tables(self):
        """(table, rows as tuples of COPY's text) in the order of the foreign keys."""
        yield "project", self.projects
        yield "thread", self.threads
        yield "content_items", [item[:5] + (timestamp(item.updated),) for item in self.items]
        yield "thread_content", self.links

    def updates(self, count, seed=SEED + 1):
        """So many updates of random items: each the whole new row, its version one above the item's last."""
        source = random.Random(seed)
        last = list(self.items)
        made = []
        for n in range(count):
            at = source.randrange(len(last))
            item = last[at]
            last[at] = item._replace(title=_text(source, 40), version=item.version + 1, updated=EPOCH + 1_000_000 + n)
            made.append(last[at])
        return made
