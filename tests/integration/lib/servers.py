"""The two servers of a test run.

Taken from the environment when scripts/test started them (CNX_SERVICES_DIR, CNX_POSTGRES_URL, CNX_NEO4J_URL,
CNX_NEO4J_HTTP); `start()` starts an instance of its own by scripts/services for fault and acceptance runs.
"""

import os
import pathlib
import shlex
import subprocess
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from .database import REPOSITORY
from .graph import Graph

_NEEDED = ("CNX_POSTGRES_URL", "CNX_NEO4J_URL", "CNX_NEO4J_HTTP")
_HINT = "run the tests by scripts/test, or start servers by scripts/services and source the file that it names"


class Servers(NamedTuple):
    postgres_url: str  # Superuser, database postgres.
    neo4j_url: str     # bolt://user:password@host:port
    neo4j_http: str
    directory: str     # The instance of scripts/services; empty where the environment does not name it.

    def graph(self):
        parts = urlsplit(self.neo4j_url)
        return Graph(self.neo4j_http, unquote(parts.username), unquote(parts.password))

    def control(self, verb, *arguments, timeout=420):
        """A verb of scripts/services on this instance: restart-postgres, restart-neo4j, kill, stop …"""
        assert self.directory, f"CNX_SERVICES_DIR is not set: {_HINT}"
        return _services(verb, "--dir", self.directory, *arguments, timeout=timeout)


def place_beside(servers_directory, name):
    """A folder of that name for a test's own servers, which the same test beside other servers does not share."""
    return REPOSITORY / ".local" / f"{name}-{pathlib.Path(servers_directory).name}"


def from_environment(environment=os.environ):
    missing = [name for name in _NEEDED if not environment.get(name)]
    assert not missing, f"{', '.join(missing)} not set: {_HINT}"
    return Servers(*(environment[name] for name in _NEEDED), environment.get("CNX_SERVICES_DIR", ""))


def start(directory, heap="1g", brief=True):
    """Starts (or finds running) an instance below `directory`; the caller ends it by control("stop"). Not `brief` where its speed is told."""
    directory = pathlib.Path(directory)
    _services("start", "--dir", str(directory), "--heap", heap, *(["--brief"] if brief else []), timeout=600)
    return from_environment(read_env(directory / "env") | {"CNX_SERVICES_DIR": str(directory)})


def _services(*arguments, timeout):
    done = subprocess.run([str(REPOSITORY / "scripts" / "services"), *arguments], capture_output=True, text=True,
                          timeout=timeout, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"scripts/services {' '.join(arguments)}: {done.stderr.strip()[-2000:]}"
    return done.stdout


def read_env(path):
    """NAME=VALUE lines in the shell's quoting, with or without `export`."""
    result = {}
    for line in path.read_text().splitlines():
        words = shlex.split(line, comments=True)
        for word in words:
            if "=" in word:
                name, _, value = word.partition("=")
                result[name] = value
    return result
