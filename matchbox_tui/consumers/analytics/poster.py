"""Posting figures: what changed, where nobody else has posted anything newer."""

import logging

from matchbox_tui.consumers.analytics.figures import Figures
from matchbox_tui.consumers.analytics.market import MarketFigures
from matchbox_tui.consumers.reader import Place
from matchbox_tui.store import AnalyticsBoard, Keys, Link, Posted, StoreSetBack, Tip, VenueStats

log = logging.getLogger(__name__)


class Poster:
    """Knows what it has posted, so that the next time only the changes are sent."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._board = AnalyticsBoard(link, keys)
        self._left: dict[str, Tip] = {}
        """The place of each market's figures as this poster left them."""

    def forget(self) -> None:
        """Has everything be posted anew."""
        self._left.clear()

    async def post(self, place: Place, figures: Figures) -> bool:
        """Posts the figures of a place; False where something newer was there.

        What was not posted stays marked as changed. Raises a `StoreError`; `StoreSetBack` where the
        journal does not go up to that place.
        """
        tip = Tip(place.seq, place.chain)
        for symbol in sorted(figures.changed):
            posted = await self._post_market(tip, figures.markets[symbol])
            if posted is Posted.NEWER:
                return False
            figures.changed.discard(symbol)
        stats = VenueStats(tip.seq, figures.since, figures.health.stats(), figures.history_from)
        return _checked(await self._board.post_venue(tip, stats), tip) is Posted.OK

    async def _post_market(self, tip: Tip, market: MarketFigures) -> Posted:
        symbol, stats = market.market, market.stats()
        before = self._left.get(symbol)
        if before is not None:
            changes = {
                name: [(start, candles.candle(start)) for start in candles.changed]
                for name, candles in market.candles.items()
            }
            posted = await self._board.post_market(tip, stats, changes, before)
        if before is None or posted is Posted.OTHER:
            everything = {
                name: [(candle.time, candle) for candle in market.candles_of(name)]
                for name in market.candles
            }
            posted = await self._board.post_market(tip, stats, everything, None)
        if _checked(posted, tip) is Posted.OK:
            self._left[symbol] = tip
            for candles in market.candles.values():
                candles.changed.clear()
        return posted


def _checked(posted: Posted, tip: Tip) -> Posted:
    if posted is Posted.AHEAD:
        raise StoreSetBack(f"the store was set back: its journal does not go up to {tip.seq}")
    return posted
