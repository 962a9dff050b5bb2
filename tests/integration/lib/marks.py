"""What somebody else puts on our nodes: a label, a property and a relationship that must outlive our writes."""

from .comparer import Foreign

MARK = Foreign(frozenset({"Seen"}), frozenset({"userNote"}), frozenset({"LIKES"}))


def mark(live, label, key):
    """Marks the node and returns its element id."""
    return live.graph.value(f"MATCH (n:{label} {{id: $key}}) SET n:Seen, n.userNote = 'mine' "
                            "CREATE (n)-[:LIKES {since: 1}]->(:Seen {of: $key}) RETURN elementId(n)", key=key)


def expect_marked(live, label, key, element_id):
    found = live.graph.rows(f"MATCH (n:{label}:Seen {{id: $key, userNote: 'mine'}})-[r:LIKES {{since: 1}}]->(:Seen) "
                            "RETURN elementId(n) AS id", key=key)
    assert [row["id"] for row in found] == [element_id]


def remove_others(live):
    """Removes what `mark` added beside our nodes."""
    live.graph.rows("MATCH (n:Seen) WHERE none(l IN labels(n) WHERE l <> 'Seen') DETACH DELETE n")
