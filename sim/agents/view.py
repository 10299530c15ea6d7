"""What an agent sees of its market when it acts: what is public, and what is its own."""

from matchbox_tui.engine import Exchange, Market, Order, OrderBook, Position, TradeExecuted

_NOTHING: dict[int, Order] = {}


class Tape:
    """What was traded in one market, as anybody can count it: `last` in ticks, or None before the
    first trade; `volume` in contracts and `trades`, both since the beginning.
    """

    __slots__ = ("last", "trades", "volume")

    def __init__(self) -> None:
        self.last: int | None = None
        self.volume = 0
        self.trades = 0

    def record(self, trade: TradeExecuted) -> None:
        """O(1)."""
        self.last = trade.price
        self.volume += trade.qty
        self.trades += 1


class Sight:
    """A window on one market for one trader. It always shows the state as its runner has it.

    `now` is in ns since the epoch; the runner sets it before it lets the agent act. Everything
    else is read only. All O(1), but `own`.
    """

    __slots__ = ("_exchange", "book", "now", "tape", "trader")

    def __init__(self, exchange: Exchange, symbol: str, trader: str, tape: Tape) -> None:
        """Raises `KeyError` where there is no such market."""
        self._exchange = exchange
        self.book: OrderBook = exchange.book(symbol)
        self.tape = tape
        self.trader = trader
        self.now = 0

    @property
    def market(self) -> Market:
        return self.book.market

    @property
    def best_bid(self) -> int | None:
        """In ticks, None where nobody bids."""
        best = self.book.bids.best
        return best.price if best is not None else None

    @property
    def best_ask(self) -> int | None:
        """In ticks, None where nobody asks."""
        best = self.book.asks.best
        return best.price if best is not None else None

    @property
    def last(self) -> int | None:
        """The last trade's price in ticks, None before the first."""
        return self.tape.last

    @property
    def open_orders(self) -> int:
        """How many orders of this trader's rest here."""
        return len(self.book.by_trader.get(self.trader, _NOTHING))

    @property
    def own(self) -> list[Order]:
        """This trader's resting orders, as they came to rest. O(n) in those returned."""
        return list(self.book.by_trader.get(self.trader, _NOTHING).values())

    @property
    def position(self) -> Position:
        """This trader's net contracts and cash here."""
        return self._exchange.position(self.trader, self.book.market.symbol)

    def middle(self, otherwise: int) -> int:
        """Half-way between the best prices, rounded down; the only one there is; the last trade;
        else `otherwise`. In ticks.
        """
        bid, ask = self.best_bid, self.best_ask
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        for price in (bid, ask, self.tape.last):
            if price is not None:
                return price
        return otherwise
