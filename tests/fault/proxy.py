"""A proxy between the engine and Neo4j that cuts connections around a COMMIT.

Three ways, in an order drawn from the seed: the COMMIT never reaches the server; it is sent and the connection is cut at
once, so that nobody can say what became of it; it is sent, answered, and the answer is lost. What the engine does next must
not depend on luck: each change takes effect once.
"""

import contextlib
import random
import socket
import threading

# A COMMIT in a chunk of its own: length 2, structure 0x12 without fields, and the end of the message.
_COMMIT = bytes.fromhex("0002b0120000")
BEFORE, SENT, ANSWERED = "before", "sent", "answered"
# What only the answer to a COMMIT that was carried out holds.
_COMMITTED = b"bookmark"
_ANSWER_MAX = 3.0  # Seconds to wait for the answer that is going to be lost; a refused COMMIT has none.


class CutProxy:
    """Listens on a port of its own until stop(). `share` of the COMMITs are cut; `cuts` counts them by way."""

    def __init__(self, host, port, seed, share=0.02):
        self._target = (host, port)
        self._random = random.Random(seed)
        self._share = share
        self._lock = threading.Lock()
        self._stopped = False
        self._pairs = set()
        self.cuts = {BEFORE: 0, SENT: 0, ANSWERED: 0}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._stopped = True
        self._listener.close()
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.cut()

    def draw(self):
        """The way to cut the COMMIT that has just come, or None."""
        with self._lock:
            if self._random.random() >= self._share:
                return None
            way = self._random.choice((BEFORE, SENT, ANSWERED))
            self.cuts[way] += 1
            return way

    def _accept(self):
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = _Pair(self, client, server)
            with self._lock:
                self._pairs.add(pair)
            pair.start()

    def forget(self, pair):
        with self._lock:
            self._pairs.discard(pair)


class _Pair:
    """One connection, in both directions."""

    def __init__(self, proxy, client, server):
        self._proxy, self._client, self._server = proxy, client, server
        self._swallow = False
        self._answered = threading.Event()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        threading.Thread(target=self._from_client, daemon=True).start()
        threading.Thread(target=self._from_server, daemon=True).start()

    def cut(self):
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._proxy.forget(self)

    def _from_client(self):
        tail = b""
        with contextlib.suppress(OSError):
            while data := self._client.recv(1 << 16):
                seen = tail + data
                at = seen.find(_COMMIT)
                tail = b"" if at >= 0 else seen[-len(_COMMIT) + 1:]
                way = self._proxy.draw() if at >= 0 else None
                if way is None:
                    self._server.sendall(data)
                elif self._end(way, data, at - (len(seen) - len(data))):
                    break
        self.cut()

    def _end(self, way, data, at):
        """The COMMIT begins at `at` of `data`; below 0, part of it was sent before. Says whether to cut now."""
        if way == BEFORE:
            self._server.sendall(data[:max(at, 0)])
            return True
        self._swallow = way == ANSWERED
        self._server.sendall(data)
        if way == ANSWERED:
            self._answered.wait(_ANSWER_MAX)
        return True

    def _from_server(self):
        tail = b""
        with contextlib.suppress(OSError):
            while data := self._server.recv(1 << 16):
                if not self._swallow:
                    self._client.sendall(data)
                    continue
                if _COMMITTED in tail + data:
                    self._answered.set()
                tail = data[-len(_COMMITTED) + 1:]
        self.cut()
