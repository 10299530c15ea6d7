"""One market as the fold of the journal passes: its prices, its spread, its depth, its halts."""

from itertools import islice

from matchbox_tui.engine import BookSide, OrderBook, TradeExecuted
from sim.measuring.form import Depth, MarketSeries, Value
from sim.measuring.quantiles import nearest, weighted

LEVELS = 48
"""Levels of a side that a column keeps."""

NEAR = 5
"""Ticks from the middle within which contracts count as depth."""


NOTHING = Depth((), ())


class Counts:
    """What was asked of a market, or of none, and what was traded."""

    __slots__ = ("cancels", "commands", "orders", "rejected", "replaces", "trades", "volume")

    def __init__(self) -> None:
        self.commands = 0
        self.orders = 0
        self.rejected = 0
        self.cancels = 0
        self.replaces = 0
        self.trades = 0
        self.volume = 0

    def values(self) -> dict[str, Value]:
        return {
            "orders": self.orders,
            "rejected": self.rejected,
            "cancels": self.cancels,
            "replaces": self.replaces,
            "trades": self.trades,
            "volume": self.volume,
            "order_to_trade_ratio": ratio(self.commands, self.trades),
        }

    def add(self, other: "Counts") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class MarketFold:
    """A market, moved along command by command."""

    def __init__(self, book: OrderBook, columns: int) -> None:
        """The market is new after so many columns."""
        self.book = book
        self.symbol = book.market.symbol
        self.counts = Counts()
        self.last: int | None = None
        self._first: int | None = None
        self._bid: int | None = None
        self._ask: int | None = None
        self._since = 0
        self._begun: int | None = None
        self._spreads: dict[int, int] = {}
        self._depths: list[int] = []
        self._price_min = self._price_max = 0
        self._peak = self._trough = 0
        self._drop = self._rise = 0
        self._bottom = 0
        self._halted_at: int | None = None
        self._halts: list[tuple[int, int]] = []
        self._end = 0
        self._low: int | None = None
        self._high: int | None = None
        self._traded = 0
        self._columns: list[tuple[int | None, int | None, int | None]] = [
            (None, None, None)
        ] * columns
        self._ranges: list[tuple[int | None, int | None, int]] = [(None, None, 0)] * columns
        self._bids = [NOTHING] * columns
        self._asks = [NOTHING] * columns

    def traded(self, trade: TradeExecuted) -> None:
        price, qty = trade.price, trade.qty
        self.counts.trades += 1
        self.counts.volume += qty
        self._traded += qty
        if price != self.last:
            self._priced(price)
        if self._low is None or price < self._low:
            self._low = price
        if self._high is None or price > self._high:
            self._high = price

    def _priced(self, price: int) -> None:
        if self.last is None:
            self._first = self._price_min = self._price_max = price
            self._peak = self._trough = price
        self.last = price
        if price > self._peak:
            self._peak = price
        elif self._peak - price > self._drop:
            self._drop, self._bottom = self._peak - price, price
        if price < self._trough:
            self._trough = price
        elif price - self._trough > self._rise:
            self._rise = price - self._trough
        if price < self._price_min:
            self._price_min = price
        elif price > self._price_max:
            self._price_max = price

    def moved(self, time: int) -> None:
        """The book stands after a command that took effect at `time`. O(1)."""
        best_bid, best_ask = self.book.bids.best, self.book.asks.best
        bid = best_bid.price if best_bid is not None else None
        ask = best_ask.price if best_ask is not None else None
        if bid != self._bid or ask != self._ask:
            self._stood(time)
            self._bid, self._ask = bid, ask
            if self._begun is None:
                self._begun = time

    def _stood(self, time: int) -> None:
        """What was quoted until now counts for as long as it stood."""
        if self._bid is not None and self._ask is not None:
            spread = self._ask - self._bid
            self._spreads[spread] = self._spreads.get(spread, 0) + time - self._since
        self._since = time

    @property
    def mark(self) -> int | None:
        """What a contract counts for: the middle of the quotes rounded down to a tick, or where
        one is missing the last price. None where there is neither.
        """
        if self._bid is not None and self._ask is not None:
            return (self._bid + self._ask) // 2
        return self.last

    def halted(self, time: int) -> None:
        if self._halted_at is None:
            self._halted_at = time

    def resumed(self, time: int) -> None:
        if self._halted_at is not None:
            self._halts.append((self._halted_at, time))
            self._halted_at = None

    def column(self) -> None:
        """A column of the grid ends here. O(levels)."""
        bid, ask = self._bid, self._ask
        bids, asks = _depth(self.book.bids), _depth(self.book.asks)
        if bid is not None and ask is not None:
            # Twice the distance from the middle, which may lie between two ticks.
            near = sum(
                qty
                for side in (bids, asks)
                for price, qty in zip(side.prices, side.contracts, strict=True)
                if abs(2 * price - bid - ask) <= 2 * NEAR
            )
            self._depths.append(near)
        self._columns.append((bid, ask, self.last))
        self._ranges.append((self._low, self._high, self._traded))
        self._bids.append(bids)
        self._asks.append(asks)
        self._low = self._high = None
        self._traded = 0

    def finish(self, time: int) -> None:
        """The run ends."""
        self._stood(time)
        self.resumed(time)
        self._end = time

    def values(self) -> dict[str, Value]:
        """This market's own measures, after `finish`."""
        priced = self.last is not None
        quoted = sum(self._spreads.values())
        open_for = self._end - self._begun if self._begun is not None else 0
        made_up = self.last - self._bottom if self.last is not None else 0
        return {
            "spread_median": weighted(self._spreads, 500),
            "spread_p99": weighted(self._spreads, 990),
            "quoted": ratio(100 * quoted, open_for),
            "depth_median": nearest(self._depths, 500),
            "price_min": self._price_min if priced else None,
            "price_max": self._price_max if priced else None,
            "price_first": self._first,
            "price_last": self.last,
            "price_drop_max": self._drop if priced else None,
            "price_rise_max": self._rise if priced else None,
            "price_recovered": ratio(100 * made_up, self._drop),
            "halted_ms": ratio(sum(end - begin for begin, end in self._halts), 1_000_000),
        }

    def series(self) -> MarketSeries:
        quotes, ranges = self._columns, self._ranges
        market = self.book.market
        return MarketSeries(
            symbol=market.symbol,
            title=market.title,
            tick=market.tick,
            best_bid=[bid for bid, _, _ in quotes],
            best_ask=[ask for _, ask, _ in quotes],
            last=[last for _, _, last in quotes],
            low=[low for low, _, _ in ranges],
            high=[high for _, high, _ in ranges],
            volume=[volume for _, _, volume in ranges],
            bids=self._bids,
            asks=self._asks,
            halts=self._halts,
        )


def ratio(part: int, whole: int) -> int | float | None:
    """A quotient: whole where it is exactly so, None where there is nothing to divide by."""
    if not whole:
        return None
    return part // whole if part % whole == 0 else part / whole


def _depth(side: BookSide) -> Depth:
    levels = list(islice(side.best_first(), LEVELS))
    return Depth(tuple(level.price for level in levels), tuple(level.qty for level in levels))
