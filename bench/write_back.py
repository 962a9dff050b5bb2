#!/usr/bin/env python3
"""What the write-back costs: log and CPU a row with and without it, and a sweep over many pending rows.

    bench/write_back.py [--dir DIR] [--rows N] [--program FILE]

On servers of its own (scripts/services), with the built-in schema. Prints one JSON line a measurement; docs/write-back.md holds
what it gave. Rows are messages with bodies of 200 characters, inserted by transactions of 100 while the engine runs.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "bench"), str(TOP / "tests" / "integration")]

import processes  # noqa: E402
from lib import database as postgres  # noqa: E402
from lib import servers as servers_module  # noqa: E402
from lib.engine import Engine  # noqa: E402
from lib.world import World  # noqa: E402

_DATABASE = "cnx_bench_write_back"


class Bench:
    def __init__(self, servers, rows, program):
        self.servers, self.rows, self.program = servers, rows, program

    def _fresh(self):
        graph = self.servers.graph()
        graph.wipe()
        url = postgres.create_database(self.servers.postgres_url, _DATABASE)
        postgres.install_schema(url)
        engine = Engine(self.servers, url, program=self.program)
        engine.init()
        database = postgres.Database(url)
        return engine, database, World(database, "write-back").fill_all()

    def _fill(self, database, world, rows):
        for first in range(0, rows, 100):
            database.execute("INSERT INTO public.messages (id, tenant_id, thread_id, body) SELECT gen_random_uuid(), %s, %s, "
                             "repeat('x', 200) FROM generate_series(1, %s)", (world.tenant, world.thread, min(100, rows - first)))

    def _spent(self, engine, database):
        postmaster = int((pathlib.Path(self.servers.directory) / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        return {"wal": database.current_lsn(), "engine": processes.cpu_seconds(engine.process.pid),
                "postgres": processes.family_cpu_seconds(postmaster)}

    def stream(self, write_back):
        """Rows inserted while the engine runs: log bytes and CPU a row, until all is in the graph and written back."""
        engine, database, world = self._fresh()
        words = () if write_back else ("--no-write-back",)
        engine.expect("run", "--once", *words, url=engine.url)
        database.execute("CHECKPOINT")
        engine.start(*words)
        engine.catch_up()
        before, started = self._spent(engine, database), time.monotonic()
        self._fill(database, world, self.rows)
        engine.catch_up(600)
        while write_back and database.value("SELECT count(*) FROM public.messages WHERE neo4j_sync_status = 'pending'"):
            time.sleep(0.05)
        seconds, after = time.monotonic() - started, self._spent(engine, database)
        hot = database.value("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'messages'")
        engine.terminate()
        database.close()
        return {"measured": "stream", "write_back": write_back, "rows": self.rows, "seconds": round(seconds, 2),
                "wal_bytes_a_row": round((after["wal"] - before["wal"]) / self.rows),
                "engine_cpu_us_a_row": round((after["engine"] - before["engine"]) * 1e6 / self.rows, 1),
                "postgres_cpu_us_a_row": round((after["postgres"] - before["postgres"]) * 1e6 / self.rows, 1),
                "hot_updates": hot}

    def sweep(self, rows):
        """Rows that are in the graph and pending: the time, the log and the memory until none is."""
        engine, database, world = self._fresh()
        self._fill(database, world, rows)
        engine.expect("run", "--once", "--no-write-back", url=engine.url, timeout=900)
        database.execute("CHECKPOINT")
        before, started = database.current_lsn(), time.monotonic()
        done = subprocess.Popen([str(self.program), "run", "--once"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=os.environ | {"CONTEXTNEXUS_POSTGRES": engine.url,
                                                  "CONTEXTNEXUS_NEO4J": self.servers.neo4j_url})
        _, status, usage = os.wait4(done.pid, 0)
        seconds, after = time.monotonic() - started, database.current_lsn()
        left = database.value("SELECT count(*) FROM public.messages WHERE neo4j_sync_status = 'pending'")
        assert status == 0 and left == 0, (status, left)
        database.close()
        return {"measured": "sweep", "rows": rows, "seconds": round(seconds, 1), "rows_per_second": round(rows / seconds),
                "wal_bytes_a_row": round((after - before) / rows), "engine_rss_mb_max": round(usage.ru_maxrss / 1024),
                "engine_cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1)}

    def close(self):
        self.servers.graph().wipe()
        postgres.drop_database(self.servers.postgres_url, _DATABASE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", default=".local/bench")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--swept", type=int, default=200_000)
    parser.add_argument("--program", type=pathlib.Path, default=TOP / "build" / "release" / "contextnexus")
    arguments = parser.parse_args()
    servers = servers_module.start(TOP / arguments.dir)
    bench = Bench(servers, arguments.rows, arguments.program)
    try:
        for measure in (lambda: bench.stream(False), lambda: bench.stream(True), lambda: bench.sweep(arguments.swept)):
            print(json.dumps(measure()), flush=True)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
