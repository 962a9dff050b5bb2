"""Every fault of tests/fault/patches still applies to the sources: one that does not would be found only where an acceptance command plants it."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "tests" / "fault" / "patches").rglob("*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_fault_applies(patch):
    # Seen as part of a repository around it, git would pass over its files without a word.
    done = subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, env=os.environ | {"GIT_CEILING_DIRECTORIES": str(ROOT.parent)},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_some():
    assert len(PATCHES) > 13
