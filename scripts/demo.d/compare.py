"""compare.py: reads every key and every mapped value from PostgreSQL and from Neo4j, and says where the two differ.

It knows nothing of the engine: what the graph should be is written down below as the schema's own documentation says it, a
table at a time, and derived from the rows. Both sides should be at rest. Reads PGHOST… (or $CONTEXTNEXUS_POSTGRES) and
CNX_NEO4J_HTTP, CNX_NEO4J_USER, CNX_NEO4J_PASSWORD.

Ends with 0 where both sides are equal, 1 where they differ, 2 where one cannot be read.
"""

import argparse
import math
import os
import re
import sys

import psycopg2
from neo4j_http import Neo4j, Neo4jError, Typed, moment

COMMON = "tenant_id:uuid version:int created_at:time updated_at:time"

# table: label, key, its columns that are properties (common ones aside), whether pgStorageKey is one too
NODES = {
    "tenants": ("Tenant", "id", "name:text slug:text settings:text", False),
    "users": ("User", "id", "email:text display_name:text role:text is_active:bool", False),
    "programs": ("Program", "id", "name:text description:text", False),
    "projects": ("Project", "id", "program_id:uuid name:text description:text status:text", False),
    "threads": ("Thread", "id", "project_id:uuid title:text status:text created_by:uuid", False),
    "content_items": ("ContentItem", "id", "project_id:uuid kind:text title:text storage_backend:text storage_key:text "
                      "mime_type:text size_bytes:int checksum:text metadata:text created_by:uuid", True),
    "text_content": ("Text", "content_item_id", "language:text word_count:int", False),
    "code_content": ("Code", "content_item_id", "language:text path:text line_count:int", False),
    "content_chunks": ("ContentChunk", "id", "content_item_id:uuid ordinal:int token_count:int start_offset:int end_offset:int", True),
    "tags": ("Tag", "id", "project_id:uuid name:text color:text", False),
    "messages": ("Message", "id", "thread_id:uuid author_id:uuid role:text metadata:text", True),
}

# What a row of a node's table makes by a foreign key, its node being the relationship's end: table, label of the start, foreign
# key, type, properties.
BY_FOREIGN_KEY = [
    ("users", "Tenant", "tenant_id", "HAS_USER", "role:text"),
    ("programs", "Tenant", "tenant_id", "HAS_PROGRAM", ""),
    ("projects", "Program", "program_id", "HAS_PROJECT", ""),
    ("threads", "Project", "project_id", "HAS_THREAD", ""),
    ("content_items", "Project", "project_id", "HAS_CONTENT", ""),
    ("text_content", "ContentItem", "content_item_id", "HAS_CONTENT", ""),
    ("code_content", "ContentItem", "content_item_id", "HAS_CONTENT", ""),
    ("content_chunks", "ContentItem", "content_item_id", "HAS_CHUNK", "ordinal:int"),
    ("tags", "Project", "project_id", "HAS_TAG", ""),
    ("messages", "Thread", "thread_id", "CONTAINS_MESSAGE", ""),
]

# A join table's row: from label, column; type; to label, column; properties beside version and createdAt.
JOINS = {
    "project_memberships": ("Project", "project_id", "HAS_MEMBER", "User", "user_id", "role:text"),
    "thread_relationships": ("Thread", "parent_thread_id", "PARENT_OF", "Thread", "child_thread_id", "relationship_type:text"),
    "content_tags": ("ContentItem", "content_item_id", "TAGGED_WITH", "Tag", "tag_id", ""),
    "thread_content": ("Thread", "thread_id", "INCLUDES", "ContentItem", "content_item_id",
                       "relevance_score:float position:int added_by:uuid"),
    "message_relationships": ("Message", "message_id", "REPLIED_WITH", "Message", "reply_id", "relationship_type:text"),
    "message_context_items": ("Message", "message_id", "USED_CONTEXT", "ContentItem", "content_item_id",
                              "relevance_score:float position:int"),
}

SESSION = """SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 3; SET client_encoding = 'UTF8';
SET row_security = off; SET default_transaction_isolation = 'repeatable read'"""
PAGE = 2000


def camel(name):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def fields(text):
    return [tuple(word.split(":")) for word in text.split()]


def moment_of_postgres(text):
    """PostgreSQL's ISO text under UTC as Neo4j's; None for what no date can hold (infinity)."""
    match = re.fullmatch(r"(\d+)-(\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00( BC)?", text)
    if not match:
        return None
    year = 1 - int(match[1]) if match[4] else int(match[1])
    return moment(f"{year:0=+5d}-{match[2]}T{match[3]}Z")


def put(properties, name, kind, text):
    """A column's value, given in PostgreSQL's text, as the property or properties that it should be."""
    if text is None:
        return
    if kind in ("text", "uuid"):
        properties[name] = Typed(("String", text))
    elif kind == "int":
        properties[name] = Typed(("Integer", int(text)))
    elif kind == "bool":
        properties[name] = Typed(("Boolean", text == "true"))
    elif kind == "float":
        number = float(text)
        properties[name] = Typed(("Float", "NaN" if math.isnan(number) else number))
    elif (at := moment_of_postgres(text)) is not None:
        properties[name] = Typed(("OffsetDateTime", at))
    else:
        properties[name + "__pg"] = Typed(("String", text))


class Expected:
    """The graph that the rows should be: nodes by (label, id), relationships by (from, type, to), each with its properties."""

    def __init__(self, connection):
        self.nodes = {}
        self.relationships = {}
        with connection.cursor() as cursor:
            cursor.execute(SESSION)
            connection.commit()
            self._cursor = cursor
            for table in NODES:
                self._read_nodes(table)
            for table in JOINS:
                self._read_join(table)

    def _rows(self, table, columns):
        self._cursor.execute("SELECT {} FROM public.{}".format(", ".join(f"{name}::text" for name in columns), table))
        for row in self._cursor:
            yield dict(zip(columns, row))

    def _read_nodes(self, table):
        label, key, own, storage_key = NODES[table]
        mapped = [field for field in fields(own + " " + COMMON) if not (table == "tenants" and field[0] == "tenant_id")]
        by_foreign_key = [rule for rule in BY_FOREIGN_KEY if rule[0] == table]
        columns = list(dict.fromkeys([key] + [name for name, _ in mapped] + [rule[2] for rule in by_foreign_key]))
        for row in self._rows(table, columns):
            properties = {"id": Typed(("String", row[key]))}
            for name, kind in mapped:
                put(properties, camel(name), kind, row[name])
            if table == "tenants":
                properties["tenantId"] = properties["id"]
            if storage_key:
                properties["pgStorageKey"] = Typed(("String", storage_place(table, row)))
            self.nodes[label, row[key]] = properties
            for _, parent, column, kind, listed in by_foreign_key:
                if row[column] is not None:
                    own_properties = {}
                    for name, type_ in fields(listed):
                        put(own_properties, camel(name), type_, row[name])
                    self.relationships[(parent, row[column]), kind, (label, row[key])] = own_properties

    def _read_join(self, table):
        start, start_column, kind, end, end_column, listed = JOINS[table]
        mapped = fields(listed + " version:int created_at:time")
        for row in self._rows(table, [start_column, end_column] + [name for name, _ in mapped]):
            properties = {}
            for name, type_ in mapped:
                put(properties, camel(name), type_, row[name])
            self.relationships[(start, row[start_column]), kind, (end, row[end_column])] = properties


def storage_place(table, row):
    """Where the content's bytes are."""
    backend = row.get("storage_backend", "postgres")
    return f"postgres://{table}/{row['id']}" if backend == "postgres" else f"{backend}://{row['storage_key']}"


class Differences:
    def __init__(self, shown):
        self.count = 0
        self._shown = shown

    def add(self, text):
        self.count += 1
        if self.count <= self._shown:
            print(f"compare: {text}")
        elif self.count == self._shown + 1:
            print("compare: … and more")

    def properties(self, what, expected, found):
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                self.add(f"{what}: {name} is {expected.get(name, 'absent')} by PostgreSQL and {found.get(name, 'absent')} in Neo4j")


def show_node(node):
    return f"{node[0]} {node[1]}"


def show(relationship):
    start, kind, end = relationship
    return f"({show_node(start)})-[{kind}]->({show_node(end)})"


def is_engines(labels):
    """The engine's own nodes (its position and what it remembers) are no part of what is compared."""
    return any(label.startswith("ContextNexus") for label in labels)


def compare_nodes(graph, expected, differences):
    labels = [label for label, _, _, _ in NODES.values()]
    for found, count in graph.rows("MATCH (n) RETURN labels(n) AS l, count(*) AS c"):
        if not is_engines(found) and (len(found) != 1 or found[0] not in labels):
            differences.add(f"{count} nodes with the labels {':'.join(sorted(found)) or '(none)'}, which the schema does not make")
    seen = set()
    for label in labels:
        read = 0
        for identity, properties in pages(graph, f"MATCH (n:{label}) WHERE n.id > $after RETURN n.id AS id, properties(n) "
                                                 f"ORDER BY id LIMIT {PAGE}"):
            read += 1
            node = (label, identity)
            if "_cnx_stub" in properties:
                differences.add(f"{show_node(node)} is a stub")
            elif node not in expected.nodes:
                differences.add(f"{show_node(node)} is in Neo4j alone")
            elif node in seen:
                differences.add(f"{show_node(node)} is there more than once")
            else:
                differences.properties(show_node(node), expected.nodes[node], properties)
            seen.add(node)
        ((count,),) = graph.rows(f"MATCH (n:{label}) RETURN count(n)")
        if count != read:
            differences.add(f"{count - read} nodes :{label} have no id that is a text")
    for node in sorted(expected.nodes.keys() - seen):
        differences.add(f"{show_node(node)} is in PostgreSQL alone")
    return len(seen)


def pages(graph, statement):
    """The rows of a statement that is ordered by its first column and goes on behind $after; that column plain."""
    after = ""
    while True:
        rows = graph.typed_rows(statement, {"after": after})
        for row in rows:
            yield (row[0][1], *row[1:])
        if len(rows) < PAGE:
            return
        after = rows[-1][0][1]


def compare_relationships(graph, expected, differences):
    seen = set()
    read = 0
    for label in (label for label, _, _, _ in NODES.values()):
        # All relationships of a page of start nodes: no node is split.
        starts = (f"MATCH (a:{label}) WHERE a.id > $after WITH a ORDER BY a.id LIMIT {PAGE} RETURN a.id AS id, "
                  "[(a)-[r]->(b) | [type(r), head(labels(b)), b.id, properties(r)]]")
        for identity, found in pages(graph, starts):
            for kind, other, other_id, properties in (item[1] for item in found[1]):
                read += 1
                relationship = ((label, identity), kind[1], (other and other[1], other_id and other_id[1]))
                if relationship not in expected.relationships:
                    differences.add(f"{show(relationship)} is in Neo4j alone")
                elif relationship in seen:
                    differences.add(f"{show(relationship)} is there more than once")
                else:
                    differences.properties(show(relationship), expected.relationships[relationship], properties)
                seen.add(relationship)
    ((count,),) = graph.rows("MATCH (a)-[r]->() WHERE NONE(l IN labels(a) WHERE l STARTS WITH 'ContextNexus') RETURN count(r)")
    if count != read:
        differences.add(f"{count - read} relationships begin at no node of ours")
    for relationship in sorted(expected.relationships.keys() - seen):
        differences.add(f"{show(relationship)} is in PostgreSQL alone")
    return read


def compare(connection, graph, shown=20):
    """Prints what differs, and a closing line; returns how many differences there are."""
    expected = Expected(connection)
    differences = Differences(shown)
    nodes = compare_nodes(graph, expected, differences)
    relationships = compare_relationships(graph, expected, differences)
    values = sum(len(properties) for side in (expected.nodes, expected.relationships) for properties in side.values())
    print(f"compare: PostgreSQL makes {len(expected.nodes)} nodes, {len(expected.relationships)} relationships and {values} values; "
          f"Neo4j holds {nodes} and {relationships}; "
          + ("equal" if differences.count == 0 else f"{differences.count} differences"))
    return differences.count


def main():
    parser = argparse.ArgumentParser(description="Compares both databases, every key and value.")
    parser.add_argument("--shown", type=int, default=20, metavar="N", help="how many differences are named (default 20)")
    options = parser.parse_args()
    try:
        connection = psycopg2.connect(os.environ.get("CONTEXTNEXUS_POSTGRES", ""))
        return 1 if compare(connection, Neo4j.from_environment(), options.shown) else 0
    except KeyError as error:
        print(f"compare: {error.args[0]} is not set", file=sys.stderr)
    except (psycopg2.Error, Neo4jError) as error:
        print(f"compare: {str(error).strip()}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
