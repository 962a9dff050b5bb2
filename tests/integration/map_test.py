"""`contextnexus map check` and `map show`: the mapping by itself, against PostgreSQL alone."""

import json
import re
import xml.etree.ElementTree

import pytest

from lib import database as postgres
from lib.engine import Engine

_TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, name text, referred_by int REFERENCES customers);
CREATE TABLE orders (id bigint PRIMARY KEY, customer int REFERENCES customers, total numeric, paid boolean);
CREATE TABLE likes (a int REFERENCES customers, b bigint REFERENCES orders, since date, PRIMARY KEY (a, b));
CREATE TABLE settings (name text PRIMARY KEY, value text);
"""
_MAPPING = """version: 1
name: shop
tables:
  customers: {node: [Customer, Party], key: id, relationships: [REFERRED: {from: {customers: referred_by}}]}
  orders: {node: Order, key: id, relationships: [PLACED: {from: {customers: customer}}]}
  likes: {relationship: LIKES, from: {customers: a}, to: {orders: b}, properties: [since]}
  settings: none
"""


@pytest.fixture
def engine(servers, tmp_path):
    url = postgres.create_database(servers.postgres_url, "cnx_map")
    mapping = tmp_path / "shop.yaml"
    mapping.write_text(_MAPPING)
    made = Engine(servers, url)
    made.file = mapping
    with postgres.Database(url) as database:
        database.execute(_TABLES)
        made.database = database
        yield made
    postgres.drop_database(servers.postgres_url, "cnx_map")


def test_a_mapping_that_fits_is_said_to(engine):
    told = engine.expect("map check", "--mapping", str(engine.file)).output
    assert "faults: 0" in told
    assert json.loads(engine.expect("map check", "--mapping", str(engine.file), "--json").output)["faults"] == 0


def test_all_faults_are_told_at_once_each_with_its_cure(engine):
    engine.file.write_text(_MAPPING.replace("customer}}", "costumer}}").replace("[since]", "[sinse]"))
    engine.database.execute("ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE")
    outcome = engine.verb("map check", "--mapping", str(engine.file), "--json")
    assert outcome.code == 1
    findings = [each for each in json.loads(outcome.output)["findings"] if each["grade"] == "fault"]
    told = " ".join(f"{each['what']} {each['figure']} {each['cure']}" for each in findings)
    assert "costumer" in told and "sinse" in told and "primary key" in told
    assert all(each["cure"] for each in findings), findings


def test_the_model_is_drawn_from_mapping_and_catalog(engine):
    model = json.loads(engine.expect("map show", "--mapping", str(engine.file), "--json").output)
    assert [node["label"] for node in model["nodes"]] == ["Customer", "Order"]
    assert model["nodes"][0]["more_labels"] == ["Party"] and model["nodes"][0]["key"] == "id"
    assert {(each["from"], each["type"], each["to"], *each["made_by"]) for each in model["relationships"]} == {
        ("Customer", "REFERRED", "Customer", "public.customers (referred_by)"),
        ("Customer", "PLACED", "Order", "public.orders (customer)"),
        ("Customer", "LIKES", "Order", "public.likes")}
    assert model["unmapped"] == ["public.settings"]
    text = engine.expect("map show", "--mapping", str(engine.file)).output
    assert "(:Customer)-[:LIKES]->(:Order)  from public.likes\n      since DATE\n" in text and "total STRING" in text
    drawn = engine.expect("map show", "--mapping", str(engine.file), "--format", "mermaid").output
    assert drawn.startswith("classDiagram\n") and "n0 --> n1 : LIKES" in drawn


def test_the_picture_is_well_formed_and_has_every_name(engine):
    picture = engine.expect("map show", "--mapping", str(engine.file), "--format", "svg").output
    root = xml.etree.ElementTree.fromstring(picture)
    words = " ".join(text for text in root.itertext())
    for word in ("Customer", "Order", "REFERRED", "PLACED", "LIKES", "total STRING"):
        assert word in words
    width, height = (float(root.get(name)) for name in ("width", "height"))
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        if box.get("x"):
            assert 0 <= float(box.get("x")) and float(box.get("x")) + float(box.get("width")) <= width
            assert 0 <= float(box.get("y")) and float(box.get("y")) + float(box.get("height")) <= height


def test_a_mapping_that_does_not_fit_is_not_drawn(engine):
    engine.file.write_text(_MAPPING.replace("customer}}", "costumer}}"))
    outcome = engine.verb("map show", "--mapping", str(engine.file))
    assert outcome.code == 2 and re.search("costumer", outcome.errors) and not outcome.output
