"""The forms that `bench/forms` compares: how rows become statements. Each keeps the rules of the graph: a missing end is made
as a stub, the upsert takes the mark away, an update is refused by a newer version, and the other end's label is in the pattern.
"""

import itertools

from bolt_raw import Packed, date_time, pack, transaction

CONSTRAINTS = [
    f"CREATE CONSTRAINT contextnexus_{label}_id IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
    for label in ("Project", "Thread", "ContentItem")
]

# What every batch begins with; here without the comparison, which costs nothing.
_POSITION = ("CYPHER 5 MERGE (p:ContextNexusPosition {key: 'bench'}) SET p._cnx_lock = true SET p.lsn = $lsn, p._cnx_lock = null",
             {"lsn": 1})


def batches(rows, size):
    return [rows[start:start + size] for start in range(0, len(rows), size)]


def flush(statements, rows):
    return transaction([_POSITION, *statements], rows)


def packed(value):
    return Packed(pack(value))


# ------------------------------------------------------------------------------------------------------------ rows
def item_map(item, nulls):
    """What the engine sends for a row: a flat map; `nulls` as it sends them with an update."""
    row = {"id": item.id, "_cnx_stub": None, "projectId": item.project, "title": item.title, "body": item.body,
           "version": item.version, "updatedAt": date_time(item.updated)}
    if nulls:
        row["updatedAt__pg"] = None
    return row


def item_bare_map(item):
    row = item_map(item, False)
    del row["_cnx_stub"]
    return row


def item_list(item):
    return [item.id, item.project, item.title, item.body, item.version, date_time(item.updated)]


def by_key(rows):
    return sorted(rows, key=lambda item: item.id)


def grouped(rows, name, form):
    """[{o: project, n: null, r: [row…]}], sorted by both."""
    groups = {}
    for item in by_key(rows):
        groups.setdefault(item.project, []).append(form(item))
    return [{"o": project, "n": None, name: groups[project]} for project in sorted(groups)]


# ----------------------------------------------------------------------------------------------------------- texts
_ITEM = "(n:ContentItem {id: row.id})"
_STUB_PROJECT = "MERGE (p:Project {id: g.o}) ON CREATE SET p._cnx_stub = true"
_GUARD = "CASE WHEN n.version > row.version THEN {} ELSE row END"
_LONELY = ("WITH p WHERE p._cnx_stub WITH DISTINCT p WHERE COUNT {(p)--()} = 0 AND "
           "all(name IN keys(p) WHERE name IN ['_cnx_stub', 'id']) DELETE p")
_REFUSED = " WITH n, row WHERE n.version > row.version RETURN count(*) AS refused"

INSERT = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += row"
LINK = (f"CYPHER 5 UNWIND $rows AS g {_STUB_PROJECT} WITH p, g UNWIND g.r AS row MATCH (c:ContentItem {{id: row.k}}) "
        "MERGE (c)<-[r:HAS_CONTENT]-(p)")
UNLINK = ("CYPHER 5 UNWIND $rows AS row MATCH (c:ContentItem {id: row.k})<-[r:HAS_CONTENT]-(p:Project) "
          f"WHERE row.o IS NULL OR p.id <> row.o DELETE r {_LONELY}")
UPDATE = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += {_GUARD}{_REFUSED}"
UPDATE_UNCOUNTED = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += {_GUARD}"

# ----------------------------------------------------------------------------------- insert and its foreign key, fused
_TO_PROJECT = "(n)<-[:HAS_CONTENT]-(p)"
_SET_LIST = ("n.projectId = row[1], n.title = row[2], n.body = row[3], n.version = row[4], n.updatedAt = row[5], "
             "n._cnx_stub = null")
_SET_MAP = ("n.projectId = row.projectId, n.title = row.title, n.body = row.body, n.version = row.version, "
            "n.updatedAt = row.updatedAt, n._cnx_stub = null")
_GROUPS = f"CYPHER 5 UNWIND $rows AS g {_STUB_PROJECT} WITH p, g UNWIND g.r AS row "
_STUB_OF_ROW = "MERGE (p:Project {id: row.projectId}) ON CREATE SET p._cnx_stub = true"
FUSED = f"{_GROUPS}MERGE {_ITEM} SET n += row MERGE {_TO_PROJECT}"
FUSED_CREATE = f"{_GROUPS}MERGE {_ITEM} SET n += row CREATE {_TO_PROJECT}"
FUSED_REPLACE = f"{_GROUPS}MERGE {_ITEM} ON CREATE SET n = row ON MATCH SET n += row, n._cnx_stub = null MERGE {_TO_PROJECT}"
FUSED_ON_CREATE = f"{_GROUPS}MERGE {_ITEM} ON CREATE SET n += row ON MATCH SET n += row, n._cnx_stub = null MERGE {_TO_PROJECT}"
FUSED_COLUMNS = f"{_GROUPS}MERGE {_ITEM} SET {_SET_MAP} MERGE {_TO_PROJECT}"
FUSED_LIST = f"{_GROUPS}MERGE (n:ContentItem {{id: row[0]}}) SET {_SET_LIST} MERGE {_TO_PROJECT}"
FUSED_LIST_CREATE = f"{_GROUPS}MERGE (n:ContentItem {{id: row[0]}}) SET {_SET_LIST} CREATE {_TO_PROJECT}"
FUSED_FLAT = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += row WITH n, row {_STUB_OF_ROW} MERGE {_TO_PROJECT}"
FUSED_FLAT_FIRST = f"CYPHER 5 UNWIND $rows AS row {_STUB_OF_ROW} MERGE {_ITEM} SET n += row MERGE {_TO_PROJECT}"
INSERT_LIST = f"CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {{id: row[0]}}) SET {_SET_LIST}"


FUSED_COLUMNAR = (
    f"CYPHER 5 UNWIND $groups AS g MERGE (p:Project {{id: g[0]}}) ON CREATE SET p._cnx_stub = true WITH p, g "
    "UNWIND range(g[1], g[2]) AS i MERGE (n:ContentItem {id: $id[i]}) SET n.projectId = g[0], n.title = $title[i], "
    f"n.body = $body[i], n.version = $version[i], n.updatedAt = $updated[i], n._cnx_stub = null MERGE {_TO_PROJECT}")


def _columnar_groups(rows):
    ordered = sorted(rows, key=lambda item: (item.project, item.id))
    groups = []
    for at, item in enumerate(ordered):
        if not groups or groups[-1][0] != item.project:
            groups.append([item.project, at, at])
        groups[-1][2] = at
    return {"groups": groups, "id": [i.id for i in ordered], "title": [i.title for i in ordered],
            "body": [i.body for i in ordered], "version": [i.version for i in ordered],
            "updated": [date_time(i.updated) for i in ordered]}


def _link_rows(rows):
    return {"rows": grouped(rows, "r", lambda item: {"k": item.id})}


def _insert_form(*makers):
    """A form: every batch becomes the statements that the makers make of its rows."""
    def form(world, size):
        return [flush([(text, rows_of(rows)) for text, rows_of in makers], len(rows))
                for rows in batches(world.items, size)]
    form.texts = [text for text, _ in makers]
    return form


def _flat(form):
    return lambda rows: {"rows": [form(item) for item in by_key(rows)]}


def _groups(form):
    return lambda rows: {"rows": grouped(rows, "r", form)}


_plain = lambda item: item_map(item, False)  # noqa: E731
_full = lambda item: item_map(item, True)  # noqa: E731

INSERT_FORMS = {
    "today: insert, then link by groups": _insert_form((INSERT, _flat(_plain)), (LINK, _link_rows)),
    "insert alone, no relationship": _insert_form((INSERT, _flat(_plain))),
    "insert alone, rows as lists": _insert_form((INSERT_LIST, _flat(item_list))),
    "fused by groups, +=": _insert_form((FUSED, _groups(_plain))),
    "fused by groups, +=, CREATE of the relationship": _insert_form((FUSED_CREATE, _groups(_plain))),
    "fused by groups, ON CREATE SET =": _insert_form((FUSED_REPLACE, _groups(item_bare_map))),
    "fused by groups, ON CREATE SET +=": _insert_form((FUSED_ON_CREATE, _groups(item_bare_map))),
    "fused by groups, a SET a column": _insert_form((FUSED_COLUMNS, _groups(item_bare_map))),
    "fused by groups, rows as lists, a SET a column": _insert_form((FUSED_LIST, _groups(item_list))),
    "fused by groups, lists, CREATE of the relationship": _insert_form((FUSED_LIST_CREATE, _groups(item_list))),
    "fused by groups, a list a column": _insert_form((FUSED_COLUMNAR, _columnar_groups)),
    "fused, no groups, end last": _insert_form((FUSED_FLAT, _flat(_plain))),
    "fused, no groups, end first": _insert_form((FUSED_FLAT_FIRST, _flat(_plain))),
}

# ----------------------------------------------------------------------------------- update and its foreign key, fused
_MOVE = ("CALL { WITH moved UNWIND moved AS m WITH m.n AS n, m.o AS o "
         "OPTIONAL MATCH (n)<-[r:HAS_CONTENT]-(p:Project) WHERE o IS NULL OR p.id <> o DELETE r "
         "FOREACH (k IN CASE WHEN o IS NULL THEN [] ELSE [o] END | MERGE (q:Project {id: k}) ON CREATE SET q._cnx_stub = true "
         f"MERGE (n)<-[:HAS_CONTENT]-(q)) {_LONELY} }} RETURN refused")
_COLLECT = ("WITH count(CASE WHEN newer THEN 1 END) AS refused, collect(CASE WHEN NOT newer AND {moved} "
            "THEN {{n: n, o: {other}}} END) AS moved ")
_BY_PROPERTY = "coalesce(before, false) <> coalesce({other}, false)"
_NEWER = "coalesce(n.version > {version}, false) AS newer"

UPDATE_FUSED = (f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, n.projectId AS before, "
                f"{_NEWER.format(version='row.version')} SET n += CASE WHEN newer THEN {{}} ELSE row END "
                + _COLLECT.format(moved=_BY_PROPERTY.format(other="row.projectId"), other="row.projectId") + _MOVE)
UPDATE_FUSED_FILTER = (
    f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, n.projectId AS before, n.version > row.version AS newer "
    "SET n += CASE WHEN newer THEN {} ELSE row END WITH n, row, newer, before "
    "WHERE newer OR coalesce(before, false) <> coalesce(row.projectId, false) "
    + _COLLECT.format(moved="true", other="row.projectId").replace("NOT newer", "coalesce(newer, false) = false") + _MOVE)
UPDATE_FUSED_END = (
    f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, {_NEWER.format(version='row.version')} "
    "OPTIONAL MATCH (n)<-[:HAS_CONTENT]-(e:Project) WITH n, row, newer, e.id AS before "
    "SET n += CASE WHEN newer THEN {} ELSE row END "
    + _COLLECT.format(moved=_BY_PROPERTY.format(other="row.projectId"), other="row.projectId") + _MOVE)
_END_LIST = "[(n)<-[:HAS_CONTENT]-(e:Project) | e.id] AS before"
_BY_LIST = "before <> CASE WHEN {other} IS NULL THEN [] ELSE [{other}] END"
UPDATE_FUSED_ENDS = (
    f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, {_END_LIST}, {_NEWER.format(version='row.version')} "
    "SET n += CASE WHEN newer THEN {} ELSE row END "
    + _COLLECT.format(moved=_BY_LIST.format(other="row.projectId"), other="row.projectId") + _MOVE)
UPDATE_FUSED_ENDS_LIST = (
    f"CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {{id: row[0]}}) WITH n, row, {_END_LIST}, "
    f"{_NEWER.format(version='row[4]')} FOREACH (x IN CASE WHEN newer THEN [] ELSE [n] END | SET "
    + _SET_LIST.replace("n.", "x.") + ", x.updatedAt__pg = row[6]) "
    + _COLLECT.format(moved=_BY_LIST.format(other="row[1]"), other="row[1]") + _MOVE)
UPDATE_FUSED_NESTED = (
    f"CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {{id: row.k}}) WITH n, row, {_END_LIST}, "
    f"{_NEWER.format(version='row.p.version')} SET n += CASE WHEN newer THEN {{}} ELSE row.p END "
    + _COLLECT.format(moved=_BY_LIST.format(other="row.o"), other="row.o") + _MOVE)
UPDATE_FUSED_COLUMNS = (
    f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, n.projectId AS before, "
    f"{_NEWER.format(version='row.version')} FOREACH (x IN CASE WHEN newer THEN [] ELSE [n] END | SET "
    + _SET_MAP.replace("n.", "x.") + ", x.updatedAt__pg = null) "
    + _COLLECT.format(moved=_BY_PROPERTY.format(other="row.projectId"), other="row.projectId") + _MOVE)
UPDATE_FUSED_LIST = (
    "CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {id: row[0]}) WITH n, row, n.projectId AS before, "
    f"{_NEWER.format(version='row[4]')} FOREACH (x IN CASE WHEN newer THEN [] ELSE [n] END | SET "
    + _SET_LIST.replace("n.", "x.") + ", x.updatedAt__pg = row[6]) "
    + _COLLECT.format(moved=_BY_PROPERTY.format(other="row[1]"), other="row[1]") + _MOVE)
UPDATE_LIST = f"CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {{id: row[0]}}) SET {_SET_LIST}, n.updatedAt__pg = row[6]"
UPDATE_COUNT_SUM = (f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, {_NEWER.format(version='row.version')} "
                    "SET n += CASE WHEN newer THEN {} ELSE row END RETURN count(CASE WHEN newer THEN 1 END) AS refused")
UPDATE_UNGUARDED = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += row"


def _unlink_rows(rows):
    return {"rows": [{"k": item.id, "o": item.project} for item in by_key(rows)]}


_VERSIONS = itertools.count(2)


def _update_form(*makers, moved_share=0.0):
    """Each round writes newer versions; `moved_share` of the rows go to another project."""
    def form(world, size):
        version = next(_VERSIONS)
        projects = [project for project, _ in world.projects]
        step = round(1 / moved_share) if moved_share else 0
        rows = [item._replace(version=version, title=f"{version} {item.title}"[:40],
                              project=projects[(n + version) % 10] if step and n % step == 0 else item.project)
                for n, item in enumerate(world.items)]
        return [flush([(text, rows_of(part)) for text, rows_of in makers], len(part))
                for part in batches(rows, size)]
    form.texts = [text for text, _ in makers]
    return form


def _item_list_with_companion(item):
    return item_list(item) + [None]


def _nested(item):
    return {"k": item.id, "o": item.project, "p": item_map(item, True)}


_ENGINE_UPDATE = ((UNLINK, _unlink_rows), (UPDATE, _flat(_full)), (LINK, _link_rows))
UPDATE_FORMS = {
    "today: unlink, update, link": _update_form(*_ENGINE_UPDATE),
    "update alone, refused counted as today": _update_form((UPDATE, _flat(_full))),
    "update alone, not counted": _update_form((UPDATE_UNCOUNTED, _flat(_full))),
    "update alone, counted by an aggregate": _update_form((UPDATE_COUNT_SUM, _flat(_full))),
    "update alone, no guard": _update_form((UPDATE_UNGUARDED, _flat(_full))),
    "update alone, no guard, rows as lists": _update_form((UPDATE_LIST, _flat(_item_list_with_companion))),
    "fused by the stored property, +=": _update_form((UPDATE_FUSED, _flat(_full))),
    "fused by the stored property, +=, filtered before the aggregate": _update_form((UPDATE_FUSED_FILTER, _flat(_full))),
    "fused by the graph's other end, +=": _update_form((UPDATE_FUSED_END, _flat(_full))),
    "fused by all of the graph's other ends, +=": _update_form((UPDATE_FUSED_ENDS, _flat(_full))),
    "fused by all of the graph's other ends, +=, rows {k, o, p}": _update_form((UPDATE_FUSED_NESTED, _flat(_nested))),
    "fused by all of the graph's other ends, lists, a SET a column":
        _update_form((UPDATE_FUSED_ENDS_LIST, _flat(_item_list_with_companion))),
    "fused by the stored property, a SET a column": _update_form((UPDATE_FUSED_COLUMNS, _flat(_full))),
    "fused by the stored property, lists, a SET a column": _update_form((UPDATE_FUSED_LIST, _flat(_item_list_with_companion))),
}
MOVE_FORMS = {
    "today: unlink, update, link": _update_form(*_ENGINE_UPDATE, moved_share=0.2),
    "fused by the stored property, +=": _update_form((UPDATE_FUSED, _flat(_full)), moved_share=0.2),
    "fused by the stored property, +=, filtered before the aggregate":
        _update_form((UPDATE_FUSED_FILTER, _flat(_full)), moved_share=0.2),
    "fused by the graph's other end, +=": _update_form((UPDATE_FUSED_END, _flat(_full)), moved_share=0.2),
    "fused by all of the graph's other ends, +=": _update_form((UPDATE_FUSED_ENDS, _flat(_full)), moved_share=0.2),
    "fused by all of the graph's other ends, lists, a SET a column":
        _update_form((UPDATE_FUSED_ENDS_LIST, _flat(_item_list_with_companion)), moved_share=0.2),
}

# --------------------------------------------------------------------------------------------- rows that are relationships
_A = "(a:Thread {id: %s})"
_B = "(b:ContentItem {id: %s})"
_ENDS = "MERGE " + _A + " ON CREATE SET a._cnx_stub = true MERGE " + _B + " ON CREATE SET b._cnx_stub = true "
_INCLUDES = "(a)-[r:INCLUDES]->(b)"
_ROWS = "CYPHER 5 UNWIND $rows AS row "
_SET_LINK = "SET r.relevanceScore = %s, r.position = %s"
RELATIONSHIP = _ROWS + _ENDS % ("row.a", "row.b") + f"MERGE {_INCLUDES} SET r += row.p"
RELATIONSHIP_CREATE = _ROWS + _ENDS % ("row.a", "row.b") + f"CREATE {_INCLUDES} SET r += row.p"
RELATIONSHIP_CREATE_IN = (_ROWS + _ENDS % ("row[0]", "row[1]")
                          + "CREATE (a)-[r:INCLUDES {relevanceScore: row[2], position: row[3]}]->(b)")
RELATIONSHIP_COLUMNS = _ROWS + _ENDS % ("row.a", "row.b") + f"MERGE {_INCLUDES} " + _SET_LINK % ("row.p.relevanceScore", "row.p.position")
RELATIONSHIP_LIST = _ROWS + _ENDS % ("row[0]", "row[1]") + f"MERGE {_INCLUDES} " + _SET_LINK % ("row[2]", "row[3]")
RELATIONSHIP_LIST_CREATE = _ROWS + _ENDS % ("row[0]", "row[1]") + f"CREATE {_INCLUDES} " + _SET_LINK % ("row[2]", "row[3]")
RELATIONSHIP_LIST_ON_CREATE = (_ROWS + _ENDS % ("row[0]", "row[1]") + f"MERGE {_INCLUDES} ON CREATE "
                               + _SET_LINK % ("row[2]", "row[3]") + " ON MATCH " + _SET_LINK % ("row[2]", "row[3]"))
RELATIONSHIP_MATCH = (_ROWS + "MATCH " + _A % "row[0]" + " MATCH " + _B % "row[1]" + f" MERGE {_INCLUDES} "
                      + _SET_LINK % ("row[2]", "row[3]"))
RELATIONSHIP_COLUMNAR = ("CYPHER 5 UNWIND range(0, size($a) - 1) AS i " + _ENDS % ("$a[i]", "$b[i]") + f"MERGE {_INCLUDES} "
                         + _SET_LINK % ("$s[i]", "$p[i]"))
RELATIONSHIP_GROUPS = ("CYPHER 5 UNWIND $rows AS g MERGE " + _A % "g[0]" + " ON CREATE SET a._cnx_stub = true WITH a, g "
                       "UNWIND g[1] AS row MERGE " + _B % "row[0]" + " ON CREATE SET b._cnx_stub = true "
                       + f"MERGE {_INCLUDES} " + _SET_LINK % ("row[1]", "row[2]"))


def _link_map(link):
    return {"a": link[0], "b": link[1], "n": None, "p": {"relevanceScore": link[2], "position": link[3]}}


def _columnar_links(links):
    return {"a": [x[0] for x in links], "b": [x[1] for x in links], "s": [x[2] for x in links], "p": [x[3] for x in links]}


def _relationship_form(text, row_of, by_start=False, grouped_by_start=False, columnar=False):
    order = (lambda link: (link[0], link[1])) if by_start or grouped_by_start else (lambda link: (link[1], link[0]))

    def form(world, size):
        flushes = []
        for part in batches(world.links[:len(world.items)], size):
            rows = sorted(part, key=order)
            if grouped_by_start:
                groups = {}
                for link in rows:
                    groups.setdefault(link[0], []).append(list(link[1:]))
                made = [[start, ends] for start, ends in groups.items()]
            else:
                made = [row_of(link) for link in rows]
            parameters = _columnar_links(rows) if columnar else {"rows": made}
            flushes.append(flush([(text, parameters)], len(part)))
        return flushes
    form.texts = [text]
    return form


RELATIONSHIP_FORMS = {
    "today: MERGE, MERGE, MERGE, +=, by end": _relationship_form(RELATIONSHIP, _link_map),
    "the same, by start": _relationship_form(RELATIONSHIP, _link_map, by_start=True),
    "MERGE, MERGE, CREATE, +=": _relationship_form(RELATIONSHIP_CREATE, _link_map),
    "a SET a column": _relationship_form(RELATIONSHIP_COLUMNS, _link_map),
    "rows as lists, a SET a column": _relationship_form(RELATIONSHIP_LIST, list),
    "rows as lists, ON CREATE / ON MATCH": _relationship_form(RELATIONSHIP_LIST_ON_CREATE, list),
    "rows as lists, CREATE": _relationship_form(RELATIONSHIP_LIST_CREATE, list),
    "rows as lists, CREATE with its properties": _relationship_form(RELATIONSHIP_CREATE_IN, list),
    "rows as lists, ends by MATCH (no stubs)": _relationship_form(RELATIONSHIP_MATCH, list),
    "a list a column": _relationship_form(RELATIONSHIP_COLUMNAR, list, columnar=True),
    "lists grouped by start": _relationship_form(RELATIONSHIP_GROUPS, None, grouped_by_start=True),
}


# ---------------------------------------------------------------------------------------------------------------- groups
def _load_items(connection, world, send):
    if connection.value("MATCH (n:ContentItem) RETURN count(n)") == len(world.items):
        return
    send(connection, INSERT_FORMS["fused by groups, +="](world, 1_000))


class Group:
    """Forms that write the same; `prepare` brings the graph to where each starts, `check` proves what it left."""

    def __init__(self, title, forms, prepare, check):
        self.title, self.forms, self.prepare, self.check = title, forms, prepare, check

    def print_texts(self):
        print(f"\n{self.title}")
        for name, form in self.forms.items():
            print(f"\n  {name}")
            for text in form.texts:
                print(f"    {text}")


def _expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: {found} in the graph, {wanted} wanted")


def _before_insert(connection, _world, empty, _send):
    empty(connection)


def _after_insert(connection, world, name):
    _expect(name, connection.value("MATCH (n:ContentItem) WHERE n._cnx_stub IS NULL AND n.body IS NOT NULL RETURN count(n)"),
            len(world.items))
    if "alone" not in name:
        _expect(name, connection.value("MATCH (n:ContentItem)<-[:HAS_CONTENT]-(p:Project {id: n.projectId, _cnx_stub: true}) "
                                       "RETURN count(n)"), len(world.items))


def _before_update(connection, world, empty, send):
    if connection.value("MATCH (:Project)-[r:HAS_CONTENT]->(:ContentItem) RETURN count(r)") != len(world.items):
        empty(connection)
        _load_items(connection, world, send)


def _after_update(connection, world, name):
    _expect(name, connection.rows("MATCH (n:ContentItem)<-[:HAS_CONTENT]-(p:Project {id: n.projectId}) "
                                  "RETURN count(n), count(DISTINCT n)"), [[len(world.items)] * 2])


def _before_relationships(connection, world, empty, send):
    _load_items(connection, world, send)
    while connection.value("MATCH ()-[r:INCLUDES]->() WITH r LIMIT 10000 DELETE r RETURN count(*)"):
        pass
    connection.rows("UNWIND $ids AS id MERGE (:Thread {id: id})", ids=[thread[0] for thread in world.threads])


def _after_relationships(connection, world, name):
    count = connection.value("MATCH (:Thread)-[r:INCLUDES]->(:ContentItem) WHERE r.position >= 0 AND r.relevanceScore > 0 "
                             "RETURN count(r)")
    _expect(name, count, len(world.items))


GROUPS = {
    "insert": Group("insert with a foreign key", INSERT_FORMS, _before_insert, _after_insert),
    "update": Group("update, no row changes its foreign key", UPDATE_FORMS, _before_update, _after_update),
    "move": Group("update, a fifth of the rows changes its foreign key", MOVE_FORMS, _before_update, _after_update),
    "relationship": Group("rows that are relationships", RELATIONSHIP_FORMS, _before_relationships, _after_relationships),
}
