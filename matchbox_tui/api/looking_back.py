"""Reads that go further back than memory: the seam between the view and a database of the past.

The view knows everything after some place in the journal, and the database everything up to where
it was written. An answer is made of both only where they meet; else it says so.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from matchbox_tui.api.answers import OrderAnswer, OrderStatus
from matchbox_tui.api.order_log import OrderLog, OrderRecord
from matchbox_tui.api.reader import Reader
from matchbox_tui.api.reading import matching_orders
from matchbox_tui.api.trade_log import Place, place_of
from matchbox_tui.api.view import VenueView
from matchbox_tui.store import (
    Extent,
    FillMessage,
    OrdersWanted,
    Past,
    PastOrder,
    PastUnknown,
    StoreError,
)

T = TypeVar("T")

Span = tuple[int, int]
"""Commands, the first and the last of them."""

TRIES = 3
"""Times that a page is read anew because the view has forgotten much meanwhile."""

ALIVE = (OrderStatus.PENDING, OrderStatus.OPEN)
"""The view knows every order in these states."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """What was found; the sequence up to which it knows the journal; and the commands of which
    nothing is known: what traded or ended at one of them may be missing.

    The view may be further by now: whoever asked waits for the past.
    """

    found: list[T]
    seq: int
    missing: tuple[Span, ...] = ()


class LookingBack:
    """Answers out of the view and, where that does not reach back far enough, of the past."""

    def __init__(self, view: VenueView, reader: Reader, past: Past | None) -> None:
        self._view = view
        self._reader = reader
        self._past = past
        self._begun: tuple[OrderLog, Extent, int] | None = None
        """The past at the place where this log began, and the highest order id there."""

    async def trades(
        self, market: str | None, before: Place | None, limit: int, *, history: bool
    ) -> Page[FillMessage]:
        """The last `limit` trades, or those before a place.

        Where no place is given, what the view has is an answer. Raises `PastUnknown`.
        """
        log, seq = self._view.trades, self._view.seq
        held = log.last(market, limit, before)
        until = log.known_from(market)
        if before is not None:
            until = min(until, before)
        needed = until[0] if until[1] else until[0] - 1
        wanted = limit - len(held)
        if not wanted or needed < 1:
            return Page(held, seq)
        if self._past is None or not history:
            return Page(held, seq, ((1, needed),))
        try:
            extent, older = await self._past.trades_before(until, market, wanted)
            await self._check(extent, needed)
        except PastUnknown:
            if before is not None:
                raise
            return Page(held, seq, ((1, needed),))
        first = place_of(older[0].trade_id)[0] if len(older) == wanted else 1
        return Page([*older, *held], seq, _within(extent.gaps, first, needed))

    async def orders(
        self,
        wanted: OrdersWanted,
        fits: Callable[[OrderRecord], bool],
        *,
        history: bool,
    ) -> Page[OrderAnswer]:
        """The first orders after an id, by id. Raises `PastUnknown`."""
        if wanted.status in ALIVE:
            return await self._held(wanted, fits)
        if self._view.orders.whole_after == 0:
            page = await self._held(wanted, fits)
            if self._view.orders.whole_after == 0:
                return page
            # It has begun to forget while it was looked through.
        log = self._view.orders
        if self._past is None or not history:
            page = await self._held(wanted, fits)
            unknown = log.begun_at > 0 or wanted.after < log.highest_forgotten
            return Page(page.found, page.seq, ((1, log.whole_after),) if unknown else ())
        begun, highest = await self._beginning(self._past, log)
        if wanted.after >= highest:
            page = await self._held(wanted, fits)
            if wanted.after >= log.highest_forgotten and log is self._view.orders:
                return Page(page.found, page.seq, begun.gaps)
            # It has forgotten some of them while it was looked through.
        found: list[OrderAnswer] = []
        seq: int | None = None
        while True:
            left = msgspec.structs.replace(wanted, limit=wanted.limit - len(found))
            page, end = await self._merged(self._past, left, fits)
            seq = page.seq if seq is None else min(seq, page.seq)
            found += page.found
            if end is None or len(found) >= wanted.limit:
                return Page(found[: wanted.limit], seq, page.missing)
            wanted = msgspec.structs.replace(wanted, after=end)

    async def order(self, order_id: int) -> tuple[OrderAnswer | None, tuple[Span, ...]]:
        """An order that the view does not know, if there was one; and what is missing.

        Raises `PastUnknown`.
        """
        log = self._view.orders
        if log.whole_after == 0:
            return None, ()
        if self._past is None:
            return None, ((1, log.whole_after),)
        for _ in range(TRIES):
            up_to = self._view.seq
            extent, found = await self._past.order(order_id, up_to)
            known = self._view.orders.get(order_id)
            if known is not None:
                return known.answer(), ()
            whole_after = self._view.orders.whole_after
            await self._check(extent, whole_after)
            if whole_after <= up_to:
                return (_answer(found) if found is not None else None), extent.gaps
        raise PastUnknown("orders end too fast to look back now")

    async def _held(
        self, wanted: OrdersWanted, fits: Callable[[OrderRecord], bool]
    ) -> Page[OrderAnswer]:
        records = await matching_orders(self._view, wanted.after, wanted.limit, fits)
        return Page([record.answer() for record in records], self._view.seq)

    async def _merged(
        self, past: Past, wanted: OrdersWanted, fits: Callable[[OrderRecord], bool]
    ) -> tuple[Page[OrderAnswer], int | None]:
        """Some orders after an id, and the id up to which those are all; None: to the end."""
        for _ in range(TRIES):
            wanted = msgspec.structs.replace(wanted, up_to=self._view.seq)
            extent, rows = await past.orders(wanted)
            end = rows[-1].id if len(rows) >= wanted.limit else None
            held = await matching_orders(self._view, wanted.after, wanted.limit, fits, end)
            # What the view has forgotten meanwhile must be in the rows as it ended.
            log, whole_after = self._view.orders, self._view.orders.whole_after
            # Answers of this moment: the check may take until the next.
            answers = {row.id: _answer(row) for row in rows if log.get(row.id) is None}
            answers |= {record.order.order_id: record.answer() for record in held}
            page = Page([answers[order_id] for order_id in sorted(answers)], self._view.seq)
            await self._check(extent, whole_after)
            if whole_after <= wanted.up_to:
                return msgspec.structs.replace(page, missing=extent.gaps), end
        raise PastUnknown("orders end too fast to look back now")

    async def _beginning(self, past: Past, log: OrderLog) -> tuple[Extent, int]:
        """The highest id that the view may not know; asked once, then it is in memory."""
        if self._begun is None or self._begun[0] is not log:
            if log.begun_at:
                extent, highest = await past.highest_id(log.begun_at)
                await self._check(extent, log.begun_at)
            else:
                extent, highest = Extent(0), 0
            self._begun = log, extent, highest
        _, extent, highest = self._begun
        return extent, max(highest, log.highest_forgotten)

    async def _check(self, extent: Extent, needed: int) -> None:
        """Raises `PastUnknown` where the past does not reach up to the view, or is another's."""
        if extent.seq < needed:
            raise PastUnknown(
                f"the database knows the journal up to {extent.seq}, and this takes {needed}:"
                " 'matchbox consume persistence' has to catch up"
            )
        if extent.seq <= self._view.seq:
            return
        try:
            tip = (await self._reader.ask_anew()).seq
        except StoreError:
            # Reads go on while the store is away.
            return
        if extent.seq > tip:
            raise PastUnknown(
                f"the database knows the journal up to {extent.seq}, the store only up to {tip}: it"
                " was set back, which 'matchbox consume persistence --rewind' follows"
            )


def _answer(order: PastOrder) -> OrderAnswer:
    answer = msgspec.convert(order, OrderAnswer, from_attributes=True)
    return answer if order.reason else msgspec.structs.replace(answer, reason=msgspec.UNSET)


def _within(gaps: tuple[Span, ...], first: int, last: int) -> tuple[Span, ...]:
    return tuple(gap for gap in gaps if gap[0] <= last and gap[1] >= first)
