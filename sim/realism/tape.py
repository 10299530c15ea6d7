"""What the scorecard keeps of a run: a few series for each market, of bounded length."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice

from matchbox_tui.engine import (
    BookSide,
    Event,
    Exchange,
    OrderAccepted,
    OrderBook,
    Side,
    TradeExecuted,
)

COLUMNS = 1 << 16
"""Moments at equal distances at which the quotes are kept."""

PROFILES = 1 << 12
"""Moments at which the depth is kept."""

REACH = 20
"""Prices behind the best one of a side, in ticks, whose depth is kept."""

MOST_EVENTS = 200_000
"""Orders, and trades, that are kept of a market: the first ones."""

MOST_MARKETS = 4
"""Markets that are kept: the first ones that are traded in, or of those that were named."""

NOBODY = -1


class MarketTape:
    """A market's series.

    `middles` are twice the middle of the best quotes, so that they are whole, at the ends of the
    columns (`NOBODY` where a side was empty), and `counts` the trades within each. `before` is the
    same just before each trade, with the `spreads` and the taker's side (`signs`: 1 buys, -1
    sells). Fills of one taker at one moment are one trade. Times are in ns since the run's start,
    as their senders told them. `quoted` is for how many ns which spread stood; `touches` are
    contracts at the best prices, and `profile` those so many ticks behind them, added up.
    """

    def __init__(self, book: OrderBook, columns: int) -> None:
        self.book = book
        self.middles = array("q", [NOBODY]) * columns
        self.counts = array("q", [0]) * columns
        self.before = array("q")
        self.spreads = array("q")
        self.signs = array("b")
        self.trade_times = array("q")
        self.order_times = array("q")
        self.quoted: dict[int, int] = {}
        self.touches: list[int] = []
        self.profile = [0] * (REACH + 1)
        self._bid: int | None = None
        self._ask: int | None = None
        self._since = 0
        self._count = 0

    @property
    def symbol(self) -> str:
        return self.book.market.symbol

    def ordered(self, sent: int) -> None:
        if len(self.order_times) < MOST_EVENTS:
            self.order_times.append(sent)

    def traded(self, sent: int, sign: int) -> None:
        """Somebody took, at the quotes that stood until then."""
        self._count += 1
        if len(self.signs) < MOST_EVENTS:
            self.signs.append(sign)
            self.trade_times.append(sent)
            bid, ask = self._bid, self._ask
            if bid is None or ask is None:
                self.before.append(NOBODY)
                self.spreads.append(NOBODY)
            else:
                self.before.append(bid + ask)
                self.spreads.append(ask - bid)

    def moved(self, time: int) -> None:
        """The book stands after a command. O(1)."""
        best_bid, best_ask = self.book.bids.best, self.book.asks.best
        bid = best_bid.price if best_bid is not None else None
        ask = best_ask.price if best_ask is not None else None
        if bid != self._bid or ask != self._ask:
            self.stood(time)
            self._bid, self._ask = bid, ask

    def stood(self, time: int) -> None:
        """What was quoted until now counts for as long as it stood."""
        if self._bid is not None and self._ask is not None:
            spread = self._ask - self._bid
            self.quoted[spread] = self.quoted.get(spread, 0) + time - self._since
        self._since = time

    def column(self) -> None:
        """A column ends here."""
        bid, ask = self._bid, self._ask
        self.middles.append(bid + ask if bid is not None and ask is not None else NOBODY)
        self.counts.append(self._count)
        self._count = 0

    def look(self) -> None:
        """Keeps the depth, where there are two sides. O(`REACH`)."""
        if self._bid is None or self._ask is None:
            return
        tick = self.book.market.tick
        for side in (self.book.bids, self.book.asks):
            best = side.best
            assert best is not None
            self.touches.append(best.qty)
            for away, qty in _behind(side, best.price, tick):
                self.profile[away] += qty


class Tapes:
    """Watches a fold of the journal (`sim.measuring.Watch`) and keeps what the scorecard needs.

    What it keeps doesn't grow with the journal beyond the bounds above.
    """

    def __init__(self, start: int, end: int, markets: Sequence[str] = ()) -> None:
        """`start` in ns since the epoch, `end` in ns since then; `markets` are kept before any
        others, in this order.
        """
        self.step = max(1, -(-end // COLUMNS))
        self.end = end
        self._start = start
        self._markets = tuple(markets)[:MOST_MARKETS]
        self._every = max(1, -(-end // self.step) // PROFILES)
        self._columns = 0
        self._due = self.step
        self._kept: dict[str, MarketTape] = {}

    def passes(self, time: int) -> None:
        """Time goes on up to the next command, which takes effect at `time`."""
        while time > self._due and self._due < self.end:
            self._column()

    def saw(self, time: int, events: Sequence[Event], exchange: Exchange) -> None:
        """A command took effect at `time`: its events, and what stands after it."""
        first = events[0]
        ordered = type(first) is OrderAccepted
        tape = self._tape(first.market, exchange) if ordered else self._kept.get(first.market)
        if tape is not None:
            sent = min(max(0, first.timestamp - self._start), self.end)
            if ordered:
                tape.ordered(sent)
            for event in events:
                if type(event) is TradeExecuted:
                    tape.traded(sent, 1 if event.taker_side is Side.BUY else -1)
                    break
            tape.moved(time)
        if len(events) > 1 and not ordered:
            # A trader's orders may be cancelled in all markets at once.
            for symbol in {event.market for event in events}:
                kept = self._kept.get(symbol)
                if kept is not None:
                    kept.moved(time)

    def finish(self) -> None:
        """The journal was read to its end."""
        while self._due < self.end:
            self._column()
        self._column()
        for tape in self._kept.values():
            tape.stood(self.end)

    def tapes(self) -> Iterator[MarketTape]:
        """Of the markets in which somebody ordered."""
        places = {symbol: place for place, symbol in enumerate(self._markets)}
        yield from sorted(
            self._kept.values(), key=lambda tape: places.get(tape.symbol, len(places))
        )

    def _tape(self, symbol: str, exchange: Exchange) -> MarketTape | None:
        tape = self._kept.get(symbol)
        if tape is None and (
            symbol in self._markets if self._markets else len(self._kept) < MOST_MARKETS
        ):
            tape = self._kept[symbol] = MarketTape(exchange.book(symbol), self._columns)
        return tape

    def _column(self) -> None:
        self._due += self.step
        self._columns += 1
        looks = self._columns % self._every == 0
        for tape in self._kept.values():
            tape.column()
            if looks:
                tape.look()


def _behind(side: BookSide, best: int, tick: int) -> Iterator[tuple[int, int]]:
    """How many ticks each level is behind the best, and its contracts."""
    for level in islice(side.best_first(), REACH + 1):
        away = abs(level.price - best) // tick
        if away > REACH:
            return
        yield away, level.qty
