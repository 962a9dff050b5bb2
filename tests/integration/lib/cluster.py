"""A PostgreSQL cluster of a test's own beside the shared one, and standbys of it: for what a test may not do to the others'."""

import pathlib
import shutil
import subprocess
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from . import database as postgres
from .servers import _services, read_env

_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


class Cluster:
    """Made below `directory`, which is removed by destroy()."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.url = ""

    def start(self, *options):
        _services("start-postgres", "--dir", str(self.directory), *options, timeout=180)
        self.url = read_env(self.directory / "env")["CNX_POSTGRES_URL"]
        return self

    def kill(self):
        _services("kill-postgres", "--dir", str(self.directory), timeout=60)

    def stop(self):
        _services("stop-postgres", "--dir", str(self.directory), timeout=120)

    def destroy(self):
        if self.directory.exists():
            _services("destroy", "--dir", str(self.directory), timeout=120)

    def standby(self, directory):
        """A hot standby that streams from this cluster; it is made and started."""
        other = Cluster(directory)
        data = other.directory / "postgres" / "data"
        data.parent.mkdir(parents=True)
        done = subprocess.run([_BIN / "pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "-d", self.url],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        owner = (self.directory / "postgres" / "data").stat()
        for path in (data.parent, *data.parent.rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        # The same password, and a port of its own.
        settings = (self.directory / "settings").read_text()
        kept = [line for line in settings.splitlines() if not line.startswith(("postgres_port", "bolt_port", "http_port"))]
        (other.directory / "settings").write_text("\n".join(kept) + "\n")
        return other.start()

    def promote(self):
        with postgres.Database(self.url) as database:
            assert database.value("SELECT pg_promote()")

    def wait_until_at(self, lsn, timeout=60):
        """Until this standby has replayed the log up to there."""
        deadline = time.monotonic() + timeout
        with postgres.Database(self.url) as database:
            while postgres.lsn_value(database.value("SELECT pg_last_wal_replay_lsn()::text")) < lsn:
                assert time.monotonic() < deadline, f"the standby is not at {lsn} after {timeout} s"
                time.sleep(0.05)

    def wait_until_up(self, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            try:
                psycopg2.connect(self.url, connect_timeout=5).close()
                return
            except psycopg2.OperationalError:
                assert time.monotonic() < deadline, "the cluster is not up"
                time.sleep(0.1)


def either(first, second):
    """A URL of the server of both that takes writes, as libpq finds it."""
    one, other = urlsplit(first), urlsplit(second)
    user, _, _ = one.netloc.rpartition("@")
    hosts = f"{one.hostname}:{one.port},{other.hostname}:{other.port}"
    return urlunsplit(one._replace(netloc=f"{user}@{hosts}", query="target_session_attrs=read-write"))
