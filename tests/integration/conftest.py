"""Fixtures of the integration tests: the servers, a database with the schema, and one running engine a module.

The graph is one for all (Community has one database), so a lock keeps test files that share servers apart.
"""

import fcntl
import hashlib
import pathlib
import sys

import pytest

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "fault")]

from lib import database as postgres  # noqa: E402
from lib import servers as servers_module  # noqa: E402

TEMPLATE = "cnx_template"


@pytest.fixture(scope="session")
def servers():
    found = servers_module.from_environment()
    local = postgres.REPOSITORY / ".local"
    local.mkdir(exist_ok=True)
    name = hashlib.sha256(found.neo4j_url.encode()).hexdigest()[:12]
    with (local / f"tests-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_leftovers(found)
        yield found


def _remove_leftovers(servers):
    """Databases and slots of a run that was cut off: a slot's name is the whole server's, and it holds the log back."""
    with postgres.Database(servers.postgres_url) as admin:
        names = [row[0] for row in admin.rows(
            "SELECT datname FROM pg_database WHERE starts_with(datname::text, 'cnx_')")]
    for name in names:
        postgres.drop_database(servers.postgres_url, name)


@pytest.fixture(scope="session")
def template(servers):
    """A database with the schema and no rows, which others are copied from."""
    url = postgres.create_database(servers.postgres_url, TEMPLATE)
    postgres.install_schema(url)
    return TEMPLATE


@pytest.fixture(scope="session")
def graph(servers):
    return servers.graph()


@pytest.fixture
def database_url(servers, template, graph):
    """A database of the test's own with the schema and no rows, beside an empty graph."""
    graph.wipe(schema=TEMPLATE)
    url = postgres.create_database(servers.postgres_url, "cnx_test", template)
    yield url
    postgres.drop_database(servers.postgres_url, "cnx_test")


@pytest.fixture
def database(database_url):
    with postgres.Database(database_url) as opened:
        yield opened
