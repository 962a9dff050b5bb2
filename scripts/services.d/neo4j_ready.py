"""neo4j_ready.py URL PID: waits until the server answers and our password is set; ends with 1 where it died or took too long.

A new store's only login is neo4j/neo4j, which may do nothing but choose another password: $CNX_NEO4J_PASSWORD. The answer to
a statement by that password is what "ready" means, so a store that is already ours takes the same way.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request

# Ten seconds on a machine that does nothing else, minutes on one that is busy.
DEADLINE_SECONDS = 300
# The server's own HTTP is asked, never a proxy.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run(url, database, password, statement, parameters):
    request = urllib.request.Request(
        f"{url}/db/{database}/query/v2",
        data=json.dumps({"statement": statement, "parameters": parameters}).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(f"neo4j:{password}".encode()).decode(),
        },
    )
    try:
        with OPENER.open(request, timeout=20) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def ready(url, password):
    try:
        if run(url, "neo4j", password, "RETURN 1", {}) == 202:
            return True
        # Refused as another user would be: the store is new.
        run(url, "system", "neo4j", "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password", {"password": password})
    except OSError:
        pass
    return False


def main(url, pid):
    password = os.environ["CNX_NEO4J_PASSWORD"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if ready(url, password):
            return 0
        if not os.path.exists(f"/proc/{pid}"):
            return 1
        time.sleep(0.25)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
