"""What a timed stage took: seconds, CPU seconds of each process, the engine's peak memory, and how much the rest of the machine
disturbed it."""

import os
import time
from typing import NamedTuple

import processes

FOREIGN_MAX = 0.05  # Of a core: above it, a latency run does not count.


class Figures(NamedTuple):
    rows: int
    seconds: float
    cpu: dict            # {process: CPU seconds}
    peak_memory_mb: float  # The engine's; 0 where it had no part.
    foreign: float       # Cores that everything else on the machine used, on average.

    @property
    def rate(self):
        return self.rows / self.seconds

    def microseconds_a_row(self, process):
        return 1e6 * self.cpu.get(process, 0.0) / self.rows


class Meter:
    """From its making to `stop`. An engine that starts within the stage is given by `engine_started`."""

    def __init__(self, servers, engine=None):
        self._servers, self._engine = servers, engine
        self._cpu, self._machine, self._begin = self._spent(), processes.machine_cpu_seconds(), time.monotonic()

    def engine_started(self, engine):
        self._engine = engine

    def _spent(self):
        spent = self._servers.cpu_seconds() | {"bench": processes.cpu_seconds(os.getpid())}
        if self._engine is not None:
            spent["engine"] = self._engine.cpu_seconds()
        return spent

    def stop(self, rows):
        seconds, machine = time.monotonic() - self._begin, processes.machine_cpu_seconds() - self._machine
        cpu = {name: spent - self._cpu.get(name, 0.0) for name, spent in self._spent().items()}
        memory = self._engine.peak_memory_mb() if self._engine is not None else 0.0
        return Figures(rows, seconds, cpu, memory, max(0.0, machine - sum(cpu.values())) / seconds)
