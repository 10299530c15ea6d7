"""The HTTP server around the application: uvicorn, ended by us and not by its own signals."""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from matchbox_tui.api.http_limits import Limits
from matchbox_tui.api.http_protocol import bounded_http
from matchbox_tui.api.meter import Meter

DRAIN_SECONDS = 2.0
"""How long requests under way may take when the server is to stop."""

CUT_SECONDS = 0.5
"""How long what was cut off then may take to notice."""

LOOK_SECONDS = 0.02

SPARE_FILES = 100
"""Open files that are no client's: the server's links, snapshots, the log."""


class ApiServer(uvicorn.Server):
    """Serves on a socket that is open already, until `stop`."""

    def __init__(
        self,
        app: Any,
        listener: socket.socket,
        *,
        meter: Meter | None = None,
        limits: Limits | None = None,
        ws: Any = "none",
    ) -> None:
        """`ws` is the class of the protocol that takes WebSocket connections over."""
        limits = limits or Limits()
        super().__init__(
            uvicorn.Config(
                app,
                http=bounded_http(limits, meter or Meter()),  # type: ignore[arg-type]
                ws=ws,
                loop="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
        )
        # It tells of its own comings and goings, which are the command's to tell.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._listener = listener

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's, not the server's."""
        yield

    def stop(self) -> None:
        """Asks for a clean end: no new connections, and requests under way are finished."""
        self.should_exit = True

    async def run_until_stopped(self) -> None:
        """Returns when the last request was answered, or had its time."""
        await self.serve([self._listener])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets requests under way end in their time, and cuts off the rest."""
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if await _empty(state.connections, state.tasks, DRAIN_SECONDS):
            return
        for connection in list(state.connections):
            connection.transport.abort()
        if await _empty(state.connections, state.tasks, CUT_SECONDS):
            return
        for task in list(state.tasks):
            task.cancel()
        await _empty(state.connections, state.tasks, CUT_SECONDS)


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections. Raises `OSError` where the address can't be had."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # A name that has both means this machine's IPv4 address to most clients.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    # Named, since asyncio sets TCP_NODELAY only where the protocol is known to be TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """Where it listens, as it stands in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def open_many_files() -> int:
    """Raises the process's soft limit of open files to the hard one; how many clients that allows.

    Each connection is an open file, and 1024, the usual soft limit, are soon used up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Where the hard limit is none, the system has one that it does not tell.
        for wanted in (hard, 65_536, 10_240):
            if wanted == resource.RLIM_INFINITY:
                continue
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                soft = wanted
                break
    if soft == resource.RLIM_INFINITY:
        return Limits().connections
    return max(1, min(Limits().connections, soft - SPARE_FILES))


async def _empty(connections: set[Any], tasks: set[Any], seconds: float) -> bool:
    """Waits until both are; False where the time was over first."""
    for _ in range(int(seconds / LOOK_SECONDS)):
        if not connections and not tasks:
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return not connections and not tasks
