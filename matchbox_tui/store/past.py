"""The past beyond the journal, as who keeps it tells it to who shows it.

The gateway asks through `Past`, persistence answers it; they know nothing of each other.
"""

from typing import Protocol

import msgspec

from matchbox_tui.store.fills import FillMessage


class PastUnknown(Exception):
    """The past can't be told now: `str()` is one line that says why and what to do."""


class Extent(msgspec.Struct, frozen=True):
    """How much is known: the journal up to `seq`, but for the commands (first, last) of `gaps`."""

    seq: int
    gaps: tuple[tuple[int, int], ...] = ()


class PastOrder(msgspec.Struct, frozen=True, gc=False):
    """An order as it was when the past was last written; names and units are the wire's."""

    id: int
    market: str
    side: str
    type: str
    price: int
    qty: int
    cum_qty: int
    leaves_qty: int
    status: str
    trader: str
    client_order_id: str
    time_in_force: str
    timestamp: int
    reason: str


class OrdersWanted(msgspec.Struct, frozen=True):
    """A page of orders by id: those after `after`, the first `limit` that fit.

    Only orders that were accepted or rejected up to the sequence `up_to`. None: any.
    """

    after: int
    limit: int
    up_to: int
    trader: str | None = None
    market: str | None = None
    status: str | None = None


class Past(Protocol):
    """What is remembered of a venue. Each call raises `PastUnknown`, after seconds at most."""

    async def trades_before(
        self, place: tuple[int, int], market: str | None, limit: int
    ) -> tuple[Extent, list[FillMessage]]:
        """The last `limit` trades before the one at (seq, n), oldest first."""

    async def orders(self, wanted: OrdersWanted) -> tuple[Extent, list[PastOrder]]:
        """A page of orders; of those with the same id the one that counts."""

    async def order(self, order_id: int, up_to: int) -> tuple[Extent, PastOrder | None]:
        """The order that counts of those with this id, up to the sequence `up_to`."""

    async def highest_id(self, up_to: int) -> tuple[Extent, int]:
        """The highest id of an order up to the sequence `up_to`; 0 where there is none."""
