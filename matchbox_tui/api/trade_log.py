"""The last fills, of all markets and of each."""

from collections import deque
from itertools import islice

from matchbox_tui.engine import Event, TradeExecuted
from matchbox_tui.store import FillMessage, fill_message

TRADES_KEPT = 50_000
TRADES_KEPT_PER_MARKET = 10_000


class TradeLog:
    """Fills in the journal's order, oldest first; the oldest are forgotten."""

    def __init__(self) -> None:
        self.all: deque[FillMessage] = deque(maxlen=TRADES_KEPT)
        self._by_market: dict[str, deque[FillMessage]] = {}

    def fold(self, event: Event) -> FillMessage | None:
        """The fill that the event is, if it is one. O(1)."""
        if not isinstance(event, TradeExecuted):
            return None
        fill = fill_message(event)
        self.all.append(fill)
        trades = self._by_market.get(fill.market)
        if trades is None:
            trades = self._by_market[fill.market] = deque(maxlen=TRADES_KEPT_PER_MARKET)
        trades.append(fill)
        return fill

    def last(self, market: str | None, limit: int) -> list[FillMessage]:
        """The last `limit` fills, oldest first. O(limit)."""
        trades = self.all if market is None else self._by_market.get(market, deque())
        return list(islice(reversed(trades), limit))[::-1]
