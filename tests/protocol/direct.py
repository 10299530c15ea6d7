"""The server's double without a network: every command is carried out at once, in real time."""

import time
from collections.abc import Sequence
from typing import Any

from matchbox_tui.store import Server
from tests.protocol.keyspace import Reply
from tests.protocol.server import Argument, ServerDouble, Wait
from tests.protocol.wire import unpacked


class DirectWire:
    """What a `Link` uses instead of a `Line`."""

    def __init__(self, double: ServerDouble) -> None:
        self._double = double
        self._session = double.open()
        self._replies: list[Reply] = []
        self.usable = False

    async def open(self, name: str) -> None:
        self._carry_out(("CLIENT", "SETNAME", name))
        self.usable = True

    async def close(self) -> None:
        self.usable = False
        self._double.shut(self._session)

    async def ask(self, packed: bytes, count: int, timeout_s: float) -> list[Any]:
        self._replies = []
        for command in unpacked(packed):
            self._carry_out(command)
        return self._replies

    def _carry_out(self, command: Sequence[Argument]) -> None:
        reply = self._double.execute(self._session, command)
        # Nothing else happens meanwhile, so waiting changes nothing.
        self._replies.append(None if isinstance(reply, Wait) else reply)


class DirectServer(Server):
    """Makes links to the double."""

    def __init__(self, double: ServerDouble) -> None:
        self.url = self.shown = "the server's double"
        self.timeout_s = 5.0
        self._double = double

    def line(self) -> Any:
        return DirectWire(self._double)


def real_ms() -> int:
    return time.time_ns() // 1_000_000
