"""A secret is in no output, whichever way it was given: the log at its most talkative, errors, metrics, the process list.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import base64
import os
import pathlib
import subprocess
import time
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from lib.engine import ROLE
from lib.live import database_and_engine
from lib.telemetry import ANY_PORT, Pages
from lib.world import World

SECRET = r"p@ss w'o\rd%41"


def forms(secret):
    """The secret itself and as others write it."""
    whole = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), secret.replace("\\", "\\\\"),
            secret.replace("'", "''"), secret.replace("\\", "\\\\").replace("'", "\\'"), whole,
            base64.b64encode(f"neo4j:{secret}".encode()).decode().rstrip("="),
            # The middle of it, in case that its ends were cut or quoted away.
            "w'o", "rd%41"}


def expect_no_secret(*texts):
    for text in texts:
        found = [form for form in forms(SECRET) if form in text]
        assert not found, f"{found} in {text[-3000:]}"


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_secrets") as made:
        made.database.execute(f"ALTER ROLE {ROLE} PASSWORD %s", (SECRET,))
        made.graph.rows("CREATE OR REPLACE USER cnx_secret SET PASSWORD $secret CHANGE NOT REQUIRED", secret=SECRET)
        yield made
        made.engine.kill()
        made.graph.rows("DROP USER cnx_secret IF EXISTS")


class Given:
    """The words and variables that give both secrets in one way; `port` misses both servers, where it is asked for."""

    def __init__(self, way, line, folder, right=True):
        postgres, neo4j = urlsplit(line.database.url), urlsplit(line.engine.servers.neo4j_url)
        at_postgres = f"{postgres.hostname}:{postgres.port if right else 1}"
        at_neo4j = f"{neo4j.hostname}:{neo4j.port if right else 1}"
        encoded = quote(SECRET, safe="")
        urls = f"postgresql://{ROLE}:{encoded}@{at_postgres}{postgres.path}", f"bolt://cnx_secret:{encoded}@{at_neo4j}"
        keywords = SECRET.replace("\\", "\\\\").replace("'", "\\'")
        host, port = at_postgres.split(":")
        self.words, self.variables = (), {}
        if way == "flags":
            self.words = ("--postgres", urls[0], f"--neo4j={urls[1]}")
        elif way == "keywords":
            self.words = ("--postgres", f"host={host} port={port} dbname={postgres.path[1:]} user={ROLE} password='{keywords}'",
                          "--neo4j", f"bolt://{at_neo4j}", "--set", "neo4j.user=cnx_secret", "--set", f"neo4j.password={SECRET}")
        elif way == "environment":
            self.variables = {"CONTEXTNEXUS_POSTGRES": urls[0], "CONTEXTNEXUS_NEO4J": urls[1]}
        elif way == "file":
            secret = folder / "secret"
            secret.write_text(SECRET + "\n")
            file = folder / "c.yaml"
            file.write_text(f"postgres: {{url: 'postgresql://{ROLE}@{at_postgres}{postgres.path}', password: 'file:{secret}'}}\n"
                            f"neo4j: {{url: 'bolt://{at_neo4j}', user: cnx_secret, password: 'file:{secret}'}}\n")
            self.words = ("--config", str(file))

    def run(self, line, *verb):
        words = [str(line.engine.program), *verb, *self.words, "--log-level", "trace"]
        done = subprocess.run(words, env=self.environment(), capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTEXTNEXUS_", "PG", "CNX_"))}
        return kept | {"CONTEXTNEXUS_TELEMETRY_LISTEN": "off"} | self.variables


WAYS = ("flags", "keywords", "environment", "file")


@pytest.mark.parametrize("way", WAYS)
def test_a_running_engine_shows_no_secret(way, line, tmp_path):
    world = World(line.database, "secrets").fill_all()
    given = Given(way, line, tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([str(line.engine.program), "run", *given.words, *ANY_PORT, "--log-level", "trace", "--log-format", "json"],
                                   env=given.environment(), stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    line.engine.process, line.engine.log = process, log
    pages = Pages(line.engine)
    pages.wait_for_state("idle")
    world.add_default("tags")
    line.sync()
    words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
    assert "run" in words
    listed = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(process.pid)], capture_output=True, text=True, check=True).stdout
    expect_no_secret(words, listed, *(pages.get(path).text for path in ("/metrics", "/healthz", "/readyz", "/")))
    # Both connections are refused from now on.
    line.database.execute(f"ALTER ROLE {ROLE} PASSWORD 'another'")
    line.graph.rows("ALTER USER cnx_secret SET PASSWORD 'another one' CHANGE NOT REQUIRED")
    line.database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))
    deadline = time.monotonic() + 30
    while line.engine.running() and "28P01" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
    line.engine.terminate()
    expect_no_secret(log.read_text())


@pytest.mark.parametrize("right", (True, False), ids=("servers", "no-servers"))
@pytest.mark.parametrize("way", WAYS)
def test_no_verb_shows_a_secret(way, right, line, tmp_path):
    given = Given(way, line, tmp_path, right)
    verbs = (("status",), ("status", "--json"), ("check",), ("check", "--json"), ("explain", "tags"))
    # Without servers it tries for half a minute: once is enough.
    for verb in verbs + ((("run", "--once"),) if right or way == "flags" else ()):
        text = given.run(line, *verb)
        assert text
        expect_no_secret(text)


@pytest.mark.parametrize("words", (
    ("run", "--postgrez", "postgresql://u:{}@h/db"),
    ("run", "--neo4j=bolt://u:{}@h:x"),
    ("run", "--postgres", "host=h password={}"),
    ("run", "--postgres", "host=h password='{}"),
    ("postgresql://u:{}@h/db",),
    ("status", "--set", "neo4j.passwort={}"),
    ("status", "--set", "postgres.url=postgresql://u:{}@h:port/db"),
    ("init", "--from", "postgresql://u:{}@127.0.0.1:1/db"),
), ids=str)
def test_words_that_are_wrong_are_told_without_the_secret_in_them(words, line):
    outcome = line.engine.verb(*(word.format(SECRET) for word in words), url="host=127.0.0.1 port=1")
    assert outcome.code != 0
    expect_no_secret(outcome.text)
