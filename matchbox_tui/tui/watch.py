"""What moves in the market on the screen, noted while the journal is applied.

Sums over a hundred thousand prices and places in long queues are too dear to be found anew for
every frame. So they are kept; and because a cancel does not say at which price it was, the replica
has to be asked before it forgets.
"""

from matchbox_tui.engine import (
    Event,
    Exchange,
    OrderBook,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    Side,
    TradeExecuted,
)
from matchbox_tui.store import Entry, Replica
from matchbox_tui.tui.queues import Queues
from matchbox_tui.tui.sums import Sums

UNREAD_KEPT = 50_000
"""Moved prices that are remembered until somebody asks; beyond that all are read anew."""


class Watch:
    """The depth and the queues of one market, the one that was looked at last."""

    def __init__(self) -> None:
        self.queues = Queues()
        self._book: OrderBook | None = None
        self._seq = 0
        self._moved: set[int] = set()
        self._sums: dict[Side, Sums] = {}

    def look(self, book: OrderBook, seq: int) -> None:
        """Turns to a book, which has been moved by the commands up to `seq`."""
        if book is not self._book or seq != self._seq:
            self._book, self._seq = book, seq
            self.queues.clear()
            self.rest()

    def rest(self) -> None:
        """Keeps no sums until the next `depth`."""
        self._sums.clear()
        self._moved.clear()

    def depth(self, side: Side) -> Sums:
        """The contracts at each price of a side, by its place.

        O(prices that moved since), the first time O(levels).
        """
        book = self._book
        assert book is not None
        if not self._sums:
            self._moved.clear()
            self._sums = {side: _sums(book, side) for side in Side}
        if self._moved:
            for each, sums in self._sums.items():
                levels = book.side(each).levels
                for price in self._moved:
                    level = levels.get(price)
                    qty = level.qty if level is not None else 0
                    sums.put(place(price, each, book.market.tick), qty)
            self._moved.clear()
        return self._sums[side]

    def before(self, exchange: Exchange, seq: int, events: list[Event]) -> None:
        """Takes events that will move the exchange to `seq`. O(1) each."""
        book = self._book
        if book is None:
            return
        if exchange.seq != self._seq:
            self._book = None
            return
        self._seq = seq
        symbol, queues = book.market.symbol, self.queues
        moved = self._moved if self._sums else None
        for event in events:
            kind = type(event)
            if kind not in _MOVING or event.market != symbol:
                continue
            queues.hear(event)
            if moved is None:
                continue
            if isinstance(event, OrderRested | TradeExecuted):
                moved.add(event.price)
                continue
            if isinstance(event, OrderCancelled | OrderExpired | OrderReplaced):
                # One that rests only since this entry has told its price in it.
                order = exchange.orders.get(event.order_id)
                if order is not None:
                    moved.add(order.price)
        if moved is not None and len(moved) > UNREAD_KEPT:
            self.rest()


_MOVING = frozenset({OrderRested, TradeExecuted, OrderCancelled, OrderExpired, OrderReplaced})


class WatchedReplica(Replica):
    """A replica that tells a watch what is about to move it."""

    def __init__(self, replica: Replica, watch: Watch) -> None:
        super().__init__(replica.exchange, replica.chain, replica.epoch)
        self._watch = watch

    def apply(self, entry: Entry) -> None:
        self._watch.before(self.exchange, entry.seq, entry.events)
        super().apply(entry)


def place(price: int, side: Side, tick: int) -> int:
    """A price's place in `Sums`: so that a row of a ladder is a round range on either side."""
    return price // tick - (side is Side.SELL)


def _sums(book: OrderBook, side: Side) -> Sums:
    levels = book.side(side).levels
    market = book.market
    highest = market.max_price if market.max_price is not None else 10**12
    return Sums(
        len(str(highest // market.tick)),
        ((place(price, side, market.tick), level.qty) for price, level in levels.items()),
    )
