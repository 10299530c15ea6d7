"""HTTP/1.1 as uvicorn speaks it, with a bound on everything that a client may send or hold back.

uvicorn bounds neither a request's head nor the time that a client takes, and closes so soon after
an early answer that the client may never see it. All that is put right here; what a request asks
for is the application's.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from matchbox_tui.api.answers import Problem
from matchbox_tui.api.http_limits import HeadRefused, Limits, path_of, words_of
from matchbox_tui.api.http_request import Connection, Request
from matchbox_tui.api.meter import Meter

SLICE = 4096
"""Bytes that are parsed at once: the few requests that can be in them may wait."""

PIPELINED = 16
"""Requests that may wait for the one before them on their connection before reading stops."""


class _Flow(FlowControl):
    """Whether the connection is read. It is not while bytes or requests wait to be looked at."""

    def __init__(self, protocol: "BoundedHttp", transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if self.read_paused and len(self._protocol.pipeline) < PIPELINED:
            self.resume()
            self._protocol.go_on()

    def resume(self) -> None:
        super().resume_reading()


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        meter: Meter,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.timeout_keep_alive = limits.idle_seconds  # type: ignore[assignment]  # finer is fine
        self._limits = limits
        self._meter = meter
        self._served = self.app
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._idle_until = 0.0
        self._rest = b""
        # Of the message under way: bytes of its head, bytes since a piece of its body, all of it.
        self._head = 0
        self._framing = 0
        self._body = 0
        self._in_body = False
        self._length: int | None = None
        self._half_closed = False
        self._deaf = False
        self._ended = False
        self._discarded = 0
        self._last_word: tuple[int, str] | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = self._flow = _Flow(self, transport)
        self._meter.connections += 1
        if len(self.connections) > self._limits.connections:
            # No lingering: that would keep what there is too much of.
            self._deaf = self._ended = True
            self._say(503, "too many connections: try again soon")
            transport.close()
            return
        self._watch_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._meter.connections -= 1
        self._deaf = self._ended = True
        self._rest = b""
        self.pipeline.clear()
        self._unset_keepalive_if_required()
        self._set_timer(0)
        for timer in (self._stall, self._idle):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keeps the way back open for a client that has said all and waits for its answer."""
        if self._ended or self._in_body or not self._busy():
            return False
        self._half_closed = True
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _expect_reader(self) -> None:
        if self._stall is None:
            self._stall = self.loop.call_later(self._limits.stall_seconds, self.transport.abort)

    def shutdown(self) -> None:
        """Ends the connection, once the request under way is answered."""
        if self._busy():
            self.cycle.keep_alive = False
        else:
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def _busy(self) -> bool:
        """Whether the application owes an answer."""
        return self.cycle is not None and not self.cycle.response_complete

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._discard(len(data))
            return
        self._unset_keepalive_if_required()
        if self._rest:
            self._rest += data
        else:
            self._feed(data)

    def go_on(self) -> None:
        """Looks soon at what was put aside while reading was paused."""
        if self._rest:
            self.loop.call_soon(self._feed_rest)

    def _feed_rest(self) -> None:
        rest, self._rest = self._rest, b""
        if rest and not self._deaf:
            self._unset_keepalive_if_required()
            self._feed(rest)

    def _feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            parsed = self._parse(view[:SLICE])
            if self._deaf or self.transport.get_protocol() is not self:
                return
            view = view[parsed:]
            if view and self.flow.read_paused:
                self._rest = bytes(view)
                return
        self._watch()

    def _parse(self, piece: memoryview) -> int:
        """Parses a piece, and returns how much of it was looked at."""
        size = len(piece)
        if self._in_body:
            self._framing += size
            self._body += size
        else:
            self._head += size
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            size = int(upgrade.args[0])
            self._upgrade()
            return size
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, HeadRefused):
                self._refuse(cause.status, cause.words)
            else:
                self._refuse(400, f"this is no HTTP/1.1 request ({words_of(error)})")
            return size
        limits = self._limits
        if self._head > limits.head:
            self._refuse(431, f"the request's head is longer than {limits.head} bytes")
        elif self._body > limits.body:
            self._refuse(413, f"the body is longer than {limits.body} bytes")
        elif self._framing > limits.framing:
            self._refuse(400, "the body has more framing than content: send larger chunks")
        return size

    # What the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._length = None
        self._head = self._head or 1

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._limits.target:
            raise HeadRefused(414, f"the URL is longer than {self._limits.target} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            # Trailers: nobody asks for them.
            return
        name = name.lower()
        if name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        elif name == b"content-length":
            self._length = int(value)
        self.headers.append((name, value))
        if len(self.headers) > self._limits.headers:
            raise HeadRefused(431, f"the request has more than {self._limits.headers} headers")

    def on_headers_complete(self) -> None:
        self._head = 0
        self._set_timer(0)
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            status = 400 if version == "0.9" else 505
            raise HeadRefused(status, f"HTTP/{version} is not spoken here: use HTTP/1.1")
        if self.parser.get_method() == b"CONNECT":
            raise HeadRefused(405, "this is no proxy: CONNECT is not possible")
        if self.parser.should_upgrade() and not self._should_upgrade():
            # Parsed once more without the wish, see `_upgrade`.
            return
        if not self.url.startswith(b"/"):
            self.url = path_of(self.url)
        request = Request(self._served, self._meter)
        self.app = request
        super().on_headers_complete()
        if self.parser.should_upgrade():
            return
        request.cycle = self.cycle
        request.length = self._length
        request.swallowed = self._limits.swallowed
        self.cycle.transport = Connection(self.transport, self._close)  # type: ignore[assignment]
        self._in_body = True
        self._framing = self._body = 0

    def on_body(self, body: bytes) -> None:
        self._framing = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._in_body:
            super().on_message_complete()
        self._in_body = False
        self._head = self._framing = self._body = 0
        self._set_timer(0)

    def _upgrade(self) -> None:
        """Hands over to WebSocket, or goes on as if no upgrade had been asked for."""
        if self._should_upgrade():
            if self._busy():
                self._refuse(400, "a WebSocket must be asked for on a connection of its own")
                return
            self._meter.connections -= 1
            self.handle_websocket_upgrade()
            return
        # The parser would take the body for another protocol's bytes.
        method, target = self.parser.get_method(), self.url
        head = b"".join(
            b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"
        )
        version = self.parser.get_http_version().encode()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(memoryview(b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, head)))

    def on_response_complete(self) -> None:
        if self._ended:
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._watch_idle()
        if self._busy() or self._rest:
            return
        if self._last_word is not None:
            self._answer(*self._last_word)
        elif self._half_closed:
            self._close()
        elif self._in_body:
            # An early answer: what is left of the body is read, in its time.
            self._unset_keepalive_if_required()

    # Times

    def _watch(self) -> None:
        """Sets the time until which the client has to go on."""
        if self._half_closed and (self._in_body or not self._busy()):
            self._close()
        elif self._in_body or self._head:
            if self._timer is None:
                limits = self._limits
                self._set_timer(limits.body_seconds if self._in_body else limits.head_seconds)
        elif not self._busy():
            self._watch_idle()

    def _watch_idle(self) -> None:
        self._idle_until = self.loop.time() + self._limits.idle_seconds
        if self._idle is None:
            self._idle = self.loop.call_at(self._idle_until, self._check_idle)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_until = 0.0

    def _check_idle(self) -> None:
        # One timer that looks again is less work than one set and cancelled with each request.
        self._idle = None
        if not self._idle_until:
            return
        if self._idle_until > self.loop.time():
            self._idle = self.loop.call_at(self._idle_until, self._check_idle)
        else:
            self.timeout_keep_alive_handler()

    def _set_timer(self, seconds: float) -> None:
        """The one time that runs; 0 for none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds:
            self._timer = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._timer = None
        if self._ended:
            self.transport.abort()
        elif self._in_body:
            self._refuse(408, f"the body took longer than {self._limits.body_seconds:g} s")
        else:
            self._refuse(
                408, f"the request's head took longer than {self._limits.head_seconds:g} s"
            )

    # The end

    def _refuse(self, status: int, words: str) -> None:
        """Answers and closes, after the answers that are owed to earlier requests."""
        self._deaf = True
        self._rest = b""
        self._set_timer(0)
        cycle = self.cycle
        if self._in_body:
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
                self._last_word = (status, words)
                return
            started = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            if started:
                self._close()
                return
        elif self._busy():
            self._last_word = (status, words)
            return
        self._answer(status, words)

    def _answer(self, status: int, words: str) -> None:
        """Writes an answer of the server's own: the last on this connection."""
        self._say(status, words)
        self._linger()

    def _say(self, status: int, words: str) -> None:
        self._meter.refused(status)
        body = msgspec.json.encode(Problem(words))
        fields = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if status == 503:
            fields.append((b"retry-after", b"1"))
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + body)

    def _close(self) -> None:
        """Closes once the client has what was written."""
        if self._ended:
            return
        if self._in_body or self._rest:
            self._linger()
            return
        self._deaf = self._ended = True
        self._unset_keepalive_if_required()
        if self.transport.get_write_buffer_size():
            self._expect_reader()
        self.transport.close()

    def _linger(self) -> None:
        """Goes on reading for a moment: to close on bytes unread would destroy the answer."""
        self._deaf = self._ended = True
        self._rest = b""
        self.pipeline.clear()
        self._unset_keepalive_if_required()
        if self._half_closed:
            self.transport.close()
            return
        with contextlib.suppress(OSError):
            # The client may be gone.
            self.transport.write_eof()
        self._flow.resume()
        self._set_timer(self._limits.linger_seconds)

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > self._limits.linger:
            self.flow.pause_reading()


def bounded_http(limits: Limits, meter: Meter) -> Callable[..., BoundedHttp]:
    """What makes the protocol of each connection, as uvicorn asks for it."""

    def make(**arguments: Any) -> BoundedHttp:
        return BoundedHttp(**arguments, limits=limits, meter=meter)

    return make
