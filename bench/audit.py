"""What the audit costs: the stream's rate and CPU at each level, in turns, beside the level `off` of the same round."""

from measure import Meter
from verify import expect_equal
from workloads import last_link
from writer import Copies

LEVELS = ("off", "failures", "batches", "all")


def _stream(bench, level):
    """As the workload `stream`; what is committed when the time ends is in the graph and, at `all`, soon in the audit."""
    database = bench.fresh()
    copies = Copies(bench.world, 100)
    condition, parameters = last_link(bench.world)
    bench.engine.init()
    bench.engine.start("--set", f"audit.level={level}")
    bench.wait_until("MATCH (p:ContextNexusPosition {key: 'cnx_bench/0'}) RETURN p.phase", "stream")
    meter = Meter(bench.servers, bench.engine)
    copies.write(database)
    bench.wait_until(*condition, **parameters)
    figures = meter.stop(bench.world.rows)
    bench.engine.stop()
    expect_equal(database, bench.servers.graph)
    _expect_audit(database, level, bench.world.rows)
    return figures


def _expect_audit(database, level, rows):
    """A level that wrote less than it says would look cheap."""
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FILTER (WHERE operation = 'insert'), count(*) FILTER (WHERE operation = 'batch' AND outcome = 'applied') "
                       "FROM contextnexus.audit_log")
        changes, batches = cursor.fetchone()
    if changes != (rows if level == "all" else 0) or (batches > 0) != (level in ("batches", "all")):
        raise SystemExit(f"bench: at the level {level} the audit has {changes} changes and {batches} batches")


def levels(bench):
    """{level: [(its figures, those of `off` in the same round)]}."""
    taken = {level: [] for level in LEVELS}
    if bench.options.warm:
        _stream(bench, "off")  # Uncounted: the server has run what follows.
    for number in range(bench.options.rounds):
        # Each level is the first in some round: a server that warms up favours none.
        first = number % len(LEVELS)
        figures = {level: _stream(bench, level) for level in LEVELS[first:] + LEVELS[:first]}
        for level in LEVELS:
            taken[level].append((figures[level], figures["off"]))
            mine = figures[level]
            cpu = ", ".join(f"{name} {mine.microseconds_a_row(name):.1f}" for name in ("engine", "neo4j", "postgres", "bench") if name in mine.cpu)
            bench.say(f"  round {number + 1}, {level}: {mine.rate:,.0f} rows/s, {mine.rate / figures['off'].rate:.3f} of off; CPU µs a row: {cpu}; "
                      f"others {mine.foreign:.2f} cores")
    return taken
