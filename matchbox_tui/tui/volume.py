"""Volume at price: what traded where, as far back as the journal was read."""

from collections import OrderedDict

from matchbox_tui.engine import Side
from matchbox_tui.tui.window import Window

PRICES_KEPT = 4_096
"""Prices kept for each market; beyond that the one that traded least recently is forgotten."""


class Volume:
    """Contracts traded at each price of one market: lifted by buyers, hit by sellers."""

    def __init__(self) -> None:
        self._traded: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._step = 1
        self._rows: dict[int, int] = {}
        """Contracts by the row they count in, where a row is a `_step` of prices."""

    def traded(self, price: int, taker: Side, qty: int) -> None:
        """Takes a trade. O(1)."""
        bought, sold = self._traded.get(price, (0, 0))
        if taker is Side.BUY:
            bought += qty
            self._count(price, qty, 0)
        else:
            sold += qty
            self._count(price, 0, qty)
        self._traded[price] = (bought, sold)
        self._traded.move_to_end(price)
        if len(self._traded) > PRICES_KEPT:
            gone, (bought, sold) = self._traded.popitem(last=False)
            self._count(gone, -bought, -sold)

    def rows(self, window: Window) -> list[int]:
        """Contracts traded in each row. O(rows), O(prices kept) where the grouping is new.

        A trade counts in the row where the order that it took from stood.
        """
        step = window.step
        if step != self._step:
            self._step = step
            self._rows.clear()
            for price, (bought, sold) in self._traded.items():
                self._count(price, bought, sold)
        top = window.top // step
        return [self._rows.get(top - row, 0) for row in range(window.rows)]

    def _count(self, price: int, bought: int, sold: int) -> None:
        for row, qty in ((-(-price // self._step), bought), (price // self._step, sold)):
            if qty:
                new = self._rows.get(row, 0) + qty
                if new:
                    self._rows[row] = new
                else:
                    del self._rows[row]
