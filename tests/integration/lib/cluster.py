"""A PostgreSQL cluster of a test's own beside the shared one, and standbys of it: for what a test may not do to the others'."""

import contextlib
import pathlib
import shutil
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from . import database as postgres
from .servers import _services, read_env


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

    def pause(self):
        _services("pause-postgres", "--dir", str(self.directory), timeout=60)

    def resume(self):
        _services("resume-postgres", "--dir", str(self.directory), timeout=60)

    def destroy(self):
        if self.directory.exists():
            _services("destroy", "--dir", str(self.directory), timeout=120)

    def standby(self, directory, **settings):
        """A hot standby that streams from this cluster, with `settings` of its own; it is made and started."""
        other = Cluster(directory)
        data = other.directory / "postgres" / "data"
        data.parent.mkdir(parents=True)
        self._back_up(data, settings)
        owner = (self.directory / "postgres" / "data").stat()
        for path in (data.parent, *data.parent.rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        # The same password, and a port of its own.
        given = (self.directory / "settings").read_text()
        kept = [line for line in given.splitlines() if not line.startswith(("postgres_port", "bolt_port", "http_port"))]
        (other.directory / "settings").write_text("\n".join(kept) + "\n")
        return other.start()

    def _back_up(self, data, settings):
        """By hand: pg_basebackup is a client's, and of one version."""
        parts = urlsplit(self.url)
        settings = {"primary_conninfo": f"host={parts.hostname} port={parts.port} user={parts.username} password={parts.password} "
                                        "dbname=postgres"} | settings
        with contextlib.closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT pg_backup_start('standby', true)")
            left_out = shutil.ignore_patterns("postmaster.pid", "postmaster.opts", "pg_internal.init")

            def ignore(directory, names):
                emptied = pathlib.Path(directory).name in ("pg_replslot", "pg_dynshmem", "pg_notify", "pg_stat_tmp", "pg_subtrans", "pg_wal")
                return names if emptied else left_out(directory, names)

            shutil.copytree(self.directory / "postgres" / "data", data, ignore=ignore, ignore_dangling_symlinks=True)
            (data / "pg_wal" / "archive_status").mkdir()
            cursor.execute("SELECT labelfile FROM pg_backup_stop()")
            (data / "backup_label").write_text(cursor.fetchone()[0])
        with (data / "postgresql.auto.conf").open("a") as out:
            out.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        (data / "standby.signal").touch()
        data.chmod(0o700)

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
