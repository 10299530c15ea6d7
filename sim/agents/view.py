"""What an agent sees of its market when it acts: what is public, and what is its own."""

from matchbox_tui.engine import Exchange, Market, Order, OrderBook, Position, TradeExecuted

_NOTHING: dict[int, Order] = {}


_FEW = 64
_USUAL = 1 << 14
_RECENT_BITS = 5
_MOST_PACE = 8_000

_SUSPENDED = 16
"""A wait counts for so many usual ones at most,"""

_LEAST = 1_000_000 << 6
"""and a millisecond, in 64ths of a ns: the usual one is 0 where all trades were at one moment."""


class Tape:
    """What was traded in one market, as anybody can count it: `last` in ticks, or None before the
    first trade; `volume` in contracts and `trades`, both since the beginning.

    `pace` is how fast trades come, by the last 32 or so, over how fast they usually do, by the
    last 16,384: per mille, 1,000 where it is as ever and for the first 64 trades, 8,000 at most.
    It follows from the trades' own timestamps alone.
    """

    __slots__ = ("_at", "_recent", "_usual", "last", "pace", "trades", "volume")

    def __init__(self) -> None:
        self.last: int | None = None
        self.volume = 0
        self.trades = 0
        self.pace = 1_000
        self._at = 0
        # Moving averages of the times between trades, in 64ths of a ns.
        self._recent = self._usual = 0

    def record(self, trade: TradeExecuted) -> None:
        """O(1)."""
        self.last = trade.price
        self.volume += trade.qty
        trades = self.trades = self.trades + 1
        at = trade.timestamp
        wait = (at - self._at) << 6
        self._at = at
        usual = self._usual
        if wait <= 0:
            # Of one order, or the clocks of several senders.
            wait = 0
        elif wait > _LEAST and trades > _FEW:
            longest = usual * _SUSPENDED + _LEAST
            if wait > longest:
                # Nobody could trade: a halt, or an outage. It says little about the pace.
                wait = longest
        if trades <= _FEW:
            if trades > 1:
                self._usual = self._recent = usual + (wait - usual) // (trades - 1)
            return
        recent = self._recent = self._recent + ((wait - self._recent) >> _RECENT_BITS)
        usual = self._usual = usual + (wait - usual) // (trades if trades < _USUAL else _USUAL)
        pace = 1_000 * (usual + 1) // (recent + 1)
        self.pace = pace if pace < _MOST_PACE else _MOST_PACE


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
