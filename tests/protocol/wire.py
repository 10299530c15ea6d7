"""What a `Link` uses instead of a `Line`, and the messages that it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import hiredis

from matchbox_tui.store import Server
from tests.protocol.keyspace import Reply
from tests.protocol.loop import Process
from tests.protocol.server import NAMES, SHAS, Session

if TYPE_CHECKING:
    from tests.protocol.network import Network

Command = Sequence[bytes]


class Message:
    """Commands on their way; without `replies` nobody waits for the answer any more."""

    __slots__ = ("answers", "commands", "life", "replies", "session", "wire")

    def __init__(
        self,
        wire: Wire,
        session: Session,
        life: int,
        commands: Sequence[Command],
        replies: asyncio.Future[list[Reply]] | None,
    ) -> None:
        self.wire = wire
        self.session = session
        self.life = life
        """Of the server: how often it had been started."""
        self.commands = commands
        self.replies = replies
        self.answers: list[Reply] = []

    @property
    def listens(self) -> bool:
        return self.replies is not None

    def ghost(self) -> Message:
        """The same message, after its sender has stopped to listen."""
        return Message(self.wire, self.session, self.life, self.commands, None)

    def answer(self) -> None:
        if self.replies is not None and not self.replies.done() and self.wire.is_connected:
            self.replies.set_result(self.answers)


class Wire:
    """A line, by the same names."""

    def __init__(self, network: Network, process: Process) -> None:
        self.process = process
        self.is_connected = False
        self.session: Session | None = None
        self.hung_up = False
        self.replies: asyncio.Future[list[Reply]] | None = None
        self._network = network

    async def open(self, name: str) -> None:
        self._network.connect(self)
        assert self.session is not None
        # The greeting takes no time: nothing depends on when it arrives.
        self._network.server.execute(self.session, ("CLIENT", "SETNAME", name))

    @property
    def usable(self) -> bool:
        return self.is_connected and not self.hung_up

    async def ask(self, packed: bytes, count: int, timeout_s: float) -> list[Reply]:
        self._network.send(self, unpacked(packed))
        assert self.replies is not None
        async with asyncio.timeout(timeout_s):
            return list(await self.replies)

    async def close(self) -> None:
        self._network.hang_up(self)


class Exit(Server):
    """A process's way to the server: makes the links that its `Store` or `Client` uses."""

    def __init__(self, network: Network, process: Process, timeout_s: float) -> None:
        self.url = self.shown = "the simulated server"
        self.timeout_s = timeout_s
        self._network = network
        self._process = process

    def line(self) -> Any:
        return Wire(self._network, self._process)


def kind_of(commands: Sequence[Command]) -> str:
    """A message by its first command: the script's name, or the command's."""
    name, *args = commands[0]
    if name == b"EVALSHA":
        return NAMES[SHAS[args[0]]]
    if name == b"EVAL":
        return NAMES[args[0].decode()]
    return name.decode()


def unpacked(packed: bytes) -> list[Command]:
    """The commands that a client's bytes are."""
    # On the wire a command looks as an array in a reply does.
    reader = hiredis.Reader()
    reader.feed(packed)
    commands = []
    while (command := reader.gets()) is not False:
        commands.append(command)
    return commands
