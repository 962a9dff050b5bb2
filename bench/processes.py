"""CPU seconds and memory of processes, from /proc."""

import os
import pathlib

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat from the third on (the second, a name, may hold anything), or None."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu_seconds(pid, with_ended_children=False):
    """User and system time of a process with all its threads; 0 where it is gone."""
    fields = _stat(pid)
    if fields is None:
        return 0.0
    return sum(map(int, fields[11:15 if with_ended_children else 13])) / _TICKS


def children(pid):
    """The direct children that live now."""
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def family_cpu_seconds(pid):
    """A server that forks one process a session: those that live, and those that it has reaped."""
    return cpu_seconds(pid, with_ended_children=True) + sum(map(cpu_seconds, children(pid)))


def memory_mb(pid, peak=False):
    """Resident memory now, or at its peak (which the kernel keeps); 0 where the process is gone."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(wanted):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0.0


def machine_cpu_seconds():
    """What all processors spent so far, but for idling and waiting."""
    fields = list(map(int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]))
    return (sum(fields[:8]) - fields[3] - fields[4]) / _TICKS
