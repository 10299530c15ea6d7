"""A connection as thin as Python can make it: packed commands out, replies in.

For what a client must not add to: the server's own rates, load, and when something is seen.
"""

import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import hiredis

READ_SIZE = 1 << 18

Argument = str | bytes | int


def packed(command: Sequence[Argument]) -> bytes:
    """A command as the server reads it."""
    # Its stub knows tuples of one only.
    whole: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]
    return whole


class Wire:
    """A blocking connection to a server on a unix socket."""

    def __init__(self, url: str) -> None:
        """Raises `OSError` where nobody listens."""
        self._reader = hiredis.Reader()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(unquote(url.removeprefix("unix://")))

    def call(self, *command: Argument) -> Any:
        """The reply. Raises `hiredis.ReplyError` for a refusal, `ConnectionError` at a loss."""
        (reply,) = self.ask(packed(command), 1)
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply

    def ask(self, commands: bytes, count: int) -> list[Any]:
        """Sends packed commands and waits for so many replies; a refusal is one of them."""
        self.send(commands)
        replies: list[Any] = []
        while len(replies) < count:
            replies += self._read(0)
        return replies

    def send(self, commands: bytes) -> None:
        """Sends and does not wait: the replies are there for `take`."""
        self._socket.sendall(commands)

    def take(self, *, wait: bool = False) -> list[Any]:
        """The replies that have come; with `wait` one at least."""
        replies: list[Any] = []
        try:
            while not replies:
                replies = self._read(0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        return replies

    def close(self) -> None:
        self._socket.close()

    def _read(self, flags: int) -> list[Any]:
        data = self._socket.recv(READ_SIZE, flags)
        if not data:
            raise ConnectionError("the server has gone")
        self._reader.feed(data)
        replies: list[Any] = []
        # False is no reply of this protocol.
        while (reply := self._reader.gets()) is not False:
            replies.append(reply)
        return replies
