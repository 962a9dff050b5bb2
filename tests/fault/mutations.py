"""The thirteen known ways in which systems of this kind lost data, each put into the code by a patch, and the check that catches it.

One copy of the sources serves all: a patch is applied, what the check needs is built, the check runs and has to be red, the patch is taken out.
Before, each check is green without a patch. A patch that no longer applies, or does not build, is a fault of the patch, and the mutation counts
as not caught. For each the quickest check that sees it is named; others see most of them too (docs/faults.md).
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from typing import NamedTuple

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import planted  # noqa: E402
from lib import servers as servers_module  # noqa: E402
from lib.database import REPOSITORY  # noqa: E402

LOSS = planted.PATCHES / "loss"


class Unit(NamedTuple):
    """A test program of the build, all of it."""

    target: str

    def run(self, tree, servers):
        done = subprocess.run([tree.build(self.target), "--gtest_brief=1"], capture_output=True, text=True, timeout=300, check=False)
        red = [line.split("]", 1)[1].strip() for line in done.stdout.splitlines() if line.startswith("[  FAILED  ]") and "." in line]
        if done.returncode != 0 and not red:
            raise planted.PlantError(f"{self.target} ends with {done.returncode} and says nothing: {done.stderr.strip()[-300:]}")
        return sorted({line.split(" (")[0].split(",")[0] for line in red})


class Tests(NamedTuple):
    """Tests of a file of tests/integration, against the program of the build."""

    file: str
    keyword: str

    def run(self, tree, servers):
        program = tree.build("contextnexus")
        environment = os.environ | servers_module.read_env(pathlib.Path(servers.directory) / "env") | {
            "CNX_ENGINE": str(program), "CNX_SERVICES_DIR": servers.directory}
        with tempfile.NamedTemporaryFile(suffix=".xml") as result:
            done = subprocess.run(["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", "-k", self.keyword,
                                   f"--junitxml={result.name}", f"tests/integration/{self.file}"], cwd=REPOSITORY, env=environment,
                                  capture_output=True, text=True, timeout=600, check=False)
            suite = xml.etree.ElementTree.parse(result.name).getroot().find("testsuite")
        if int(suite.get("tests")) == 0 or int(suite.get("errors")):
            raise planted.PlantError(f"{self.file} -k '{self.keyword}' does not run: {done.stdout.strip()[-300:]}")
        return sorted(case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None)


class Mutation(NamedTuple):
    number: int
    patch: str
    check: Unit | Tests


CAPTURE = Unit("cnx_capture_logical_test")
MUTATIONS = (
    Mutation(1, "01_the_rest_of_a_transaction_is_skipped_after_a_restart", CAPTURE),
    Mutation(2, "02_a_transaction_that_begins_where_one_ended_is_skipped", CAPTURE),
    Mutation(3, "03_the_slot_is_confirmed_past_the_graph", CAPTURE),
    Mutation(4, "04_a_keep_alive_is_answered_with_what_was_decoded", CAPTURE),
    Mutation(5, "05_a_new_slot_goes_on_from_the_old_position", CAPTURE),
    Mutation(6, "06_a_segment_is_done_before_its_rows_are", Tests("copy_test.py", "a_killed_copy_goes_on")),
    Mutation(7, "07_a_new_table_is_followed_without_its_snapshot",
             Tests("table_changes_test.py", "leaves_the_mapping_and_comes_again")),
    Mutation(8, "08_a_slot_ahead_of_the_position_is_gone_on_from", CAPTURE),
    Mutation(9, "09_a_graph_that_was_moved_and_is_older_goes_on", CAPTURE),
    Mutation(10, "10_the_position_is_not_compared_with_the_slot", CAPTURE),
    Mutation(11, "11_the_progress_of_one_segment_is_filed_under_all", Tests("failpoints_test.py", "there and copy_segment_answered")),
    Mutation(12, "12_an_update_that_meets_nothing_is_dropped", Tests("refetch_test.py", "a_missing_node_is_whole_again")),
    Mutation(13, "13_another_database_is_taken_for_the_known_one", CAPTURE),
)


class Verdict(NamedTuple):
    caught: bool
    what: str


class Runner:
    """Makes the copy and looks that every check is green in it; then try_one() for each mutation."""

    def __init__(self, servers, log=lambda line: None):
        self._servers = servers
        self._log = log
        self._tree = planted.Tree("loss")
        self._green = {}

    def _is_green(self, check):
        if check not in self._green:
            self._green[check] = check.run(self._tree, self._servers)
            self._log(f"{check}: {'green' if not self._green[check] else 'red'} without a patch")
        return not self._green[check]

    def try_one(self, mutation):
        """Whether the check sees it, and by what."""
        try:
            if not self._is_green(mutation.check):
                return Verdict(False, f"red without the patch: {', '.join(self._green[mutation.check])[:200]}")
            with self._tree.patched(LOSS / f"{mutation.patch}.patch"):
                red = mutation.check.run(self._tree, self._servers)
        except (planted.PlantError, subprocess.TimeoutExpired) as error:
            return Verdict(False, str(error)[-300:])
        return Verdict(bool(red), f"{len(red)} red: {red[0]}" if red else "nothing is red")


def unnamed():
    """Patches that no mutation names, and mutations without a patch: both are mistakes."""
    there, named = {path.stem for path in LOSS.glob("*.patch")}, {mutation.patch for mutation in MUTATIONS}
    return sorted(there ^ named)


if __name__ == "__main__":
    wanted = {int(word) for word in sys.argv[1:]}
    runner = Runner(servers_module.from_environment(), log=lambda line: print(f"      {line}", flush=True))
    missed = len(unnamed())
    for one in MUTATIONS:
        if wanted and one.number not in wanted:
            continue
        verdict = runner.try_one(one)
        missed += not verdict.caught
        print(f"{'caught' if verdict.caught else 'MISSED'}  {one.patch}  {verdict.what}", flush=True)
    sys.exit(1 if missed else 0)
