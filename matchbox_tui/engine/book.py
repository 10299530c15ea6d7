"""The order book of one market."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter

import msgspec
from sortedcontainers import SortedList

from matchbox_tui.engine.order import Level, Order
from matchbox_tui.engine.values import (
    DEFAULT_MARKET,
    BookSnapshot,
    Market,
    MarketStatus,
    PriceLevel,
    Side,
)

_BUY = Side.BUY
_OPEN = MarketStatus.OPEN

FEW = 1000
"""So many prices of a side are a plain list: a level's life costs a quarter then. In a list of
any length it would grow with the levels, so that more of them are a SortedList.
"""

SMALL = 2**30 - 1
"""Up to here the interpreter compares integers in a fraction of the time."""


class BookSide:
    """The levels of one side, with the best one at hand.

    The sorted prices, lowest first, are touched only when a level is born or dies; filling and
    cancelling inside a level never see them.
    """

    __slots__ = ("_best_index", "best", "levels", "prices", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, Level] = {}
        self.prices: list[int] | SortedList[int] = []
        self.best: Level | None = None
        self._best_index = -1 if side is Side.BUY else 0

    def open(self, price: int, order: Order) -> None:
        """A new level, with its first order. O(log levels)."""
        level = self.levels[price] = Level()
        level.price = price
        level.qty = order.leaves_qty
        level.head = level.tail = order
        order.level = level
        order.prev = order.next = None
        prices = self.prices
        if isinstance(prices, list):
            insort(prices, price)
            if len(prices) > FEW:
                self.prices = SortedList(prices)
        else:
            prices.add(price)
        best = self.best
        if best is None or (price > best.price if self._best_index else price < best.price):
            self.best = level

    def drop(self, level: Level) -> None:
        """Forgets an empty level. O(log levels)."""
        price, prices = level.price, self.prices
        del self.levels[price]
        if level is self.best:
            del prices[self._best_index]
            self.best = self.levels[prices[self._best_index]] if prices else None
        elif isinstance(prices, list):
            del prices[bisect_left(prices, price)]
        else:
            prices.remove(price)

    def below(self, price: int) -> int:
        """How many levels are cheaper. O(log levels)."""
        return bisect_left(self.prices, price)

    def best_first(self) -> Iterator[Level]:
        """The levels from the best price to the worst."""
        prices = reversed(self.prices) if self._best_index else iter(self.prices)
        return (self.levels[price] for price in prices)


class OrderBook:
    """Two sides of resting orders, and who they belong to.

    `sequence` grows by one with every command processed for the market. `orders` may be shared
    by the books of one exchange, whose ids are unique across markets. `by_trader` holds the orders
    of those who have a name, by id; `expiries` (expires_at, id) of the GTD orders; `last_seq` is
    replay's. A price from `lowest` to `highest` is certainly fine as the market stands; of any
    other the rules must tell. `nobody_holds` is set once nobody ("") is among the holders here.
    """

    __slots__ = (
        "asks",
        "bids",
        "by_trader",
        "expiries",
        "highest",
        "last_seq",
        "lowest",
        "market",
        "nobody_holds",
        "orders",
        "sequence",
    )

    def __init__(
        self, market: Market | None = None, orders: dict[int, Order] | None = None
    ) -> None:
        self._set_market(market if market is not None else Market(DEFAULT_MARKET))
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.orders: dict[int, Order] = orders if orders is not None else {}
        self.by_trader: defaultdict[str, dict[int, Order]] = defaultdict(dict)
        self.expiries: SortedList[tuple[int, int]] = SortedList()
        self.nobody_holds = False
        self.sequence = 0
        self.last_seq = 0

    @property
    def best_bid(self) -> int | None:
        """The highest price that somebody bids. O(1)."""
        return self.bids.best.price if self.bids.best is not None else None

    @property
    def best_ask(self) -> int | None:
        """The lowest price that somebody asks. O(1)."""
        return self.asks.best.price if self.asks.best is not None else None

    def side(self, side: Side) -> BookSide:
        return self.bids if side is _BUY else self.asks

    def order(self, order_id: int) -> Order | None:
        """The order that rests here under this id, or None. O(1)."""
        order = self.orders.get(order_id)
        if order is None or self.side(order.side).levels.get(order.price) is not order.level:
            return None
        return order

    def depth_at(self, side: Side, price: int) -> int:
        """Contracts resting at a price, 0 where none. O(1)."""
        level: Level | None = self.side(side).levels.get(price)
        return level.qty if level is not None else 0

    def queue_ahead(self, order_id: int) -> int:
        """Contracts that stand before the order at its price. O(orders before it).

        Raises `KeyError` where no such order rests here.
        """
        order = self.order(order_id)
        if order is None:
            raise KeyError(f"no order {order_id} rests in {self.market.symbol}")
        ahead = 0
        while (order := order.prev) is not None:
            ahead += order.leaves_qty
        return ahead

    def queue(self, side: Side) -> Iterator[Order]:
        """The resting orders of a side as they would be filled: best price, then first come."""
        for level in self.side(side).best_first():
            order = level.head
            while order is not None:
                yield order
                order = order.next

    def orders_of(self, trader: str) -> list[Order]:
        """The trader's resting orders by id, whatever way this state was built.

        O(n log n); for "", which is nobody's name, n is all that rests here.
        """
        if trader:
            mine = self.by_trader.get(trader, {})
            return [mine[order_id] for order_id in sorted(mine)]
        nobodys = (order for side in Side for order in self.queue(side) if not order.trader)
        return sorted(nobodys, key=attrgetter("id"))

    def snapshot(self, depth: int | None = None) -> BookSnapshot:
        """The best `depth` levels of each side, all where None. O(levels shown)."""
        return BookSnapshot(_levels(self.bids, depth), _levels(self.asks, depth), self.sequence)

    def rest(self, order: Order) -> None:
        """Adds an order at the back of its price. O(1), O(log levels) for a new price."""
        message, price, order_id = order.message, order.price, order.id
        side = self.bids if message.side is _BUY else self.asks
        level = side.levels.get(price)
        if level is None:
            side.open(price, order)
        else:
            order.level = level
            order.prev = tail = level.tail
            order.next = None
            level.tail = tail.next = order
            level.qty += order.leaves_qty
        self.orders[order_id] = order
        if message.trader:
            self.by_trader[message.trader][order_id] = order
        if message.expires_at:
            self.expiries.add((message.expires_at, order_id))

    def remove(self, order: Order) -> None:
        """Takes a resting order out. O(1), O(log levels) where its level dies.

        Raises `ValueError` where it does not rest.
        """
        level = order.level
        if level is None:
            raise ValueError(f"order {order.id} does not rest")
        before, after = order.prev, order.next
        order.level = order.prev = order.next = None
        level.qty -= order.leaves_qty
        message = order.message
        if before is None:
            level.head = after
        else:
            before.next = after
        if after is not None:
            after.prev = before
        elif before is not None:
            level.tail = before
        else:
            (self.bids if message.side is _BUY else self.asks).drop(level)
        del self.orders[order.id]
        if message.trader:
            mine = self.by_trader[message.trader]
            del mine[order.id]
            if not mine:
                del self.by_trader[message.trader]
        if message.expires_at:
            self.expiries.discard((message.expires_at, order.id))

    def set_status(self, status: MarketStatus) -> None:
        self._set_market(msgspec.structs.replace(self.market, status=status))

    def _set_market(self, market: Market) -> None:
        self.market = market
        if market.status is _OPEN and market.tick == 1:
            self.lowest = max(market.min_price, 1)
            self.highest = SMALL if market.max_price is None else min(market.max_price, SMALL)
        else:
            self.lowest, self.highest = 1, 0


def _levels(side: BookSide, depth: int | None) -> tuple[PriceLevel, ...]:
    shown: list[PriceLevel] = []
    for level in side.best_first():
        if depth is not None and len(shown) >= depth:
            break
        shown.append(PriceLevel(level.price, level.qty))
    return tuple(shown)
