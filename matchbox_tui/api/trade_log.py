"""The last fills, of all markets and of each."""

from bisect import bisect_left
from collections import deque

from matchbox_tui.engine import Event, TradeExecuted
from matchbox_tui.store import FillMessage, fill_message

TRADES_KEPT = 50_000
TRADES_KEPT_PER_MARKET = 10_000


Place = tuple[int, int]
"""Where a trade stands: (sequence, number within it), as its trade_id says `<seq>-<n>`."""


def place_of(trade_id: str) -> Place:
    seq, _, n = trade_id.partition("-")
    return int(seq), int(n)


def _place(fill: FillMessage) -> Place:
    return place_of(fill.trade_id)


class TradeLog:
    """Fills in the journal's order, oldest first; the oldest are forgotten."""

    def __init__(self, begun_at: int = 0) -> None:
        """`begun_at` is the sequence after which it is told of fills."""
        self.all: deque[FillMessage] = deque(maxlen=TRADES_KEPT)
        self._by_market: dict[str, deque[FillMessage]] = {}
        self._begun_at = begun_at

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

    def last(
        self, market: str | None, limit: int, before: Place | None = None
    ) -> list[FillMessage]:
        """The last `limit` fills that are known, or those before a place; oldest first.

        O(limit + log n).
        """
        trades = self._of(market)
        end = len(trades) if before is None else bisect_left(trades, before, key=_place)
        return [trades[index] for index in range(max(0, end - limit), end)]

    def known_from(self, market: str | None) -> Place:
        """Every fill from this place on is known; (1, 0) where that is all."""
        trades = self._of(market)
        if len(trades) == trades.maxlen:
            return _place(trades[0])
        return self._begun_at + 1, 0

    def _of(self, market: str | None) -> deque[FillMessage]:
        return self.all if market is None else self._by_market.get(market, deque())
