"""A proxy that treats connections badly: cuts them, lets them hang half-open, slows them down, or hands on one byte at a time.

One Wire stands before one server. What it does may be changed while connections are open, and counts for them; which kind it does it to is
chosen too: PostgreSQL's replication connections tell themselves from its sessions by their startup message.
"""

import contextlib
import select
import socket
import struct
import threading
import time

REPLICATION, QUERY, BOLT = "replication", "query", "bolt"
# Ways. `half_open`: what either side sends is swallowed, for ever for that connection; new ones are well.
PASS, SLOW, BYTES, HALF_OPEN = "pass", "slow", "one byte at a time", "half-open"

_SLOW_BYTES = 4096  # Each so long:
_SLOW_SECONDS = 0.02
# Neo4j's hint how long its silence may last, an integer of one byte behind the name (PackStream). Its own is two minutes.
_HINT = b"connection.recv_timeout_seconds"


class Wire:
    """Listens on `port` of 127.0.0.1 until stop()."""

    def __init__(self, host, port, bolt=False, silence_max=None):
        """`silence_max`: so many seconds, below 128, of Neo4j's silence are too many, in place of what it says itself."""
        self._target = (host, port)
        self.silence_max = silence_max
        self._bolt = bolt
        self._lock = threading.Lock()
        self._links = set()
        self._way, self._kinds, self._idle = PASS, (), None
        self._refuses = False
        self._heard = None
        self.cuts = 0
        self.swallowed = 0  # Bytes that were sent into a half-open connection.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    def treat(self, way, *kinds):
        """Connections of these kinds (none: all), those that are open and those to come; half-open: those that are open alone."""
        with self._lock:
            if way == HALF_OPEN:
                for link in self._links:
                    if not kinds or link.kind in kinds:
                        link.dead = True
            else:
                self._way, self._kinds = way, kinds

    def cut(self, *kinds):
        """Connections that are open are reset, now; how many there were."""
        with self._lock:
            links = [link for link in self._links if not kinds or link.kind in kinds]
        for link in links:
            link.reset()
        self.cuts += len(links)
        return len(links)

    def cut_idle(self, seconds, silently):
        """From now on a connection on which nobody has said anything for so long is reset, or swallows all that comes; None: none."""
        self._idle = None if seconds is None else (seconds, silently)

    def refuse(self, refuses=True):
        """New connections are reset at once."""
        self._refuses = refuses

    def hear(self):
        """From now on what each client sends is kept: a list of a bytearray for each connection."""
        self._heard = []
        return self._heard

    def new_ear(self):
        if self._heard is None:
            return None
        self._heard.append(bytearray())
        return self._heard[-1]

    def open_kinds(self):
        with self._lock:
            return sorted(link.kind for link in self._links if not link.dead)

    def stop(self):
        self._stopped = True
        self._listener.close()
        self.cut()

    def way_of(self, link):
        return self._way if not self._kinds or link.kind in self._kinds else PASS

    @property
    def idle(self):
        return self._idle

    def _accept(self):
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            link = _Link(self, client, server, BOLT if self._bolt else QUERY)
            with self._lock:
                self._links.add(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        try:
            link.run()
        except (OSError, ValueError):  # ValueError: it was reset by another thread, and has no descriptor any more.
            pass
        finally:
            link.reset()
            with self._lock:
                self._links.discard(link)


class _Link:
    """One connection and its other half; one thread carries both directions."""

    def __init__(self, wire, client, server, kind):
        self._wire, self._client, self._server = wire, client, server
        self.kind = kind
        self.dead = False
        self._said = time.monotonic()
        self._ear = wire.new_ear()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        ends = [self._client, self._server]
        while True:
            readable, _, _ = select.select(ends, (), (), 0.1)
            if not readable:
                self._look_idle()
                continue
            for end in readable:
                way = self._wire.way_of(self)
                data = end.recv(_SLOW_BYTES if way == SLOW else 65536)
                if not data and not self.dead:
                    return
                if self.dead:
                    self._wire.swallowed += len(data)
                    # The server does not hear of its client's end either: it has deadlines of its own.
                    if not data:
                        ends.remove(end)
                        end.close()
                    if self._server not in ends:
                        return
                    continue
                self._said = time.monotonic()
                if end is self._client and self._ear is not None:
                    self._ear += data
                if end is self._client and self.kind == QUERY and b"replication\0" in data[:1024]:
                    self.kind = REPLICATION
                    way = self._wire.way_of(self)
                if end is self._server and self.kind == BOLT and self._wire.silence_max:
                    data = _with_hint(data, self._wire.silence_max)
                self._hand_on(self._server if end is self._client else self._client, data, way)

    def _hand_on(self, end, data, way):
        if way == BYTES:
            for byte in data:
                end.sendall(bytes((byte,)))
            return
        end.sendall(data)
        if way == SLOW:
            time.sleep(_SLOW_SECONDS)

    def _look_idle(self):
        idle = self._wire.idle
        if idle is None or self.dead or time.monotonic() - self._said < idle[0]:
            return
        self._wire.cuts += 1
        if idle[1]:
            self.dead = True
        else:
            raise ConnectionResetError

    def reset(self):
        for end in (self._client, self._server):
            _reset(end)


def _with_hint(data, seconds):
    at = data.find(_HINT)
    if at < 0 or at + len(_HINT) >= len(data):
        return data
    at += len(_HINT)
    return data[:at] + bytes((seconds,)) + data[at + 1:]


def _reset(end):
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
