"""One connection to the server, used by one caller at a time, that never sends anything twice.

redis-py's clients retry by default, which repeats a write whose reply was lost. A `Link` drives
a single connection instead: what fails before sending is `Unreachable`, what fails after it is
`InDoubt`, and it is for the caller to ask what became of it.
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
from matchbox_tui.store.line import Line
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
    # redis-py raises these when a connection dies under it, and so do transports.
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
        """A connection of redis-py's, not opened yet."""
        return self._class(**self._options)

    def line(self) -> Line:
        """A line, not opened yet."""
        return Line(self.connection())


class Link:
    """A connection that opens itself when it is needed and again after a loss."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name
        self._line: Line | None = None
        self._closings = 0
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
        closings = self._closings
        async with self._lock:
            line = await self._open(closings)
            try:
                replies = await line.ask(
                    _packed(commands), len(commands), timeout_s or self._server.timeout_s
                )
                for n, reply in enumerate(replies):
                    if isinstance(reply, redis_errors.RedisError):
                        replies[n] = await self._refused(line, commands[n], reply)
                return replies
            except _DEAD as error:
                await self._drop()
                if isinstance(error, redis_errors.BusyLoadingError) and all(
                    isinstance(reply, redis_errors.BusyLoadingError) for reply in replies
                ):
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
        """Closes the connection; a later call would open a new one, those under way fail."""
        self._closings += 1
        await self._drop()

    async def _open(self, closings: int) -> Line:
        line = self._line
        if line is not None and line.usable:
            return line
        await self._drop()
        line = self._server.line()
        try:
            await self._greet(line)
            if closings != self._closings:
                raise Unreachable(f"the connection to {self._server.shown} was closed")
        except BaseException:
            with contextlib.suppress(*_DEAD):
                await line.close()
            raise
        self._line = line
        return line

    async def _greet(self, line: Line) -> None:
        """Opens the line: the first answer shows who is there."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await line.open(self._name)
        except (redis_errors.RedisError, *_DEAD) as error:
            # Over a unix socket redis-py wraps what the server said in a ConnectionError.
            cause = error.__cause__
            said = cause if isinstance(cause, redis_errors.RedisError) else error
            raise _not_open(self._server.shown, said) from None

    async def _refused(
        self, line: Line, command: Sequence[Argument], error: redis_errors.RedisError
    ) -> Refused:
        """What the server's error means. Raises the error where it ends the connection."""
        if not isinstance(error, redis_errors.ResponseError):
            raise error
        refused = refusal(error)
        if isinstance(refused, WrongValue):
            return await self._blame(line, command, refused)
        return refused

    async def _blame(self, line: Line, command: Sequence[Argument], error: WrongValue) -> Refused:
        """The refusal again, with the key in it whose value is the reason."""
        names = [name for name in command if isinstance(name, str) and value_type(name)]
        asked = [ask for name in names for ask in (("TYPE", name), ("GETRANGE", name, 0, 20))]
        if asked:
            found = await line.ask(_packed(asked), len(asked), self._server.timeout_s)
            for name, kind, start in zip(names, found[::2], found[1::2], strict=True):
                if isinstance(kind, bytes):
                    error = wrong_value(name, kind.decode(), start) or error
        return error

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(*_DEAD):
                await line.close()


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


def _without_password(url: str) -> str:
    login, at, host = url.rpartition("@")
    scheme, separator, names = login.rpartition("://")
    user, colon, _ = names.partition(":")
    shown = f"{scheme}{separator}{user}{':***' if colon else ''}{at}{host}"
    return re.sub(r"(?<=[?&]password=)[^&]*", "***", shown)
