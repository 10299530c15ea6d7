"""Carries commands to the queue: requests that come together share one call."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from matchbox_tui.api.meter import Histogram
from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import (
    MAX_BATCH,
    Client,
    InDoubt,
    Overloaded,
    Refused,
    StoreError,
    Unreachable,
    Unusable,
)

log = logging.getLogger(__name__)

Command = NewOrder | Tagged
Waiting = tuple[Sequence[Command], "asyncio.Future[list[int]]"]

MAX_WAITING = 20_000
"""Commands that may wait for the call under way; more are refused with `Overloaded`."""

HANGING_SECONDS = 0.25
"""A call that takes longer on a server that has just failed is taken for hanging."""


BLAMED = 3
"""Where so many requests are refused each by itself, it is not a request that is to blame."""


class Submitter:
    """Submits for many callers over one connection, one call at a time.

    A lone request goes at once. What comes while a call is under way goes together in the next.
    While the server is away one call at a time finds out whether it is back, and whoever comes
    meanwhile is told at once instead of waiting in vain.
    """

    def __init__(self, client: Client, sizes: Histogram) -> None:
        """`sizes` takes how many commands each call carried."""
        self._client = client
        self._sizes = sizes
        self._waiting: deque[Waiting] = deque()
        self._count = 0
        self._sending: asyncio.Task[None] | None = None
        self._began = 0.0
        self._away: StoreError | None = None

    async def submit(self, commands: Sequence[Command]) -> list[int]:
        """As `Client.submit`: all of the commands are queued, or none.

        Whoever is cancelled before its turn is left out; later, the commands may be queued.
        """
        if not 1 <= len(commands) <= MAX_BATCH:
            raise ValueError(f"a request holds 1 to {MAX_BATCH} commands")
        if self._count + len(commands) > MAX_WAITING:
            raise Overloaded("too many requests wait for the server; nothing was queued")
        loop = asyncio.get_running_loop()
        if self._sending is not None:
            if self._away is not None and loop.time() - self._began > HANGING_SECONDS:
                raise Unreachable(str(self._away))
        else:
            self._began = loop.time()
            self._sending = asyncio.create_task(self._send())
        future: asyncio.Future[list[int]] = loop.create_future()
        self._waiting.append((commands, future))
        self._count += len(commands)
        return await future

    async def finish(self) -> None:
        """Waits until nothing is under way."""
        while self._sending is not None:
            await asyncio.wait((self._sending,))

    async def _send(self) -> None:
        try:
            while requests := self._take():
                await self._send_some(requests)
        finally:
            self._sending = None
            # Cancelled: whoever still waits would wait for ever.
            for _, future in self._waiting:
                future.cancel()
            self._waiting.clear()
            self._count = 0

    def _take(self) -> list[Waiting]:
        """The requests that fit into one call, in their order; none where nobody waits."""
        requests: list[Waiting] = []
        size = 0
        while self._waiting:
            commands, future = self._waiting[0]
            if size + len(commands) > MAX_BATCH:
                break
            self._waiting.popleft()
            self._count -= len(commands)
            if future.done():
                continue
            requests.append((commands, future))
            size += len(commands)
            if self._away is not None:
                # One is enough to find out whether the server is back.
                break
        return requests

    async def _send_some(self, requests: list[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        commands = [command for some, _ in requests for command in some]
        hanging = self._away and loop.call_later(HANGING_SECONDS, self._refuse_waiting)
        try:
            numbers = await self._client.submit(commands)
        except (Unreachable, Unusable, InDoubt) as error:
            _fail(requests, error)
            self._lost(error, loop.time() - self._began)
        except Overloaded as error:
            self._away = None
            _fail(requests, error)
        except (Refused, ValueError) as error:
            self._away = None
            if len(requests) == 1:
                _fail(requests, error)
            else:
                await self._send_each(requests)
        except Exception as error:
            log.exception("Unexpected error while submitting")
            _fail(requests, InDoubt(f"unexpected error while submitting ({error})"))
        except BaseException:
            for _, future in requests:
                future.cancel()
            raise
        else:
            self._away = None
            self._sizes.observe(len(commands))
            start = 0
            for some, future in requests:
                if not future.done():
                    future.set_result(numbers[start : start + len(some)])
                start += len(some)
        finally:
            if hanging:
                hanging.cancel()

    async def _send_each(self, requests: list[Waiting]) -> None:
        """Sends those one by one of which nothing was queued because of one of them."""
        refused: BaseException | None = None
        alike = 0
        for request in requests:
            if self._away is not None:
                _fail([request], Unreachable(str(self._away)))
            elif refused is not None and alike >= BLAMED:
                _fail([request], refused)
            elif not request[1].done():
                await self._send_some([request])
                refused = None if request[1].cancelled() else request[1].exception()
                alike = alike + 1 if refused is not None else -len(requests)

    def _lost(self, error: StoreError, seconds: float) -> None:
        """After a first quick failure those who wait have a try; they need not wait for more."""
        hopeless = self._away is not None or seconds > HANGING_SECONDS
        self._away = error
        if hopeless:
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        """Tells those who wait that nothing was sent for them."""
        _fail(self._waiting, Unreachable(str(self._away)))
        self._waiting.clear()
        self._count = 0


def _fail(requests: Sequence[Waiting] | deque[Waiting], error: BaseException) -> None:
    for _, future in requests:
        if not future.done():
            # One each: an exception that is raised in many places collects the tracebacks of all.
            future.set_exception(type(error)(*error.args))
