"""A connection to the server once it is open: bytes out, replies in, one caller at a time.

redis-py opens it, for it knows of addresses, TLS and logins. What it is driven with afterwards,
streams and coroutines for each reply, costs a lone order more than matching and committing it, so
from then on replies go from the transport to hiredis and from there to who waits.
"""

import asyncio
from typing import Any

import hiredis
from redis import exceptions as redis_errors
from redis.asyncio.connection import AbstractConnection

Reply = Any
"""What the server answers: None, int, bytes, a list of those, or an error of redis-py's."""


class Line(asyncio.Protocol):
    """One connection, from its opening to its end."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._transport: asyncio.Transport | None = None
        self._lost: BaseException | None = None
        self._replies: list[Reply] = []
        self._count = 0
        self._waiting: asyncio.Future[None] | None = None

    async def open(self, name: str) -> None:
        """Connects, logs in and gives the connection a name. Raises what redis-py raises."""
        connection = self._connection
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
        try:
            await connection.send_command("CLIENT", "SETNAME", name)
            await connection.read_response()
        except redis_errors.NoPermissionError:
            # Where CLIENT is not allowed, it goes without a name.
            pass
        # redis-py has no public way to either.
        writer: Any = connection._writer
        self._parser = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse, replyError=connection._parser.parse_error
        )
        transport: asyncio.Transport = writer.transport
        transport.set_protocol(self)
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Whether it is open, and neither side has closed it since."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, packed: bytes, count: int, timeout_s: float) -> list[Reply]:
        """Sends packed commands and waits for so many replies; a server's error is one of them.

        Raises `TimeoutError`, `OSError`, or an error of redis-py's where nothing more will come.
        """
        if self._transport is None or self._lost is not None:
            raise self._lost or ConnectionError("the connection is not open")
        loop = asyncio.get_running_loop()
        self._replies, self._count = [], count
        self._waiting = waiting = loop.create_future()
        late = loop.call_later(timeout_s, self._fail, TimeoutError())
        try:
            self._transport.write(packed)
            await waiting
        finally:
            late.cancel()
            self._waiting = None
        return self._replies

    async def close(self) -> None:
        """Ends it; who waits is told so."""
        self._fail(ConnectionError("the connection was closed"))
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        replies = self._replies
        try:
            self._parser.feed(data)
            # False is no reply of this protocol: it means that more is to come.
            while (reply := self._parser.gets()) is not False:
                replies.append(reply)
        except redis_errors.RedisError as error:
            self._fail(error)
            return
        if self._waiting is None:
            # Nobody asked: what comes next would answer somebody else.
            self._fail(redis_errors.InvalidResponse("the server spoke without being asked"))
            assert self._transport is not None
            self._transport.abort()
        elif len(replies) >= self._count and not self._waiting.done():
            self._waiting.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, TimeoutError):
            self._lost = self._lost or error
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
