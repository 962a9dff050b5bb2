"""Bolt with nothing in the way: messages are encoded beforehand and sent from memory, so that what is timed is the server.

The benchmark's ceiling must not depend on the client that is measured against it: this one shares no code with it.
PackStream and chunking as in the Bolt specification; one connection, one thread, no TLS, no routing, no retry.

    message   := chunk* 00 00            chunk := length(u16) bytes
    request   := B<n> <tag> field*       HELLO 01 · LOGON 6A · BEGIN 11 · RUN 10 · PULL 3F · COMMIT 12 · RESET 0F
    response  := SUCCESS 70 {…} | RECORD 71 […] | IGNORED 7E | FAILURE 7F {code, message}
"""

import socket
import struct
from urllib.parse import unquote, urlsplit

_HELLO, _LOGON, _RESET, _RUN, _BEGIN, _COMMIT, _PULL = 0x01, 0x6A, 0x0F, 0x10, 0x11, 0x12, 0x3F
_SUCCESS, _RECORD, _IGNORED, _FAILURE = 0x70, 0x71, 0x7E, 0x7F
_CHUNK_MAX = 0xFFFF


class ServerError(Exception):
    """FAILURE, as the server said it."""


class TransientError(ServerError):
    """One that the server says may be tried again."""


def _sized(length, tiny, wide):
    """A header: tiny form below 16 where there is one (`tiny`), else the 8, 16 or 32 bit form that starts at `wide`."""
    if tiny is not None and length < 16:
        return bytes((tiny | length,))
    if length < 0x100:
        return bytes((wide, length))
    if length < 0x10000:
        return struct.pack(">BH", wide + 1, length)
    return struct.pack(">BI", wide + 2, length)


def _pack_integer(value):
    if -16 <= value < 128:
        return struct.pack(">b", value)
    if -128 <= value < 128:
        return struct.pack(">Bb", 0xC8, value)
    if -0x8000 <= value < 0x8000:
        return struct.pack(">Bh", 0xC9, value)
    if -0x80000000 <= value < 0x80000000:
        return struct.pack(">Bi", 0xCA, value)
    return struct.pack(">Bq", 0xCB, value)


def pack(value):
    """One value as PackStream."""
    kind = type(value)
    if kind is str:
        data = value.encode()
        return _sized(len(data), 0x80, 0xD0) + data
    if kind is dict:
        return _sized(len(value), 0xA0, 0xD8) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if kind in (list, tuple):
        return _sized(len(value), 0x90, 0xD4) + b"".join(map(pack, value))
    if kind is Packed:
        return bytes(value)
    if value is None:
        return b"\xC0"
    if kind is bool:
        return b"\xC3" if value else b"\xC2"
    if kind is int:
        return _pack_integer(value)
    if kind is float:
        return struct.pack(">Bd", 0xC1, value)
    raise TypeError(f"no PackStream form here for {kind}")


class Packed(bytes):
    """Already PackStream: `pack` takes it as it is."""


def date_time(seconds, nanoseconds=0, offset_seconds=0):
    """A DateTime structure (Bolt 5: the seconds are UTC's)."""
    return Packed(b"\xB3\x49" + _pack_integer(seconds) + _pack_integer(nanoseconds) + _pack_integer(offset_seconds))


def _message(tag, *fields):
    """A request, chunked."""
    body = bytes((0xB0 | len(fields), tag)) + b"".join(map(pack, fields))
    chunks = []
    for start in range(0, len(body), _CHUNK_MAX):
        part = body[start:start + _CHUNK_MAX]
        chunks += [struct.pack(">H", len(part)), part]
    return b"".join(chunks) + b"\0\0"


class Flush:
    """Bytes to be sent at once, and how many answers end them."""

    def __init__(self, data, answers, rows=0):
        self.data, self.answers, self.rows = data, answers, rows


def transaction(statements, rows=0):
    """BEGIN, RUN and PULL of each (text, parameters), COMMIT: one flush. `rows` is for whoever counts."""
    parts = [_message(_BEGIN, {})]
    for text, parameters in statements:
        parts += [_message(_RUN, text, parameters, {}), _message(_PULL, {"n": -1})]
    parts.append(_message(_COMMIT))
    return Flush(b"".join(parts), 2 + 2 * len(statements), rows)


def single(text, parameters=None):
    """RUN and PULL outside a transaction: one flush."""
    return Flush(_message(_RUN, text, parameters or {}, {}) + _message(_PULL, {"n": -1}), 2)


class _Reader:
    """PackStream values from one message."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def _take(self, form):
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def _bytes(self, length):
        value = self.data[self.at:self.at + length]
        self.at += length
        return value

    def value(self):
        mark = self._take(">B")
        high, low = mark & 0xF0, mark & 0x0F
        if mark < 0x80 or high == 0xF0:
            return mark if mark < 0x80 else mark - 0x100
        if high == 0x80:
            return self._bytes(low).decode()
        if high == 0x90:
            return [self.value() for _ in range(low)]
        if high == 0xA0:
            return {self.value(): self.value() for _ in range(low)}
        if high == 0xB0:
            tag = self._take(">B")
            return (tag, [self.value() for _ in range(low)])
        return self._wide(mark)

    def _wide(self, mark):
        simple = {0xC0: None, 0xC2: False, 0xC3: True}
        if mark in simple:
            return simple[mark]
        number = {0xC1: ">d", 0xC8: ">b", 0xC9: ">h", 0xCA: ">i", 0xCB: ">q"}
        if mark in number:
            return self._take(number[mark])
        base = mark & 0xFC
        length = self._take({0: ">B", 1: ">H", 2: ">I"}[mark & 3])
        if base == 0xD0:
            return self._bytes(length).decode()
        if base == 0xCC:
            return self._bytes(length)
        if base == 0xD4:
            return [self.value() for _ in range(length)]
        if base == 0xD8:
            return {self.value(): self.value() for _ in range(length)}
        raise ValueError(f"unknown PackStream mark {mark:#x}")


class Connection:
    """One connection; `send` and `receive` apart, so that the next flush may be on its way while one is answered."""

    def __init__(self, url, timeout=600):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port or 7687), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.socket.sendall(bytes.fromhex("6060B017" "00040405" "00000000" "00000000" "00000000"))
        version = self._exactly(4)
        if version[3] != 5:
            raise ServerError(f"the server speaks none of Bolt 5.0 to 5.4: {version.hex()}")
        hello = {"user_agent": "contextnexus-bench/1", "bolt_agent": {"product": "contextnexus-bench/1"}}
        logon = {"scheme": "basic", "principal": unquote(parts.username), "credentials": unquote(parts.password)}
        self.run(Flush(_message(_HELLO, hello) + _message(_LOGON, logon), 2))

    def close(self):
        self.socket.close()

    def send(self, flush):
        self.socket.sendall(flush.data)

    def receive(self, answers):
        """Reads so many summaries; the records between them as lists. RESETs and raises the first FAILURE."""
        records, failure = [], None
        while answers:
            tag, fields = self._response()
            if tag == _RECORD:
                records.append(fields[0])
                continue
            answers -= 1
            if tag == _FAILURE and failure is None:
                failure = fields[0]
        if failure is not None:
            self.socket.sendall(_message(_RESET))
            self._response()
            kind = TransientError if failure["code"].startswith("Neo.TransientError") else ServerError
            raise kind(f"{failure['code']}: {failure['message']}")
        return records

    def run(self, flush):
        self.send(flush)
        return self.receive(flush.answers)

    def rows(self, text, **parameters):
        """The records of one statement."""
        return self.run(single(text, parameters))

    def value(self, text, **parameters):
        records = self.rows(text, **parameters)
        return records[0][0] if records else None

    def _exactly(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the server closed the connection")
            self.buffer += data
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def _response(self):
        message = bytearray()
        while True:
            length = struct.unpack(">H", self._exactly(2))[0]
            if length:
                message += self._exactly(length)
            elif message:  # Empty chunks between messages are keep-alives.
                return _Reader(bytes(message)).value()
