"""The groups of forms that `bench/forms` measures: what makes a batch of each, what the graph is before and after."""

import itertools

import form_rows as shapes
import form_texts as texts
from bolt_raw import transaction


def flush(statements, rows):
    return transaction([texts.POSITION, *statements], rows)


def _insert_form(*makers):
    """A form: every batch becomes the statements that the makers make of its rows."""
    def form(world, size):
        return [flush([(text, rows_of(rows)) for text, rows_of in makers], len(rows))
                for rows in shapes.batches(world.items, size)]
    form.texts = [text for text, _ in makers]
    return form


def _flat(form):
    return lambda rows: {"rows": [form(item) for item in shapes.by_key(rows)]}


def _groups(form):
    return lambda rows: {"rows": shapes.grouped(rows, "r", form)}


INSERT_FORMS = {
    "today: insert, then link by groups": _insert_form((texts.INSERT, _flat(shapes.plain)), (texts.LINK, shapes.link_rows)),
    "insert alone, no relationship": _insert_form((texts.INSERT, _flat(shapes.plain))),
    "insert alone, rows as lists": _insert_form((texts.INSERT_LIST, _flat(shapes.item_list))),
    "fused by groups, +=": _insert_form((texts.FUSED, _groups(shapes.plain))),
    "fused by groups, +=, CREATE of the relationship": _insert_form((texts.FUSED_CREATE, _groups(shapes.plain))),
    "fused by groups, ON CREATE SET =": _insert_form((texts.FUSED_REPLACE, _groups(shapes.item_bare_map))),
    "fused by groups, ON CREATE SET +=": _insert_form((texts.FUSED_ON_CREATE, _groups(shapes.item_bare_map))),
    "fused by groups, a SET a column": _insert_form((texts.FUSED_COLUMNS, _groups(shapes.item_bare_map))),
    "fused by groups, rows as lists, a SET a column": _insert_form((texts.FUSED_LIST, _groups(shapes.item_list))),
    "fused by groups, lists, CREATE of the relationship": _insert_form((texts.FUSED_LIST_CREATE, _groups(shapes.item_list))),
    "fused by groups, a list a column": _insert_form((texts.FUSED_COLUMNAR, shapes.columnar_groups)),
    "fused, no groups, end last": _insert_form((texts.FUSED_FLAT, _flat(shapes.plain))),
    "fused, no groups, end first": _insert_form((texts.FUSED_FLAT_FIRST, _flat(shapes.plain))),
}


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
                for part in shapes.batches(rows, size)]
    form.texts = [text for text, _ in makers]
    return form


_ENGINE_UPDATE = ((texts.UNLINK, shapes.unlink_rows), (texts.UPDATE, _flat(shapes.full)), (texts.LINK, shapes.link_rows))
UPDATE_FORMS = {
    "before fusing: unlink, update, link": _update_form(*_ENGINE_UPDATE),
    "update alone, refused counted as today": _update_form((texts.UPDATE, _flat(shapes.full))),
    "update alone, not counted": _update_form((texts.UPDATE_UNCOUNTED, _flat(shapes.full))),
    "update alone, counted by an aggregate": _update_form((texts.UPDATE_COUNT_SUM, _flat(shapes.full))),
    "update alone, no guard": _update_form((texts.UPDATE_UNGUARDED, _flat(shapes.full))),
    "update alone, no guard, rows as lists": _update_form((texts.UPDATE_LIST, _flat(shapes.item_list_with_companion))),
    "fused by the stored property, +=": _update_form((texts.UPDATE_FUSED, _flat(shapes.full))),
    "fused by the stored property, +=, filtered before the aggregate":
        _update_form((texts.UPDATE_FUSED_FILTER, _flat(shapes.full))),
    "fused by the graph's other end, +=": _update_form((texts.UPDATE_FUSED_END, _flat(shapes.full))),
    "fused by all of the graph's other ends, +=": _update_form((texts.UPDATE_FUSED_ENDS, _flat(shapes.full))),
    "fused by all of the graph's other ends, +=, rows {k, o, p}":
        _update_form((texts.UPDATE_FUSED_NESTED, _flat(shapes.nested))),
    "fused by all of the graph's other ends, lists, a SET a column":
        _update_form((texts.UPDATE_FUSED_ENDS_LIST, _flat(shapes.item_list_with_companion))),
    "fused by the stored property, a SET a column": _update_form((texts.UPDATE_FUSED_COLUMNS, _flat(shapes.full))),
    "fused by the stored property, lists, a SET a column":
        _update_form((texts.UPDATE_FUSED_LIST, _flat(shapes.item_list_with_companion))),
    "conflicts told, all ends by a comprehension, +=, rows {k, o, p}":
        _update_form((texts.UPDATE_TOLD, _flat(shapes.nested))),
    "conflicts told, ends by a match, what differs goes on, +=":
        _update_form((texts.UPDATE_TOLD_END_FILTER, _flat(shapes.nested))),
    "conflicts told, the version compared behind the ends, +=":
        _update_form((texts.UPDATE_TOLD_FOLDED, _flat(shapes.nested))),
    "conflicts told, ends by a match, what differs goes on, lists":
        _update_form((texts.UPDATE_TOLD_END_LIST_FILTER, _flat(shapes.item_list_with_companion))),
}
MOVE_FORMS = {
    "before fusing: unlink, update, link": _update_form(*_ENGINE_UPDATE, moved_share=0.2),
    "fused by the stored property, +=": _update_form((texts.UPDATE_FUSED, _flat(shapes.full)), moved_share=0.2),
    "fused by the stored property, +=, filtered before the aggregate":
        _update_form((texts.UPDATE_FUSED_FILTER, _flat(shapes.full)), moved_share=0.2),
    "fused by the graph's other end, +=": _update_form((texts.UPDATE_FUSED_END, _flat(shapes.full)), moved_share=0.2),
    "fused by all of the graph's other ends, +=": _update_form((texts.UPDATE_FUSED_ENDS, _flat(shapes.full)), moved_share=0.2),
    "fused by all of the graph's other ends, lists, a SET a column":
        _update_form((texts.UPDATE_FUSED_ENDS_LIST, _flat(shapes.item_list_with_companion)), moved_share=0.2),
    "conflicts told, all ends by a comprehension, +=, rows {k, o, p}":
        _update_form((texts.UPDATE_TOLD, _flat(shapes.nested)), moved_share=0.2),
    "conflicts told, ends by a match, what differs goes on, +=":
        _update_form((texts.UPDATE_TOLD_END_FILTER, _flat(shapes.nested)), moved_share=0.2),
    "conflicts told, ends by a match, what differs goes on, lists":
        _update_form((texts.UPDATE_TOLD_END_LIST_FILTER, _flat(shapes.item_list_with_companion)), moved_share=0.2),
}


def _relationship_form(text, row_of, by_start=False, grouped_by_start=False, columnar=False):
    order = (lambda link: (link[0], link[1])) if by_start or grouped_by_start else (lambda link: (link[1], link[0]))

    def form(world, size):
        flushes = []
        for part in shapes.batches(world.links[:len(world.items)], size):
            rows = sorted(part, key=order)
            if grouped_by_start:
                groups = {}
                for link in rows:
                    groups.setdefault(link[0], []).append(list(link[1:]))
                made = [[start, ends] for start, ends in groups.items()]
            else:
                made = [row_of(link) for link in rows]
            parameters = shapes.columnar_links(rows) if columnar else {"rows": made}
            flushes.append(flush([(text, parameters)], len(part)))
        return flushes
    form.texts = [text]
    return form


RELATIONSHIP_FORMS = {
    "today: MERGE, MERGE, MERGE, +=, by end": _relationship_form(texts.RELATIONSHIP, shapes.link_map),
    "the same, by start": _relationship_form(texts.RELATIONSHIP, shapes.link_map, by_start=True),
    "MERGE, MERGE, CREATE, +=": _relationship_form(texts.RELATIONSHIP_CREATE, shapes.link_map),
    "a SET a column": _relationship_form(texts.RELATIONSHIP_COLUMNS, shapes.link_map),
    "rows as lists, a SET a column": _relationship_form(texts.RELATIONSHIP_LIST, list),
    "rows as lists, ON CREATE / ON MATCH": _relationship_form(texts.RELATIONSHIP_LIST_ON_CREATE, list),
    "rows as lists, CREATE": _relationship_form(texts.RELATIONSHIP_LIST_CREATE, list),
    "rows as lists, CREATE with its properties": _relationship_form(texts.RELATIONSHIP_CREATE_IN, list),
    "rows as lists, ends by MATCH (no stubs)": _relationship_form(texts.RELATIONSHIP_MATCH, list),
    "a list a column": _relationship_form(texts.RELATIONSHIP_COLUMNAR, list, columnar=True),
    "lists shapes.grouped by start": _relationship_form(texts.RELATIONSHIP_GROUPS, None, grouped_by_start=True),
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
