"""Builds the engine with a fault planted: a patch of tests/fault/patches applied to a copy of the sources.

A test that stays green with the fault in proves nothing. A patch that no longer applies is a fault of the patch, and is
said as such.
"""

import os
import pathlib
import shutil
import subprocess

from lib.database import REPOSITORY

PATCHES = pathlib.Path(__file__).resolve().parent / "patches"
ROOM = REPOSITORY / ".local" / "planted"


class PlantError(Exception):
    """The patch does not apply, or what it makes does not build."""


def patches():
    return sorted(PATCHES.glob("*.patch"))


def build(patch, timeout=1500):
    """The program with that fault in it, built in a folder of its own; raises PlantError."""
    return _build(patch, ["-DCNX_TESTS=OFF"], "contextnexus", "contextnexus", timeout)


def build_simulation(patch, timeout=1500):
    """The simulator with that fault in the engine that it steps; as build()."""
    return _build(patch, [], "cnx_simulation_test", "tests/simulation/cnx_simulation_test", timeout)


def _build(patch, options, target, program, timeout):
    place = ROOM / patch.stem
    source = place / "source"
    shutil.rmtree(source, ignore_errors=True)
    _copy_sources(source)
    # The copy lies inside a repository; seen as part of it, git would pass over its files without a word.
    _run(["git", "apply", str(patch)], source, 60, f"{patch.name} no longer applies",
         os.environ | {"GIT_CEILING_DIRECTORIES": str(place)})
    # As the dev preset does it, so that what the fault does not touch was compiled before.
    _run(["cmake", "--preset", "dev", *options], source, 300, f"{patch.name}: cmake fails")
    _run(["cmake", "--build", "--preset", "dev", "--target", target], source, timeout, f"{patch.name}: the build fails")
    return source / "build" / "dev" / program


def _copy_sources(target):
    """Every tracked file as it stands in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        path = REPOSITORY / name
        if path.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / name)


def _run(words, directory, timeout, failure, environment=None):
    try:
        done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, timeout=timeout,
                              check=False)
    except subprocess.TimeoutExpired as error:
        raise PlantError(f"{failure}: not within {timeout} s") from error
    if done.returncode != 0:
        raise PlantError(f"{failure}: {(done.stderr + done.stdout).strip()[-1500:]}")
