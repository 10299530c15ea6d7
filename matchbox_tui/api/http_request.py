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
    """As much of a transport as an answer needs, with our own way to close it."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class Request:
    """The application as one request sees it."""

    __slots__ = ("_app", "_meter", "_send", "_status", "cycle", "length", "swallowed")

    def __init__(self, app: Any, meter: Meter) -> None:
        self._app = app
        self._meter = meter
        self._status = 0
        self._send: Any = None
        self.cycle: RequestResponseCycle
        self.length: int | None
        self.swallowed: int

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = perf_counter()
        self._send = send
        cycle = self.cycle
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
        await self._send(message)

    async def _apologise(self) -> None:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_INTERNAL)),
        ]
        await self._answer({"type": "http.response.start", "status": 500, "headers": headers})
        await self._answer({"type": "http.response.body", "body": _INTERNAL})
