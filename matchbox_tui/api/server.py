"""The HTTP server around the application: uvicorn, ended by us and not by its own signals."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

DRAIN_SECONDS = 2
"""How long requests under way may take when the server is to stop."""


class ApiServer(uvicorn.Server):
    """Serves on a socket that is open already, until `stop`."""

    def __init__(self, app: Any, listener: socket.socket, *, ws: Any = "none") -> None:
        """`ws` makes the protocol that takes WebSocket connections over."""
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws=ws,
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
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
        await asyncio.sleep(0)


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections. Raises `OSError` where the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, since asyncio sets TCP_NODELAY only where the protocol is known to be TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
