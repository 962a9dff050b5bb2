"""The engine's failpoints: their list, read from the sources, and an engine that is killed, or stopped, at one of them."""

import re
import signal
import subprocess

from lib.database import REPOSITORY

HEADER = REPOSITORY / "src" / "base" / "failpoint.hpp"


def names():
    """In the order of the header."""
    return re.findall(r'^    "(\w+)",', HEADER.read_text(), re.M)


def places():
    """name → how often the sources (no tests) reach it."""
    count = dict.fromkeys(names(), 0)
    for path in (REPOSITORY / "src").rglob("*.cpp"):
        if not path.stem.endswith("_test"):
            for name in re.findall(r'\breach\("(\w+)"\)', path.read_text()):
                count[name] = count.get(name, 0) + 1
    return count


def arm(name, nth=1, stop=False):
    """The environment of an engine that ends there, the nth time."""
    return {"CNX_FAILPOINT": f"{name}:{nth}" + (":stop" if stop else "")}


def wait_for_kill(engine, timeout=60):
    """Until the process was ended at its failpoint; anything else is a failure."""
    try:
        code = engine.process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"the failpoint was not reached within {timeout} s:\n{engine.tail()}") from error
    engine.process = None
    assert code == -signal.SIGKILL, f"ended with {code}, not at the failpoint:\n{engine.tail()}"
