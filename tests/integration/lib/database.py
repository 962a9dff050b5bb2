"""PostgreSQL for the tests: plain psycopg2 with the session settings that fix its text forms."""

import contextlib
import pathlib
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.extras

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

_SETTINGS = """SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';
SET extra_float_digits = 3; SET bytea_output = 'hex'; SET client_encoding = 'UTF8'"""

_LONGEST_PAGE_HEADER = 40  # access/xlog_internal.h, SizeOfXLogLongPHD


def with_database(url, name):
    """The same URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def with_user(url, user, password):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))


def lsn_value(text):
    """'X/Y' as the integer that the position node keeps."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


class Database:
    """One connection in autocommit mode; `transaction()` groups statements."""

    def __init__(self, url):
        self.url = url
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True
        self.execute(_SETTINGS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def execute(self, sql, parameters=None):
        """Runs a statement and returns how many rows it says it touched."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.rowcount

    def rows(self, sql, parameters=None):
        with self.connection.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def value(self, sql, parameters=None):
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def transaction(self):
        self.execute("BEGIN")
        try:
            yield self
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def insert(self, table, **columns):
        """One row; dictionaries become jsonb."""
        values = [psycopg2.extras.Json(v) if isinstance(v, dict) else v for v in columns.values()]
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join(["%s"] * len(values))
        self.execute(f'INSERT INTO public."{table}" ({names}) VALUES ({marks})', values)

    def current_lsn(self):
        """The end of the flushed log, which holds every commit that is visible now.

        A commit with synchronous_commit off, as the write-back's, is visible before it is flushed; nothing is written here to
        flush it, so that an idle server stays idle. At the start of a page the end that is inserted lies behind the header.
        """
        wanted = lsn_value(self.value("SELECT pg_current_wal_insert_lsn()::text")) - _LONGEST_PAGE_HEADER
        for _ in range(1000):
            flushed = lsn_value(self.value("SELECT pg_current_wal_flush_lsn()::text"))
            if flushed >= wanted:
                return flushed
            time.sleep(0.01)
        raise AssertionError("the log's end was never flushed")

    def slot(self):
        """The logical slot of this database as a row, or None; two are an error."""
        rows = self.rows("SELECT * FROM pg_replication_slots WHERE database = current_database()")
        assert len(rows) <= 1, f"{len(rows)} slots in one database"
        return rows[0] if rows else None

    def drop_slot(self):
        """Of this database. The walsender of an engine that has ended may not know it yet: it is waited for."""
        slot = self.slot()
        for _ in range(1000):
            if not slot["active"]:
                break
            time.sleep(0.03)
            slot = self.slot()
        self.rows("SELECT pg_drop_replication_slot(%s)", (slot["slot_name"],))

    def in_step(self):
        """How far this database's engine says that all is in the graph or no change of its; 0 where none runs."""
        text = self.value("SELECT r.write_lsn::text FROM pg_stat_replication r JOIN pg_replication_slots s "
                          "ON s.active_pid = r.pid WHERE s.database = current_database()")
        return lsn_value(text) if text else 0

    def confirmed(self):
        """confirmed_flush_lsn of this database's slot as an integer, or None."""
        slot = self.slot()
        return lsn_value(slot["confirmed_flush_lsn"]) if slot and slot["confirmed_flush_lsn"] else None


def install_schema(url):
    """The schema straight from sql/, as a person with psql would run it."""
    with Database(url) as database:
        for path in sorted((REPOSITORY / "sql").glob("[0-9]*.sql")):
            database.execute(path.read_text())


def leave_key_unmarked(database):
    """The marking trigger of messages no longer names its id: PostgreSQL tells the old one with the new, by which it is a user's change."""
    columns = database.value("SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid "
                             "AND a.attnum = ANY (t.tgattr) WHERE t.tgrelid = 'public.messages'::regclass AND t.tgname = 'row_version' "
                             "AND a.attname <> 'id'")
    database.execute(f"CREATE OR REPLACE TRIGGER row_version BEFORE UPDATE OF {columns} ON public.messages FOR EACH ROW "
                     "EXECUTE FUNCTION public.raise_row_version_and_mark_pending(); ALTER TABLE public.messages ENABLE ALWAYS TRIGGER row_version")


def drop_database(admin_url, name):
    """Ends its sessions and slots first, so that a stopped test leaves nothing that holds WAL."""
    with Database(admin_url) as admin:
        for _ in range(100):
            admin.rows("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                       "WHERE database = %s AND active", (name,))
            busy = admin.value("SELECT count(*) FROM pg_replication_slots WHERE database = %s AND active", (name,))
            if not busy:
                break
            time.sleep(0.05)
        admin.rows("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", (name,))
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def create_database(admin_url, name, template="template0"):
    drop_database(admin_url, name)
    with Database(admin_url) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return with_database(admin_url, name)
