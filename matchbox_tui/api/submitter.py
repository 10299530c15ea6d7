"""Carries commands to the queue: requests that come together share one call."""

import asyncio
from collections import deque
from collections.abc import Sequence

from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import MAX_BATCH, Client, Overloaded

Command = NewOrder | Tagged
Waiting = tuple[Sequence[Command], "asyncio.Future[list[int]]"]

MAX_WAITING = 20_000
"""Commands that may wait for the call under way; more are refused with `Overloaded`."""


class Submitter:
    """Submits for many callers over one connection, one call at a time.

    A lone request goes at once. What comes while a call is under way goes together in the next.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: deque[Waiting] = deque()
        self._count = 0
        self._sending: asyncio.Task[None] | None = None

    async def submit(self, commands: Sequence[Command]) -> list[int]:
        """As `Client.submit`. A caller that is cancelled meanwhile may have been served."""
        if self._count + len(commands) > MAX_WAITING:
            raise Overloaded("too many requests wait for the server; nothing was queued")
        future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((commands, future))
        self._count += len(commands)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await future

    async def finish(self) -> None:
        """Waits until nothing is under way."""
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self._send_some()
        finally:
            self._sending = None

    async def _send_some(self) -> None:
        requests = self._take()
        try:
            numbers = await self._client.submit(
                [command for commands, _ in requests for command in commands]
            )
        except BaseException as error:
            for _, future in requests:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        start = 0
        for commands, future in requests:
            if not future.done():
                future.set_result(numbers[start : start + len(commands)])
            start += len(commands)

    def _take(self) -> list[Waiting]:
        """The requests that fit into one call, in their order; at least one."""
        requests: list[Waiting] = []
        size = 0
        while self._waiting and size + len(self._waiting[0][0]) <= MAX_BATCH:
            requests.append(self._waiting.popleft())
            size += len(requests[-1][0])
        self._count -= size
        return requests
