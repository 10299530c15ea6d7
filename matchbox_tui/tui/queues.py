"""Where orders stand in their queues: counted once, then kept by what happens ahead of them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from matchbox_tui.engine import (
    Event,
    Order,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    Side,
    TradeExecuted,
)

Place = tuple[Side, int]


@dataclass
class _Line:
    """One order, and what is left of it and of each order that stands before it."""

    place: Place
    order_id: int
    ahead: int = 0
    leaves: dict[int, int] = field(default_factory=dict)


class Queues:
    """Contracts ahead of an order, for one order at each price.

    The first question walks the queue before the order, as `OrderBook.queue_ahead` does. After
    that each event costs O(1), however many orders wait at the price. One market only.
    """

    def __init__(self) -> None:
        self._lines: dict[Place, _Line] = {}
        self._line_of: dict[int, _Line] = {}

    def ahead(self, order: Order) -> int:
        """Contracts before a resting order. O(1), O(orders before it) the first time."""
        place = (order.side, order.price)
        line = self._lines.get(place)
        if line is not None:
            if line.order_id == order.id:
                return line.ahead
            self._drop(line)
        line = self._lines[place] = _Line(place, order.id)
        standing: Order | None = order
        while standing is not None:
            line.leaves[standing.id] = standing.leaves_qty
            standing = standing.prev
        line.ahead = sum(line.leaves.values()) - order.leaves_qty
        self._line_of.update(dict.fromkeys(line.leaves, line))
        return line.ahead

    def keep(self, places: Collection[Place]) -> None:
        """Forgets all prices but these."""
        if len(self._lines) > len(places):
            for place in [place for place in self._lines if place not in places]:
                self._drop(self._lines[place])

    def clear(self) -> None:
        self._lines.clear()
        self._line_of.clear()

    def hear(self, event: Event) -> None:
        """Takes what happens in the market. O(1)."""
        if not self._lines:
            return
        if isinstance(event, TradeExecuted):
            self._less(event.maker_order_id, event.qty)
        elif isinstance(event, OrderCancelled | OrderExpired):
            self._less(event.order_id)
        elif isinstance(event, OrderReplaced):
            line = self._line_of.get(event.order_id)
            if line is not None and event.priority_kept:
                self._less(event.order_id, line.leaves[event.order_id] - event.leaves_qty)
            else:
                self._less(event.order_id)

    def _less(self, order_id: int, qty: int | None = None) -> None:
        """So much of an order is gone, all of it where None."""
        line = self._line_of.get(order_id)
        if line is None:
            return
        if qty is None:
            qty = line.leaves[order_id]
        line.leaves[order_id] -= qty
        if order_id != line.order_id:
            line.ahead -= qty
        if not line.leaves[order_id]:
            del line.leaves[order_id], self._line_of[order_id]
            if order_id == line.order_id:
                self._drop(line)

    def _drop(self, line: _Line) -> None:
        del self._lines[line.place]
        for order_id in line.leaves:
            del self._line_of[order_id]
