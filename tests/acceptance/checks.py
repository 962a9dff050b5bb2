"""What the acceptance commands share: the build, unit tests, integration tests and planted faults, each as (passed, figure)."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import traceback
import xml.etree.ElementTree

import kills
import planted
from lib import servers as servers_module
from lib.database import REPOSITORY


def build(points):
    """The dev build with its tests, as scripts/test makes it."""
    def work():
        for words in (["cmake", "--preset", "dev"], ["cmake", "--build", "--preset", "dev", "--", "-j", "2"]):
            done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=1800, check=False)
            if done.returncode != 0:
                points.note(done.stdout[-2000:] + done.stderr[-2000:])
                return False, f"{' '.join(words)} ends with {done.returncode}"
        return True, "build/dev"
    points.attempt("ground: builds without a warning", "no error", work)


def ctest(pattern, servers=None):
    """All tests whose name fits pass, and there is one."""
    done = subprocess.run(["ctest", "--test-dir", "build/dev", "-R", pattern, "--no-tests=error"], cwd=REPOSITORY,
                          env=_environment(servers), capture_output=True, text=True, timeout=900, check=False)
    closing = [line for line in done.stdout.splitlines() if "tests passed" in line or "No tests" in line]
    return done.returncode == 0, (closing or [done.stderr.strip() or "no closing line"])[0]


def integration(points, servers, file, least, keyword=""):
    """The tests of tests/integration/FILE (those that the keyword names) all pass, none is skipped, and there are so many."""
    return _verdict(points, *_pytest(servers, file, keyword), least)


def _verdict(points, done, suite, least, keyword=""):
    """Of the tests of a run that the keyword names."""
    cases = [case for case in suite.iter("testcase") if _fits(case.get("name"), keyword)]
    red = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    # 1: some test failed; anything above: not all were run.
    ran = done.returncode in (0, 1)
    if red or not ran:
        points.note("\n".join(line[:300] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))))
    return ran and not red and not skipped and len(cases) >= least, f"{len(cases) - red - skipped} of {len(cases)}"


def integration_points(points, servers, tests):
    """A point for each (point, file, least, keyword): each file runs once for all its points, two files at a time, the second beside servers of its
    own."""
    files = {}
    for test in tests:
        if points.wanted_here(test[0]):
            files.setdefault(test[1], []).append(test)
    if not files:
        return
    with contextlib.ExitStack() as stack:
        free = [servers]
        if len(files) > 1:
            free.append(servers_module.start(servers.directory + "-2"))
            stack.callback(free[-1].control, "destroy")
        lanes = list(free)

        def run(file):
            mine = free.pop()
            try:
                _points_of_file(points, mine, file, files[file])
            finally:
                free.append(mine)

        with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(run, files))


def _points_of_file(points, servers, file, tests):
    keywords = [keyword for _, _, _, keyword in tests]
    ran = []  # By the first point, so that a failure to run is a point's.

    def work(least, keyword):
        if not ran:
            ran.append(_pytest(servers, file, "" if "" in keywords else " or ".join(f"({each})" for each in keywords)))
        return _verdict(points, *ran[0], least, keyword)

    for point, _, least, keyword in tests:
        points.attempt(point, f"all pass, at least {least}", lambda least=least, keyword=keyword: work(least, keyword))


def side_by_side(points, lanes, *jobs):
    """Each is (function, arguments…) and says points of its own. As many at a time as there are lanes, in this order."""
    def run(job):
        try:
            job[0](*job[1:])
        except Exception as error:  # Its points are not said: this one is, and the others go on.
            points.note(traceback.format_exc())
            points.say(job[0].__name__.replace("_", " "), False, type(error).__name__, "comes to its end")

    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        list(pool.map(run, jobs))


def _fits(name, keyword):
    """Whether pytest's -k KEYWORD, of words with and, or, not and parentheses, asks for the test of that name."""
    words = re.sub(r"\w+", lambda word: word[0] if word[0] in ("and", "or", "not") else str(word[0] in name), keyword)
    return not words or eval(words)  # Of words of the commands' own only.


def _pytest(servers, file, keyword, program=None):
    environment = _environment(servers) | ({"CNX_ENGINE": str(program)} if program else {})
    with tempfile.NamedTemporaryFile(suffix=".xml") as result:
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-k", keyword,
             f"--junitxml={result.name}", f"tests/integration/{file}"], cwd=REPOSITORY, env=environment,
            capture_output=True, text=True, timeout=1200, check=False)
        return done, xml.etree.ElementTree.parse(result.name).getroot().find("testsuite")


def _environment(servers):
    if servers is None:
        return os.environ
    return os.environ | servers_module.read_env(pathlib.Path(servers.directory) / "env") | {
        "CNX_POSTGRES_URL": servers.postgres_url, "CNX_NEO4J_URL": servers.neo4j_url,
        "CNX_NEO4J_HTTP": servers.neo4j_http, "CNX_SERVICES_DIR": servers.directory}


def red_tests(points, servers, patch, file, keyword):
    """The same tests, against a program with that fault planted, find it: all of them run, and some fail."""
    try:
        program = planted.build(patch)
    except planted.PlantError as error:
        return False, str(error)[-300:]
    done, suite = _pytest(servers, file, keyword, program)
    points.note("\n".join(line[:160] for line in done.stdout.splitlines() if line.startswith("E  "))[:1000])
    failed = int(suite.get("failures"))
    return failed > 0 and int(suite.get("errors")) == 0, f"{failed} of {suite.get('tests')} red"


def red(points, servers, patch, run, seed, **options):
    """The same run of kills, against a program with that fault planted, finds something."""
    try:
        program = planted.build(patch)
    except planted.PlantError as error:
        return False, str(error)[-300:]
    report = run(servers, program=program, **({"kills": 10, "restarts": 1, "seed": seed} | options))
    points.note(kills.describe(report))
    points.note("\n".join(report.faults[:3]))
    # What a witness or the comparer found: that a run did not end in time may be the machine's doing.
    seen = report.differences + report.miscounted + report.disorder + report.broken
    return bool(seen), f"{len(seen)} faults in {report.kills} kills"
