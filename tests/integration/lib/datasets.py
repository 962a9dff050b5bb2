"""The public data sets in the folder of CONTEXTNEXUS_DATASETS, whose `load` puts one into a database of its name."""

import contextlib
import os
import pathlib
import subprocess
from urllib.parse import unquote, urlsplit

import pytest

from . import database as postgres

FOLDER = os.environ.get("CONTEXTNEXUS_DATASETS", "")
needed = pytest.mark.skipif(not FOLDER, reason="CONTEXTNEXUS_DATASETS is not set: no folder with public data sets")


@contextlib.contextmanager
def loaded(servers, graph, name):
    """The URL of the database, beside an empty graph."""
    graph.wipe()
    url = urlsplit(servers.postgres_url)
    libpq = {"PGHOST": url.hostname, "PGPORT": str(url.port), "PGUSER": unquote(url.username), "PGPASSWORD": unquote(url.password or "")}
    subprocess.run([str(pathlib.Path(FOLDER) / "load"), name], env=os.environ | libpq, check=True, timeout=600, capture_output=True)
    try:
        yield postgres.with_database(servers.postgres_url, name)
    finally:
        postgres.drop_database(servers.postgres_url, name)
        graph.wipe()
