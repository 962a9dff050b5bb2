"""That the graph equals the tables after a timed stage: counts, and sums by the first two characters of the id."""

_TABLES = {
    "projects": "SELECT left(id::text, 2), count(*), sum(char_length(name)), 0, 0 FROM project GROUP BY 1",
    "threads": "SELECT left(id::text, 2), count(*), sum(char_length(title)), count(project_id), 0 FROM thread GROUP BY 1",
    "items": "SELECT left(id::text, 2), count(*), sum(char_length(title) + char_length(body)), sum(version), "
             "sum(extract(epoch FROM updated_at))::bigint FROM content_items GROUP BY 1",
    "titles": "SELECT left(title, 1) || project_id, count(*), sum(version), 0, 0 FROM content_items GROUP BY 1",
    "includes": "SELECT left(thread_id::text, 2), count(*), sum(position), round(sum(relevance_score) * 1000)::bigint, "
                "count(DISTINCT content_id) FROM thread_content GROUP BY 1",
}
# A child counts only where its relationship leads to the project that its row names, and there is exactly one.
_GRAPH = {
    "projects": "MATCH (n:Project) WHERE n._cnx_stub IS NULL RETURN left(n.id, 2), count(*), sum(size(n.name)), 0 AS x, 0 AS y",
    "threads": "MATCH (n:Thread)<-[:HAS_THREAD]-(p:Project) WHERE n._cnx_stub IS NULL RETURN left(n.id, 2), count(n), "
               "sum(size(n.title)), sum(CASE WHEN p.id = n.projectId THEN 1 ELSE 0 END), 0 AS x",
    "items": "MATCH (n:ContentItem) WHERE n._cnx_stub IS NULL RETURN left(n.id, 2), count(n), "
             "sum(size(n.title) + size(n.body)), sum(n.version), sum(n.updatedAt.epochSeconds)",
    "titles": "MATCH (n:ContentItem)<-[:HAS_CONTENT]-(p:Project) RETURN left(n.title, 1) + p.id, count(*), sum(n.version), "
              "0 AS x, 0 AS y",
    "includes": "MATCH (a:Thread)-[r:INCLUDES]->(b:ContentItem) RETURN left(a.id, 2), count(*), sum(r.position), "
                "toInteger(round(sum(r.relevanceScore) * 1000)), count(DISTINCT b.id)",
}
_SPARE = "MATCH (n) WHERE n._cnx_stub IS NOT NULL RETURN count(n)"


def expect_equal(database, graph):
    """Ends the run where the two differ: a figure for work that was not done is worth nothing."""
    for name, sql in _TABLES.items():
        with database.cursor() as cursor:
            cursor.execute(sql)
            rows = {row[0]: [int(value) for value in row[1:]] for row in cursor.fetchall()}
        found = {row[0]: row[1:] for row in graph.rows("CYPHER 5 " + _GRAPH[name])}
        if rows != found:
            wrong = [key for key in rows.keys() | found.keys() if rows.get(key) != found.get(key)]
            raise SystemExit(f"bench: {name}: {len(wrong)} of {len(rows)} groups differ, as {wrong[0]}: "
                             f"{rows.get(wrong[0])} in the tables, {found.get(wrong[0])} in the graph")
    stubs = graph.value(_SPARE)
    if stubs:
        raise SystemExit(f"bench: {stubs} stubs are left in the graph")
