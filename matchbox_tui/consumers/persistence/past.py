"""The past for a loop that must not wait: questions go to threads with connections of their own.

However the database behaves, a question ends within seconds, and a few at a time are asked.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from matchbox_tui.consumers.persistence.errors import DatabaseError, TakesTooLong, no_answer
from matchbox_tui.consumers.persistence.opening import Source
from matchbox_tui.consumers.persistence.queries import History
from matchbox_tui.store import Extent, FillMessage, OrdersWanted, PastOrder, PastUnknown

log = logging.getLogger(__name__)

T = TypeVar("T")

ASKED_AT_ONCE = 4
ANSWER_SECONDS = 2
"""How long the server may take to be reached, and as long again for a question."""

HANG_SECONDS = 2.5
"""After that it is not slow: it hangs, else it would have given up by itself."""

WAIT_SECONDS = 3.0
"""How long whoever asks waits, the others before it included."""

PAUSE_SECONDS = 2.0
"""After a failure nobody is made to wait for as long: it would be in vain."""

UNREADABLE = "the database does not answer as it should, and this server's log says why"
"""For whoever asks from afar: where the database is, is nothing for them."""


class DatabasePast:
    """A venue's database, as the gateway asks it (`store.Past`)."""

    def __init__(self, url: str, venue: str = "") -> None:
        """Connects to nothing yet. Raises `DatabaseUnusable`."""
        self._source = Source(url, venue, ANSWER_SECONDS)
        self._threads = ThreadPoolExecutor(ASKED_AT_ONCE, "past")
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE)
        self._asked_again_at = 0.0
        self._trouble = ""

    def close(self) -> None:
        """Ends it without waiting for what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._source.close()

    async def trades_before(
        self, place: tuple[int, int], market: str | None, limit: int
    ) -> tuple[Extent, list[FillMessage]]:
        return await self._ask(lambda past: past.trades_before(place, market, limit))

    async def orders(self, wanted: OrdersWanted) -> tuple[Extent, list[PastOrder]]:
        return await self._ask(lambda past: past.page(wanted))

    async def order(self, order_id: int, up_to: int) -> tuple[Extent, PastOrder | None]:
        return await self._ask(lambda past: past.order(order_id, up_to))

    async def highest_id(self, up_to: int) -> tuple[Extent, int]:
        return await self._ask(lambda past: past.highest_id(up_to))

    async def _ask(self, question: Callable[[History], T]) -> tuple[Extent, T]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._asked_again_at:
            raise PastUnknown(UNREADABLE)
        asking: asyncio.Future[tuple[Extent, T]] | None = None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
                asking = loop.run_in_executor(self._threads, self._answer, question)
                # Its turn is over when the thread is free, not when nobody waits any more.
                asking.add_done_callback(self._asked)
                answer = await asyncio.shield(asking)
        except TimeoutError:
            if asking is None:
                raise PastUnknown("too many ask for it at once") from None
            raise self._failed(str(no_answer(self._source.shown))) from None
        except TakesTooLong:
            raise PastUnknown("that takes too long: ask for less") from None
        except DatabaseError as error:
            raise self._failed(str(error)) from None
        if self._trouble:
            self._trouble = ""
            log.info("History can be read again, from %s", self._source.shown)
        return answer

    def _answer(self, question: Callable[[History], T]) -> tuple[Extent, T]:
        with self._source.open(HANG_SECONDS) as past:
            return past.extent, question(past)

    def _asked(self, asking: "asyncio.Future[Any]") -> None:
        self._turns.release()
        if not asking.cancelled():
            # Whoever asked may be gone by now.
            asking.exception()

    def _failed(self, words: str) -> PastUnknown:
        if words != self._trouble:
            log.warning("History can't be read: %s", words)
        self._trouble = words
        self._asked_again_at = asyncio.get_running_loop().time() + PAUSE_SECONDS
        return PastUnknown(UNREADABLE)
