"""Kafka Connect as a person runs it: one worker in standalone mode beside the Kafka of scripts/services, told what to do over REST.

Its connectors come from Maven Central (connect/pom.xml), and from CONTEXTNEXUS_SINK where that names a folder of more: Kafka
Connect's plugin.path takes it as it is.
"""

import fcntl
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

from lib.database import REPOSITORY
from lib.servers import read_env

_LOCAL = REPOSITORY / ".local"
_POM = pathlib.Path(__file__).with_suffix("") / "pom.xml"
# The server's own HTTP is asked, never a proxy.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_WORKER = """bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
plugin.path={plugins}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.storage.file.filename={directory}/offsets
offset.flush.interval.ms=1000
topic.creation.enable=true
"""


class Connect:
    """One worker. `url` is where it is spoken to."""

    def __init__(self, servers, directory):
        directory.mkdir(parents=True, exist_ok=True)
        kafka = pathlib.Path(servers.directory)
        port = subprocess.run([sys.executable, str(REPOSITORY / "scripts/services.d/free_ports.py"), "1"], capture_output=True,
                              text=True, check=True).stdout.strip()
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "log"
        folders = [str(_plugins())] + [folder for folder in [os.environ.get("CONTEXTNEXUS_SINK")] if folder]
        (directory / "worker.properties").write_text(_WORKER.format(
            kafka=read_env(kafka / "env")["CNX_KAFKA"], port=port, plugins=",".join(folders), directory=directory))
        jars = _LOCAL / f"kafka-{_version(REPOSITORY / 'scripts/kafka/pom.xml', 'kafka')}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["java", "-Xms128m", "-Xmx256m", f"-Dlog4j2.configurationFile={kafka}/kafka/log4j2.properties", "-cp", f"{jars}/*",
                 "org.apache.kafka.connect.cli.ConnectStandalone", str(directory / "worker.properties")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=directory)
        try:
            self._wait(lambda: self._ask("GET", "/connectors") is not None, "answers", 120)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def create(self, name, config):
        """Makes a connector, and waits until it and its task run."""
        self._ask("POST", "/connectors", {"name": name, "config": config})
        self.wait_for(name, ["RUNNING", "RUNNING"])

    def wait_for(self, name, states):
        """`[]`: until the connector is gone."""
        self._wait(lambda: self.states(name) == states, f"{name} is {states}", 60)

    def states(self, name):
        """Of the connector and of each task; nothing where there is no such connector."""
        status = self._ask("GET", f"/connectors/{name}/status")
        if not status:
            return []
        failed = [task["trace"] for task in status["tasks"] if task["state"] == "FAILED"]
        assert not failed, failed[0][:2000]
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def has(self, plugin):
        return any(each["class"] == plugin for each in self._ask("GET", "/connector-plugins"))

    def _ask(self, method, path, body=None):
        """The answer; None where nothing answers yet, or there is no such thing."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"Connect: {method} {path}: {error.read().decode(errors='replace')[:2000]}") from error
        except OSError:
            return None

    def _wait(self, done, what, seconds):
        deadline = time.monotonic() + seconds
        while not done():
            assert self._process.poll() is None and time.monotonic() < deadline, (
                f"Connect: not yet that it {what}:\n{self._log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)


def _version(pom, name):
    return re.search(rf"<{name}\.version>(.*?)<", pom.read_text())[1]


def _plugins():
    """The folder of connectors, fetched once. The jars are copied beside the place and moved into it whole."""
    place = _LOCAL / f"connectors-{_version(_POM, 'debezium')}"
    with (_LOCAL / "connectors.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            made = place.with_name(place.name + ".new")
            done = subprocess.run(["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime",
                                   f"-DoutputDirectory={made}/jars"], capture_output=True, text=True, timeout=600, check=False)
            assert done.returncode == 0, f"Debezium could not be fetched from Maven Central: {done.stdout[-1000:]}"
            made.rename(place)
    return place
