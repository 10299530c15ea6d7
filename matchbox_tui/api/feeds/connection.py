"""One WebSocket client: handshake, frames from it, the way to it, and its end.

The protocol itself is the `websockets` library's, without input and output. Only what all clients
get alike is framed elsewhere, once for all, and written here as it is.
"""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol

from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from matchbox_tui.api.feeds.frames import PING
from matchbox_tui.api.feeds.handshake import Refused, as_refusal, refusal

log = logging.getLogger(__name__)
wire_log = logging.getLogger(f"{__name__}.wire")
# The library tells of every connection that comes and goes.
wire_log.setLevel(logging.WARNING)

TOO_SLOW = 1013
"""The close code for a client that doesn't read."""

CHUNK = 1 << 16
"""Bytes written to a client at a time; about as many may wait in its buffer."""

KERNEL_BUFFER = 1 << 18
"""What the system may keep for one client, so that many slow ones don't fill the memory."""

MAX_MESSAGE = 4096
"""Longest message from a client, in bytes. None of them means anything yet."""

BURST = 16 * 1024
"""Bytes that a client may send at once."""

BYTES_A_SECOND = 2048
"""How fast a client earns the right to send more."""

FLOOD = 1008
SERVER_GOES = 1001
SHUTDOWN_SECONDS = 1.0


class Listener(Protocol):
    """Whoever feeds a connection."""

    def drained(self, connection: "Connection") -> None:
        """It was paused, and can be written to again."""

    def gone(self, connection: "Connection") -> None:
        """It is closed or lost, and must not be written to."""


class Host(Protocol):
    """What a connection belongs to."""

    closing_s: float
    bytes_sent: int
    disconnected_slow: int

    def admit(self, request: Request) -> None:
        """Raises `Refused` where the client may not connect."""

    def opened(self, connection: "Connection", request: Request) -> None:
        """It may be written to from now on."""

    def lost(self, connection: "Connection") -> None:
        """It is gone."""


class Connection(asyncio.Protocol):
    """A client's connection, from the head of its request on. `paused`: it should not be written
    to, for it has not read what was written before.
    """

    def __init__(self, host: Host, connections: set[Any]) -> None:
        """`connections` holds this one for as long as the server must wait for it at its end."""
        self._host = host
        self._connections = connections
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE, logger=wire_log)
        self.transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._rest: deque[memoryview] = deque()
        self._full = False
        self._drained = asyncio.Event()
        self._drained.set()
        self._ending: asyncio.TimerHandle | None = None
        self._ended = False
        self._allowance: float = BURST
        self._allowed_at = 0.0
        self._heard = True
        self.paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connections.add(self)
        transport.set_write_buffer_limits(CHUNK)
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)

    def data_received(self, data: bytes) -> None:
        if self._ending is not None or self._ended:
            return
        if self._protocol.state is State.CONNECTING:
            self._greet(data)
            return
        self._heard = True
        allowed = self._allowed(len(data))
        self._protocol.receive_data(data[:allowed])
        # What it says means nothing; the library answers pings and closes by itself.
        self._protocol.events_received()
        if self._protocol.state is State.OPEN and allowed < len(data):
            self.close(FLOOD, "too much was sent: this feed takes no messages")
        else:
            self._answer()

    def eof_received(self) -> None:
        """The client is gone without a word. The transport then closes by itself."""
        self._rest.clear()
        self._end(self._host.closing_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if self._ending is not None:
            self._ending.cancel()
        self._connections.discard(self)
        self._stop_feeding()
        self._host.lost(self)

    def pause_writing(self) -> None:
        self._full = True
        self._pause()

    def resume_writing(self) -> None:
        self._full = False
        self._heard = True
        self._pour()

    def shutdown(self) -> None:
        """The server stops."""
        if self._protocol.state is State.OPEN:
            self.close(SERVER_GOES, "the server stops", SHUTDOWN_SECONDS)
        elif self._ending is None:
            self.transport.close()

    def listen(self, listener: Listener) -> None:
        """From now on the listener hears when this connection drains and when it goes."""
        if self._ending is not None or self._ended:
            listener.gone(self)
        else:
            self._listener = listener

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs what feeds this connection until it ends by itself or the connection does."""
        self._task = self._loop.create_task(work)

    def write(self, frames: bytes) -> None:
        """Sends whole frames. They wait in memory where the client doesn't read."""
        self._host.bytes_sent += len(frames)
        if self._rest:
            self._queue(frames)
        elif len(frames) <= CHUNK:
            self.transport.write(frames)
        else:
            self.transport.write(frames[:CHUNK])
            self._queue(frames[CHUNK:])

    async def drained(self) -> None:
        """Waits until it can be written to."""
        await self._drained.wait()

    def beat(self) -> None:
        """Pings the client, or drops it where nothing was heard of it since the last ping."""
        if not self._heard:
            self.transport.abort()
        elif self._ending is None:
            self._heard = False
            if not self._rest:
                self.transport.write(PING)

    def close(self, code: int, reason: str, seconds: float | None = None) -> None:
        """Sends a close and feeds it no more; drops it where that can't be sent in time."""
        if self._protocol.state is State.OPEN and self._ending is None:
            self._host.disconnected_slow += code == TOO_SLOW
            self._protocol.send_close(code, reason)
            self._answer()
            self._end(self._host.closing_s if seconds is None else seconds)

    def _greet(self, head: bytes) -> None:
        """Answers the request with which it all begins."""
        self._protocol.receive_data(head)
        events = self._protocol.events_received()
        request = events[0] if events else None
        try:
            if not isinstance(request, Request):
                raise Refused(400, "this is no WebSocket handshake that can be read")
            self._host.admit(request)
            response = self._protocol.accept(request)
            if response.status_code != 101:
                raise as_refusal(response, self._protocol.handshake_exc)
        except Refused as refused:
            self.transport.write(refusal(refused))
            self._end(self._host.closing_s)
            return
        self._protocol.send_response(response)
        self._answer()
        # Only then is the transport ours, and tells us when its buffer is full.
        self._loop.call_soon(self._open, request)

    def _open(self, request: Request) -> None:
        if self._ending is None and not self._ended:
            self._host.opened(self, request)

    def _allowed(self, size: int) -> int:
        """How many of the bytes that came are looked at."""
        now = self._loop.time()
        earned = BYTES_A_SECOND * (now - self._allowed_at)
        self._allowed_at = now
        self._allowance = min(BURST, self._allowance + earned)
        allowed = min(size, int(self._allowance))
        self._allowance -= allowed
        return allowed

    def _answer(self) -> None:
        """Sends what the protocol itself has to say."""
        for data in self._protocol.data_to_send():
            if data:
                self.write(data)
            else:
                self._end(self._host.closing_s)

    def _end(self, seconds: float) -> None:
        """Ends the sending once all is sent. What still comes is read and forgotten, since a
        connection that is closed with something unread takes back what was sent last.
        """
        if self._ending is None and not self._ended:
            self._ending = self._loop.call_later(seconds, self.transport.abort)
            self._stop_feeding()
            self._go_on()

    def _stop_feeding(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.gone(self)
        if self._task is not None:
            self._task.cancel()

    def _queue(self, frames: bytes) -> None:
        view = memoryview(frames)
        self._rest.extend(view[start : start + CHUNK] for start in range(0, len(view), CHUNK))
        self._pause()
        self._pour()

    def _pour(self) -> None:
        """Writes what waits, as far as the buffer takes it."""
        while self._rest and not self._full:
            self.transport.write(self._rest.popleft())
        self._go_on()

    def _pause(self) -> None:
        self.paused = True
        self._drained.clear()

    def _go_on(self) -> None:
        if self._rest:
            return
        if self._ending is not None:
            if not self._ended and self.transport.can_write_eof():
                self.transport.write_eof()
        elif self.paused and not self._full:
            self.paused = False
            self._drained.set()
            if self._listener is not None:
                self._listener.drained(self)
