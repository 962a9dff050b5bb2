"""`contextnexus init --from`: a mapping file from a catalog, of public data sets and of awkward schemas.

Real server: PostgreSQL. The data sets are those of the folder that CONTEXTNEXUS_DATASETS names (its `load` puts one into a database);
what is inferred from each is held in examples/inferred. To renew those: CONTEXTNEXUS_RENEW=1.
"""

import json
import os
import pathlib
import subprocess
from urllib.parse import unquote, urlsplit

import pytest

from lib import database as postgres
from lib.engine import Outcome, binary

EXAMPLES = postgres.REPOSITORY / "examples" / "inferred"
DATASETS = os.environ.get("CONTEXTNEXUS_DATASETS", "")


def contextnexus(*words, folder):
    ours = ("CONTEXTNEXUS_", "PG", "CNX_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run([str(binary()), *words], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=120, check=False, stdin=subprocess.DEVNULL)
    return Outcome(done.returncode, done.stdout, done.stderr)


class Schema:
    """A database of the test's own, and the folder in which its mapping is made."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder

    def execute(self, sql):
        with postgres.Database(self.url) as database:
            database.execute(sql)

    def init(self, *words):
        return contextnexus("init", "--from", self.url, *words, folder=self.folder)

    def text(self, *words):
        outcome = self.init("--mapping", "-", *words)
        assert outcome.code == 0, outcome
        return outcome.output

    def fits(self):
        """Writes mapping.yaml, and lets the program take every table of it without an edit."""
        outcome = self.init("--json")
        assert outcome.code == 0, outcome
        prepared = contextnexus("init", "--print-sql", "--role", "reader", "--postgres", self.url, "--mapping", "mapping.yaml",
                                folder=self.folder)
        assert prepared.code == 0 and "CREATE PUBLICATION" in prepared.output, prepared
        return json.loads(outcome.output)

    def explain(self, table):
        outcome = contextnexus("explain", table, "--json", "--postgres", self.url, "--mapping", "mapping.yaml", folder=self.folder)
        assert outcome.code == 0, outcome
        return json.loads(outcome.output)


@pytest.fixture
def schema(servers, tmp_path):
    url = postgres.create_database(servers.postgres_url, "cnx_infer")
    yield Schema(url, tmp_path)
    postgres.drop_database(servers.postgres_url, "cnx_infer")


@pytest.mark.skipif(not DATASETS, reason="CONTEXTNEXUS_DATASETS is not set: no folder with public data sets to infer mappings from")
@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_a_public_data_set_gives_the_mapping_that_is_kept(servers, tmp_path, name):
    url = urlsplit(servers.postgres_url)
    libpq = {"PGHOST": url.hostname, "PGPORT": str(url.port), "PGUSER": unquote(url.username), "PGPASSWORD": unquote(url.password or "")}
    subprocess.run([str(pathlib.Path(DATASETS) / "load"), name], env=os.environ | libpq, check=True, timeout=600, capture_output=True)
    try:
        outcome = contextnexus("init", "--from", postgres.with_database(servers.postgres_url, name), "--mapping", "-", folder=tmp_path)
    finally:
        postgres.drop_database(servers.postgres_url, name)
    assert outcome.code == 0, outcome
    kept = EXAMPLES / f"{name}.yaml"
    if os.environ.get("CONTEXTNEXUS_RENEW"):
        kept.write_text(outcome.output)
    assert outcome.output == kept.read_text()


def test_what_is_inferred_is_taken_without_an_edit(schema):
    schema.execute("""
        CREATE TABLE customers (id int PRIMARY KEY, name text, password_hash text);
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, placed_by int REFERENCES customers,
                             total numeric(10,2), doubled numeric GENERATED ALWAYS AS (total * 2) STORED, words tsvector);
        CREATE TABLE tags (code text PRIMARY KEY);
        CREATE TABLE order_tags (order_id bigint REFERENCES orders, tag_code text REFERENCES tags, since date, PRIMARY KEY (tag_code, order_id));
        CREATE TABLE notes (line text);
        CREATE VIEW totals AS SELECT sum(total) FROM orders;
        COMMENT ON TABLE customers IS E'Who buys.\\nAnd more.'; COMMENT ON COLUMN customers.name IS 'As on the invoice: "Ada"'""")
    done = schema.fits()
    assert done == {"file": "mapping.yaml", "nodes": 3, "relationships": 1, "foreign_keys": 2, "left_out": [
        {"table": "public.notes", "reason": "it has no primary key, nor a unique one on NOT NULL columns, so that a row could not be found again"},
        {"table": "public.totals", "reason": "a view: map the tables that it reads"}]}
    text = (schema.folder / "mapping.yaml").read_text()
    assert text == schema.text()
    assert "  # Who buys.\n  # name: As on the invoice: \"Ada\"\n  customers:\n" in text and "And more" not in text
    assert schema.explain("orders")["left_out"] == ["doubled", "words"]
    assert [each["pattern"] for each in schema.explain("orders")["relationships"]] == [
        "(:Order)-[:HAS_CUSTOMER]->(:Customer)", "(:Order)-[:PLACED_BY]->(:Customer)"]
    assert schema.explain("order_tags")["pattern"] == "(:Order)-[:HAS_TAG]->(:Tag)"
    assert schema.explain("customers")["left_out"] == ["password_hash"]


def test_a_file_tells_nothing_of_the_server_and_is_never_overwritten(schema):
    schema.execute("CREATE TABLE a (id int PRIMARY KEY)")
    url = urlsplit(schema.url)
    assert schema.init().code == 0
    path = schema.folder / "mapping.yaml"
    kept = path.read_text()
    assert not [word for word in (url.hostname, str(url.port), url.password) if word and word in kept]
    again = schema.init()
    assert again.code == 2 and "not overwritten" in again.errors and "--mapping" in again.errors, again
    assert path.read_text() == kept
    assert schema.init("--mapping", "other.yaml").code == 0
    assert (schema.folder / "other.yaml").read_text() == kept
    assert schema.init("--mapping", "no/such/folder.yaml").code == 2


def test_names_of_every_kind_keep_their_meaning(schema):
    schema.execute('''
        CREATE SCHEMA "a.b";
        CREATE TABLE "a.b"."Mixed Case``""x" ("Id" int PRIMARY KEY, "or``der" int, "sélect" text, "no" text, "null" text, "_cnx_" int);
        CREATE TABLE "a.b"."y" ("1" int PRIMARY KEY, "# it's" int REFERENCES "a.b"."Mixed Case``""x");
        CREATE TABLE "y" ("on" int PRIMARY KEY, created_at date, "createdAt" date);
        CREATE TABLE "q.r" (id int PRIMARY KEY, y int REFERENCES "y");
        CREATE TABLE "context_nexus" (id int PRIMARY KEY);
        CREATE TABLE "line\u2028feed" (id int PRIMARY KEY, "tab\tbed" text);
        COMMENT ON TABLE "y" IS E'a\u2028tables: {evil: none}' ''')
    done = schema.fits()
    assert (done["nodes"], done["foreign_keys"], done["left_out"]) == (6, 2, [])
    assert schema.explain('a.b.Mixed Case``"x')["name"] == 'Mixed Case``"x'
    assert schema.explain("context_nexus")["name"] == "TableContextNexus"
    assert schema.explain("public.y")["key"] == ["on"]
    assert {p["property"]: p["from"] for p in schema.explain("public.y")["properties"]} == {
        "on": "on", "created_at": "created_at", "createdAt": "createdAt"}
    assert {p["property"] for p in schema.explain('a.b.Mixed Case``"x')["properties"]} >= {"cnx_", "no", "null"}
    assert schema.explain("a.b.y")["relationships"][0]["columns"] == ["# it's"]


def test_what_the_log_does_not_carry_or_tell_is_left_out_with_its_reason(schema):
    schema.execute("""
        CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
        CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
        CREATE TABLE unique_only (code text NOT NULL UNIQUE);
        CREATE TABLE by_index (code text NOT NULL UNIQUE, note text); ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code_key;
        CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
        CREATE TABLE sessions (token text PRIMARY KEY);
        CREATE TABLE owned (id int PRIMARY KEY); ALTER EXTENSION plpgsql ADD TABLE owned;
        CREATE SCHEMA contextnexus; CREATE TABLE contextnexus.pipelines (id int PRIMARY KEY);
        CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (PRIMARY KEY (id)) INHERITS (parents);
        CREATE TABLE parts (id int, day date, parent_id int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        ALTER TABLE parts_1 ADD FOREIGN KEY (parent_id) REFERENCES parents""")
    text = schema.text()
    for line in ("fleeting: none", "late: none", "nothing: none", "sessions: none", "unique_only: none"):
        assert f"\n  {line}\n" in text, text
    for part in ("DEFERRABLE", "unlogged", "ALTER TABLE public.fleeting SET LOGGED", "(token) looks like a secret",
                 "REPLICA IDENTITY USING INDEX\n  # unique_only_code_key", "ALTER TABLE public.nothing REPLICA IDENTITY DEFAULT",
                 "  by_index:\n    node: ByIndex\n    key: code\n", "Inherits from public.parents",
                 "  # Partitioned: 1 partition, whose rows are this table's.\n  parts:\n    node: Part\n    key: [id, day]\n",
                 "- HAS_PARENT: {to: {parents: parent_id}}"):
        assert part in text.replace("INDEX unique_only", "INDEX\n  # unique_only"), (part, text)
    assert "owned" not in text and "pipelines" not in text and "parts_1" not in text


def test_schemas_are_chosen_by_name(schema):
    schema.execute("""
        CREATE SCHEMA sales; CREATE SCHEMA "Sales"; CREATE TABLE customers (id int PRIMARY KEY);
        CREATE TABLE sales.orders (id int PRIMARY KEY, customer_id int REFERENCES customers);
        CREATE TABLE "Sales".orders (id int PRIMARY KEY)""")
    assert "sales" in schema.text() and "customers" in schema.text()
    text = schema.text("--schema", "sales")
    assert "\nschema: sales\n" in text and "\n  customers:" not in text
    assert "# No relationship for orders_customer_id_fkey: public.customers has no node." in text
    assert "HAS_CUSTOMER: {to: {customers: customer_id}}" in schema.text("--schema", "sales", "--schema", "public")
    missing = schema.init("--schema", "SALES")
    assert missing.code == 2 and "SALES" in missing.errors, missing


def test_nothing_to_map_is_an_error_that_says_so(schema):
    empty = schema.init("--json")
    assert empty.code == 2 and json.loads(empty.errors)["error"], empty
    schema.execute("CREATE VIEW v AS SELECT 1 AS one")
    assert "views" in schema.init().errors
    assert not (schema.folder / "mapping.yaml").exists()
    both = schema.init("--postgres", schema.url)
    assert both.code == 2, both
    assert contextnexus("init", "--schema", "public", folder=schema.folder).code == 2
