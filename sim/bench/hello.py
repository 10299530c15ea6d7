"""What the gateway is measured against: a route that says hello, on the same framework and server.

Not a part of the product. Run as `python -m sim.bench.hello`; it says on stderr where it serves,
and ends on SIGTERM or when its standard input closes.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
from litestar import Litestar, get


@get("/hello", sync_to_thread=False)
def hello() -> dict[str, str]:
    return {"say": "hello"}


class HelloServer(uvicorn.Server):
    """A server whose signals are handled here."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve() -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    listener.setblocking(False)
    # The options of matchbox_tui.api.server that a request can feel.
    server = HelloServer(
        uvicorn.Config(
            Litestar([hello], logging_config=None),
            http="httptools",
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )

    def stop() -> None:
        server.should_exit = True

    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            stop()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_reader(sys.stdin.fileno(), readable)
    sys.stderr.write(f"Serving at http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stderr.flush()
    await server.serve([listener])


if __name__ == "__main__":
    asyncio.run(serve())
