"""Keeps what is known of the analytics fresh, for the market that is looked at."""

import asyncio
import contextlib
from collections.abc import Callable

from matchbox_tui.store import CANDLES_KEPT, Refused, StoreError
from matchbox_tui.tui.analytics import INTERVALS, Analytics, Board, Figures
from matchbox_tui.tui.candles import Span
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.feed import ANSWER_SECONDS, Feed

LOOK_SECONDS = 1.0
"""How often the figures are read; at once where another market is looked at."""

CANDLES_SECONDS = 10.0
"""How often all candles are read: what they add to the app's own are old ones."""

NAP_SECONDS = 0.1


class AnalyticsFeed:
    """Reads about once a second. Whether the server is there is told by others."""

    def __init__(self, feed: Feed, desk: Desk, clock: Callable[[], int]) -> None:
        self._feed = feed
        self._desk = desk
        self._clock = clock
        self._candles_at = 0.0

    async def run(self) -> None:
        """Looks until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            looked_at = self._looking()
            board = self._feed.board
            if board is not None and looked_at[0]:
                with contextlib.suppress(StoreError, TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._look(board, *looked_at)
            due = clock() + (LOOK_SECONDS if board is not None else NAP_SECONDS)
            while True:
                await asyncio.sleep(NAP_SECONDS)
                if clock() >= due or self._looking() != looked_at:
                    break

    def _looking(self) -> tuple[str, Span]:
        return self._desk.symbol, self._desk.candle_span

    async def _look(self, board: Board, market: str, span: Span) -> None:
        analytics: Analytics = self._desk.model.analytics
        try:
            found = await board.stats(market)
        except Refused as error:
            analytics.observed(None, self._clock(), str(error))
            raise
        analytics.observed(Figures(*found) if found is not None else None, self._clock())
        now = asyncio.get_running_loop().time()
        if now >= self._candles_at or not analytics.knows_candles(market, span):
            candles = await board.candles(market, INTERVALS[span], CANDLES_KEPT)
            analytics.took_candles(market, span, candles[1] if candles is not None else ())
            self._candles_at = now + CANDLES_SECONDS
