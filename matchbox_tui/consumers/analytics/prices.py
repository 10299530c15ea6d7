"""What was paid: last price, the day so far, the change since its first trade, and VWAP."""

import msgspec

from matchbox_tui.consumers.analytics.candles import Candles
from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.store import PriceStats

DAY = 24 * 3600 * 1_000_000_000
DAYS_KEPT = 8
"""So that a trade with a nonsensical timestamp does not make the day begin anew."""


class Sums(msgspec.Struct):
    """Exact sums over all trades: the volume-weighted average price is notional / volume."""

    last: int | None = None
    notional: int = 0
    volume: int = 0
    trades: int = 0


class Prices:
    """One market's prices. A day is one of UTC, by the trades' timestamps."""

    __slots__ = ("_days", "sums")

    def __init__(self, sums: Sums | None = None, days: Windows | None = None) -> None:
        self.sums = sums if sums is not None else Sums()
        self._days = Candles(DAY, days if days is not None else Windows(DAY, DAYS_KEPT))

    @property
    def days(self) -> Windows:
        return self._days.windows

    def record(self, price: int, qty: int, timestamp: int) -> None:
        sums = self.sums
        sums.last = price
        sums.notional += price * qty
        sums.volume += qty
        sums.trades += 1
        self._days.record(price, qty, timestamp)

    def stats(self) -> PriceStats:
        """The change is the last price less the first one of the last trade's day."""
        day, sums = self._days.newest(), self.sums
        change = day.close - day.open if day is not None else None
        return PriceStats(sums.last, change, day, sums.notional, sums.volume, sums.trades)
