"""The commands of an engine's benchmark: seeded, and the same for everybody who takes part."""

import random

from matchbox_tui.engine import (
    CancelOrder,
    Exchange,
    Market,
    NewOrder,
    OrderBook,
    Side,
    TimeInForce,
)
from matchbox_tui.engine.matching import crosses

Asked = NewOrder | CancelOrder

PASSIVE, CANCEL, MARKETABLE = 46, 25, 30
"""How often each is, in parts of their sum."""

MOST_PASSIVE, MOST_MARKETABLE = 20, 10
"""Contracts of an order at most: what rests grows slowly, so that the book gets deep."""

THROUGH = 3
"""How many ticks a marketable order goes beyond the best price, at most."""

NEARNESS = 4
"""Passive orders lie from the middle on, fewer with each tick; on average a so many-th of all."""


class Workload:
    """Passive orders, cancels of open orders, and immediate orders that trade, from a seed.

    An engine plays along, so that a cancel finds its order and a marketable order somebody.
    """

    def __init__(self, ticks: int, seed: int) -> None:
        self.market = Market("MAIN", max_price=ticks)
        self._ticks = ticks
        self._random = random.Random(seed)
        self._exchange = Exchange([self.market])
        self._made = 0
        self._ids: list[int] = []

    def commands(self, count: int) -> list[Asked]:
        """The next ones. O(1) each."""
        found: list[Asked] = []
        while len(found) < count:
            command = self._command()
            if command is not None:
                self._exchange.apply(command)
                found.append(command)
        return found

    def _command(self) -> Asked | None:
        roll = self._random.uniform(0, PASSIVE + CANCEL + MARKETABLE)
        if roll < CANCEL:
            return self._cancel()
        side = self._random.choice((Side.BUY, Side.SELL))
        book = self._exchange.book()
        if roll < CANCEL + MARKETABLE:
            return self._marketable(side, book)
        return self._passive(side, book)

    def _cancel(self) -> CancelOrder | None:
        ids = self._ids
        while ids:
            # The last one takes the place of the chosen one: to take out of the middle is slow.
            place = self._random.randrange(len(ids))
            ids[place], ids[-1] = ids[-1], ids[place]
            order_id = ids.pop()
            if order_id in self._exchange.orders:
                return CancelOrder(order_id)
        return None

    def _marketable(self, side: Side, book: OrderBook) -> NewOrder | None:
        best = book.best_ask if side is Side.BUY else book.best_bid
        if best is None:
            return None
        beyond = self._random.randint(0, THROUGH)
        price = best + beyond if side is Side.BUY else best - beyond
        qty = self._random.randint(1, MOST_MARKETABLE)
        return self._order(side, price, qty, TimeInForce.IOC)

    def _passive(self, side: Side, book: OrderBook) -> NewOrder | None:
        middle = self._ticks // 2 + 1
        away = 1 + int(self._random.expovariate(NEARNESS / self._ticks)) % (middle - 1)
        price = middle - away if side is Side.BUY else middle + away
        if crosses(book, side, price):
            return None
        qty = self._random.randint(1, MOST_PASSIVE)
        order = self._order(side, price, qty, TimeInForce.GTC)
        self._ids.append(order.order_id)
        return order

    def _order(self, side: Side, price: int, qty: int, time_in_force: TimeInForce) -> NewOrder:
        self._made += 1
        return NewOrder(
            order_id=self._made,
            side=side,
            price=min(max(price, 1), self._ticks),
            qty=qty,
            time_in_force=time_in_force,
        )
