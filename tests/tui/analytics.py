"""Analytics of a venue in this process: the same figures, without a server."""

from matchbox_tui.consumers.analytics import Figures
from matchbox_tui.engine import Exchange
from matchbox_tui.store import Candle, MarketStats, Refused, VenueStats
from tests.tui.venue import LocalVenue


class LocalBoard:
    """Has folded the venue's journal, up to now or up to where it `stopped`."""

    def __init__(self, venue: LocalVenue) -> None:
        self._venue = venue
        self._figures = Figures(Exchange())
        self.stopped = False
        self.runs = True
        self.since = 1
        self.history_from = 1
        self.refusal = ""

    async def stats(self, market: str) -> tuple[VenueStats, MarketStats] | None:
        if self.refusal:
            raise Refused(self.refusal)
        figures = self._folded()
        if not self.runs:
            return None
        known = figures.markets.get(market)
        venue = VenueStats(figures.seq, self.since, figures.health.stats(), self.history_from)
        return venue, known.stats() if known is not None else MarketStats(market)

    async def candles(
        self, market: str, interval: str, limit: int
    ) -> tuple[VenueStats, list[Candle]] | None:
        figures = self._folded()
        if not self.runs:
            return None
        venue = VenueStats(figures.seq, self.since, figures.health.stats(), self.history_from)
        known = figures.markets.get(market)
        return venue, known.candles_of(interval)[-limit:] if known is not None else []

    def _folded(self) -> Figures:
        for entry in self._venue.entries:
            if entry.seq > self._figures.seq and not self.stopped:
                self._figures.fold(entry)
        return self._figures
