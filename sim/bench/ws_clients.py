"""Many WebSocket clients that read fills in one process, at the price of one comparison a read.

The server sends all of them the same bytes. So the first client to get a fill has it checked and
kept, and what the others get is compared with that: whatever is equal is complete and in order.
"""

import base64
import selectors
import socket
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import msgspec

_KEY = base64.b64encode(bytes(16)).decode()
_READ_SIZE = 1 << 18
_TEXT, _PING, _CLOSE = 0x81, 0x89, 0x88
_PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))


class NotConnected(Exception):
    """A client could not connect; `str()` holds what was answered."""


class _Fill(msgspec.Struct):
    trade_id: str
    timestamp: int


class FillClient:
    """One connection, and how far it is in what all of them get."""

    __slots__ = ("at", "begun", "closed", "rest", "socket", "wrong")

    def __init__(self, connected: socket.socket, rest: bytes) -> None:
        self.socket = connected
        self.rest = rest
        self.at: int | None = None
        self.begun = 0
        self.closed: int | None = None
        """The code with which the server closed; 1006 where it said none."""
        self.wrong = 0
        """Fills that were not the next ones."""


class Crowd:
    """So many clients of one feed of fills. All of them should connect before anything is traded;
    one that comes later is counted from its first fill on.
    """

    def __init__(
        self, host: str, port: int, count: int, path: str = "/ws", token: str = ""
    ) -> None:
        """Raises `NotConnected`, and `OSError`."""
        self._selector = selectors.DefaultSelector()
        self._stream = bytearray()
        self._ends: list[int] = [0]
        self._sent_at: list[int] = []
        self._starts: dict[str, int] = {}
        self._decode = msgspec.json.Decoder(_Fill).decode
        self.trade_ids: list[str] = []
        """Every fill that any client got, in the order of their ids."""
        self.disordered = 0
        """Fills that came after a fill with a higher id."""
        self.latencies = array("q")
        """Of each read: how old its oldest fill was, in ns since the order's timestamp."""
        self.clients: list[FillClient] = []
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n"
        ) + (f"Authorization: Bearer {token}\r\n" if token else "")
        try:
            for _ in range(count):
                self._add(_connect(host, port, head.encode() + b"\r\n"))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for client in self.clients:
            client.socket.close()
        self._selector.close()

    def read(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Reads for so long, or until something holds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not (until is not None and until()):
            for key, _ in self._selector.select(min(left, 0.1)):
                self._read(key.data)

    def counts(self) -> list[int]:
        """How many fills each client has."""
        return [
            0 if client.at is None else bisect_right(self._ends, client.at) - 1 - client.begun
            for client in self.clients
        ]

    def have(self, count: int) -> bool:
        """Whether every client that is connected has so many fills. O(clients)."""
        return all(
            client.closed is not None or found >= count
            for client, found in zip(self.clients, self.counts(), strict=True)
        )

    def lost(self, expected: int) -> int:
        """Of so many fills a client, those that were not got, or not in their place."""
        return sum(
            max(0, expected - found) + client.wrong
            for client, found in zip(self.clients, self.counts(), strict=True)
        )

    def _add(self, client: FillClient) -> None:
        self.clients.append(client)
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        if client.rest:
            data, client.rest = client.rest, b""
            self._take(client, data, time.time_ns())

    def _read(self, client: FillClient) -> None:
        try:
            data = client.socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(client, data, time.time_ns())
        elif client.closed is None:
            self._lose(client, 1006)

    def _lose(self, client: FillClient, code: int) -> None:
        client.closed = code
        self._selector.unregister(client.socket)

    def _take(self, client: FillClient, data: bytes, now: int) -> None:
        at = client.at
        if at is not None and not client.rest:
            end = at + len(data)
            if self._stream[at:end] == data:
                client.at = end
                self._note_age(at, end, now)
                return
        self._take_frames(client, data, now)

    def _take_frames(self, client: FillClient, data: bytes, now: int) -> None:
        """Frame by frame: new fills, and whatever else the server sends."""
        if client.at is not None:
            # The last read may have ended within a frame.
            begin = self._ends[bisect_right(self._ends, client.at) - 1]
            data = bytes(self._stream[begin : client.at]) + client.rest + data
            client.at = begin
        else:
            data = client.rest + data
        began = client.at
        place = 0
        while (found := _frame(data, place)) is not None:
            start, end = found
            kind = data[place]
            if kind == _TEXT:
                self._take_fill(client, data[place:end], start - place)
            elif kind == _PING:
                client.socket.send(_PONG)
            elif kind == _CLOSE:
                self._lose(client, int.from_bytes(data[start : start + 2], "big"))
                return
            place = end
        client.rest = data[place:]
        if client.at is not None:
            self._note_age(client.begun if began is None else began, client.at, now)

    def _take_fill(self, client: FillClient, frame: bytes, payload: int) -> None:
        if client.at is None:
            # Its first: what it is compared with from here on.
            trade_id = self._decode(frame[payload:]).trade_id
            client.at = self._starts.get(trade_id, len(self._stream))
            client.begun = bisect_left(self._ends, client.at)
        known = self._stream[client.at : client.at + len(frame)]
        if not known:
            fill = self._decode(frame[payload:])
            if self.trade_ids and _place(fill.trade_id) <= _place(self.trade_ids[-1]):
                self.disordered += 1
            self._starts[fill.trade_id] = len(self._stream)
            self.trade_ids.append(fill.trade_id)
            self._sent_at.append(fill.timestamp)
            self._stream += frame
            self._ends.append(len(self._stream))
        elif known != frame:
            client.wrong += 1
            return
        client.at += len(frame)

    def _note_age(self, start: int, end: int, now: int) -> None:
        first = bisect_left(self._ends, start)
        if first < len(self._sent_at) and self._ends[first] < end:
            self.latencies.append(now - self._sent_at[first])


def _place(trade_id: str) -> tuple[int, int]:
    seq, _, n = trade_id.partition("-")
    return int(seq), int(n)


def _frame(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `place` begins and ends; None where it is not all there."""
    left = len(data) - place
    if left < 2:
        return None
    size, start = data[place + 1], place + 2
    if size == 126:
        size, start = int.from_bytes(data[place + 2 : place + 4], "big"), place + 4
    elif size == 127:
        size, start = int.from_bytes(data[place + 2 : place + 10], "big"), place + 10
    return (start, start + size) if start + size <= len(data) else None


def _connect(host: str, port: int, head: bytes) -> FillClient:
    connected = socket.create_connection((host, port), timeout=30)
    try:
        connected.sendall(head)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = connected.recv(4096)
            if not more:
                break
            answer += more
        status, _, rest = answer.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101 "):
            raise NotConnected(answer.decode(errors="replace"))
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return FillClient(connected, rest)
