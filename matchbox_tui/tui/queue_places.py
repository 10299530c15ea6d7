"""Where own orders stand in the queue at their price, at a bounded cost."""

from dataclasses import dataclass

from matchbox_tui.engine import Order, OrderBook

STEPS = 400
"""Orders of a level that are looked at from each end for one place."""


@dataclass(frozen=True)
class Place:
    """Contracts ahead of an order, or at least so many where that is not `exact`."""

    ahead: int
    exact: bool = True


def place_of(order: Order) -> Place | None:
    """The place of a resting order, None for one that does not rest.

    O(orders before it or behind it, whichever are fewer), and never more than `STEPS` of each: the
    level's total tells the rest.
    """
    level = order.level
    if level is None:
        return None
    before, behind = order.prev, order.next
    ahead = after = 0
    for _ in range(STEPS):
        if before is None:
            return Place(ahead)
        if behind is None:
            return Place(level.qty - order.leaves_qty - after)
        ahead += before.leaves_qty
        after += behind.leaves_qty
        before, behind = before.prev, behind.next
    if behind is None:
        return Place(level.qty - order.leaves_qty - after)
    return Place(ahead, before is None)


class Places:
    """Places by order, kept for as long as the book they were found in has not moved."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[OrderBook, int, Place | None]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def of(self, order: Order, book: OrderBook) -> Place | None:
        found = self._found.get(order.id)
        if found is not None and found[0] is book and found[1] == book.sequence:
            return found[2]
        place = place_of(order)
        self._found[order.id] = book, book.sequence, place
        return place

    def keep(self, order_ids: set[int]) -> None:
        """Forgets all but these."""
        for order_id in self._found.keys() - order_ids:
            del self._found[order_id]
