"""Witnesses of a kill run: what the comparer of the last state cannot see.

`Counter` changes rows of a table whose mapping gives a statement of the user's own: one more for each change. A change
that took effect twice, or never, shows in the count for ever. `Sequence` gives two rows a new value in each transaction
and keeps the order of the values; a reader of the graph must see them in that order, none twice after another, and none
that was never committed. `Promise` holds the promise to a reader: who reads the position first and the rows then misses
nothing of any transaction up to it.
"""

import bisect
import contextlib
import random
import threading
import time

import psycopg2

from lib.comparer import Foreign
from lib.graph import GraphError, GraphUnavailable
from load import LOST_CONNECTION

TABLES = """
CREATE TABLE public.counted (id bigint PRIMARY KEY, changes bigint NOT NULL);
CREATE TABLE public.sequenced (id bigint PRIMARY KEY, value text NOT NULL);
CREATE TABLE public.sequence_of_values (number bigserial PRIMARY KEY, value text NOT NULL UNIQUE);
CREATE TABLE public.watched (id bigint PRIMARY KEY, number bigint NOT NULL);
CREATE TABLE public.watched_too (id bigint PRIMARY KEY, number bigint NOT NULL);
GRANT SELECT ON public.counted, public.sequenced, public.watched, public.watched_too TO contextnexus_engine;
"""
MAPPING = """
  counted:
    node: Counted
    cypher: |
      UNWIND $rows AS row MERGE (c:Seen {id: row.id}) SET c.n = coalesce(c.n, 0) + 1
  sequenced:
    node: Sequenced
  watched:
    node: Watched
  watched_too:
    node: WatchedToo
"""
FOREIGN = Foreign(labels=frozenset({"Seen", "Counted", "Sequenced", "Watched", "WatchedToo"}))
_ROWS = 40


class _Writer(threading.Thread):
    """Runs `work` again and again on a connection that may be lost, and `committed` after each commit that returned."""

    def __init__(self, url, work, pause, committed=None):
        super().__init__(daemon=True)
        self._url, self._work, self._pause, self._committed = url, work, pause, committed
        self._stop_event = threading.Event()
        self.error = None

    def run(self):
        connection = None
        try:
            while not self._stop_event.is_set():
                try:
                    connection = connection or psycopg2.connect(self._url, connect_timeout=5)
                    with connection.cursor() as cursor:
                        self._work(cursor)
                    connection.commit()
                    if self._committed:
                        with connection.cursor() as cursor:
                            self._committed(cursor)
                        connection.commit()
                    self._stop_event.wait(self._pause)
                except LOST_CONNECTION:
                    with contextlib.suppress(psycopg2.Error):
                        connection and connection.close()
                    connection = None
                    self._stop_event.wait(0.2)
        except Exception as error:  # Shown by stop(): a thread has nobody to raise to.
            self.error = error
        finally:
            if connection:
                connection.close()

    def stop(self):
        self._stop_event.set()
        self.join(60)
        if self.error:
            raise self.error


class _Watched:
    """A writer, and a reader of the graph beside it: subclasses make `_writer` and say what is read, in `_read`."""

    _writer = None

    def __init__(self):
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def _read(self):
        raise NotImplementedError

    def start(self):
        self._writer.start()
        self._reader.start()
        return self

    def stop_writer(self):
        self._writer.stop()

    def stop(self):
        self._stop.set()
        self._reader.join(60)


class Counter:
    """Inserts and updates of `counted`: one to five rows in a transaction, a row perhaps more than once."""

    def __init__(self, url, seed):
        self._random = random.Random(seed)
        self._writer = _Writer(url, self._change, 0.01)

    def _change(self, cursor):
        for _ in range(1 + self._random.randrange(5)):
            cursor.execute("INSERT INTO public.counted VALUES (%s, 1) "
                           "ON CONFLICT (id) DO UPDATE SET changes = counted.changes + 1",
                           (self._random.randrange(_ROWS),))

    @staticmethod
    def fill(database, rows):
        """Rows that were never changed: each counts once."""
        database.execute("INSERT INTO public.counted SELECT n, 1 FROM generate_series(1, %s) n", (rows,))

    def start(self):
        self._writer.start()
        return self

    def stop(self):
        if self._writer.ident:
            self._writer.stop()

    @staticmethod
    def faults(database, graph):
        """(what is wrong, how many changes there were)."""
        wanted = dict(database.rows("SELECT id, changes FROM public.counted"))
        counted = {row["id"]: row["n"] for row in graph.rows("MATCH (c:Seen) RETURN c.id AS id, c.n AS n")}
        wrong = [f"row {key}: {counted.get(key)} for {changes} changes" for key, changes in sorted(wanted.items())
                 if counted.get(key) != changes]
        wrong += [f"row {key}: {counted[key]} for no change" for key in sorted(counted.keys() - wanted.keys())]
        return wrong, sum(wanted.values())


class Sequence(_Watched):
    """Two rows of `sequenced` get each new value in one transaction; a reader watches them in the graph."""

    def __init__(self, url, graph, seed):
        super().__init__()
        self._random = random.Random(seed)
        self._graph = graph
        self._writer = _Writer(url, self._change, 0.005)
        self.seen = {0: [], 1: []}
        self.samples = 0

    def _change(self, cursor):
        value = f"{self._random.getrandbits(64):016x}"
        cursor.execute("INSERT INTO public.sequence_of_values (value) VALUES (%s)", (value,))
        for key in (0, 1):
            cursor.execute("INSERT INTO public.sequenced VALUES (%s, %s) "
                           "ON CONFLICT (id) DO UPDATE SET value = excluded.value", (key, value))

    def _read(self):
        while not self._stop.wait(0.003):
            try:
                rows = self._graph.rows("MATCH (n:Sequenced) RETURN n.id AS id, n.value AS value", timeout=5)
            except (GraphUnavailable, GraphError):
                time.sleep(0.2)
                continue
            self.samples += 1
            for row in rows:
                history = self.seen[row["id"]]
                if not history or history[-1] != row["value"]:
                    history.append(row["value"])

    def faults(self, database):
        """What is wrong with the order in which the reader saw the values."""
        order = {value: number for number, value in database.rows("SELECT number, value FROM public.sequence_of_values")}
        wrong = []
        for key, values in self.seen.items():
            wrong += [f"row {key} had a value that was never committed: {value}" for value in values if value not in order]
            numbers = [order[value] for value in values if value in order]
            wrong += [f"row {key} went back from value {before} to {after}"
                      for before, after in zip(numbers, numbers[1:]) if after < before]
        last = [row[0] for row in database.rows("SELECT value FROM public.sequenced ORDER BY id")]
        for key, value in enumerate(last):
            if not self.seen[key] or self.seen[key][-1] != value:
                wrong.append(f"row {key} does not end with its last value")
        return wrong


class Promise(_Watched):
    """Every row of two tables gets the next number in one transaction; a reader reads the position, and then the rows.

    Read is committed row by row, not a snapshot, so a scan that runs across a commit may see rows of two transactions;
    `torn` counts such scans. What it must never see is a number older than a transaction that the position had passed.
    """

    _ROWS = 5  # Of each table.

    def __init__(self, url, graph, pipeline="contextnexus"):
        super().__init__()
        self._graph, self._pipeline = graph, pipeline
        self._number = 0
        self._writer = _Writer(url, self._change, 0.004, self._committed)
        self._ends = []  # (the log's end after the commit, number): the transaction's own end is not beyond it.
        self._scans = []  # (position, least number, greatest number)

    def _change(self, cursor):
        self._number += 1
        for table in ("watched", "watched_too"):
            cursor.execute(f"INSERT INTO public.{table} SELECT n, %s FROM generate_series(1, {self._ROWS}) n "
                           "ON CONFLICT (id) DO UPDATE SET number = excluded.number", (self._number,))

    def _committed(self, cursor):
        cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        self._ends.append((cursor.fetchone()[0], self._number))

    def _read(self):
        while not self._stop.wait(0.002):
            try:
                position = self._graph.position(self._pipeline)
                rows = self._graph.rows("MATCH (n) WHERE n:Watched OR n:WatchedToo RETURN n.number AS number", timeout=5)
            except (GraphUnavailable, GraphError):
                time.sleep(0.2)
                continue
            if position and position[0] and len(rows) == 2 * self._ROWS:
                numbers = [row["number"] for row in rows]
                self._scans.append((position[0], min(numbers), max(numbers)))

    @property
    def scans(self):
        return len(self._scans)

    @property
    def torn(self):
        return sum(least != greatest for _, least, greatest in self._scans)

    def faults(self):
        """Scans that missed what the position had promised."""
        ends = [end for end, _ in self._ends]
        wrong = []
        for position, least, _ in self._scans:
            passed = bisect.bisect_right(ends, position)
            if passed and self._ends[passed - 1][1] > least:
                wrong.append(f"at {position} transaction {self._ends[passed - 1][1]} is promised, and a row is at {least}")
        return wrong
