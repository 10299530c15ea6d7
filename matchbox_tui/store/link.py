"""One connection to the server, used by one caller at a time, that never sends anything twice.

redis-py's clients retry by default, which repeats a write whose reply was lost. A `Link` drives
a single redis-py connection instead: what fails before sending is `Unreachable`, what fails
after it is `InDoubt`, and it is for the caller to ask what became of it.
"""

import asyncio
import contextlib
import inspect
import re
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis import exceptions as redis_errors
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from matchbox_tui.store.errors import InDoubt, Refused, StoreError, Unreachable, Unusable
from matchbox_tui.store.keys import value_type
from matchbox_tui.store.refusals import UnknownScript, WrongValue, refusal, words, wrong_value
from matchbox_tui.store.scripts import Script

Argument = str | bytes | int
Reply = Any
"""What the server answers: None, int, bytes, a list of those, or a `Refused` in a batch."""

_DEAD = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.InvalidResponse,
    OSError,
    asyncio.IncompleteReadError,
    # redis-py raises these when a connection dies under it.
    AttributeError,
    TypeError,
    RuntimeError,
)


# Keeps redis-py from introducing itself, which old servers don't understand.
_UNANNOUNCED: dict[str, None] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(AbstractConnection).parameters
    else {"lib_name": None, "lib_version": None}
)


class Server:
    """Where the venue's server is. Makes links to it; opens nothing by itself."""

    def __init__(self, url: str, timeout_s: float = 1.5) -> None:
        """Raises `Unusable` for a URL that can't be understood."""
        self.url = url
        self.shown = _without_password(url)
        try:
            options: dict[str, Any] = {
                "socket_timeout": timeout_s,
                **parse_url(url),
                "retry": Retry(NoBackoff(), 0),
                "protocol": 2,
                **_UNANNOUNCED,
            }
            self.timeout_s: float = options["socket_timeout"]
            # The time is kept here, for redis-py does so with wait_for around each sending, in
            # which Python 3.11 loses a cancel that comes just when the sending is done.
            options["socket_timeout"] = options["socket_connect_timeout"] = None
            self._class: type[AbstractConnection] = options.pop("connection_class", Connection)
            self._options = options
            # An option that redis-py doesn't know shows itself only now.
            self.connection()
        except (ValueError, TypeError, redis_errors.RedisError) as error:
            raise Unusable(
                f"{self.shown!r} is no server address ({error}): set REDIS_URL to"
                " redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH"
            ) from None

    def link(self, name: str = "matchbox") -> "Link":
        """A link that the server lists under `name`, which has no blanks."""
        return Link(self, name)

    def connection(self) -> AbstractConnection:
        """A connection, not opened yet."""
        return self._class(**self._options)


class Link:
    """A connection that opens itself when it is needed and again after a loss."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()

    async def call(self, *command: Argument, timeout_s: float | None = None) -> Reply:
        """The server's reply. Raises `StoreError`."""
        reply = (await self.calls([command], timeout_s))[0]
        if isinstance(reply, Refused):
            raise reply
        return reply

    async def calls(
        self, commands: Sequence[Sequence[Argument]], timeout_s: float | None = None
    ) -> list[Reply]:
        """Sends the commands together and returns their replies, a refusal as `Refused`.

        Raises `Unreachable` where nothing was sent, `InDoubt` where that can't be known.
        """
        async with self._lock:
            connection = await self._open()
            replies: list[Reply] = []
            try:
                async with asyncio.timeout(timeout_s or self._server.timeout_s):
                    await connection.send_packed_command(_packed(commands), check_health=False)
                    for _ in commands:
                        reply = await self._read(connection)
                        replies.append(reply)
                    for n, reply in enumerate(replies):
                        if isinstance(reply, WrongValue):
                            replies[n] = await self._blame(connection, commands[n], reply)
                    return replies
            except _DEAD as error:
                await self._drop()
                if isinstance(error, redis_errors.BusyLoadingError) and not replies:
                    # It answers so before it does anything.
                    raise _not_open(self._server.shown, error) from None
                raise InDoubt(f"lost the server at {self._server.shown} ({words(error)})") from None
            except BaseException:
                # Cancelled half way: what is still to come would answer somebody else.
                await self._drop()
                raise

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Reply:
        """Runs a script, loading it where the server doesn't know it. Raises `StoreError`."""
        return (await self.run_then(script, keys, args))[0]

    async def run_then(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *then: Sequence[Argument],
    ) -> list[Reply]:
        """As `run`, with further commands in the same round trip; the replies of all."""
        replies = await self.calls([("EVALSHA", script.sha, len(keys), *keys, *args), *then])
        if isinstance(replies[0], UnknownScript):
            replies = await self.calls([("EVAL", script.text, len(keys), *keys, *args), *then])
        if isinstance(replies[0], Refused):
            raise replies[0]
        return replies

    async def close(self) -> None:
        """Closes the connection; a later call would open a new one."""
        await self._drop()

    async def _open(self) -> AbstractConnection:
        connection = self._connection
        if connection is not None and connection.is_connected and not _hung_up(connection):
            return connection
        await self._drop()
        connection = self._server.connection()
        try:
            await self._greet(connection)
        except BaseException:
            with contextlib.suppress(*_DEAD):
                await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        return connection

    async def _greet(self, connection: AbstractConnection) -> None:
        """Opens the connection and names it: the first answer shows who is there."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
                await connection.send_command("CLIENT", "SETNAME", self._name)
                await connection.read_response()
        except redis_errors.NoPermissionError:
            # Where CLIENT is not allowed, it goes without a name.
            return
        except (redis_errors.RedisError, *_DEAD) as error:
            # Over a unix socket redis-py wraps what the server said in a ConnectionError.
            cause = error.__cause__
            said = cause if isinstance(cause, redis_errors.RedisError) else error
            raise _not_open(self._server.shown, said) from None

    async def _read(self, connection: AbstractConnection) -> Reply:
        try:
            return await connection.read_response(disable_decoding=True)
        except redis_errors.ResponseError as error:
            return refusal(error)

    async def _blame(
        self, connection: AbstractConnection, command: Sequence[Argument], error: WrongValue
    ) -> Refused:
        """The refusal again, with the key in it whose value is the reason."""
        names = [name for name in command if isinstance(name, str) and value_type(name)]
        asked = [ask for name in names for ask in (("TYPE", name), ("GETRANGE", name, 0, 20))]
        if asked:
            await connection.send_packed_command(_packed(asked), check_health=False)
        for name in names:
            found = (await self._read(connection)).decode()
            start = await self._read(connection)
            error = wrong_value(name, found, start) or error
        return error

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*_DEAD):
                await connection.disconnect(nowait=True)


def _packed(commands: Sequence[Sequence[Argument]]) -> bytes:
    """The commands as the server reads them."""
    # By hiredis: redis-py's own packing costs several times as much.
    # Its stub knows tuples of one only.
    return b"".join([pack_command(tuple(command)) for command in commands])  # type: ignore[arg-type]


def _not_open(where: str, error: Exception) -> StoreError:
    """Why no connection could be opened."""
    said = words(error)
    if isinstance(error, redis_errors.AuthenticationError | redis_errors.AuthorizationError):
        return Unusable(f"{where} refuses the login ({said}): put user and password into REDIS_URL")
    if isinstance(error, redis_errors.InvalidResponse):
        return Unusable(f"{where} is no Redis or Valkey server: check REDIS_URL")
    if isinstance(error, redis_errors.BusyLoadingError):
        return Unreachable(f"{where} is not ready ({said})")
    if isinstance(error, redis_errors.ResponseError):
        return Unusable(f"{where} refuses the connection ({said})")
    return Unreachable(
        f"can't reach a server at {where} ({said}): start one with"
        " 'matchbox redis', or set REDIS_URL"
    )


def _hung_up(connection: AbstractConnection) -> bool:
    """Whether the server has closed the connection since it was last used."""
    # redis-py would find out by sending, which puts the command in doubt for nothing, and has no
    # public way to ask that leaves what was received in place.
    reader: asyncio.StreamReader | None = getattr(connection, "_reader", None)
    return reader is not None and (reader.at_eof() or reader.exception() is not None)


def _without_password(url: str) -> str:
    login, at, host = url.rpartition("@")
    scheme, separator, names = login.rpartition("://")
    user, colon, _ = names.partition(":")
    shown = f"{scheme}{separator}{user}{':***' if colon else ''}{at}{host}"
    return re.sub(r"(?<=[?&]password=)[^&]*", "***", shown)
