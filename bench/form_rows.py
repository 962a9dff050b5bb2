"""Rows as the parameters of the statements in form_texts.py."""

from bolt_raw import date_time


def batches(rows, size):
    return [rows[start:start + size] for start in range(0, len(rows), size)]


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


def columnar_groups(rows):
    ordered = sorted(rows, key=lambda item: (item.project, item.id))
    groups = []
    for at, item in enumerate(ordered):
        if not groups or groups[-1][0] != item.project:
            groups.append([item.project, at, at])
        groups[-1][2] = at
    return {"groups": groups, "id": [i.id for i in ordered], "title": [i.title for i in ordered],
            "body": [i.body for i in ordered], "version": [i.version for i in ordered],
            "updated": [date_time(i.updated) for i in ordered]}


def link_rows(rows):
    return {"rows": grouped(rows, "r", lambda item: {"k": item.id})}


def plain(item):
    return item_map(item, False)


def full(item):
    return item_map(item, True)


def unlink_rows(rows):
    return {"rows": [{"k": item.id, "o": item.project} for item in by_key(rows)]}


def item_list_with_companion(item):
    return item_list(item) + [None]


def nested(item):
    return {"k": item.id, "o": item.project, "p": item_map(item, True)}


def link_map(link):
    return {"a": link[0], "b": link[1], "n": None, "p": {"relevanceScore": link[2], "position": link[3]}}


def columnar_links(links):
    return {"a": [x[0] for x in links], "b": [x[1] for x in links], "s": [x[2] for x in links], "p": [x[3] for x in links]}
