"""State hashes at agreed places, so that instances can be compared while they run."""

from matchbox_tui.store import Replica, Tip

LARGEST_BOOK = 20_000
"""Open orders beyond which nothing is hashed: it would hold up matching for too long."""

WAITING = 1000
"""Hashes kept until they are published; more are dropped, the oldest first."""


class HashMarks:
    """Notes the state hash wherever a commit reaches or crosses a multiple of `every` commands.

    Every instance sees the same commits, so all note the same places.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._found: list[tuple[Tip, str]] = []

    def passed(self, before: int, replica: Replica) -> None:
        """The replica has moved by one commit from sequence `before`. O(1), O(orders) at a mark."""
        if not self._every or before // self._every == replica.seq // self._every:
            return
        if len(replica.exchange.orders) > LARGEST_BOOK:
            return
        self._found.append((replica.tip, replica.exchange.state_hash()))
        del self._found[:-WAITING]

    def take(self) -> list[tuple[Tip, str]]:
        """What was noted since the last call: the places and their hashes."""
        found, self._found = self._found, []
        return found
