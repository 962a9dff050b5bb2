"""The decoder's workload: captured messages from memory to values, beside PostgreSQL's walsender to nowhere."""

import json
import subprocess
import time

from servers import TOP
from writer import Copies

_PROGRAM = TOP / "build" / "release" / "bench" / "decoder" / "cnx_decoder_bench"
_SLOT = "cnx_bench_nowhere"
_PUBLICATION = "cnx_bench_nowhere"


def changes_per_second(rounds):
    """One core: pgoutput bytes to changes, and on to values."""
    done = subprocess.run([_PROGRAM, "--benchmark_format=json", f"--benchmark_repetitions={rounds}",
                           "--benchmark_filter=messages_to_values"], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {_PROGRAM.name} ended with {done.returncode}: {done.stderr}")
    for run in json.loads(done.stdout)["benchmarks"]:
        if run.get("aggregate_name", "median") == "median":
            rate = run["changes"]
    return rate


def walsender_rows_per_second(bench):
    """The world's rows through pgoutput into /dev/null, by PostgreSQL's own client."""
    database = bench.fresh()
    with database.cursor() as cursor:
        cursor.execute(f"CREATE PUBLICATION {_PUBLICATION} FOR ALL TABLES")
        cursor.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (_SLOT,))
        Copies(bench.world, 100).write(database)
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        end = cursor.fetchone()[0]
        words = ["pg_recvlogical", "--dbname", bench.servers.postgres_url, "--slot", _SLOT, "--start", "--file", "/dev/null",
                 "--endpos", end, "--option", "proto_version=1", "--option", f"publication_names={_PUBLICATION}", "--no-loop"]
        begin = time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        seconds = time.monotonic() - begin
        if done.returncode:
            raise SystemExit(f"bench: pg_recvlogical ended with {done.returncode}: {done.stderr}")
        cursor.execute("SELECT pg_drop_replication_slot(%s)", (_SLOT,))
    return bench.world.rows / seconds
