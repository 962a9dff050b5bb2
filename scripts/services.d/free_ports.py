"""free_ports.py N prints N free ports of 127.0.0.1; free_ports.py --check PORT ends with 1 where PORT is taken."""

import socket
import sys


def bound(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def main(arguments):
    if arguments[0] == "--check":
        try:
            bound(int(arguments[1])).close()
        except OSError:
            return 1
        return 0
    # All held at once, so that no port is named twice.
    listeners = [bound(0) for _ in range(int(arguments[0]))]
    print(*(listener.getsockname()[1] for listener in listeners))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
