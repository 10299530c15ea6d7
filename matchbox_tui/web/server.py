"""The HTTP server: the page, its files, and a WebSocket for each page that is open."""

import asyncio
import contextlib
import html
import logging
import socket
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from string import Template

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from matchbox_tui.web.admission import Admission
from matchbox_tui.web.session import END_SECONDS, App, BadMessage, Session, cells, plain_page

HEARTBEAT_SECONDS = 15.0
"""A browser that is silent for half as long after being asked so often is gone."""

MAX_MESSAGE = 256 * 1024
"""Bytes that a browser may send at once: keys, or what is pasted."""

CLOSE_SECONDS = 1.0
"""How long a browser may take to agree to the end of its connection."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
        " font-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """Serves on a socket that is open already, from `start` to `stop`.

    `tell` is given a line where an app ends badly.
    """

    def __init__(
        self,
        app: App,
        admission: Admission,
        *,
        title: str,
        limit: int,
        tell: Callable[[str], None],
    ) -> None:
        """`limit` is how many screens may be open at a time."""
        self._app = app
        self._admission = admission
        self._page = _page(title)
        self._limit = limit
        self._places = asyncio.Semaphore(limit)
        self._tell = tell
        self._open: dict[web.WebSocketResponse, Session] = {}
        self._stopping = False
        self._runner: web.AppRunner | None = None

    async def start(self, listener: socket.socket) -> None:
        """Begins to accept connections."""
        log = logging.getLogger("aiohttp")
        log.addHandler(_Teller(self._tell))
        log.propagate = False
        application = web.Application(middlewares=[self._admit])
        application.on_response_prepare.append(_add_headers)
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/ws", self._talk),
                web.static("/static", _ours("static")),
                web.static("/terminal", Path(textual_serve.__file__).parent / "static"),
            ]
        )
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=CLOSE_SECONDS, handle_signals=False
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Ends every app and every connection, and takes no more."""
        self._stopping = True
        await asyncio.gather(
            *(self._close(pages, app) for pages, app in list(self._open.items())),
            return_exceptions=True,
        )
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _admit(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._admission.knows_host(request.headers.getall("Host", [])):
            raise web.HTTPForbidden(text="this name is not the server's: use its address\n")
        return await handler(request)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._page, content_type="text/html")

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        headers = request.headers
        if not self._admission.knows_page(headers.getall("Host", []), headers.getall("Origin", [])):
            raise web.HTTPForbidden(text="only the server's own page may open this\n")
        page = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS,
            timeout=CLOSE_SECONDS,
            max_msg_size=MAX_MESSAGE,
            compress=False,
        )
        await page.prepare(request)
        with contextlib.suppress(ConnectionError):
            # A page that is loaded again comes before its last app has gone.
            if not await _within(END_SECONDS, self._places.acquire()):
                words = f"All {self._limit} screens that may be open at a time are taken."
                await page.send_bytes(plain_page(words))
                await page.close(code=WSCloseCode.TRY_AGAIN_LATER)
                return page
            try:
                await self._run(page, _size(request, "width", 80), _size(request, "height", 24))
            finally:
                self._places.release()
        return page

    async def _run(self, page: web.WebSocketResponse, columns: int, rows: int) -> None:
        """Runs an app for a page, until either goes away."""
        session = self._open[page] = Session(self._app, page)
        try:
            if self._stopping:
                return
            try:
                await session.start(columns, rows)
            except OSError as error:
                session.complaint = f"can't start the screen: {error.strerror}"
                await page.send_bytes(plain_page(session.complaint))
                await page.close(code=WSCloseCode.INTERNAL_ERROR)
                return
            async for message in page:
                if message.type is not WSMsgType.TEXT:
                    raise BadMessage
                await session.take(message.data)
        except BadMessage:
            await page.close(code=WSCloseCode.POLICY_VIOLATION)
        finally:
            await session.stop()
            self._open.pop(page, None)
            if session.complaint:
                self._tell(session.complaint)

    async def _close(self, page: web.WebSocketResponse, session: Session) -> None:
        await session.stop()
        await _within(CLOSE_SECONDS, page.close(code=WSCloseCode.GOING_AWAY))


async def _within(seconds: float, work: Awaitable[object]) -> bool:
    """Whether it was done in that time; it is broken off where not."""
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return False
    return True


class _Teller(logging.Handler):
    """Tells an error in a line. A client that breaks off or speaks no HTTP is none of ours."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | ConnectionError):
            self._tell(f"internal error: {record.getMessage()}: {error!r}")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.pop("Server", None)


def _size(request: web.Request, name: str, default: int) -> int:
    asked = request.query.get(name, "")
    # Short, and of ASCII: int() takes more than that, and slowly.
    return (
        cells(int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else default
    )


def _page(title: str) -> str:
    template = Template(_ours("page.html").read_text(encoding="utf-8"))
    return template.substitute(title=html.escape(title))


def _ours(name: str) -> Path:
    return Path(str(files("matchbox_tui.web").joinpath(name)))
