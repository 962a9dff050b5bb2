"""An UPDATE meets what somebody else wrote in the graph: each strategy, both ways of finding it, and a person's choice.

Real servers: PostgreSQL and Neo4j. Every test has a database, an empty graph and an engine of its own.
"""

import json
import time

import pytest

from lib.live import mapped_tables

_MAPPING = """version: 1
name: conflicts
defaults: {key: id, version: version}
tables:
  wins: {node: Wins}
  keeps: {node: Keeps, conflict: graph_wins}
  latest: {node: Latest, conflict: {strategy: last_write_wins, timestamp: changed_at}}
  again: {node: Again, conflict: refetch}
  asks: {node: Asks, conflict: manual}
  asked: {node: Asked, conflict: {strategy: custom, function: public.judge}}
  seen: {node: Seen, version: null, conflict: {strategy: postgres_wins, detect: changed}}
  seen_asks: {node: SeenAsks, version: null, conflict: {strategy: manual, detect: changed}}
  pairs: {relationship: PAIRS, from: {wins: a}, to: {wins: b}, properties: [title], conflict: graph_wins}
  pairs_win: {relationship: PAIRS_WIN, from: {wins: a}, to: {wins: b}, properties: [title]}
  owns: {relationship: OWNS, key: id, from: {wins: a}, to: {wins: b}, properties: [title], conflict: graph_wins}
  owns_win: {relationship: OWNS_WIN, key: id, from: {wins: a}, to: {wins: b}, properties: [title]}
  owns_ask: {relationship: OWNS_ASK, key: id, from: {wins: a}, to: {wins: b}, properties: [title], conflict: manual}
  deep: {node: Deep, key: [a, b], conflict: manual, relationships: [IN: {to: {wins: wins_id}}]}
  each: {node: Each, conflict: {strategy: configured, table: rules, column: strategy, by: [tenant, project], timestamp: changed_at}}
"""
_COLUMNS = "id int PRIMARY KEY, title text, note text, changed_at timestamptz DEFAULT '2024-01-01Z', version bigint DEFAULT 1"
_NODES = ("wins", "keeps", "latest", "again", "asks", "asked", "seen", "seen_asks")
_TABLES = "".join(f"CREATE TABLE {name} ({_COLUMNS});" for name in _NODES) + """
ALTER TABLE seen REPLICA IDENTITY FULL;
ALTER TABLE seen_asks REPLICA IDENTITY FULL;
ALTER TABLE asked REPLICA IDENTITY FULL;
ALTER TABLE wins ALTER note SET STORAGE EXTERNAL;
ALTER TABLE latest ALTER note SET STORAGE EXTERNAL;
CREATE TABLE pairs (a int, b int, title text, version bigint DEFAULT 1, PRIMARY KEY (a, b));
CREATE TABLE pairs_win (a int, b int, title text, version bigint DEFAULT 1, PRIMARY KEY (a, b));
CREATE TABLE owns (id int PRIMARY KEY, a int, b int, title text, version bigint DEFAULT 1);
CREATE TABLE owns_win (id int PRIMARY KEY, a int, b int, title text, version bigint DEFAULT 1);
CREATE TABLE owns_ask (id int PRIMARY KEY, a int, b int, title text, version bigint DEFAULT 1);
CREATE TABLE each (id int PRIMARY KEY, tenant text, project int, title text, note text, changed_at timestamptz DEFAULT '2024-01-01Z', version bigint DEFAULT 1);
CREATE TABLE rules (tenant text, project int, strategy text, UNIQUE NULLS NOT DISTINCT (tenant, project));
CREATE TABLE deep (a int, b text, title text, wins_id int, version bigint DEFAULT 1, PRIMARY KEY (a, b));
CREATE FUNCTION judge(old jsonb, new asked, graph jsonb) RETURNS asked LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF new.title = 'fail' THEN RAISE EXCEPTION 'no idea'; END IF;
  IF new.title = 'keep' THEN RETURN NULL; END IF;
  IF new.title = 'key' THEN new.id := 99; RETURN new; END IF;
  IF graph->>'note' IS DISTINCT FROM old->>'note' THEN new.note := graph->>'note'; END IF;
  RETURN new;
END $$;
"""


@pytest.fixture
def line(servers, tmp_path):
    mapping = tmp_path / "conflicts.yaml"
    mapping.write_text(_MAPPING)
    with mapped_tables(servers, "cnx_conflicts", _TABLES, mapping) as live:
        live.mapping = mapping
        for table in _NODES:
            live.database.execute(f"INSERT INTO {table} (id, title, note) SELECT i, 'old', 'n' FROM generate_series(1, 3) i")
        live.database.execute("INSERT INTO deep VALUES (1, 'x', 'old', 1)")
        for table in ("pairs", "pairs_win"):
            live.database.execute(f"INSERT INTO {table} VALUES (1, 2, 'old')")
        for table in ("owns", "owns_win", "owns_ask"):
            live.database.execute(f"INSERT INTO {table} VALUES (7, 1, 2, 'old')")
        live.engine.once()
        yield live


def _edit(line, label, key=1, **properties):
    """Somebody changes a node in the graph."""
    line.graph.rows(f"MATCH (n:{label} {{id: $key}}) SET n += $properties", key=key, properties=properties)


def _node(line, label, key=1):
    return dict(line.graph.rows(f"MATCH (n:{label} {{id: $key}}) RETURN n.title AS title, n.note AS note, n.version AS version", key=key)[0])


def _update(line, table, key=1, **columns):
    names = ", ".join(f"{name} = %s" for name in columns)
    line.database.execute(f"UPDATE {table} SET {names} WHERE id = %s", (*columns.values(), key))


def _conflicts(line, *words):
    return json.loads(line.engine.expect("conflicts list", *words, "--json", url=line.engine.url).output)


def _resolve(line, *words):
    return json.loads(line.engine.expect("conflicts resolve", *words, "--json", url=line.engine.url).output)


def _status(line):
    return json.loads(line.engine.verb("status", "--json", url=line.engine.url).output)


def test_by_default_postgres_wins_and_that_is_told(line):
    _edit(line, "Wins", title="theirs", version=9)
    _update(line, "wins", title="ours", version=2)
    told = line.engine.once().text
    assert _node(line, "Wins") == {"title": "ours", "note": "n", "version": 2}
    assert "1 rows of public.wins met what somebody else wrote in the graph: PostgreSQL's rows are written over it" in told
    audited, = json.loads(line.engine.expect("audit", "--operation", "conflict", "--json", url=line.engine.url).output)
    assert (audited["table"], audited["key"], audited["outcome"], audited["code"]) == ("public.wins", "1", "postgres", "postgres_wins")


def test_a_table_of_the_users_says_the_strategy_by_project(line):
    line.database.execute("INSERT INTO rules VALUES ('acme', 1, 'graph_wins'), ('acme', 2, 'manual'), ('acme', NULL, 'last_write_wins'), "
                          "('other', NULL, 'no_such_strategy')")
    projects = {1: ("acme", 1), 2: ("acme", 2), 3: ("acme", 3), 4: ("acme", None), 5: ("other", 1), 6: ("third", 1)}
    for key, (tenant, project) in projects.items():
        line.database.execute("INSERT INTO each (id, tenant, project, title, note) VALUES (%s, %s, %s, 'old', 'n')", (key, tenant, project))
    line.engine.once()
    for key in projects:
        _edit(line, "Each", key, title="theirs", version=9)
    line.graph.rows("MATCH (n:Each {id: 3}) SET n.changedAt = datetime('2030-01-01T00:00:00Z')")
    for key in projects:
        _update(line, "each", key, title="ours", version=2, changed_at="2024-06-01Z")
    told = line.engine.once().text
    assert {key: _node(line, "Each", key)["title"] for key in projects} == {1: "theirs", 2: "theirs", 3: "theirs", 4: "ours", 5: "ours", 6: "ours"}
    assert [each["key_values"] for each in _conflicts(line)] == [["2"]]
    assert "public.rules names what is no strategy for conflicts: PostgreSQL wins" in told and "(graph_wins)" in told
    # What is configured when a conflict is decided counts.
    line.database.execute("UPDATE rules SET strategy = 'postgres_wins' WHERE project = 1")
    _update(line, "each", 1, title="again", version=3)
    line.engine.once()
    assert _node(line, "Each", 1)["title"] == "again"


def test_a_row_that_wins_without_all_of_its_columns_is_read_again(line):
    big = "x" * 10_000
    _update(line, "wins", note=big, version=2)
    line.engine.once()
    _edit(line, "Wins", note="theirs", version=9)
    _update(line, "wins", title="ours", version=3)
    line.engine.once()
    assert _node(line, "Wins") == {"title": "ours", "note": big, "version": 3}


def test_the_graph_wins_until_the_row_is_newer(line):
    _edit(line, "Keeps", title="theirs", version=9)
    _update(line, "keeps", title="ours", version=2)
    told = line.engine.once().text
    assert _node(line, "Keeps") == {"title": "theirs", "note": "n", "version": 9}
    assert "the graph keeps it (graph_wins)" in told
    _update(line, "keeps", title="newer", version=9)
    line.engine.once()
    assert _node(line, "Keeps")["title"] == "newer"


def test_the_last_write_wins_by_the_time_of_both_sides(line):
    for key, when in ((1, "2025-01-01T00:00:00Z"), (2, "2023-01-01T00:00:00Z")):
        line.graph.rows("MATCH (n:Latest {id: $key}) SET n.title = 'theirs', n.version = 9, n.changedAt = datetime($at)", key=key, at=when)
    line.database.execute("UPDATE latest SET title = 'ours', version = 2, changed_at = '2024-06-01Z'")
    line.engine.once()
    assert [_node(line, "Latest", key)["title"] for key in (1, 2, 3)] == ["theirs", "ours", "ours"]


def test_a_row_is_read_again_and_written_as_it_is_now(line):
    _edit(line, "Again", title="theirs", version=9)
    _update(line, "again", title="ours", version=2)
    _update(line, "again", title="later", version=3)
    line.engine.once()
    assert _node(line, "Again") == {"title": "later", "note": "n", "version": 3}
    _update(line, "again", title="after", version=4)
    line.engine.once()
    assert _node(line, "Again")["title"] == "after"


def test_a_function_decides(line):
    _edit(line, "Asked", key=1, title="theirs", note="theirs", version=9)
    _edit(line, "Asked", key=2, title="theirs", version=9)
    _update(line, "asked", key=1, title="ours", version=2)
    _update(line, "asked", key=2, title="keep", version=2)
    _update(line, "asked", key=3, title="ours", version=2)
    line.engine.once()
    assert _node(line, "Asked", 1) == {"title": "ours", "note": "theirs", "version": 2}
    assert _node(line, "Asked", 2) == {"title": "theirs", "note": "n", "version": 9}
    assert _node(line, "Asked", 3)["title"] == "ours"


@pytest.mark.parametrize("title, reason", (("fail", "no idea"), ("key", "another key")))
def test_a_function_that_fails_makes_a_dead_letter(title, reason, line):
    _edit(line, "Asked", title="theirs", version=9)
    _update(line, "asked", title=title, version=2)
    _update(line, "asked", key=2, title="ours", version=2)
    line.engine.once()
    assert _node(line, "Asked")["title"] == "theirs" and _node(line, "Asked", 2)["title"] == "ours"
    letters = json.loads(line.engine.expect("dead-letters list", "--json", url=line.engine.url).output)
    assert len(letters) == 1 and letters[0]["key_values"] == ["1"] and reason in letters[0]["reason"], letters
    line.database.execute("UPDATE asked SET title = 'ours' WHERE id = 1")
    line.engine.expect("dead-letters retry", "--all", url=line.engine.url)
    line.engine.once()
    assert _node(line, "Asked")["title"] == "ours"


def test_a_function_that_is_not_there_stops_the_line_and_loses_nothing(line):
    line.database.execute("ALTER FUNCTION judge RENAME TO gone")
    _edit(line, "Asked", title="theirs", version=9)
    _update(line, "asked", title="ours", version=2)
    outcome = line.engine.verb("run", "--once", url=line.engine.url)
    assert outcome.code != 0 and "public.judge" in outcome.text and "RETURNS" in outcome.text, outcome
    assert _node(line, "Asked")["title"] == "theirs"
    line.database.execute("ALTER FUNCTION gone RENAME TO judge")
    line.engine.once()
    assert _node(line, "Asked")["title"] == "ours"


@pytest.mark.parametrize("side", ("postgres", "graph"))
def test_a_conflict_waits_for_a_person(side, line):
    _edit(line, "Asks", title="theirs", version=9)
    _update(line, "asks", title="ours", version=2)
    _update(line, "asks", key=2, title="other", version=2)
    line.engine.once()
    assert _node(line, "Asks")["title"] == "theirs" and _node(line, "Asks", 2)["title"] == "other"
    found = _conflicts(line)
    assert len(found) == 1, found
    assert (found[0]["table"], found[0]["key_values"], found[0]["state"]) == ("public.asks", ["1"], "conflict")
    assert (found[0]["postgres_version"], found[0]["graph_version"]) == ("2", "9")
    assert _status(line)["conflicts"]["open"] == 1 and not _status(line)["in_step"]
    _update(line, "asks", title="newer", version=3)
    line.engine.once()
    assert _node(line, "Asks")["title"] == "theirs", "later changes are held"
    assert _conflicts(line)[0]["held_changes"] == 2, "with the one that met it"
    assert list(_resolve(line, str(found[0]["id"]), "--take", side).values()) == [1]
    line.engine.once()
    assert _node(line, "Asks")["title"] == ("newer" if side == "postgres" else "theirs")
    assert _conflicts(line) == [] and _status(line)["conflicts"]["open"] == 0
    closed = _conflicts(line, "--closed")
    assert (closed[0]["state"], closed[0]["resolution"]) == ("resolved", side)
    _update(line, "asks", title="last", version=10)
    line.engine.once()
    assert _node(line, "Asks")["title"] == "last"


def test_a_person_is_heard_by_a_running_engine(line):
    line.engine.start()
    _edit(line, "Asks", title="theirs", version=9)
    _update(line, "asks", title="ours", version=2)
    line.engine.catch_up()
    assert _node(line, "Asks")["title"] == "theirs"
    _resolve(line, "--all", "--take", "postgres")
    deadline = time.monotonic() + 60
    while _conflicts(line):
        assert time.monotonic() < deadline, line.engine.tail()
        time.sleep(0.2)
    assert _node(line, "Asks")["title"] == "ours"


def test_a_row_in_conflict_that_goes_is_superseded(line):
    _edit(line, "Asks", title="theirs", version=9)
    _update(line, "asks", title="ours", version=2)
    line.engine.once()
    line.database.execute("DELETE FROM asks WHERE id = 1")
    line.engine.once()
    assert line.graph.rows("MATCH (n:Asks {id: 1}) RETURN n") == []
    assert _conflicts(line) == [] and _conflicts(line, "--closed")[0]["state"] == "superseded"


def test_a_row_in_conflict_that_takes_another_key_is_written(line):
    _edit(line, "Asks", title="theirs", version=9, mine="kept")
    _update(line, "asks", title="ours", version=2)
    line.engine.once()
    line.database.execute("UPDATE asks SET id = 11, version = 3 WHERE id = 1")
    line.engine.once()
    assert line.graph.rows("MATCH (n:Asks {id: 1}) RETURN n") == []
    assert _node(line, "Asks", 11) == {"title": "ours", "note": "n", "version": 3}
    assert line.graph.value("MATCH (n:Asks {id: 11}) RETURN n.mine") == "kept", "it is the node that it was"
    assert _conflicts(line) == []


def test_what_was_changed_beside_the_version_is_found_by_the_old_row(line):
    _edit(line, "Seen", title="theirs")
    _edit(line, "Seen", key=2, extra="of others")
    line.database.execute("UPDATE seen SET note = 'm'")
    told = line.engine.once().text
    assert [_node(line, "Seen", key)["title"] for key in (1, 2, 3)] == ["old"] * 3
    assert "1 rows of public.seen met" in told


def test_a_person_is_told_which_properties_were_changed(line):
    _edit(line, "SeenAsks", title="theirs")
    line.database.execute("UPDATE seen_asks SET note = 'm'")
    line.engine.once()
    found = _conflicts(line)
    assert len(found) == 1 and found[0]["properties"] == ["title"], found
    assert _node(line, "SeenAsks")["note"] == "n" and _node(line, "SeenAsks", 2)["note"] == "m"
    _resolve(line, "--all", "--take", "postgres")
    line.engine.once()
    assert _node(line, "SeenAsks")["title"] == "old" and _node(line, "SeenAsks")["note"] == "m"


def test_relationships_have_conflicts_too(line):
    for kind in ("PAIRS", "PAIRS_WIN", "OWNS", "OWNS_WIN", "OWNS_ASK"):
        line.graph.rows(f"MATCH ()-[r:{kind}]->() SET r.title = 'theirs', r.version = 9")
        line.database.execute(f"UPDATE {kind.lower()} SET title = 'ours', version = 2")
    # A row that leads elsewhere: what is kept stays where it is.
    line.database.execute("UPDATE owns SET b = 3")
    line.database.execute("UPDATE owns_win SET b = 3")
    line.database.execute("UPDATE owns_ask SET b = 3")
    told = line.engine.once().text

    def has(kind):
        return line.graph.rows(f"MATCH (a)-[r:{kind}]->(b) RETURN r.title AS title, b.id AS b")

    assert has("PAIRS") == [{"title": "theirs", "b": 2}]
    assert has("PAIRS_WIN") == [{"title": "ours", "b": 2}]
    assert has("OWNS") == [{"title": "theirs", "b": 2}]
    assert has("OWNS_WIN") == [{"title": "ours", "b": 3}]
    assert has("OWNS_ASK") == [{"title": "theirs", "b": 2}]
    assert "1 rows of public.owns_win met" in told and "1 rows of public.pairs_win met" in told
    _resolve(line, "--all", "--take", "postgres")
    line.engine.once()
    assert has("OWNS_ASK") == [{"title": "ours", "b": 3}]


def test_a_key_of_several_columns_and_its_relationships(line):
    line.graph.rows("MATCH (n:Deep) SET n.title = 'theirs', n.version = 9")
    line.database.execute("UPDATE deep SET title = 'ours', wins_id = 2, version = 2")
    line.engine.once()
    where = "MATCH (n:Deep)-[:IN]->(w) RETURN n.title AS title, w.id AS id"
    assert line.graph.rows(where) == [{"title": "theirs", "id": 1}]
    assert _conflicts(line, "--key", "1,x")[0]["key_columns"] == ["a", "b"]
    _resolve(line, "--key", "1,x", "--take", "postgres")
    line.engine.once()
    assert line.graph.rows(where) == [{"title": "ours", "id": 2}]


def test_a_kill_between_leaves_nothing_out(line):
    for label in ("Again", "Asks", "Asked"):
        _edit(line, label, title="theirs", version=9)
    for number in range(2, 6):
        for table in ("again", "asks", "asked"):
            _update(line, table, title=f"ours {number}", version=number)
    for _ in range(4):
        line.engine.start()
        line.engine.kill()
    line.engine.once()
    assert _node(line, "Again")["title"] == "ours 5" and _node(line, "Asked")["title"] == "ours 5"
    assert _node(line, "Asks")["title"] == "theirs" and len(_conflicts(line, "--closed")) == 1
    _resolve(line, "--all", "--take", "postgres")
    line.engine.start()
    line.engine.kill()
    line.engine.once()
    assert _node(line, "Asks")["title"] == "ours 5"
