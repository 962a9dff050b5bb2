"""free_ports.py N prints N free ports of 127.0.0.1; free_ports.py --check PORT ends with 1 where PORT stays taken for five seconds."""

import random
import socket
import sys
import time

# Below what systems hand out to connections (Linux from 32768, others from 49152). A client that tries again and again while
# a server of that range is down may be given the very port, connect to itself, and so keep the server from starting.
_FIRST, _LAST = 10_000, 32_000
_WAIT_SECONDS = 5


def bound(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def free(count):
    """So many ports, each held by a listener that is returned: no port is named twice."""
    listeners = []
    for port in random.sample(range(_FIRST, _LAST), 1_000):
        if len(listeners) == count:
            return listeners
        try:
            listeners.append(bound(port))
        except OSError:
            continue
    sys.exit(f"no {count} ports of 127.0.0.1 are free")


def becomes_free(port):
    """A server that was killed is a zombie at once, and holds its port until its last thread has gone."""
    give_up = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            bound(port).close()
            return True
        except OSError:
            if time.monotonic() >= give_up:
                return False
        time.sleep(0.05)


def main(arguments):
    if arguments[0] == "--check":
        return 0 if becomes_free(int(arguments[1])) else 1
    print(*(listener.getsockname()[1] for listener in free(int(arguments[0]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
