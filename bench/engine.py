"""The engine under measurement: its verbs, its process, what it spent."""

import os
import pathlib
import signal
import subprocess

import processes
from servers import TOP

PIPELINE = "cnx_bench"


def build():
    """The release build of the program and of the decoder's benchmark."""
    for words in (["cmake", "--preset", "release"],
                  ["cmake", "--build", "--preset", "release", "--target", "contextnexus", "cnx_decoder_bench"]):
        done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(words)} failed:\n{(done.stdout + done.stderr)[-3000:]}")


class Engine:
    def __init__(self, servers, program=None):
        self.program = pathlib.Path(program) if program else TOP / "build" / "release" / "contextnexus"
        self.log = servers.directory / "engine.log"
        self.environment = os.environ | {"CONTEXTNEXUS_POSTGRES": servers.postgres_url, "CONTEXTNEXUS_NEO4J": servers.neo4j_url}
        self.process = None

    def _words(self, *verb):
        return [str(self.program), *verb, "--pipeline", PIPELINE, "--mapping", str(TOP / "bench" / "bench.yaml")]

    def _verb(self, *verb):
        done = subprocess.run(self._words(*verb), env=self.environment, capture_output=True, text=True, timeout=900,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"bench: contextnexus {' '.join(verb)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def init(self):
        self._verb("init")

    def once(self):
        self._verb("run", "--once")

    def start(self, *words):
        """With more words where given."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._words("run", *words), env=self.environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    @property
    def pid(self):
        return self.process.pid

    def check_alive(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-3000:]
            raise SystemExit(f"bench: the engine ended with {self.process.returncode}:\n{tail}")

    def stop(self):
        """SIGTERM, and waits. Safe where it does not run."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def cpu_seconds(self):
        return processes.cpu_seconds(self.pid)

    def peak_memory_mb(self):
        return processes.memory_mb(self.pid, peak=True)
