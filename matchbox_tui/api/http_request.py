"""One request on its way through the application: measured, and ended as its connection can."""

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from matchbox_tui.api.answers import Problem
from matchbox_tui.api.meter import Meter

log = logging.getLogger(__name__)

_INTERNAL = msgspec.json.encode(Problem("internal error: the server's log tells more"))


class Connection:
    """As much of a transport as an answer needs, with our own way to close it.

    The head of an answer waits for the first piece of its body: one packet, one system call.
    """

    __slots__ = ("_close", "_head", "_holding", "_write", "is_closing")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._write = transport.write
        self._close = close
        self._head = b""
        self._holding = False
        self.is_closing = transport.is_closing

    def hold(self) -> None:
        """Keeps what is written next until more is written, or `flush`."""
        self._holding = True

    def write(self, data: bytes) -> None:
        if self._holding:
            self._holding = False
            self._head = data
            return
        if self._head:
            data = self._head + data
            self._head = b""
        self._write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._close()


class Request:
    """The application as one request sees it."""

    __slots__ = (
        "_app",
        "_connection",
        "_meter",
        "_send",
        "_status",
        "cycle",
        "length",
        "swallowed",
    )

    def __init__(self, app: Any, meter: Meter) -> None:
        self._app = app
        self._meter = meter
        self._status = 0
        self._send: Any = None
        self._connection: Connection
        self.cycle: RequestResponseCycle
        self.length: int | None
        self.swallowed: int

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = perf_counter()
        self._send = send
        cycle = self.cycle
        self._connection = cycle.transport  # type: ignore[assignment]
        if scope["method"] == "HEAD":
            # The answer of a GET, from which the connection leaves the body out.
            scope = {**scope, "method": "GET"}
        try:
            await self._app(scope, receive, self._answer)
        except asyncio.CancelledError:
            # The server stops, and this took too long. The connection is cut.
            cycle.disconnected = True
        except Exception:
            if cycle.disconnected:
                return
            log.exception("%s %s failed", scope["method"], scope["path"])
            if cycle.response_started:
                cycle.transport.close()
                cycle.disconnected = True
            else:
                await self._apologise()
        finally:
            self._meter.answered(
                scope.get("path_template", ""),
                scope["method"],
                self._status,
                perf_counter() - began,
            )

    async def _answer(self, message: Any) -> None:
        if self._status == 0:
            self._status = message["status"]
            cycle = self.cycle
            if cycle.more_body and (self.length is None or self.length > self.swallowed):
                # An early answer. Nobody waits for the rest of a body that may never end.
                cycle.keep_alive = False
            self._connection.hold()
            await self._send(message)
            return
        await self._send(message)
        self._connection.flush()

    async def _apologise(self) -> None:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_INTERNAL)),
        ]
        await self._answer({"type": "http.response.start", "status": 500, "headers": headers})
        await self._answer({"type": "http.response.body", "body": _INTERNAL})
