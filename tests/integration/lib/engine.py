"""Runs the engine as a person would: by its command line, with the URLs in the environment.

Each process writes to a log of its own below .local/test-logs; an assertion that fails on an engine shows its end.
"""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import time
from typing import NamedTuple

from .database import REPOSITORY, Database, with_user

LOGS = REPOSITORY / ".local" / "test-logs"
_numbers = itertools.count(1)
ROLE, PASSWORD = "contextnexus_sync", "a password of the tests' own"


class Outcome(NamedTuple):
    code: int
    output: str  # Standard output.
    errors: str  # Standard error.

    @property
    def text(self):
        return self.output + self.errors


def binary():
    """The program under test: CNX_ENGINE, else the dev build's."""
    path = pathlib.Path(os.environ.get("CNX_ENGINE") or REPOSITORY / "build" / "dev" / "contextnexus")
    assert path.exists(), f"{path} is not built; scripts/test builds it"
    return path


class Engine:
    """One pipeline between one PostgreSQL database and the graph."""

    def __init__(self, servers, admin_url, pipeline="contextnexus", mapping=None, program=None):
        self.servers = servers
        self.admin_url = admin_url
        self.pipeline = pipeline
        self.mapping = mapping
        self.program = pathlib.Path(program) if program else binary()
        self.url = with_user(admin_url, ROLE, PASSWORD.replace(" ", "%20").replace("'", "%27"))
        self.process = None
        self.log = None

    def _arguments(self, verb, extra):
        words = [str(self.program), *verb.split()]
        if verb not in ("schema install",) and self.pipeline != "contextnexus":
            words += ["--pipeline", self.pipeline]
        if self.mapping and verb in ("init", "run"):
            words += ["--mapping", str(self.mapping)]
        return words + list(extra)

    def _environment(self, url):
        # Two test runs of one machine would fight for the one address that is the default.
        return os.environ | {"CONTEXTNEXUS_POSTGRES": url, "CONTEXTNEXUS_NEO4J": self.servers.neo4j_url,
                             "CONTEXTNEXUS_TELEMETRY_LISTEN": "off"}

    def verb(self, verb, *extra, url=None, timeout=120):
        """Runs a verb to its end as the administrator, or as `url`."""
        done = subprocess.run(self._arguments(verb, extra), env=self._environment(url or self.admin_url),
                              capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def expect(self, verb, *extra, **options):
        outcome = self.verb(verb, *extra, **options)
        assert outcome.code == 0, f"{verb} ended with {outcome.code}:\n{outcome.text[-3000:]}"
        return outcome

    def init(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        secret = LOGS / f"role-password-{os.getpid()}"  # Another process may be writing its own just now.
        secret.write_text(PASSWORD)
        secret.chmod(0o600)
        return self.expect("init", "--role", ROLE, "--role-password-file", str(secret))

    def once(self, timeout=120):
        """`run --once`: until the LSN read at its start is in the graph."""
        return self.expect("run", "--once", url=self.url, timeout=timeout)

    def status(self):
        return json.loads(self.expect("status", "--json", url=self.url).output)

    def start(self, *extra, environment=None):
        """Starts `run` in the background, with more words and variables where given; returns at once."""
        assert not self.running(), "the engine runs already"
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"run-{os.getpid()}-{next(_numbers)}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self._arguments("run", extra),
                                            env=self._environment(self.url) | (environment or {}), stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_for_log(self, word, timeout=30):
        """Waits until the log of the process that was started last has `word`; the log so far."""
        deadline = time.monotonic() + timeout
        while word not in self.tail(1_000_000):
            assert self.running(), f"the engine has ended:\n{self.tail()}"
            assert time.monotonic() < deadline, f"after {timeout} s no {word!r} in the log:\n{self.tail()}"
            time.sleep(0.05)
        return self.tail(1_000_000)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)
        # The kernel stops each thread when it comes to run next; on a busy machine others go on until then.
        deadline = time.monotonic() + 30
        while number == signal.SIGSTOP and set(self._thread_states()) != {"T"}:
            assert time.monotonic() < deadline, "the process does not stop"
            time.sleep(0.002)

    def _thread_states(self):
        for stat in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            yield stat.read_text().rsplit(")", 1)[1].split()[0]

    def kill(self):
        """kill -9, and waits until the process is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self, timeout=30):
        """SIGTERM; returns the exit code."""
        if not self.process:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        finally:
            self.kill()

    def wait_for_end(self, timeout=60):
        """Waits until the process ends by itself; its code and log."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the engine still runs after {timeout} s:\n{self.tail()}") from error
        self.process = None
        return Outcome(code, self.tail(100_000), "")

    def tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:] if self.log else ""

    def wait_for(self, lsn, timeout=60):
        """Waits until the position in the graph is at or above `lsn`; the running engine must stay alive."""
        graph = self.servers.graph()
        deadline = time.monotonic() + timeout
        while True:
            position = graph.position(self.pipeline)
            if position and position[0] >= lsn:
                return position
            assert self.running(), f"the engine has ended:\n{self.tail()}"
            assert time.monotonic() < deadline, f"after {timeout} s at {position}, not yet {lsn}:\n{self.tail()}"
            time.sleep(0.01)

    def catch_up(self, timeout=60):
        """Waits until the graph holds all that PostgreSQL has committed up to now; gives up where nothing moves for `timeout` s.

        What the engine reports as written counts: behind it, nothing is a change of the graph's. The position follows lazily
        where only the write-back's own transactions, or none of ours, come after it.
        """
        graph, reached, deadline = self.servers.graph(), None, 0
        with Database(self.admin_url) as database:
            lsn = database.current_lsn()
            while (written := database.in_step()) < lsn:
                position = graph.position(self.pipeline)
                if position and position[0] >= lsn:
                    return
                if reached != (written, position):
                    reached, deadline = (written, position), time.monotonic() + timeout
                assert self.running(), f"the engine has ended:\n{self.tail()}"
                assert time.monotonic() < deadline, f"{timeout} s at {position}, not yet {lsn}:\n{self.tail()}"
                time.sleep(0.01)
