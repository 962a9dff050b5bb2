"""scripts/test --matrix: the integration tests over versions of PostgreSQL and Neo4j, two pairs of servers at a time.

Builds the dev build, then for each pair starts fresh servers, runs the tests beside them and destroys them. Prints a line a pair as it is known,
and all of them as a table at the end; ends with 1 where one of them failed. Logs are in .local/matrix.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
LOGS = TOP / ".local" / "matrix"
# Each PostgreSQL beside one Neo4j, each Neo4j beside more than one PostgreSQL.
PAIRS = ("15/5.26", "16/5.26", "17/2026.09", "18/2026.09")
# Most of a test is waiting.
AT_ONCE = 2
# What meets a server's version most: the stream, the copy and its types, slots, locks, the catalog, statements, plans, errors.
QUICK = ("line", "copy", "types", "check", "source_safety", "source_clusters", "failover_slot", "standby", "dead_letters", "refusal", "plans", "keys",
         "versions_of_servers")
# Takes minutes for its size alone; scripts/services itself is the same for all.
LEFT_OUT = ("large_transaction", "removal", "services")


def files(quick):
    found = sorted((TOP / "tests" / "integration").glob("*_test.py"))
    names = [path.stem.removesuffix("_test") for path in found]
    missing = set(QUICK) - set(names)
    if missing:
        raise SystemExit(f"test: no test file for {', '.join(sorted(missing))}")
    return [path for path, name in zip(found, names) if (name in QUICK if quick else name not in LEFT_OUT)]


def run_pair(pair, tests):
    """(passed, what there is to say) of one pair."""
    postgres, neo4j = pair.split("/")
    directory = TOP / ".local" / f"matrix-{postgres}-{neo4j}"
    LOGS.mkdir(parents=True, exist_ok=True)
    log, result = LOGS / f"{postgres}-{neo4j}.log", LOGS / f"{postgres}-{neo4j}.xml"
    result.unlink(missing_ok=True)
    services = str(TOP / "scripts" / "services")
    begun = time.monotonic()
    with log.open("wb") as out:
        def call(words, timeout):
            return subprocess.run(words, cwd=TOP, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=timeout,
                                  check=False).returncode
        if directory.exists():
            call([services, "destroy", "--dir", str(directory)], 180)
        try:
            if call([services, "start", "--dir", str(directory), "--heap", "1g", "--brief", "--postgres-version", postgres,
                     "--neo4j-version", neo4j], 900):
                return False, f"the servers do not start; see {log}"
            words = ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={result}", *map(str, tests)]
            code = call(["bash", "-c", 'set -a; . "$0/env"; export CNX_ENGINE="$PWD/build/dev/contextnexus"; exec "$@"', str(directory),
                         *words], 10_800)
        finally:
            call([services, "destroy", "--dir", str(directory)], 180)
    suite = xml.etree.ElementTree.parse(result).getroot().find("testsuite")
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    figure = f"{total - bad - skipped} passed, {bad} failed, {skipped} not for these versions, {(time.monotonic() - begun) / 60:.1f} minutes"
    return code == 0 and bad == 0 and total > skipped, figure


def main(arguments):
    quick = "quick" in arguments
    pairs = [word for word in arguments if word != "quick"] or PAIRS
    for pair in pairs:
        if not re.fullmatch(r"\d+/[\d.]+", pair):
            raise SystemExit(f"test: {pair} is no pair of versions; one is 17/2026.09")
    for words in (["cmake", "--preset", "dev"], ["cmake", "--build", "--preset", "dev"]):
        subprocess.run(words, cwd=TOP, stdout=subprocess.DEVNULL, check=True)
    tests = files(quick)

    def line(pair):
        passed, figure = run_pair(pair, tests)
        postgres, neo4j = pair.split("/")
        said = f"{'pass' if passed else 'fail'}  PostgreSQL {postgres:4} Neo4j {neo4j:8} {figure}"
        print(said, flush=True)
        return passed, said

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        lines = list(pool.map(line, pairs))
    print("\n" + "\n".join(line for _, line in lines))
    print(f"{sum(passed for passed, _ in lines)} of {len(lines)} pairs", flush=True)
    return 0 if all(passed for passed, _ in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
