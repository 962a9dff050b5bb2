"""The sink between Debezium's topics and Neo4j, as a connector named `neo4j-sink`.

It is the Neo4j Connector for Kafka where Kafka Connect has it (CONTEXTNEXUS_SINK; it is released on GitHub, and not in Maven
Central). Else Kafka's own file sink stands in for it: what that writes is applied here by the same Cypher, in the statement that
the connector's Cypher strategy makes of it, and so with the same effect on the graph.
"""

import contextlib
import json
import threading
import time
from urllib.parse import unquote, urlsplit

NAME, CONNECTOR = "neo4j-sink", "org.neo4j.connectors.kafka.sink.Neo4jConnector"

# One statement a topic, for `event`, Debezium's envelope. As many do, it does not care for deleted orders, lines and payments, nor
# for the customer that an order had before.
STATEMENTS = {
    "customers": "FOREACH (row IN CASE WHEN event.op <> 'd' THEN [event.after] ELSE [] END | "
                 "MERGE (n:Customer {id: row.id}) SET n += row) "
                 "WITH event WHERE event.op = 'd' MATCH (n:Customer {id: event.before.id}) DETACH DELETE n",
    "products": "WITH event.after AS row WHERE row IS NOT NULL MERGE (n:Product {sku: row.sku}) SET n += row",
    "orders": "WITH event.after AS row WHERE row IS NOT NULL MERGE (n:Order {id: row.id}) SET n += row "
              "MERGE (c:Customer {id: row.customer_id}) MERGE (n)-[:PLACED_BY]->(c)",
    "order_lines": "WITH event.after AS row WHERE row IS NOT NULL "
                   "MERGE (o:Order {id: row.order_id}) MERGE (p:Product {sku: row.sku}) "
                   "MERGE (o)-[r:CONTAINS]->(p) SET r.quantity = row.quantity, r.price = row.price",
    "payments": "WITH event.after AS row WHERE row IS NOT NULL "
                "MERGE (n:Payment {order_id: row.order_id, number: row.number}) SET n += row "
                "MERGE (o:Order {id: row.order_id}) MERGE (n)-[:PAYS]->(o)",
}


@contextlib.contextmanager
def running(connect, servers, directory, prefix):
    """The sink runs within; what it is, in words."""
    topics = {f"{prefix}.{table}": statement for table, statement in STATEMENTS.items()}
    if connect.has(CONNECTOR):
        url = urlsplit(servers.neo4j_url)
        connect.create(NAME, {
            "connector.class": CONNECTOR, "topics": ",".join(topics), "neo4j.uri": f"{url.scheme}://{url.hostname}:{url.port}",
            "neo4j.authentication.type": "BASIC", "neo4j.authentication.basic.username": unquote(url.username),
            "neo4j.authentication.basic.password": unquote(url.password), "neo4j.eos-offset-label": "__KafkaOffset"}
            | {f"neo4j.cypher.topic.{topic}": statement for topic, statement in topics.items()})
        yield "the Neo4j Connector for Kafka"
        return
    file = directory / "events"
    file.touch()
    connect.create(NAME, {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": ",".join(topics), "file": str(file),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"})
    applying = _Applying(servers.graph(), file)
    try:
        yield "a stand-in for the Neo4j Connector for Kafka"
    finally:
        applying.end()


class _Applying:
    """Applies each event of a growing file, in a thread of its own. A tombstone is a line that says null."""

    def __init__(self, graph, file):
        self._graph, self._file, self._ended, self._failure = graph, file, threading.Event(), None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self):
        self._ended.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def _run(self):
        try:
            with self._file.open() as lines:
                rest = ""
                while not self._ended.is_set():
                    rest += lines.readline()
                    if not rest.endswith("\n"):
                        time.sleep(0.05)
                        continue
                    self._apply(json.loads(rest))
                    rest = ""
        except Exception as error:  # Told by end(), in the trial's own thread.
            self._failure = error

    def _apply(self, event):
        if event is not None:
            statement = STATEMENTS[event["source"]["table"]]
            self._graph.rows(f"UNWIND $events AS event CALL (event) {{ WITH event {statement} RETURN 0 AS x }} FINISH",
                             events=[event])
