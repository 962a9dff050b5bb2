"""What Neo4j itself takes: the same rows in batches of 1,000, in the fastest statement forms that `bench/forms` found, encoded
beforehand and sent from memory over one connection. The engine is measured against this.
"""

import form_texts
from bolt_raw import date_time, transaction
from form_rows import batches, by_key, item_map

BATCH_ROWS = 1_000
_POSITION = (
    "CYPHER 5 OPTIONAL MATCH (p:ContextNexusPosition {key: $lane}) SET p._cnx_lock = true "
    "WITH p, CASE WHEN p.lsn = $lsn AND p.ordinal = 0 AND p.epoch = 1 THEN $nextLsn ELSE 1/0 END AS next "
    "SET p.lsn = next, p.ordinal = 0, p._cnx_lock = null")
_LANE = "ceiling"

_PROJECTS = "CYPHER 5 UNWIND $rows AS row MERGE (n:Project {id: row[0]}) SET n.name = row[1], n._cnx_stub = null"
_GROUPS = ("CYPHER 5 UNWIND $rows AS g MERGE (p:Project {id: g[0]}) ON CREATE SET p._cnx_stub = true WITH p, g "
           "UNWIND g[1] AS row MERGE (n:%s {id: row[0]}) SET n.projectId = row[1], n.title = row[2], ")
_THREADS = _GROUPS % "Thread" + "n._cnx_stub = null MERGE (n)<-[:HAS_THREAD]-(p)"
_ITEMS = (_GROUPS % "ContentItem"
          + "n.body = row[3], n.version = row[4], n.updatedAt = row[5], n._cnx_stub = null MERGE (n)<-[:HAS_CONTENT]-(p)")
_INCLUDES = form_texts.RELATIONSHIP_LIST
_UPDATES = form_texts.UPDATE_UNCOUNTED


class _Batches:
    """Flushes that move a position of their own from batch to batch, as the engine's do."""

    def __init__(self, first=0):
        self.flushes, self.lsn = [], first

    def add(self, text, rows, count):
        position = (_POSITION, {"lane": _LANE, "lsn": self.lsn, "nextLsn": self.lsn + 1})
        self.lsn += 1
        self.flushes.append(transaction([position, (text, {"rows": rows})], count))


def _grouped_by_project(rows):
    groups = {}
    for row in sorted(rows):
        groups.setdefault(row[1], []).append(row)
    return [[project, groups[project]] for project in sorted(groups)]


def _item_row(item):
    return [*item[:5], date_time(item.updated)]


def item_batches(items):
    """Content items and the relationships of their foreign key."""
    made = _Batches()
    _add_items(made, items)
    return made.flushes


def _add_items(made, items):
    for part in batches(items, BATCH_ROWS):
        made.add(_ITEMS, _grouped_by_project([_item_row(item) for item in part]), len(part))


def world_batches(world):
    """All rows of the world, in the order in which they are committed."""
    made = _Batches()
    made.add(_PROJECTS, [list(project) for project in world.projects], len(world.projects))
    for part in batches(world.threads, BATCH_ROWS):
        made.add(_THREADS, _grouped_by_project([list(thread) for thread in part]), len(part))
    _add_items(made, world.items)
    for part in batches(world.links, BATCH_ROWS):
        rows = sorted((list(link) for link in part), key=lambda link: (link[1], link[0]))
        made.add(_INCLUDES, rows, len(part))
    return made.flushes


def update_batches(updates):
    """The new rows; of several of one item in a batch, the last. No foreign key is looked at, nothing is counted: a bar
    above what any form that keeps the rules can reach."""
    made = _Batches()
    for part in batches(updates, BATCH_ROWS):
        last = {item.id: item for item in part}
        made.add(_UPDATES, [item_map(item, True) for item in by_key(last.values())], len(part))
    return made.flushes


def start(graph):
    """Makes the position node that the batches compare with."""
    graph.rows("CYPHER 5 MERGE (p:ContextNexusPosition {key: $lane}) SET p.lsn = 0, p.ordinal = 0, p.epoch = 1", lane=_LANE)


def send(graph, flushes):
    """Sends all; the next one is on its way while the last one is answered, so that the server never waits for us."""
    waiting = None
    for flush in flushes:
        graph.send(flush)
        if waiting:
            graph.receive(waiting.answers)
        waiting = flush
    graph.receive(waiting.answers)
