"""What the routes are made of: one client, the view that follows the journal, the way to the queue.

Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from matchbox_tui.api.answers import OrderStatus
from matchbox_tui.api.looking_back import LookingBack
from matchbox_tui.api.meter import Meter
from matchbox_tui.api.order_log import OrderRecord
from matchbox_tui.api.reader import Reader
from matchbox_tui.api.submitter import Submitter
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import (
    Client,
    ClusterStatus,
    InDoubt,
    Overloaded,
    Past,
    StoreError,
    Unreachable,
)

LOOKUPS_AT_ONCE = 4
"""Searches of the order queue that may run side by side."""

LOOKUP_SECONDS = 3.0
"""How long whoever asks for an unknown order waits, the others before it included."""

REACH_SECONDS = 1.0


class FeedFigures(Protocol):
    """What the feeds tell of themselves."""

    @property
    def connected(self) -> Mapping[str, int]: ...

    @property
    def bytes_sent(self) -> int: ...

    @property
    def disconnected_slow(self) -> int: ...


class LocalNode(Protocol):
    """The engine node in the same process, as far as the gateway tells of it."""

    @property
    def role(self) -> str: ...

    @property
    def epoch(self) -> int: ...


class Placed(msgspec.Struct, frozen=True):
    """An order that was acknowledged. `repeated`: its client_order_id was known, this is the id of
    the first order under it, and nothing was queued.
    """

    order_id: int
    repeated: bool


class Gateway:
    """One venue for many callers. `run` keeps it fed."""

    def __init__(
        self,
        client: Client,
        instance_id: str = "",
        node: LocalNode | None = None,
        past: Past | None = None,
    ) -> None:
        """`past` is asked for what is no longer in memory, where there is one."""
        self.client = client
        self.instance_id = instance_id
        self.node = node
        self.feeds: FeedFigures | None = None
        """Whoever serves WebSocket clients."""
        self.view = VenueView()
        self.reader = Reader(client, self.view)
        self.back = LookingBack(self.view, self.reader, past)
        self.meter = Meter()
        self._submitter = Submitter(client, self.meter.batches)
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def run(self) -> None:
        """Follows the journal until cancelled."""
        await self.reader.run()

    async def finish(self) -> None:
        """Waits until what was taken is submitted."""
        await self._submitter.finish()

    async def place(self, orders: Sequence[NewOrder]) -> list[Placed]:
        """Queues orders, all or none. Raises as `Client.submit`."""
        meter = self.meter
        try:
            numbers = await self._submitter.submit(orders)
        except StoreError as error:
            meter.orders_refused[_reason(error)] += len(orders)
            raise
        placed = []
        for order, number in zip(orders, numbers, strict=True):
            if number > 0:
                self.view.orders.expect(msgspec.structs.replace(order, order_id=number))
                meter.orders_submitted += 1
            else:
                meter.orders_repeated += 1
            placed.append(Placed(abs(number), number < 0))
        return placed

    async def ask(self, command: Tagged) -> None:
        """Queues another command. Raises as `Client.submit`."""
        await self._submitter.submit([command])

    async def order(self, order_id: int) -> OrderRecord | None:
        """What is known of an order; asks the server about one that this instance has not met.

        Raises `StoreError` where the server can't be asked, or this instance is behind.
        """
        known = self.view.orders.get(order_id)
        if known is not None:
            return known
        try:
            async with asyncio.timeout(LOOKUP_SECONDS), self._lookups:
                return await self._look_up(order_id)
        except TimeoutError:
            raise Unreachable("the order could not be looked up in time") from None

    async def _look_up(self, order_id: int) -> OrderRecord | None:
        queued = await self.client.queued_order(order_id)
        if queued is not None:
            return OrderRecord.of(queued, OrderStatus.PENDING)
        # It may have gone from the queue into the journal meanwhile, behind an older tip.
        reached = await self.reader.reach((await self.reader.ask_anew()).seq, REACH_SECONDS)
        found = self.view.orders.get(order_id)
        if found is None and not reached:
            raise Unreachable("this instance has not read all of the journal yet")
        return found

    async def cluster(self) -> ClusterStatus:
        """The venue's status as it is now; callers that come together share one answer.

        Raises `StoreError`.
        """
        return await self.reader.ask()


def _reason(error: StoreError) -> str:
    match error:
        case Overloaded():
            return "overloaded"
        case Unreachable():
            return "unreachable"
        case InDoubt():
            return "in_doubt"
        case _:
            return "refused"
