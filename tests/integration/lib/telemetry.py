"""A running engine's own pages: /metrics, /healthz and /readyz, read as Prometheus and a supervisor would."""

import json
import re
import time
import urllib.error
import urllib.request
from typing import NamedTuple

_SERIES = re.compile(r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}
# An engine may listen on any free port, which its log tells.
ANY_PORT = ("--set", "telemetry.listen=127.0.0.1:0")


class Answer(NamedTuple):
    code: int
    type: str
    text: str

    @property
    def json(self):
        assert self.type == "application/json", self
        return json.loads(self.text)


class Metrics:
    """One scrape: values by name and labels, and what each family says it is."""

    def __init__(self, text):
        self.values, self.kinds, self.helps = {}, {}, {}
        for line in text.splitlines():
            words = line.split(" ", 3)
            if line.startswith("# HELP "):
                self.helps[words[2]] = words[3]
            elif line.startswith("# TYPE "):
                self.kinds[words[2]] = words[3]
            elif line:
                self._take(line)

    def _take(self, line):
        match = _SERIES.fullmatch(line)
        assert match, f"no series: {line!r}"
        labels, text = [], match["labels"] or ""
        while text:
            label = _LABEL.match(text)
            assert label, f"no label: {line!r}"
            labels.append((label[1], re.sub(r"\\(.)", lambda m: _ESCAPES[m[1]], label[2])))
            text = text[label.end():]
        key = match["name"], frozenset(labels)
        assert key not in self.values, f"twice: {line!r}"
        self.values[key] = float(match["value"])

    def series(self, name, **labels):
        """Each series of that name and those labels, as (its other labels, value)."""
        wanted = set(labels.items())
        return [(dict(found - wanted), value) for (of, found), value in self.values.items() if of == name and wanted <= found]

    def value(self, name, **labels):
        """The one series of that name and those labels; None: there is none."""
        found = self.series(name, **labels)
        assert len(found) <= 1, found
        return found[0][1] if found else None


class Pages:
    """Of one engine, by its address."""

    def __init__(self, engine):
        text = engine.wait_for_log("metrics and health on http://")
        self._url = re.search(r"metrics and health on (http://\S+?)[,\"\s]", text + "\n")[1]

    @property
    def port(self):
        return int(self._url.rsplit(":", 1)[1])

    def get(self, path):
        try:
            with urllib.request.urlopen(self._url + path, timeout=10) as response:
                return Answer(response.status, response.headers.get_content_type(), response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers.get_content_type(), error.read().decode())

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.code == 200 and answer.type == "text/plain", answer
        return Metrics(answer.text)

    def health(self):
        """(code, body)"""
        answer = self.get("/healthz")
        return answer.code, answer.json

    def readiness(self):
        answer = self.get("/readyz")
        return answer.code, answer.json

    def wait_for(self, condition, timeout=30):
        """Waits until `condition(self)` is true, and returns what it gave."""
        deadline = time.monotonic() + timeout
        while not (found := condition(self)):
            assert time.monotonic() < deadline, f"not so after {timeout} s: {self.health()} {self.readiness()}"
            time.sleep(0.05)
        return found

    def wait_for_state(self, *states, timeout=30):
        """The body of /healthz once its state is one of these."""
        def reached(pages):
            body = pages.health()[1]
            return body if body["state"] in states else None
        return self.wait_for(reached, timeout)
