"""Builds the engine with a fault planted: a patch of tests/fault/patches applied to a copy of the sources.

A test that stays green with the fault in proves nothing. A patch that no longer applies is a fault of the patch, and is
said as such.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess

from lib.database import REPOSITORY

PATCHES = pathlib.Path(__file__).resolve().parent / "patches"
ROOM = REPOSITORY / ".local" / "planted"


class PlantError(Exception):
    """The patch does not apply, or what it makes does not build."""


class Tree:
    """A copy of the sources as they stand in the work tree, and its build; raises PlantError. `tests`: with the unit tests' programs."""

    def __init__(self, name, tests=True):
        self._place = ROOM / name
        self._source = self._place / "source"
        # What was built before stays, so that only what differs is built again.
        _copy_sources(self._source)
        # As the dev preset does it, so that what no fault touches was compiled before.
        _run(["cmake", "--preset", "dev", f"-DCNX_TESTS={'ON' if tests else 'OFF'}"], self._source, 300, f"{name}: cmake fails")

    def build(self, target, timeout=1500):
        """The program of that name."""
        _run(["cmake", "--build", "--preset", "dev", "--target", target], self._source, timeout, f"{target}: the build fails")
        found = [path for path in (self._source / "build" / "dev").rglob(target) if path.is_file()]
        if len(found) != 1:
            raise PlantError(f"{target} is not built in one place: {found}")
        return found[0]

    @contextlib.contextmanager
    def patched(self, patch):
        self._apply(patch)
        try:
            yield
        finally:
            self._apply(patch, "-R")

    def _apply(self, patch, *words):
        # The copy lies inside a repository; seen as part of it, git would pass over its files without a word.
        _run(["git", "apply", *words, str(patch)], self._source, 60, f"{patch.name} no longer applies",
             os.environ | {"GIT_CEILING_DIRECTORIES": str(self._place)})

    def plant(self, patch):
        """For good."""
        self._apply(patch)
        return self


def patches():
    return sorted(PATCHES.glob("*.patch"))


def build(patch, timeout=1500):
    """The program with that fault in it, built in a folder of its own; raises PlantError."""
    return Tree(patch.stem, tests=False).plant(patch).build("contextnexus", timeout)


def build_simulation(patch, timeout=1500):
    """The simulator with that fault in the engine that it steps; as build()."""
    return Tree(patch.stem + "-simulated").plant(patch).build("cnx_simulation_test", timeout)


def _copy_sources(target):
    """Every tracked file as it stands in the work tree; what is there already, and the same, is left alone, what is no more goes."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    names = {name for name in filter(None, listed.decode().split("\0")) if (REPOSITORY / name).is_file()}
    for path in list(target.rglob("*")) if target.exists() else []:
        relative = path.relative_to(target)
        if path.is_file() and relative.parts[0] != "build" and str(relative) not in names:
            path.unlink()
    for name in sorted(names):
        path, copy = REPOSITORY / name, target / name
        if copy.exists() and copy.read_bytes() == path.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Not its time: a file that was patched is newer in the build than the one that comes back.
        shutil.copy(path, copy)


def _run(words, directory, timeout, failure, environment=None):
    try:
        done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, timeout=timeout,
                              check=False)
    except subprocess.TimeoutExpired as error:
        raise PlantError(f"{failure}: not within {timeout} s") from error
    if done.returncode != 0:
        raise PlantError(f"{failure}: {(done.stderr + done.stdout).strip()[-1500:]}")
