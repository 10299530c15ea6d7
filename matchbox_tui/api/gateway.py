"""What the routes are made of: one client, the view that follows the journal, the way to the queue.

Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from matchbox_tui.api.answers import OrderStatus
from matchbox_tui.api.order_log import OrderRecord
from matchbox_tui.api.reader import Reader
from matchbox_tui.api.submitter import Submitter
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import Client, ClusterStatus

LOOKUPS_AT_ONCE = 4
"""Searches of the order queue that may run side by side."""

REACH_SECONDS = 1.0


class Placed(msgspec.Struct, frozen=True):
    """An order that was acknowledged. `repeated`: its client_order_id was known, this is the id of
    the first order under it, and nothing was queued.
    """

    order_id: int
    repeated: bool


class Gateway:
    """One venue for many callers. `run` keeps it fed."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.view = VenueView()
        self.reader = Reader(client, self.view)
        self._submitter = Submitter(client)
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._asking: asyncio.Task[ClusterStatus] | None = None

    async def run(self) -> None:
        """Follows the journal until cancelled."""
        await self.reader.run()

    async def finish(self) -> None:
        """Waits until what was taken is submitted."""
        await self._submitter.finish()

    async def place(self, orders: Sequence[NewOrder]) -> list[Placed]:
        """Queues orders, all or none. Raises as `Client.submit`."""
        numbers = await self._submitter.submit(orders)
        placed = []
        for order, number in zip(orders, numbers, strict=True):
            if number > 0:
                self.view.orders.expect(msgspec.structs.replace(order, order_id=number))
            placed.append(Placed(abs(number), number < 0))
        return placed

    async def ask(self, command: Tagged) -> None:
        """Queues another command. Raises as `Client.submit`."""
        await self._submitter.submit([command])

    async def order(self, order_id: int) -> OrderRecord | None:
        """What is known of an order; asks the server about one that this instance has not met.

        Raises `StoreError` where the server can't be asked.
        """
        known = self.view.orders.get(order_id)
        if known is not None:
            return known
        async with self._lookups:
            queued = await self.client.queued_order(order_id)
            if queued is not None:
                return OrderRecord.of(queued, OrderStatus.PENDING)
            # It may have gone from the queue into the journal meanwhile.
            await self.reader.reach((await self.cluster()).seq, REACH_SECONDS)
        return self.view.orders.get(order_id)

    async def cluster(self) -> ClusterStatus:
        """The venue's status as it is now; callers that come together share one answer.

        Raises `StoreError`.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_cluster())
        return await asyncio.shield(self._asking)

    async def _ask_cluster(self) -> ClusterStatus:
        asked_at = asyncio.get_running_loop().time()
        status = await self.client.cluster()
        self.reader.saw(status, asked_at)
        return status
