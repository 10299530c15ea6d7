"""A client that sends bytes as they are, and reads answers as far as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.waiting import PATIENCE


@dataclass
class RawAnswer:
    """One answer: its status, its headers by lower-case name, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Raw":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def send(self, data: bytes) -> None:
        """Sends as much as the server takes."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    def half_close(self) -> None:
        self._writer.write_eof()

    async def answer(self, *, head_only: bool = False) -> RawAnswer:
        """The next answer. Fails where the connection ends first."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:-2])
            length = 0 if head_only else int(headers.get("content-length", 0))
            body = await self._reader.readexactly(length)
        return RawAnswer(int(lines[0].split()[1]), headers, body)

    async def closed(self) -> bytes:
        """What comes until the server has closed its side."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    connection = await Raw.connect(port)
    try:
        yield connection
    finally:
        await connection.close()


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *headers, "", "")).encode()


ORDER = b'{"side":"buy","price":50,"qty":1}'


def order(*headers: str, body: bytes = ORDER) -> bytes:
    """A whole POST /orders."""
    length = f"Content-Length: {len(body)}"
    return head("POST", "/orders", "Content-Type: application/json", length, *headers) + body


GET = head("GET", "/health")
