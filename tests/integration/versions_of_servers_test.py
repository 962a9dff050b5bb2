"""Versions of both servers (scripts/test --matrix): check names them, and every statement names the version of its language.

Real servers: PostgreSQL and Neo4j of the versions that are asked for, Neo4j behind a proxy that reads what is sent.
"""

import os
import re
from urllib.parse import urlsplit

import pytest
import wire

from lib.engine import Engine
from lib.live import database_and_engine, expect_equal
from lib.witnessed import at_port
from lib.world import World

# RUN is a structure of three fields; its text, a string of up to 65,535 bytes, comes first.
_RUN = re.compile(rb"\xb3\x10(?:([\x80-\x8f])|\xd0(.)|\xd1(..))", re.S)


def statements(data):
    """Texts of the RUN messages among what a client has sent."""
    # Chunks of 65,535 bytes: their headers would stand inside a text. The first 60,000 bytes of one are enough to see how it begins.
    for found in _RUN.finditer(data):
        tiny, short, long = found.groups()
        size = tiny[0] - 0x80 if tiny else short[0] if short else int.from_bytes(long, "big")
        yield data[found.end():found.end() + min(size, 200)].decode(errors="replace")


@pytest.fixture
def line(servers, template):
    with database_and_engine(servers, template, "cnx_versions_of_servers") as made:
        yield made


def test_the_servers_are_those_that_were_asked_for_and_check_names_them(line):
    line.engine.once()
    said = line.engine.verb("check", url=line.engine.url).output
    number = line.database.value("SELECT current_setting('server_version_num')::int")
    assert f"{number // 10000}.{number % 10000}" in said, said
    neo4j = line.graph.value("CALL dbms.components() YIELD versions RETURN versions[0]")
    assert neo4j in said, said
    assert number // 10000 == int(os.environ.get("CNX_POSTGRES_VERSION", "15"))
    assert neo4j.startswith(os.environ.get("CNX_NEO4J_VERSION", "5.26"))


def test_every_statement_names_the_version_of_its_language(line, servers):
    parts = urlsplit(servers.neo4j_url)
    proxy = wire.Wire(parts.hostname, parts.port, bolt=True)
    heard = proxy.hear()
    try:
        engine = Engine(servers._replace(neo4j_url=at_port(servers.neo4j_url, proxy.port)), line.engine.admin_url)
        world = World(line.database, "versions").fill_all()
        engine.init()
        engine.once()
        world.add_default("tags")
        line.database.execute("UPDATE public.threads SET title = title || '!'")
        line.database.execute("UPDATE public.tags SET id = gen_random_uuid()")
        line.database.execute("DELETE FROM public.content_tags")
        line.database.execute("TRUNCATE public.messages CASCADE")
        engine.once()
        engine.expect("check", url=engine.url)
        engine.status()
        expect_equal(line.database, line.graph)
        engine.expect("drop", "--graph", "--yes")
    finally:
        proxy.stop()
    texts = [text for data in heard for text in statements(bytes(data))]
    assert len(texts) > 100, "what is sent was heard"
    # What shows a server's state is no query of a version: SHOW, and a procedure called alone.
    unnamed = sorted({text for text in texts if not text.startswith("CYPHER 5 ")})
    assert not unnamed, "\n".join(unnamed)
