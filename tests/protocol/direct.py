"""The server's double without a network: every command is carried out at once, in real time."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from matchbox_tui.store import Server
from tests.protocol.keyspace import Reply
from tests.protocol.server import Argument, ServerDouble, Wait
from tests.protocol.wire import unpacked


class DirectWire:
    """A connection as a `Link` uses redis-py's."""

    def __init__(self, double: ServerDouble) -> None:
        self._double = double
        self._session = double.open()
        self._replies: deque[Reply] = deque()
        self.is_connected = False

    async def connect(self) -> None:
        self.is_connected = True

    async def disconnect(self, nowait: bool = False) -> None:
        self.is_connected = False
        self._double.shut(self._session)

    async def send_command(self, *command: Argument) -> None:
        self._carry_out(command)

    async def send_packed_command(self, packed: bytes, check_health: bool = False) -> None:
        for command in unpacked(packed):
            self._carry_out(command)

    async def read_response(self, disable_decoding: bool = False) -> Any:
        reply = self._replies.popleft()
        if isinstance(reply, ResponseError):
            raise reply
        return reply

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

    def connection(self) -> Any:
        return DirectWire(self._double)


def real_ms() -> int:
    return time.time_ns() // 1_000_000
