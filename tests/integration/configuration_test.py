"""The configuration file, the environment and the flags; secrets that are rotated; the log's forms; --json.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json
import os
import subprocess
from urllib.parse import unquote, urlsplit

import pytest

from lib.database import Database
from lib.engine import PASSWORD, ROLE, Outcome
from lib.live import database_and_engine, expect_equal
from lib.world import World


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_configuration") as made:
        yield made


class Place:
    """A folder with a configuration file, from which verbs run with no variable of ours set."""

    def __init__(self, line, folder):
        self.line, self.folder = line, folder
        self.postgres, self.neo4j = urlsplit(line.database.url), urlsplit(line.engine.servers.neo4j_url)

    def environment(self, **more):
        ours = ("CONTEXTNEXUS_", "PG", "CNX_")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more

    def write(self, text, name="contextnexus.yaml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *words, **variables):
        done = subprocess.run([str(self.line.engine.program), *words], cwd=self.folder, env=self.environment(**variables),
                              capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def expect(self, *words, **variables):
        outcome = self.run(*words, **variables)
        assert outcome.code == 0, outcome
        return outcome

    @property
    def address(self):
        return f"{self.postgres.hostname}:{self.postgres.port}{self.postgres.path}"


@pytest.fixture
def place(line, tmp_path):
    return Place(line, tmp_path)


def whole_file(place):
    return (f"postgres:\n  url: postgresql://{ROLE}@{place.address}\n  password: file:secrets/postgres\n"
            f"neo4j:\n  url: bolt://{place.neo4j.hostname}:{place.neo4j.port}\n  user: {place.neo4j.username}\n"
            "  password: ${GRAPH_PASSWORD}\n")


def secret(place, name, text):
    (place.folder / "secrets").mkdir(exist_ok=True)
    (place.folder / "secrets" / name).write_text(text + "\n")


# Where what is said comes from.

def test_a_file_in_the_working_directory_is_all_that_is_needed(line, place):
    World(line.database, "file").fill_all()
    place.write(whole_file(place))
    secret(place, "postgres", PASSWORD)
    password = unquote(place.neo4j.password)
    place.expect("run", "--once", GRAPH_PASSWORD=password)
    expect_equal(line.database, line.graph)
    named = place.write(whole_file(place), name="other.yaml")
    (place.folder / "contextnexus.yaml").unlink()
    place.expect("status", "--config", str(named), GRAPH_PASSWORD=password)
    place.expect("status", GRAPH_PASSWORD=password, CONTEXTNEXUS_CONFIG=str(named))
    assert "which PostgreSQL?" in place.run("status", GRAPH_PASSWORD=password).errors


def test_flags_win_over_variables_over_the_file(line, place):
    place.write(whole_file(place) + "pipeline: of_the_file\n")
    secret(place, "postgres", PASSWORD)
    known = {"GRAPH_PASSWORD": unquote(place.neo4j.password)}

    def pipeline(*words, **variables):
        return json.loads(place.expect("status", "--json", *words, **known, **variables).output)["pipeline"]

    assert pipeline() == "of_the_file"
    assert pipeline(CONTEXTNEXUS_PIPELINE="of_the_variable") == "of_the_variable"
    assert pipeline("--pipeline", "of_the_flag", CONTEXTNEXUS_PIPELINE="of_the_variable") == "of_the_flag"
    assert pipeline("--set", "pipeline=of_the_set", CONTEXTNEXUS_PIPELINE="of_the_variable") == "of_the_set"


def test_two_urls_as_flags_suffice(line, place):
    World(line.database, "flags").fill_all()
    url = f"postgresql://{ROLE}:{PASSWORD.replace(' ', '%20').replace(chr(39), '%27')}@{place.address}"
    place.expect("run", "--once", "--postgres", url, "--neo4j", line.engine.servers.neo4j_url)
    expect_equal(line.database, line.graph)


def test_all_faults_are_told_at_once_with_their_places_and_code_2(line, place):
    place.write("postgres: {ulr: x}\napply:\n  batch_rows: many\nneo4j:\n  password: ${NOT_SET_AT_ALL}\n")
    outcome = place.run("run", "--set", "log.levle=info")
    assert outcome.code == 2
    for word in ("contextnexus.yaml:1:12: unknown key `ulr`", "did you mean `url`?", "contextnexus.yaml:3:15: `apply.batch_rows`",
                 "contextnexus.yaml:5:13: the variable NOT_SET_AT_ALL is not set", "did you mean `log.level`?"):
        assert word in outcome.errors, outcome.errors


@pytest.mark.parametrize("form", ("keywords", "variables", "service", "password file"))
def test_libpqs_own_forms_and_settings_work(form, line, place):
    host, port, name = place.postgres.hostname, str(place.postgres.port), place.postgres.path[1:]
    quoted = PASSWORD.replace("'", "\\'")
    graph = {"CONTEXTNEXUS_NEO4J": line.engine.servers.neo4j_url}
    if form == "keywords":
        place.expect("status", "--postgres", f"host={host} port={port} user={ROLE} dbname={name} password='{quoted}'", **graph)
    elif form == "variables":
        place.expect("status", PGHOST=host, PGPORT=port, PGUSER=ROLE, PGDATABASE=name, PGPASSWORD=PASSWORD, **graph)
    elif form == "service":
        services = place.write(f"[mine]\nhost={host}\nport={port}\nuser={ROLE}\ndbname={name}\npassword={PASSWORD}\n", "services")
        for given in ({"CONTEXTNEXUS_POSTGRES": "service=mine"}, {"PGSERVICE": "mine"}):
            place.expect("status", PGSERVICEFILE=str(services), **given, **graph)
    else:
        passwords = place.write(f"{host}:{port}:{name}:{ROLE}:{PASSWORD}\n", "passwords")
        passwords.chmod(0o600)
        place.expect("status", PGPASSFILE=str(passwords), CONTEXTNEXUS_POSTGRES=f"postgres://{ROLE}@{place.address}", **graph)


@pytest.mark.parametrize("url, word", (
    ("http://h", "the scheme must be bolt"), ("bolt://h/db", "the database has an option of its own"),
    ("bolt://:x@h", "the user is empty"), ("bolt://h?x=1", "a query"), ("bolt://u:TOP%SECRET@h", "hexadecimal"),
))
def test_a_wrong_neo4j_url_is_told_without_its_text(url, word, line, place):
    outcome = place.run("status", CONTEXTNEXUS_POSTGRES=line.engine.url, CONTEXTNEXUS_NEO4J=url)
    assert outcome.code == 2 and word in outcome.text and "SECRET" not in outcome.text, outcome


def test_tls_is_never_given_up_for_a_plain_connection(line, place):
    for scheme in ("bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc"):
        url = line.engine.servers.neo4j_url.replace("bolt://", scheme + "://")
        outcome = place.run("status", CONTEXTNEXUS_POSTGRES=line.engine.url, CONTEXTNEXUS_NEO4J=url)
        assert outcome.code in (1, 4) and unquote(place.neo4j.password) not in outcome.text, (scheme, outcome)


def test_a_routed_url_works_with_one_server(line, place):
    World(line.database, "routed").fill_all()
    url = line.engine.servers.neo4j_url.replace("bolt://", "neo4j://")
    place.expect("run", "--once", CONTEXTNEXUS_POSTGRES=line.engine.url, CONTEXTNEXUS_NEO4J=url)
    expect_equal(line.database, line.graph)


# Secrets.

def test_a_rotated_postgresql_password_works_without_a_restart(line, place):
    world = World(line.database, "rotated").fill_all()
    secret(place, "postgres", PASSWORD)
    config = place.write(whole_file(place))
    environment = {"CONTEXTNEXUS_POSTGRES": f"postgresql://{ROLE}@{place.address}",
                   "GRAPH_PASSWORD": unquote(place.neo4j.password), "PGPASSWORD": "", "PGPASSFILE": "/nonexistent"}
    line.engine.start("--config", str(config), environment=environment)
    line.sync()
    try:
        with Database(line.engine.admin_url) as admin:
            admin.execute(f"ALTER ROLE {ROLE} PASSWORD 'quite another'")
            admin.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))
        # Between the two changes the login is refused, and tried again.
        line.engine.wait_for_log("password authentication failed")
        secret(place, "postgres", "quite another")
        world.add_default("tags")
        line.expect_equal()
        assert line.engine.terminate() == 0
    finally:
        with Database(line.engine.admin_url) as admin:
            admin.execute(f"ALTER ROLE {ROLE} PASSWORD %s", (PASSWORD,))


def test_a_rotated_neo4j_password_works_without_a_restart(line, place):
    world = World(line.database, "rotated").fill_all()
    line.graph.rows("CREATE USER cnx_rotated IF NOT EXISTS SET PASSWORD 'the first one' CHANGE NOT REQUIRED")
    try:
        secret(place, "neo4j", "the first one")
        config = place.write("neo4j: {user: cnx_rotated, password: file:secrets/neo4j}\n")
        plain = f"bolt://{place.neo4j.hostname}:{place.neo4j.port}"
        line.engine.start("--config", str(config), environment={"CONTEXTNEXUS_NEO4J": plain})
        line.engine.wait_for_log("following")
        world.add_default("tags")
        line.sync()
        line.graph.rows("ALTER USER cnx_rotated SET PASSWORD 'the second one' CHANGE NOT REQUIRED")
        ids = [row["connectionId"] for row in line.graph.rows("CALL dbms.listConnections() YIELD connectionId, username "
                                                              "WHERE username = 'cnx_rotated' RETURN connectionId")]
        assert ids
        line.graph.rows("CALL dbms.killConnections($ids)", ids=ids)
        world.add_default("tags")
        line.engine.wait_for_log("Unauthorized")
        secret(place, "neo4j", "the second one")
        line.expect_equal()
        assert line.engine.terminate() == 0
    finally:
        line.engine.kill()
        line.graph.rows("DROP USER cnx_rotated IF EXISTS")


def test_a_secret_of_the_configuration_is_in_no_output(line, place):
    place.write(f"postgres: {{url: 'postgresql://{ROLE}@{place.address}', password: TOP-SECRET-1}}\n"
                f"neo4j: {{url: 'bolt://{place.neo4j.hostname}:{place.neo4j.port}', user: x, password: TOP-SECRET-2, "
                "bearer_token: TOP-SECRET-3}\n")
    outcomes = [place.run(*words) for words in (("status",), ("status", "--json"), ("check",), ("run", "--once", "--log-level", "debug"),
                                                ("status", "--set", "neo4j.bearer_tokem=TOP-SECRET-4"))]
    place.write(f"postgres: {{url: 'postgresql://{ROLE}@{place.address}', password: TOP-SECRET-1}}\n"
                f"neo4j: {{url: 'bolt://{place.neo4j.hostname}:{place.neo4j.port}', user: x, password: TOP-SECRET-2}}\n")
    outcomes += [place.run("status"), place.run("check", "--json"), place.run("run", "--once")]
    for outcome in outcomes:
        assert outcome.code != 0 and "TOP-SECRET" not in outcome.text, outcome


# The log and --json.

def test_the_log_is_one_json_object_a_line_where_it_is_asked_for(line):
    World(line.database, "log").fill_all()
    errors = line.engine.expect("run", "--once", "--log-format", "json", url=line.engine.url).errors
    lines = [json.loads(text) for text in errors.splitlines()]
    assert any("copied" in entry["message"] for entry in lines)
    assert all({"ts", "level", "event", "message", "pipeline"} <= set(entry) and entry["level"] == "info" for entry in lines), lines
    quiet = line.engine.expect("run", "--once", "--log-level", "error", url=line.engine.url)
    assert quiet.text == ""


@pytest.mark.parametrize("words", (("status",), ("check",), ("init", "--dry-run"), ("init",), ("explain", "tags"), ("pause",), ("resume",),
                                   ("version",), ("schema install",), ("drop", "--yes"), ("init", "--print-sql")), ids=" ".join)
def test_what_a_machine_may_read_is_json(words, line):
    outcome = line.engine.verb(*words, "--json")
    assert outcome.code == 0, outcome
    assert isinstance(json.loads(outcome.output), dict) and outcome.errors == ""


@pytest.mark.parametrize("words, code", ((("status",), 4), (("run", "--once"), 4), (("drop",), 4), (("init",), 4), (("explain", "tags"), 4),
                                         (("pause",), 4), (("schema install",), 4)), ids=str)
def test_an_error_is_json_on_standard_error_where_json_was_asked_for(words, code, line):
    extra = () if words[0] == "run" else ("--json",)
    outcome = line.engine.verb(*words, *extra, url="postgresql://nobody:TOP-SECRET@127.0.0.1:1/x", timeout=120)
    assert outcome.code == code and outcome.output == "" and "TOP-SECRET" not in outcome.errors, outcome
    if extra:
        told = json.loads(outcome.errors)
        assert told["exit_code"] == code and told["error"]["kind"] == "unavailable" and told["error"]["message"]


def test_drop_as_json_is_not_asked_and_says_what_was_there(line):
    outcome = line.engine.verb("drop", "--json")
    assert outcome.code == 2 and "--yes" in json.loads(outcome.errors)["error"]["advice"]
    told = json.loads(line.engine.expect("drop", "--json", "--yes").output)
    assert (told["publication"], told["position"], told["slot"], told["removed"]) == (True, True, False, True)
    assert not json.loads(line.engine.expect("drop", "--json", "--yes").output)["removed"]
