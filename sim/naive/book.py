"""The naive model's orders and books: dicts, lists and sorted prices."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from matchbox_tui.engine import Market, NewOrder, Side


class NaiveOrder:
    """An order: what was asked, and what can change."""

    __slots__ = ("asked", "filled", "price", "qty")

    def __init__(self, asked: NewOrder, price: int, qty: int, filled: int = 0) -> None:
        self.asked = asked
        self.price = price
        self.qty = qty
        self.filled = filled

    @property
    def leaves(self) -> int:
        return self.qty - self.filled


class NaiveBook:
    """A market and its resting orders: for each side and price a list, first come first."""

    def __init__(self, market: Market, sequence: int = 0) -> None:
        self.market = market
        self.sequence = sequence
        self.orders: dict[int, NaiveOrder] = {}
        self.prices: dict[Side, list[int]] = {Side.BUY: [], Side.SELL: []}
        """The prices at which somebody waits, lowest first."""
        self.waiting: dict[Side, dict[int, list[NaiveOrder]]] = {Side.BUY: {}, Side.SELL: {}}

    def join(self, order: NaiveOrder) -> None:
        """Puts the order behind those that wait at its price."""
        self.orders[order.asked.order_id] = order
        side = order.asked.side
        if order.price not in self.waiting[side]:
            self.waiting[side][order.price] = []
            insort(self.prices[side], order.price)
        self.waiting[side][order.price].append(order)

    def leave(self, order: NaiveOrder) -> None:
        del self.orders[order.asked.order_id]
        side = order.asked.side
        line = self.waiting[side][order.price]
        line.remove(order)
        if not line:
            del self.waiting[side][order.price]
            prices = self.prices[side]
            del prices[bisect_left(prices, order.price)]

    def best(self, side: Side) -> int | None:
        """The best price of the side, None where nobody waits."""
        prices = self.prices[side]
        if not prices:
            return None
        return prices[-1] if side == Side.BUY else prices[0]

    def queue(self, side: Side) -> Iterator[NaiveOrder]:
        """One side as it would be filled."""
        prices = self.prices[side]
        for price in reversed(prices) if side == Side.BUY else prices:
            yield from self.waiting[side][price]
