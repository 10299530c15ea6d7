"""Feeds that are served on the loop of a test, and clients that watch them."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from matchbox_tui.api import ApiServer, Feeds, FeedSettings, Gateway, create_app, listen
from matchbox_tui.store import Client, FillMessage
from tests.waiting import PATIENCE, eventually


class Served:
    """A gateway with its feeds."""

    def __init__(self, gateway: Gateway, feeds: Feeds, server: ApiServer, port: int) -> None:
        self.gateway = gateway
        self.feeds = feeds
        self.server = server
        self.port = port
        self.reading: asyncio.Future[None] | None = None

    async def begin(self) -> None:
        """Reads the journal, and returns once clients are let in."""
        self.reading = asyncio.ensure_future(self.gateway.run())
        await self.lets_in()

    async def lets_in(self) -> None:
        async def open_to_all() -> bool:
            return self.feeds.lets_in

        await eventually(open_to_all)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def watch(self, path: str = "/ws", **options: Any) -> connect:
        """A client, once it is entered."""
        return connect(f"{self.address}{path}", **options)

    async def shows(self, seq: int) -> None:
        """Waits until the view is there."""
        assert await self.gateway.reader.reach(seq, PATIENCE)

    async def clients(self, count: int) -> None:
        """Waits until so many are connected."""

        async def connected() -> int:
            return len(self.feeds)

        await eventually(connected, lambda seen: seen == count)


@contextlib.asynccontextmanager
async def serving_feeds(
    url: str, prefix: str, settings: FeedSettings | None = None, *, ready: bool = True
) -> AsyncIterator[Served]:
    """The venue's feeds, without an engine. Where it is not `ready`, it is yet to `begin`."""
    client = await Client.connect(url, prefix, "api")
    gateway = Gateway(client)
    feeds = Feeds(gateway, settings)
    listener = listen("127.0.0.1", 0)
    server = ApiServer(create_app(gateway), listener, ws=feeds.connection)
    port = listener.getsockname()[1]
    running = asyncio.ensure_future(server.run_until_stopped())
    served = Served(gateway, feeds, server, port)
    try:
        if ready:
            await served.begin()
        yield served
    finally:
        server.stop()
        await running
        if served.reading is not None:
            served.reading.cancel()
            await asyncio.gather(served.reading, return_exceptions=True)
        await client.close()


async def heard(watcher: ClientConnection, count: int) -> list[Any]:
    """The next messages, decoded."""
    async with asyncio.timeout(PATIENCE):
        return [json.loads(await watcher.recv()) for _ in range(count)]


async def close_code(watcher: ClientConnection) -> int | None:
    """Waits until the server has closed; the code that it gave."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            while True:
                await watcher.recv()
    return watcher.close_code


async def silent(watcher: ClientConnection) -> bool:
    """Whether nothing more comes, up to a ping's answer and a moment after it."""
    await (await watcher.ping())
    try:
        async with asyncio.timeout(0.1):
            await watcher.recv()
    except TimeoutError:
        return True
    return False


def as_json(fill: FillMessage) -> dict[str, Any]:
    """The fill as a client should get it, field by field."""
    return {
        "maker_order_id": fill.maker_order_id,
        "taker_order_id": fill.taker_order_id,
        "price": fill.price,
        "qty": fill.qty,
        "timestamp": fill.timestamp,
        "market": fill.market,
        "trade_id": fill.trade_id,
        "taker_side": fill.taker_side.value,
    }


@contextlib.asynccontextmanager
async def sluggish(served: Served, path: str = "/ws") -> AsyncIterator[socket.socket]:
    """A client that has shaken hands and then reads nothing, with room for little."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", served.port))
        head = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(client, head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await loop.sock_recv(client, 1)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield client


async def read_all(client: socket.socket) -> bytes:
    """What still comes, to its end."""
    data = b""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionResetError):
            while more := await loop.sock_recv(client, 1 << 16):
                data += more
    return data
