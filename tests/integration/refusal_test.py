"""What the engine refuses to go on from (I9), rows that it must not miss in silence, and two engines at once.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import signal
import time

import pytest

from lib import database as postgres
from lib.engine import ROLE
from lib.live import database_and_engine, expect_equal
from lib.world import World


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_refusal") as made:
        yield made


def _fill(line, tenants=1):
    return [World(line.database, f"refusal {number}").fill_all() for number in range(tenants)]


def _add(world, count):
    for _ in range(count):
        world.add_default("tags")


# Nothing moves until a person has chosen the cure that the refusal names.

def _expect_refusal(line, *words, url=None):
    outcome = line.engine.verb("run", "--once", url=url or line.engine.url, timeout=60)
    assert outcome.code != 0, f"it went on:\n{outcome.text}"
    text = outcome.text.lower()
    missing = [word for word in words if word not in text]
    assert not missing, f"the answer does not speak of {missing}:\n{outcome.text}"


def _ready(line):
    world, *_ = _fill(line)
    line.engine.once()
    _add(world, 3)
    line.engine.once()
    return world


def test_refuses_a_graph_that_was_set_back(line):
    _ready(line)
    line.graph.rows("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) SET p.lsn = p.lsn - 1000000")
    before = line.graph.rows("MATCH (n) RETURN n ORDER BY elementId(n)")
    _expect_refusal(line, "restored")
    assert line.graph.rows("MATCH (n) RETURN n ORDER BY elementId(n)") == before


def test_refuses_a_position_beyond_the_end_of_the_servers_log(line):
    _ready(line)
    line.graph.rows("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) SET p.lsn = p.lsn + 1000000000000")
    _expect_refusal(line, "beyond")


def test_refuses_a_graph_that_lost_its_position(line):
    _ready(line)
    line.graph.rows("MATCH (p:ContextNexusPosition) DETACH DELETE p")
    _expect_refusal(line, "position")


def test_refuses_a_slot_that_is_gone(line):
    _ready(line)
    line.database.drop_slot()
    _expect_refusal(line, "slot")


def test_refuses_a_slot_that_was_made_anew(line):
    world = _ready(line)
    name = line.database.slot()["slot_name"]
    line.database.drop_slot()
    _add(world, 3)
    line.database.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (name,))
    _expect_refusal(line, "slot")


def test_refuses_another_database(line, servers):
    _ready(line)
    line.database.close()
    postgres.create_database(servers.postgres_url, "cnx_refusal_copy", "cnx_refusal")
    line.database = postgres.Database(line.engine.admin_url)
    try:
        _expect_refusal(line, "database", url=postgres.with_database(line.engine.url, "cnx_refusal_copy"))
    finally:
        postgres.drop_database(servers.postgres_url, "cnx_refusal_copy")


def test_goes_on_where_the_slot_is_behind_the_graph(line):
    """Normal: PostgreSQL keeps the slot's place lazily, so after a crash it is behind the graph."""
    _ready(line)
    line.graph.rows("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) SET p.lsn = $lsn",
                    lsn=line.database.current_lsn())
    line.engine.once()
    expect_equal(line.database, line.graph)


# Row-level security.

def test_the_engines_role_reads_all_tenants_without_being_exempt(line):
    _fill(line, 2)
    role = line.database.rows("SELECT rolsuper, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = %s", (ROLE,))
    assert [list(row) for row in role] == [[False, False, True]]
    line.engine.once()
    expect_equal(line.database, line.graph)
    assert line.graph.value("MATCH (n:Tenant) RETURN count(n)") == 2


@pytest.mark.parametrize("fault", (
    "DROP POLICY engine_sees_all ON public.tags",
    "CREATE POLICY fewer ON public.tags AS RESTRICTIVE USING (color IS NULL)",
))
def test_rows_hidden_by_row_level_security_are_an_error(fault, line):
    _fill(line)
    line.database.execute(fault)
    _expect_refusal(line, "tags")
    assert line.graph.value("MATCH (n:Tag) RETURN count(n)") == 0


# Two of them.

def test_a_second_instance_does_no_harm(line):
    world, *_ = _fill(line)
    line.engine.start()
    line.sync()
    second = line.engine.verb("run", "--once", url=line.engine.url, timeout=60)
    assert line.engine.running(), line.engine.tail()
    _add(world, 5)
    line.sync()
    expect_equal(line.database, line.graph)
    assert second.code != 0, "two at once say that all is well"


def test_an_owner_that_was_away_is_fenced_by_the_next_ones_epoch(line, servers):
    world, *_ = _fill(line)
    line.engine.start()
    line.sync()
    epoch = line.graph.value("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN p.epoch")
    line.engine.signal(signal.SIGSTOP)
    _add(world, 5)
    line.database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND application_name = 'contextnexus'")
    next_owner = type(line.engine)(servers, line.engine.admin_url)
    next_owner.once()
    assert line.graph.value("MATCH (p:ContextNexusPosition {key: 'contextnexus/0'}) RETURN p.epoch") > epoch
    line.engine.signal(signal.SIGCONT)
    _add(world, 5)
    time.sleep(2)
    line.engine.kill()
    next_owner.once()
    expect_equal(line.database, line.graph)
