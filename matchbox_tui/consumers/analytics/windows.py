"""Counters by windows of time, a bounded number of them."""

import msgspec


class Windows(msgspec.Struct):
    """The newest windows of `span` ns in which something happened, each with its counters.

    Newest is what was touched last in the journal's order, not what has the highest time. A
    producer's clock may be off by a little, so a window that is over is still found and counted
    into; or by centuries, and then the window that this makes is pushed out by those after it.
    Beyond `limit` the one goes that was touched the longest ago: O(1), and the same on every run.
    """

    span: int
    limit: int
    kept: dict[int, list[int]] = {}
    """Counters by the window's beginning, in ns since the epoch; touched last comes last."""
    newest: int = -1
    """The beginning of the window that was touched last; -1 before the first."""

    def at(self, timestamp: int) -> list[int]:
        """The counters of a moment's window, to be changed; an empty list where it is new."""
        start = timestamp - timestamp % self.span
        kept = self.kept
        if start == self.newest and start in kept:
            return kept[start]
        counters = kept.pop(start, None)
        if counters is None:
            counters = []
            if len(kept) >= self.limit:
                del kept[next(iter(kept))]
        kept[start] = counters
        self.newest = start
        return counters

    def last(self, count: int) -> list[tuple[int, list[int]]]:
        """Up to `count` windows with the highest times, oldest first. O(n log n)."""
        return [(start, self.kept[start]) for start in sorted(self.kept)[-count:]]
