"""`contextnexus init` that only says what it would do, and the script for an administrator.

Real servers: PostgreSQL and Neo4j. Every test has a database with the schema and an empty graph.
"""

import os
import subprocess

import pytest

from lib import database as postgres
from lib.comparer import Foreign, differences
from lib.database import Database, with_user
from lib.engine import Engine
from lib.world import World

ROLE, PASSWORD = "cnx_init_role", "only-here"


@pytest.fixture
def bare(servers, template):
    """An engine between a database with the schema and an empty graph; nothing is initialised."""
    graph = servers.graph()
    graph.wipe()
    url = postgres.create_database(servers.postgres_url, "cnx_init", template)
    with Database(servers.postgres_url) as admin:
        _forget_role(admin)
    engine = Engine(servers, url)
    try:
        yield engine
    finally:
        engine.kill()
        postgres.drop_database(servers.postgres_url, "cnx_init")
        with Database(servers.postgres_url) as admin:
            _forget_role(admin)
        graph.wipe()


def _forget_role(admin):
    if admin.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", (ROLE,)):
        admin.execute(f"DROP OWNED BY {ROLE}")
        admin.execute(f"DROP ROLE {ROLE}")


def _state(engine):
    """What init could change, on both sides."""
    with Database(engine.admin_url) as database:
        return (database.rows("SELECT pubname FROM pg_publication"),
                database.rows("SELECT rolname FROM pg_roles ORDER BY 1"),
                database.rows("SELECT relname, relacl::text FROM pg_class ORDER BY oid"),
                database.rows("SELECT nspname, nspacl::text FROM pg_namespace ORDER BY oid"),
                database.rows("SELECT * FROM contextnexus.pipelines"),
                engine.servers.graph().rows("MATCH (n) RETURN n"),
                engine.servers.graph().rows("SHOW CONSTRAINTS YIELD name RETURN name ORDER BY name"))


def _psql(url, script):
    return subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"], input=script, text=True,
                          capture_output=True, timeout=120, check=False, env=os.environ)


def test_a_dry_run_says_all_of_it_and_changes_nothing(bare):
    before = _state(bare)
    text = bare.expect("init", "--dry-run", "--role", ROLE).output
    for word in (f'CREATE ROLE "{ROLE}" LOGIN REPLICATION', 'GRANT "contextnexus_engine"', "CREATE PUBLICATION",
                 "CREATE CONSTRAINT", "position node", "contextnexus.pipelines", "nothing was changed"):
        assert word in text, text
    assert _state(bare) == before


def test_what_stands_is_not_planned_again(bare, tmp_path):
    bare.expect("init", "--role", ROLE)
    assert "nothing to do" in bare.expect("init", "--dry-run", "--role", ROLE).output
    with Database(bare.admin_url) as database:
        database.execute("ALTER PUBLICATION contextnexus DROP TABLE public.tags")
        database.execute("REVOKE SELECT ON public.users FROM contextnexus_engine")
    bare.servers.graph().rows("DROP CONSTRAINT contextnexus_Tag_id")
    planned = bare.expect("init", "--dry-run", "--role", ROLE).output.splitlines()[1:]
    assert len(planned) == 3, planned
    assert "GRANT SELECT ON" in planned[0] and "ALTER PUBLICATION" in planned[1] and ":`Tag`" in planned[2], planned
    bare.expect("init", "--role", ROLE)
    assert "nothing to do" in bare.expect("init", "--dry-run", "--role", ROLE).output


def test_a_publication_of_some_operations_is_made_whole(bare):
    bare.expect("init")
    with Database(bare.admin_url) as database:
        database.execute("ALTER PUBLICATION contextnexus SET (publish = 'insert')")
        bare.expect("init")
        assert database.rows("SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication") == [
            [True, True, True, True]]


def test_a_dry_run_shows_no_password(bare, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("TOP-SECRET\n")
    for form in ("--dry-run", "--print-sql"):
        outcome = bare.expect("init", form, "--role", ROLE, "--role-password-file", str(secret))
        assert "TOP-SECRET" not in outcome.text


def test_the_script_changes_nothing_until_it_is_run(bare):
    before = _state(bare)
    bare.expect("init", "--print-sql", "--role", ROLE)
    assert _state(bare) == before


def test_the_script_is_all_that_an_administrator_has_to_run(bare):
    script = bare.expect("init", "--print-sql", "--role", ROLE).output
    for _ in range(2):
        done = _psql(bare.admin_url, script)
        assert done.returncode == 0, done.stderr
        script = bare.expect("init", "--print-sql", "--role", ROLE).output
    with Database(bare.admin_url) as database:
        database.execute(f"ALTER ROLE {ROLE} PASSWORD '{PASSWORD}'")
        World(database, "init").fill_all()
        url = with_user(bare.admin_url, ROLE, PASSWORD)
        bare.expect("init", url=url)  # The graph's part, by the role that runs.
        bare.expect("check", url=url)
        bare.expect("run", "--once", url=url)
        assert differences(database, bare.servers.graph(), Foreign()) == []


def test_the_script_makes_the_engines_schema_where_there_is_none(bare, servers):
    url = postgres.create_database(servers.postgres_url, "cnx_init_own")
    try:
        engine = Engine(servers, url)
        with Database(url) as database:
            database.execute("CREATE TABLE public.notes (id int PRIMARY KEY, text text)")
            mapping = postgres.REPOSITORY / ".local" / "init-notes.yaml"
            mapping.write_text("version: 1\nname: notes\ntables:\n  notes: {node: Note, key: id}\n")
            done = _psql(url, engine.expect("init", "--print-sql", "--mapping", str(mapping)).output)
            assert done.returncode == 0, done.stderr
            assert database.value("SELECT to_regclass('contextnexus.pipelines') IS NOT NULL")
            assert [row[0] for row in database.rows("SELECT tablename FROM pg_publication_tables")] == ["notes"]
    finally:
        postgres.drop_database(servers.postgres_url, "cnx_init_own")


def test_the_two_forms_exclude_each_other(bare):
    assert bare.verb("init", "--dry-run", "--print-sql").code == 2


def test_a_role_that_may_not_is_given_the_sql_and_code_5(bare):
    with Database(bare.admin_url) as database:
        database.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        database.execute(f"GRANT contextnexus_engine TO {ROLE}")
    outcome = bare.verb("init", url=with_user(bare.admin_url, ROLE, PASSWORD))
    assert outcome.code == 5 and "CREATE PUBLICATION" in outcome.output, outcome
    sql = outcome.output.split("Let one that may run:\n")[1]
    assert _psql(bare.admin_url, sql).returncode == 0
    bare.expect("init", url=with_user(bare.admin_url, ROLE, PASSWORD))
