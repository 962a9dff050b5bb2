"""kafka_ready.py PORT PID: waits until the broker answers; ends with 1 where it died or took too long.

A broker listens a while before it serves. What is asked is ApiVersions (key 18, version 0), which every version of Kafka answers:
a request is its length, then key, version, a number that comes back, and the client's name.
"""

import os
import socket
import struct
import sys
import time

DEADLINE_SECONDS = 90
CORRELATION = 7


def answers(port):
    name = b"ready"
    request = struct.pack(">hhih", 18, 0, CORRELATION, len(name)) + name
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.makefile("rb").read(10)
    except OSError:
        return False
    # Length, the number, the error code: 0 is none.
    return len(answer) == 10 and struct.unpack(">ih", answer[4:]) == (CORRELATION, 0)


def main(port, pid):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if answers(int(port)):
            return 0
        if not os.path.exists(f"/proc/{pid}"):
            return 1
        time.sleep(0.25)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
