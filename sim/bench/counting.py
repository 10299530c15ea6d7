"""What a journal tells of the orders that were placed: how many, and whether in their order."""

from collections.abc import AsyncIterator

import msgspec

from matchbox_tui.engine import OrderAccepted, TradeExecuted
from matchbox_tui.store import Client, Entry, Link

CONSUMER = "bench"


class Count(msgspec.Struct, frozen=True):
    """Orders that were accepted and fills. `wrong` tells of ids that didn't rise: the order of the
    queue is kept.
    """

    orders: int
    fills: int
    wrong: list[str]


class Counting:
    """Counts on from where it was; nothing of the journal is trimmed before that."""

    def __init__(self, client: Client, link: Link) -> None:
        self._client = client
        self._link = link
        self._seen = 0
        self._last_id = 0

    async def open(self) -> None:
        """Call it before there is a journal. Raises a `StoreError`."""
        key = self._client.keys.log
        await self._link.call("XGROUP", "CREATE", key, CONSUMER, "0", "MKSTREAM")

    async def count(self) -> Count:
        """What the journal tells of since the last count. Raises a `StoreError`."""
        tip = (await self._client.cluster()).seq
        orders = fills = 0
        wrong: list[str] = []
        async for entry in self._entries(tip):
            for event in entry.events:
                if isinstance(event, TradeExecuted):
                    fills += 1
                elif isinstance(event, OrderAccepted):
                    orders += 1
                    if event.order_id <= self._last_id:
                        wrong.append(f"order {event.order_id} came after {self._last_id}")
                    self._last_id = event.order_id
        key = self._client.keys.log
        await self._link.call("XGROUP", "SETID", key, CONSUMER, f"{self._seen}-0")
        return Count(orders, fills, wrong)

    async def _entries(self, tip: int) -> AsyncIterator[Entry]:
        if tip <= self._seen:
            return
        async for entry in self._client.entries(self._seen):
            self._seen = entry.seq
            yield entry
            if entry.seq >= tip:
                return
