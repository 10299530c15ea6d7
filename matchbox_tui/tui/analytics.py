"""What the analytics say, where they run beside the venue: as of the last look at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from matchbox_tui.store import Candle as StoredCandle
from matchbox_tui.store import MarketStats, VenueStats
from matchbox_tui.tui.candles import SECOND_NS, Candle, Span

STILL_NS = 5_000_000_000
"""Figures that have not moved for so long, while the journal has, are nobody's work any more."""

INTERVALS = {Span.SECOND: "1s", Span.TEN: "10s", Span.MINUTE: "1m"}
"""The analytics' names of the spans."""


class Board(Protocol):
    """Where the figures are read."""

    async def stats(self, market: str) -> tuple[VenueStats, MarketStats] | None: ...
    async def candles(
        self, market: str, interval: str, limit: int
    ) -> tuple[VenueStats, list[StoredCandle]] | None: ...


@dataclass(frozen=True)
class Figures:
    """One market's, and how far they are."""

    venue: VenueStats
    market: MarketStats


class Analytics:
    """What was read last. `revision` grows with every look."""

    def __init__(self) -> None:
        self.revision = 0
        self.looked = False
        self.trouble = ""
        """Why the figures can't be read, where that is not the server's fault."""
        self.figures: Figures | None = None
        self._moved_ns = 0
        self._candles: dict[tuple[str, Span], Sequence[Candle]] = {}

    def forget(self) -> None:
        """What was read may be of another history."""
        self.figures = None
        self.looked = False
        self._candles.clear()
        self.revision += 1

    def observed(self, figures: Figures | None, time: int, trouble: str = "") -> None:
        """Takes a look, answered at a time in ns; None where there are no analytics."""
        before = self.figures
        if figures is None or before is None or before.venue.sequence != figures.venue.sequence:
            self._moved_ns = time
        self.figures, self.trouble, self.looked = figures, trouble, True
        self.revision += 1

    def took_candles(self, market: str, span: Span, found: Sequence[StoredCandle]) -> None:
        """Takes all that there are of a market, oldest first."""
        step = span.value * SECOND_NS
        self._candles[market, span] = [
            Candle(one.time // step, one.open, one.high, one.low, one.close, one.volume)
            for one in found
        ]
        self.revision += 1

    def knows_candles(self, market: str, span: Span) -> bool:
        return (market, span) in self._candles

    def candles(self, market: str, span: Span) -> Sequence[Candle]:
        """Oldest first."""
        return self._candles.get((market, span), ())

    def stands_still(self, seq: int, time: int) -> bool:
        """Whether the journal, which is at `seq`, has left them behind for long."""
        figures = self.figures
        return (
            figures is not None
            and figures.venue.sequence < seq
            and time - self._moved_ns > STILL_NS
        )
