"""The benchmark's own PostgreSQL and Neo4j, from scripts/services: addresses, process ids, an empty database, an empty graph."""

import os
import pathlib
import shlex
import subprocess
from urllib.parse import urlsplit, urlunsplit

import bolt_raw
import processes
import psycopg2
import world

TOP = pathlib.Path(__file__).resolve().parent.parent
_DATABASE = "cnx_bench"
_SETTINGS = ("--heap", "2g", "--page-cache", "1g")


class Servers:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        if not self.directory.is_absolute():
            self.directory = TOP / self.directory
        self._services("start", *_SETTINGS)
        variables = {}
        for line in (self.directory / "env").read_text().splitlines():
            for word in shlex.split(line):
                name, _, value = word.partition("=")
                variables[name] = value
        self.neo4j_url = variables["CNX_NEO4J_URL"]
        self._admin_url = variables["CNX_POSTGRES_URL"]
        self.postgres_url = urlunsplit(urlsplit(self._admin_url)._replace(path=f"/{_DATABASE}"))
        self.neo4j_pid = int((self.directory / "neo4j.pid").read_text())
        self.postgres_pid = int((self.directory / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        self.graph = bolt_raw.Connection(self.neo4j_url)

    def stop(self):
        self.graph.close()
        self._services("stop")

    def _services(self, verb, *words):
        done = subprocess.run([TOP / "scripts" / "services", verb, "--dir", self.directory, *words], capture_output=True,
                              text=True, timeout=600, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"bench: scripts/services {verb}: {done.stderr.strip()}")

    def cpu_seconds(self):
        """{process: CPU seconds since its start} of both servers."""
        return {"neo4j": processes.cpu_seconds(self.neo4j_pid), "postgres": processes.family_cpu_seconds(self.postgres_pid)}

    def connect(self):
        connection = psycopg2.connect(self.postgres_url)
        connection.autocommit = True
        return connection

    def make_database(self, write_back=False):
        """The benchmark's tables, empty, with what the write-back needs where asked for. Slots that an interrupted run left would keep the server's log."""
        admin = psycopg2.connect(self._admin_url)
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                           "WHERE database = %s AND active", (_DATABASE,))
            cursor.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s",
                           (_DATABASE,))
            cursor.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE template0")
        admin.close()
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute(world.TABLES + (world.WRITE_BACK if write_back else ""))
        return connection

    def empty_graph(self):
        """Removes all nodes and relationships; the relationships first, so that no node is dense when it goes."""
        while self.graph.value("MATCH ()-[r]->() WITH r LIMIT 10000 DELETE r RETURN count(*)"):
            pass
        while self.graph.value("MATCH (n) WITH n LIMIT 10000 DELETE n RETURN count(*)"):
            pass

    def make_constraints(self):
        """Those that the engine makes, under its names."""
        for label in ("Project", "Thread", "ContentItem"):
            self.graph.rows(f"CREATE CONSTRAINT `contextnexus_{label}_id` IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE")
        self.graph.rows("CALL db.awaitIndexes(60)")
