"""What is still to happen, and what time it is."""

import heapq
from collections.abc import Callable

from sim.virtual.seat import Seat

START = 1_767_225_600_000_000_000
"""Where every run's clock begins, in ns since the epoch: 2026-01-01 00:00:00 UTC."""

What = Seat | Callable[[], None]
"""An agent whose turn comes, or whose commands arrive; or something to call."""


class Agenda:
    """Happenings in the order of their times; at the same time, those first that were put first.

    `now` is in ns since the epoch. `heap` and `serial` are for the loop, which can't afford calls.
    """

    __slots__ = ("heap", "now", "serial")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, What]] = []
        self.serial = 0
        self.now = START

    def at(self, time: int, what: What) -> None:
        """Puts something down for `time`, or for now where that is over. O(log n)."""
        self.serial += 1
        heapq.heappush(self.heap, (max(time, self.now), self.serial, what))
