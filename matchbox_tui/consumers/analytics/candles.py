"""Candles: open, high, low, close, volume and trades of each second, ten seconds, minute."""

from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.store import CANDLES_KEPT, Candle


class Candles:
    """One market's candles of one length.

    A trade belongs to the candle of its own timestamp; within a candle the journal's order says
    what was first and last. A candle that was pushed out and comes back begins anew.
    """

    __slots__ = ("changed", "windows")

    def __init__(self, span: int, windows: Windows | None = None) -> None:
        """`span` in ns; `windows` are those of a state that was kept."""
        self.windows = windows if windows is not None else Windows(span, CANDLES_KEPT)
        self.changed: set[int] = set(self.windows.kept)
        """Beginnings of candles that are new, other or gone since somebody emptied this."""

    def record(self, price: int, qty: int, timestamp: int) -> None:
        windows = self.windows
        full = len(windows.kept) >= windows.limit
        oldest = next(iter(windows.kept)) if full else None
        values = windows.at(timestamp)
        if not values:
            values += (price, price, price, price, qty, 1)
            if oldest is not None:
                self.changed.add(oldest)
        else:
            if price > values[1]:
                values[1] = price
            elif price < values[2]:
                values[2] = price
            values[3] = price
            values[4] += qty
            values[5] += 1
        self.changed.add(windows.newest)

    def candle(self, start: int) -> Candle | None:
        """The candle that begins at a time; None where there is none (any more)."""
        values = self.windows.kept.get(start)
        return Candle(start, *values) if values is not None else None

    def newest(self) -> Candle | None:
        """The candle that the last trade went into."""
        return self.candle(self.windows.newest)
