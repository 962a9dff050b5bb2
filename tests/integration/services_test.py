"""scripts/services itself: an instance of its own beside the one that the tests use, through every verb."""

import os
import pathlib
import shlex
import socket
import subprocess

import psycopg2
import pytest
from lib import servers as servers_module

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "services"


class Instance:
    def __init__(self, directory):
        self.directory = directory

    def run(self, verb, *options):
        done = subprocess.run([str(SCRIPT), verb, "--dir", self.directory, *options], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=300)
        return done.returncode, (done.stdout + done.stderr).strip()

    def environment(self):
        lines = (pathlib.Path(self.directory) / "env").read_text().splitlines()
        return dict(shlex.split(line)[1].split("=", 1) for line in lines)

    def servers(self):
        return servers_module.from_environment(self.environment())

    def sql(self, statement):
        connection = psycopg2.connect(self.environment()["CNX_POSTGRES_URL"], connect_timeout=5)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            result = cursor.fetchall() if cursor.description else None
        connection.close()
        return result


@pytest.fixture(scope="module")
def instance(servers):
    """Started; the first instance goes on beside it."""
    made = Instance(f".local/test-services-{os.getpid()}")
    code, said = made.run("start", "--heap", "300m", "--page-cache", "32m", "--brief")
    assert code == 0, said
    # The answer names the directory that the servers see, which may be behind a link.
    made.directory = str(pathlib.Path(said.split("source ")[-1]).parent)
    yield made
    made.run("destroy")
    assert not pathlib.Path(made.directory).exists()


@pytest.fixture
def running(instance):
    yield instance
    code, said = instance.run("start")
    assert code == 0, said


def test_both_servers_answer_on_loopback_to_their_own_passwords(running, servers):
    assert running.sql("SHOW wal_level") == [("logical",)]
    assert running.sql("SELECT current_setting('fsync'), current_setting('max_prepared_transactions')") == [("on", "10")]
    assert running.servers().graph().value("RETURN 1") == 1
    assert running.environment()["CNX_NEO4J_URL"] != servers.neo4j_url
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(running.environment()["CNX_POSTGRES_URL"].replace("postgres:", "postgres:x"))


def test_an_unprivileged_user_runs_them(running):
    code, said = running.run("status")
    assert code == 0, said
    for line in said.splitlines():
        pid = line.split("pid ")[1].split(",")[0]
        assert os.stat(f"/proc/{pid}").st_uid != 0, line


def test_a_restart_keeps_addresses_and_data(running):
    before = running.environment()
    running.sql("CREATE TABLE kept (x int)")
    running.servers().graph().rows("CREATE (:Kept)")
    assert running.run("restart")[0] == 0
    assert running.environment() == before
    assert running.sql("SELECT count(*) FROM kept") == [(0,)]
    assert running.servers().graph().value("MATCH (n:Kept) RETURN count(n)") == 1


@pytest.mark.parametrize("server", ["postgres", "neo4j"])
def test_one_killed_server_is_down_and_starts_again(running, server):
    assert running.run(f"kill-{server}")[0] == 0
    code, said = running.run("status")
    assert code == 1 and f"{server}: stopped" in said and said.count("running") == 1, said
    assert running.run("start")[0] == 0
    assert running.run("status")[0] == 0


def test_a_paused_server_says_so_and_goes_on(running):
    assert running.run("pause")[0] == 0
    assert running.run("status")[1].count("paused") == 2
    assert running.run("resume")[0] == 0
    assert running.sql("SELECT 1") == [(1,)]
    assert running.servers().graph().value("RETURN 1") == 1


def test_a_port_in_use_is_one_clear_line(running):
    assert running.run("stop")[0] == 0
    port = int(running.environment()["PGPORT"])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        code, said = running.run("start-postgres")
    assert (code, said) == (1, f"services: port {port} for PostgreSQL is in use by another program; free it, or choose another with "
                               "--postgres-port N")


def test_what_is_stopped_may_be_stopped_again(running):
    assert running.run("stop") == (0, "")
    assert running.run("stop") == (0, "")


def test_a_directory_that_was_never_started_is_one_clear_line():
    assert Instance("/nonexistent/x").run("stop") == (1, "services: there is nothing in /nonexistent/x; start it first")
