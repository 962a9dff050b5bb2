"""Questions about the demo's input that are a line of Cypher and would be a page of SQL: (question, headings, Cypher)."""

# A commit that touches very much says little about what belongs together, and its pairs are too many.
QUESTIONS = [
    ("Which authors worked on the same files?", ("author", "author", "files in common"), """
      MATCH (m:Message {tenantId: $tenant})-[:USED_CONTEXT]->(c:ContentItem)
      WITH DISTINCT c, m.authorId AS author
      WITH c, collect(author) AS authors WHERE size(authors) > 1
      UNWIND authors AS a UNWIND authors AS b
      WITH a, b, count(c) AS files WHERE a < b
      MATCH (x:User {id: a}), (y:User {id: b})
      RETURN x.displayName, y.displayName, files ORDER BY files DESC, x.displayName LIMIT 5"""),
    ("Which files change together?", ("file", "file", "commits"), """
      MATCH (m:Message {tenantId: $tenant}) WHERE 1 < COUNT { (m)-[:USED_CONTEXT]->() } <= 50
      MATCH (a:ContentItem)<-[:USED_CONTEXT]-(m)-[:USED_CONTEXT]->(b:ContentItem) WHERE a.id < b.id
      RETURN a.title, b.title, count(m) AS commits ORDER BY commits DESC, a.title LIMIT 5"""),
    ("Which context is shared most: used from the most threads?", ("file", "threads", "messages"), """
      MATCH (t:Thread {tenantId: $tenant})-[:CONTAINS_MESSAGE]->(m)-[:USED_CONTEXT]->(c:ContentItem)
      RETURN c.title, count(DISTINCT t) AS threads, count(m) AS messages ORDER BY threads DESC, messages DESC LIMIT 5"""),
    ("Which folders hang together, by commits that touch both?", ("folder", "folder", "commits"), """
      MATCH (m:Message {tenantId: $tenant}) WHERE 1 < COUNT { (m)-[:USED_CONTEXT]->() } <= 50
      MATCH (m)-[:USED_CONTEXT]->(:ContentItem)<-[:INCLUDES]-(t:Thread)
      WITH m, collect(DISTINCT t) AS threads UNWIND threads AS a UNWIND threads AS b
      WITH a, b, count(m) AS commits WHERE a.title < b.title
      RETURN a.title, b.title, commits ORDER BY commits DESC, a.title LIMIT 5"""),
]
