"""Keeps the collector from looking at a whole book again and again.

Resting orders refer to each other, so the collector counts them among what it has to look at: at
300,000 of them it stops everything for longer than a commit takes, again each time that the book
has grown by a quarter. But an order that goes lets go of its neighbours, so nothing of a book ever
needs the collector, until all of it is thrown away at once: whoever does that unfreezes first.
"""

import gc

GROWTH = 20_000
"""Orders more than at the last time: a few milliseconds of the collector's time."""


class Sparing:
    """Freezes what lives as often as the book has grown. O(1), but for what is young."""

    __slots__ = ("_spared",)

    def __init__(self) -> None:
        self._spared = 0

    def look(self, orders: int) -> None:
        """Call it now and then with how many orders rest."""
        if orders >= self._spared + GROWTH:
            # What is young and garbage would be kept for ever otherwise.
            gc.collect(1)
            gc.freeze()
            self._spared = orders
        elif orders < self._spared:
            self._spared = orders
