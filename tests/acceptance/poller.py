"""A script as many have one: each time it writes what has changed since the last time into the graph, by a column `updated_at`.

It never sees a deleted row, nor a change that leaves the column alone, nor one whose transaction began before its last look and
committed after it. Its customers have text for a key.
"""

import json

COLUMN = """
ALTER TABLE customers ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE orders ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
"""

_STATEMENTS = {
    "customers": "UNWIND $rows AS row MERGE (n:Customer {id: toString(row.id)}) SET n += row, n.id = toString(row.id)",
    "orders": "UNWIND $rows AS row MERGE (n:Order {id: row.id}) SET n += row "
              "MERGE (c:Customer {id: toString(row.customer_id)}) MERGE (n)-[:HAS_CUSTOMER]->(c)",
}


class Poller:
    def __init__(self, database, graph):
        self._database, self._graph = database, graph
        self._last = dict.fromkeys(_STATEMENTS, "-infinity")

    def poll(self):
        for table, statement in _STATEMENTS.items():
            rows = [dict(row) for row in self._database.rows(f"SELECT * FROM {table} WHERE updated_at > %s ORDER BY updated_at",
                                                             [self._last[table]])]
            if rows:
                self._last[table] = rows[-1]["updated_at"]
                self._graph.rows(statement, rows=[{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value):
    if isinstance(value, dict):
        return json.dumps(value)
    return value if isinstance(value, (int, str, type(None))) else str(value)
