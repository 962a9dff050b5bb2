"""The LDBC social network: its tables copied, then its update streams as live inserts; the graph is that of its own CSV files and
of those inserts.

What is expected is made of the CSV files and the streams alone; the tables are not asked.
"""

import csv
import datetime
import pathlib

import pytest

from lib import datasets
from lib import database as postgres
from lib.engine import Engine
from lib.graph import Temporal

_MAPPING = postgres.REPOSITORY / "examples" / "ldbc_snb.yaml"
_DATA = pathlib.Path(datasets.FOLDER) / "ldbc_snb" / "postgres" / "test-data"
_EPOCH = datetime.datetime(1970, 1, 1)

pytestmark = datasets.needed


class Network:
    """Nodes by (label, id) and relationships by (type, start, end), each with its properties."""

    def __init__(self):
        self.nodes = {}
        self.relationships = {}

    def node(self, label, key, labels=(), **properties):
        self.nodes[(label, key)] = (frozenset({label, *labels}), {name: value for name, value in properties.items() if value is not None})

    def link(self, kind, start, end, **properties):
        assert (kind, start, end) not in self.relationships
        self.relationships[(kind, start, end)] = properties

    def email(self, person, address):
        self.node("Email", (person, address), address=address)
        self.link("HAS_EMAIL", ("Person", person), ("Email", (person, address)))

    def language(self, person, code):
        self.node("Language", (person, code), code=code)
        self.link("SPEAKS", ("Person", person), ("Language", (person, code)))


def _moment(milliseconds):
    return (_EPOCH + datetime.timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")


def _zoned(text):
    """2010-06-27T23:36:57.962[+0000] as the graph spells it."""
    return Temporal("OffsetDateTime", text[:23] + "000000Z")


def _date(text):
    return Temporal("Date", text)


def _rows(folder, name):
    with (_DATA / folder / f"{name}_0_0.csv").open(newline="") as file:
        yield from [[field or None for field in row] for row in list(csv.reader(file, delimiter="|"))[1:]]


def _read_files(network):
    """As headers.txt of the data set says, from the same files."""
    for key, kind, name, url, place in _rows("static", "organisation"):
        network.node("Organisation", int(key), [kind.capitalize()], id=int(key), name=name, url=url)
        network.link("IS_LOCATED_IN", ("Organisation", int(key)), ("Place", int(place)))
    for key, name, url, kind, parent in _rows("static", "place"):
        network.node("Place", int(key), [kind.capitalize()], id=int(key), name=name, url=url)
        if parent:
            network.link("IS_PART_OF", ("Place", int(key)), ("Place", int(parent)))
    for key, name, url, kind in _rows("static", "tag"):
        network.node("Tag", int(key), id=int(key), name=name, url=url)
        network.link("HAS_TYPE", ("Tag", int(key)), ("TagClass", int(kind)))
    for key, name, url, parent in _rows("static", "tagclass"):
        network.node("TagClass", int(key), id=int(key), name=name, url=url)
        if parent:
            network.link("IS_SUBCLASS_OF", ("TagClass", int(key)), ("TagClass", int(parent)))
    for key, first, last, gender, birthday, made, ip, browser, place in _rows("dynamic", "person"):
        _person(network, int(key), first, last, gender, birthday, made, ip, browser, int(place))
    for key, title, made, moderator in _rows("dynamic", "forum"):
        _forum(network, int(key), title, made, int(moderator))
    for key, image, made, ip, browser, language, content, length, creator, forum, place in _rows("dynamic", "post"):
        _post(network, int(key), image, made, ip, browser, language, content, int(length), int(creator), int(forum), int(place))
    for key, made, ip, browser, content, length, creator, place, post, comment in _rows("dynamic", "comment"):
        _comment(network, int(key), made, ip, browser, content, int(length), int(creator), int(place), int(post or comment))
    for person, address in _rows("dynamic", "person_email_emailaddress"):
        network.email(int(person), address)
    for person, code in _rows("dynamic", "person_speaks_language"):
        network.language(int(person), code)
    for name, kind, start, end in (("forum_hasTag_tag", "HAS_TAG", "Forum", "Tag"), ("person_hasInterest_tag", "HAS_INTEREST", "Person", "Tag"),
                                   ("post_hasTag_tag", "HAS_TAG", "Message", "Tag"), ("comment_hasTag_tag", "HAS_TAG", "Message", "Tag")):
        for a, b in _rows("dynamic", name):
            network.link(kind, (start, int(a)), (end, int(b)))
    for a, b, since in _rows("dynamic", "forum_hasMember_person"):
        network.link("HAS_MEMBER", ("Forum", int(a)), ("Person", int(b)), joinDate=_zoned(since))
    for a, b, since in _rows("dynamic", "person_knows_person"):
        _knows(network, int(a), int(b), since)
    for name in ("person_likes_post", "person_likes_comment"):
        for a, b, since in _rows("dynamic", name):
            network.link("LIKES", ("Person", int(a)), ("Message", int(b)), creationDate=_zoned(since))
    for a, b, year in _rows("dynamic", "person_studyAt_organisation"):
        network.link("STUDY_AT", ("Person", int(a)), ("Organisation", int(b)), classYear=int(year))
    for a, b, year in _rows("dynamic", "person_workAt_organisation"):
        network.link("WORK_AT", ("Person", int(a)), ("Organisation", int(b)), workFrom=int(year))


def _person(network, key, first, last, gender, birthday, made, ip, browser, place):
    network.node("Person", key, id=key, firstName=first, lastName=last, gender=gender, birthday=_date(birthday), creationDate=_zoned(made),
                 locationIP=ip, browserUsed=browser)
    network.link("IS_LOCATED_IN", ("Person", key), ("Place", place))


def _forum(network, key, title, made, moderator):
    network.node("Forum", key, id=key, title=title, creationDate=_zoned(made))
    network.link("HAS_MODERATOR", ("Forum", key), ("Person", moderator))


def _post(network, key, image, made, ip, browser, language, content, length, creator, forum, place):
    network.node("Message", key, ["Post"], id=key, imageFile=image, creationDate=_zoned(made), locationIP=ip, browserUsed=browser,
                 language=language, content=content, length=length)
    network.link("CONTAINER_OF", ("Forum", forum), ("Message", key))
    _by(network, key, creator, place)


def _comment(network, key, made, ip, browser, content, length, creator, place, parent):
    network.node("Message", key, ["Comment"], id=key, creationDate=_zoned(made), locationIP=ip, browserUsed=browser, content=content, length=length)
    network.link("REPLY_OF", ("Message", key), ("Message", parent))
    _by(network, key, creator, place)


def _by(network, message, creator, place):
    network.link("HAS_CREATOR", ("Message", message), ("Person", creator))
    network.link("IS_LOCATED_IN", ("Message", message), ("Place", place))


def _knows(network, a, b, since):
    network.link("KNOWS", ("Person", min(a, b)), ("Person", max(a, b)), creationDate=_zoned(since))


# The update streams (LDBC SNB Interactive v1, 2.3.4.3: one event a line, by the kind of its third field).

def _events():
    events = []
    for name in ("person", "forum"):
        with (_DATA / "update_streams" / f"updateStream_0_0_{name}.csv").open(newline="") as file:
            events += [[field or None for field in row] for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)]
    return sorted(events, key=lambda event: int(event[0]))


def _list(text, read=str):
    return [read(each) for each in (text or "").split(";") if each]


def _pair(text):
    return tuple(int(each) for each in text.split(","))


def _apply(event, network, database):
    """One event: into what is expected, and into the tables as one transaction."""
    kind, fields = int(event[2]), event[3:]

    def insert(table, *values):
        database.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(values))})", values)

    with database.transaction():
        if kind == 1:
            key, first, last, gender, birthday, made, ip, browser, city, languages, emails, tags, studies, works = fields
            key, city, born, made = int(key), int(city), _moment(int(birthday))[:10], _moment(int(made))
            _person(network, key, first, last, gender, born, made, ip, browser, city)
            insert("person", key, first, last, gender, born, made + "Z", ip, browser, city)
            for code in _list(languages):
                network.language(key, code)
                insert("person_language", key, code)
            for address in _list(emails):
                network.email(key, address)
                insert("person_email", key, address)
            for tag in _list(tags, int):
                network.link("HAS_INTEREST", ("Person", key), ("Tag", tag))
                insert("person_tag", key, tag)
            for place, year in _list(studies, _pair):
                network.link("STUDY_AT", ("Person", key), ("Organisation", place), classYear=year)
                insert("person_university", key, place, year)
            for place, year in _list(works, _pair):
                network.link("WORK_AT", ("Person", key), ("Organisation", place), workFrom=year)
                insert("person_company", key, place, year)
        elif kind in (2, 3):
            person, message, made = (int(field) for field in fields)
            network.link("LIKES", ("Person", person), ("Message", message), creationDate=_zoned(_moment(made)))
            insert("likes", person, message, _moment(made) + "Z")
        elif kind == 4:
            key, title, made, moderator, tags = fields
            key, made, moderator = int(key), _moment(int(made)), int(moderator)
            _forum(network, key, title, made, moderator)
            insert("forum", key, title, made + "Z", moderator)
            for tag in _list(tags, int):
                network.link("HAS_TAG", ("Forum", key), ("Tag", tag))
                insert("forum_tag", key, tag)
        elif kind == 5:
            person, forum, made = (int(field) for field in fields)
            network.link("HAS_MEMBER", ("Forum", forum), ("Person", person), joinDate=_zoned(_moment(made)))
            insert("forum_person", forum, person, _moment(made) + "Z")
        elif kind == 6:
            key, image, made, ip, browser, language, content, length, creator, forum, place, tags = fields
            key, made, length, creator, forum, place = int(key), _moment(int(made)), int(length), int(creator), int(forum), int(place)
            _post(network, key, image, made, ip, browser, language, content, length, creator, forum, place)
            insert("message", key, image, made + "Z", ip, browser, language, content, length, creator, place, forum, None)
            _tags(network, insert, key, tags)
        elif kind == 7:
            key, made, ip, browser, content, length, creator, place, post, comment, tags = fields
            key, made, length, creator, place = int(key), _moment(int(made)), int(length), int(creator), int(place)
            parent = int(post) if int(post) >= 0 else int(comment)
            _comment(network, key, made, ip, browser, content, length, creator, place, parent)
            insert("message", key, None, made + "Z", ip, browser, None, content, length, creator, place, None, parent)
            _tags(network, insert, key, tags)
        else:
            a, b, made = (int(field) for field in fields)
            _knows(network, a, b, _moment(made))
            insert("knows", a, b, _moment(made) + "Z")
            insert("knows", b, a, _moment(made) + "Z")


def _apply_if_complete(event, network, database):
    """The data set is a part of a larger one: a few events are about things that it lacks, which PostgreSQL refuses."""
    tried = Network()
    try:
        _apply(event, tried, database)
    except postgres.psycopg2.errors.ForeignKeyViolation:
        return False
    network.nodes |= tried.nodes
    network.relationships |= tried.relationships
    return True


def _tags(network, insert, message, tags):
    for tag in _list(tags, int):
        network.link("HAS_TAG", ("Message", message), ("Tag", tag))
        insert("message_tag", message, tag)


# The graph, as it is.


def _key(properties):
    """A node's key, and what else it has: of a key of two columns, `length:text` of each in turn (R4)."""
    text = properties.pop("_cnx_key", None)
    if text is None:
        return properties["id"]
    parts = []
    while text:
        length, _, rest = text.partition(":")
        parts.append(rest[:int(length)])
        text = rest[int(length):]
    return int(parts[0]), parts[1]


def _read_graph(graph):
    found, ids = Network(), {}
    for row in graph.rows("MATCH (n) WHERE NOT any(l IN labels(n) WHERE l STARTS WITH 'ContextNexus') RETURN n", timeout=300):
        node = row["n"]
        properties = dict(node.properties)
        label = next(name for name in ("Person", "Forum", "Message", "Organisation", "Place", "Tag", "TagClass", "Email", "Language")
                     if name in node.labels)
        key = _key(properties)
        assert (label, key) not in found.nodes
        found.nodes[(label, key)] = (node.labels, properties)
        ids[node.element_id] = (label, key)
    for row in graph.rows("MATCH (a)-[r]->(b) WHERE NOT type(r) STARTS WITH 'ContextNexus' RETURN r", timeout=300):
        link = row["r"]
        found.link(link.type, ids[link.start], ids[link.end], **link.properties)
    return found


def _expect_equal(graph, network):
    found = _read_graph(graph)
    for what, there, wanted in (("node", found.nodes, network.nodes), ("relationship", found.relationships, network.relationships)):
        assert not (lacking := wanted.keys() - there.keys()), f"{len(lacking)} {what}s are lacking, among them {sorted(map(str, lacking))[:3]}"
        assert not (more := there.keys() - wanted.keys()), f"{len(more)} {what}s too many, among them {sorted(map(str, more))[:3]}"
        others = [f"{key}: {there[key]}, expected {wanted[key]}" for key in wanted if there[key] != wanted[key]]
        assert not others, f"{len(others)} {what}s differ:\n" + "\n".join(others[:3])


def test_the_network_is_its_own_graph_and_grows_by_its_own_streams(servers, graph):
    network = Network()
    _read_files(network)
    with datasets.loaded(servers, graph, "ldbc_snb") as url, postgres.Database(url) as database:
        engine = Engine(servers, url, mapping=_MAPPING)
        try:
            engine.init()
            engine.start()
            engine.catch_up(180)
            _expect_equal(graph, network)
            before = len(network.nodes)
            applied = sum(_apply_if_complete(event, network, database) for event in _events())
            engine.catch_up(180)
            _expect_equal(graph, network)
            assert applied > 4000 and len(network.nodes) > before + 2000
        finally:
            engine.kill()
