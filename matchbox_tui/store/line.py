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
        # redis-py has no public way to its transport, nor to what it makes of a server's errors.
        writer: Any = connection._writer
        self._parser = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse, replyError=connection._parser.parse_error
        )
        transport: asyncio.Transport = writer.transport
        transport.set_protocol(self)
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Whether it is open, and nothing has gone wrong with it since."""
        return (
            self._lost is None and self._transport is not None and not self._transport.is_closing()
        )

    async def ask(self, packed: bytes, count: int, timeout_s: float) -> list[Reply]:
        """Sends packed commands and waits for so many replies; a server's error is one of them.

        Raises `TimeoutError`, `OSError`, or an error of redis-py's where nothing more will come.
        Whoever gives up waiting closes the line.
        """
        if self._transport is None or self._lost is not None:
            raise self._lost or ConnectionError("the connection is not open")
        if not count:
            return []
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
        if self._transport is not None and self._transport.get_write_buffer_size():
            # Closing alone would go on sending what nobody waits for.
            self._transport.abort()
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        waiting, replies = self._waiting, self._replies
        if waiting is None or waiting.done():
            self._give_up("the server spoke without being asked")
            return
        try:
            self._parser.feed(data)
            # False is no reply of this protocol: it means that more is to come.
            while (reply := self._parser.gets()) is not False:
                replies.append(reply)
        except Exception as error:
            # Not only redis-py's: what is no reply may be something that Python can't hold.
            self._give_up(str(error))
            return
        if len(replies) > self._count or (len(replies) == self._count and self._parser.has_data()):
            # The rest would answer somebody else, and who knows which of it is the answer.
            self._give_up("the server said more than it was asked")
        elif len(replies) == self._count:
            waiting.set_result(None)

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _give_up(self, why: str) -> None:
        assert self._transport is not None
        self._fail(redis_errors.InvalidResponse(why))
        self._transport.abort()

    def _fail(self, error: BaseException) -> None:
        self._lost = self._lost or error
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
