"""The statements that `bench/forms` compares. Each keeps the rules of the graph, where its name does not say otherwise: a missing
end is made as a stub, the upsert takes the mark away, an update is refused by a newer version, the other end's label is in the
pattern. `INSERT`, `LINK`, `UNLINK`, `UPDATE` and `RELATIONSHIP` are those of src/cypher/texts.cpp when the comparison was made.
"""

CONSTRAINTS = [
    f"CREATE CONSTRAINT contextnexus_{label}_id IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
    for label in ("Project", "Thread", "ContentItem")
]

# What every batch begins with; here without the comparison, which costs nothing.
POSITION = ("CYPHER 5 MERGE (p:ContextNexusPosition {key: 'bench'}) SET p._cnx_lock = true "
            "SET p.lsn = $lsn, p._cnx_lock = null", {"lsn": 1})

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
# Since conflicts are found, an update is written whatever it meets, and says what it met.
_TOLD = "collect(CASE WHEN met THEN [{key}, false] END) AS conflicts, collect(CASE WHEN {moved} THEN {{n: n, o: {other}}} END) AS moved "
_MOVE_TOLD = _MOVE.replace("RETURN refused", "RETURN conflicts")
_MET = "coalesce(n.version > {version}, false) AS met"
_DIFFERS = "CASE WHEN {other} IS NULL THEN e IS NOT NULL ELSE e IS NULL OR coalesce(e.id <> {other}, true) END AS differs"
_TO_END = "OPTIONAL MATCH (n)<-[:HAS_CONTENT]-(e:Project) "
_BY_ROW = "CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {id: row.k}) WITH n, row, " + _MET.format(version="row.p.version") + " "
_BY_LIST_ROW = "CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {id: row[0]}) WITH n, row, " + _MET.format(version="row[4]") + " "
_SET_OF_LIST = _SET_LIST + ", n.updatedAt__pg = row[6] "
UPDATE_TOLD = (_BY_ROW + "WITH n, row, met, [(n)<-[:HAS_CONTENT]-(e:Project) | coalesce(e.id, false)] AS before SET n += row.p WITH "
               + _TOLD.format(key="row.k", moved=_BY_LIST.format(other="row.o"), other="row.o") + _MOVE_TOLD)
_ENDS_NESTED = _BY_ROW + _TO_END + "WITH n, row, met, " + _DIFFERS.format(other="row.o") + " "
_TOLD_NESTED = _TOLD.format(key="row.k", moved="differs", other="row.o") + _MOVE_TOLD
_FILTER = "WITH n, row, met, differs WHERE met OR differs WITH "
UPDATE_TOLD_END_FILTER = _ENDS_NESTED + "SET n += row.p " + _FILTER + _TOLD_NESTED
# The version is compared behind the other end, in one projection; the other end is asked first whether it is the row's.
_DIFFERS_FIRST = "CASE WHEN e.id = {other} THEN false ELSE {other} IS NOT NULL OR e IS NOT NULL END AS differs"
UPDATE_TOLD_FOLDED = ("CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {id: row.k}) WITH n, row " + _TO_END + "WITH n, row, "
                      + _MET.format(version="row.p.version") + ", " + _DIFFERS_FIRST.format(other="row.o") + " SET n += row.p "
                      + _FILTER + _TOLD_NESTED)
_ENDS_LIST = _BY_LIST_ROW + _TO_END + "WITH n, row, met, " + _DIFFERS.format(other="row[1]") + " SET " + _SET_OF_LIST
_TOLD_LIST = _TOLD.format(key="row[0]", moved="differs", other="row[1]") + _MOVE_TOLD
UPDATE_TOLD_END_LIST_FILTER = _ENDS_LIST + _FILTER + _TOLD_LIST
UPDATE_LIST = f"CYPHER 5 UNWIND $rows AS row MERGE (n:ContentItem {{id: row[0]}}) SET {_SET_LIST}, n.updatedAt__pg = row[6]"
UPDATE_COUNT_SUM = (f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} WITH n, row, {_NEWER.format(version='row.version')} "
                    "SET n += CASE WHEN newer THEN {} ELSE row END RETURN count(CASE WHEN newer THEN 1 END) AS refused")
UPDATE_UNGUARDED = f"CYPHER 5 UNWIND $rows AS row MERGE {_ITEM} SET n += row"

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
RELATIONSHIP_COLUMNS = (_ROWS + _ENDS % ("row.a", "row.b") + f"MERGE {_INCLUDES} "
                        + _SET_LINK % ("row.p.relevanceScore", "row.p.position"))
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
