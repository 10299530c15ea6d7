"""The fills of the past: the last ones from memory, older ones from `events_stream`."""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncIterator

from matchbox_tui.api.reader import Reader
from matchbox_tui.api.trade_log import Place, place_of
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Client, FillMessage, JournalBroken, StoreError, fill_message

log = logging.getLogger(__name__)

PAGE = 256
"""Fills that are read in one step."""

ENTRIES = 64
"""Journal entries that are read in one step."""

BEYOND = 1 << 60
"""More than the number of any fill within its command."""

REACH_SECONDS = 5.0
RETRY_SECONDS = 0.1

PAGES_AT_ONCE = 4
"""Readers that get a page out of memory in the same turn of the loop."""


class PastTrimmed(Exception):
    """Fills after the wanted place are gone from `events_stream`."""


def _place(fill: FillMessage) -> Place:
    return place_of(fill.trade_id)


class History:
    """Pages of fills in the journal's order, none left out."""

    def __init__(self, view: VenueView, reader: Reader, client: Client) -> None:
        self._view = view
        self._reader = reader
        self._client = client
        self._begun_at = view.seq
        self._turns = asyncio.Semaphore(PAGES_AT_ONCE)

    def reset(self) -> None:
        """The view was begun anew, and knows no fill of what it was begun with."""
        self._begun_at = self._view.seq

    async def knows(self, place: Place) -> bool:
        """Waits a moment for the view to get to a place that another instance told of."""
        return await self._reader.reach(place[0], REACH_SECONDS)

    async def since(self, place: Place) -> AsyncIterator[list[FillMessage]]:
        """Pages of the fills after a place. Ends at the moment in which the view has no more.

        Raises `PastTrimmed` rather than leave one out; from place (0, 0) on there is what is left.
        """
        published: int | None = None
        while True:
            if place < self._remembered_from:
                try:
                    fills, end = await self._read(place, published)
                    if end == place:
                        published = await self._client.published_seq()
                    place = end
                except JournalBroken:
                    raise
                except StoreError as error:
                    log.debug("Fills of the past can't be read now: %s", error)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
            else:
                async with self._turns:
                    await asyncio.sleep(0)
                if place < self._remembered_from:
                    continue
                fills = self._recall(place)
                if not fills:
                    return
                place = _place(fills[-1])
            if fills:
                yield fills

    def _recall(self, place: Place) -> list[FillMessage]:
        """A page of fills after a place that memory reaches back to."""
        fills = self._view.trades.all
        first = bisect_right(fills, place, key=_place)
        return [fills[index] for index in range(first, min(len(fills), first + PAGE))]

    async def _read(self, place: Place, published: int | None) -> tuple[list[FillMessage], Place]:
        """A page of fills after a place that memory does not reach back to, and where it ends.

        `published` is the sequence up to which the stream was known, before this, to have all.
        Without it the page may end where it began: ask for it, and once more.
        """
        fills = await self._client.fills_after(*place, PAGE)
        # Asked afterwards, so that what went meanwhile is noticed.
        if place[0] and not await self._client.has_fills_after(*place):
            raise PastTrimmed
        # The stream may be ahead of the view, to which memory belongs.
        seen = [fill for fill in fills if _place(fill)[0] <= self._view.seq]
        if seen:
            return seen, _place(seen[-1])
        start = self._remembered_from
        if fills or (published is not None and published >= start[0]):
            return [], max(place, start)
        if published is None:
            return [], place
        return await self._unpublished(max(place, (published, BEYOND)), start)

    async def _unpublished(self, place: Place, start: Place) -> tuple[list[FillMessage], Place]:
        """As `_read`, out of the journal, which is there as far as fills are not published."""
        seq, n = place
        entries = await self._client.entries_after(seq if n == BEYOND else seq - 1, ENTRIES)
        fills = [
            fill_message(event)
            for entry in entries
            for event in entry.events
            if isinstance(event, TradeExecuted) and place < (event.seq, event.n) <= start
        ]
        if not entries or entries[-1].seq >= start[0]:
            return fills, max(place, start)
        return fills, (entries[-1].seq, BEYOND)

    @property
    def _remembered_from(self) -> Place:
        """Memory holds every fill after this place."""
        fills = self._view.trades.all
        if len(fills) == fills.maxlen:
            seq, n = _place(fills[0])
            return seq, n - 1
        return (self._begun_at, BEYOND) if self._begun_at else (0, -1)
