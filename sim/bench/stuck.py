"""Readers that don't read: of the journal, of the fills, of the server's channels, of a feed."""

import asyncio
import contextlib
import socket
import time

from redis.asyncio.connection import AbstractConnection

from matchbox_tui.store import Keys, Link, Server
from sim.bench.processes import Failed
from sim.bench.ws_clients import Crowd

GROUP = "bench-stuck"
NAME = "matchbox-bench:stuck"
READ_BY_A_GROUP = 50
"""Entries of each stream that were given to a reader, who acknowledges none."""

PAGE = 50
"""Entries of the journal that were asked for by one who does not take the answer."""

SMALL_BUFFER = 4096
SETTLE_SECONDS = 10.0
LOOK_SECONDS = 0.01


class StuckReaders:
    """One of each kind: a group on the journal and on the fills that has read and acknowledges
    nothing, `count` subscribers and `count` WebSocket clients that read nothing, and as many who
    don't take what they asked for.
    """

    def __init__(self, url: str, keys: Keys, port: int, count: int) -> None:
        """`port` is the gateway's; 0 for none."""
        self._server = Server(url)
        self._keys = keys
        self._port = port
        self._count = count
        self._link: Link = self._server.link("matchbox-bench:groups")
        self._connections: list[AbstractConnection] = []
        self._crowd: Crowd | None = None

    async def open(self) -> None:
        """Gets stuck. Raises `Failed`, a `StoreError`, `OSError` or `NotConnected`."""
        for stream in (self._keys.log, self._keys.fills_stream):
            await self._link.call("XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM")
            read = ("XREADGROUP", "GROUP", GROUP, "one", "COUNT", READ_BY_A_GROUP)
            await self._link.call(*read, "STREAMS", stream, ">")
        for _ in range(self._count):
            await self._send(("SUBSCRIBE", self._keys.fills_channel))
            await self._send(("XREVRANGE", self._keys.log, "+", "-", "COUNT", PAGE))
        if self._port:
            self._crowd = Crowd("127.0.0.1", self._port, self._count)
            for client in self._crowd.clients:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        # What they asked for is made before anything is measured.
        deadline = time.monotonic() + SETTLE_SECONDS
        while not await self._is_asked():
            if time.monotonic() > deadline:
                raise Failed("the server did not take up its stuck readers in time")
            await asyncio.sleep(LOOK_SECONDS)

    async def most_buffered(self) -> int:
        """Bytes of the largest answer that the server keeps for one who does not take it."""
        lines = (await self._link.call("CLIENT", "LIST")).splitlines()
        return max(int(_facts(line)[b"omem"]) for line in lines)

    async def _is_asked(self) -> bool:
        """Whether the server has read all that it was sent."""
        lines = map(_facts, (await self._link.call("CLIENT", "LIST")).splitlines())
        ours = [facts for facts in lines if facts[b"name"] == NAME.encode()]
        asked = {b"subscribe", b"xrevrange"}
        return sum(facts[b"cmd"] in asked for facts in ours) == len(self._connections)

    async def close(self) -> None:
        """Goes away, and its groups with it."""
        for connection in self._connections:
            with contextlib.suppress(Exception):
                await connection.disconnect(nowait=True)
        self._connections.clear()
        if self._crowd is not None:
            self._crowd.close()
            self._crowd = None
        for stream in (self._keys.log, self._keys.fills_stream):
            await self._link.call("XGROUP", "DESTROY", stream, GROUP)

    async def end(self) -> None:
        """Closes the connection that the groups were made over."""
        await self._link.close()

    async def _send(self, *commands: tuple[str | int, ...]) -> None:
        connection = self._server.connection()
        self._connections.append(connection)
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
        commands = (("CLIENT", "SETNAME", NAME), *commands)
        await connection.send_packed_command(connection.pack_commands(commands))


def _facts(line: bytes) -> dict[bytes, bytes]:
    """A client, as the server lists it."""
    return dict(part.partition(b"=")[::2] for part in line.split())
