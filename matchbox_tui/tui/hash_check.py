"""This app's state hash beside those that the instances publish, at the same places."""

from collections import deque
from collections.abc import Iterable, Iterator

from matchbox_tui.store import Replica, StateHash

KEPT = 200

LARGEST_BOOK = 20_000
"""Open orders beyond which the instances hash nothing, nor do we."""


class HashCheck:
    """Own hashes by sequence, and what others said of those."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._own: dict[int, str] = {}
        self._order: deque[int] = deque()

    def passed(self, before: int, replica: Replica) -> None:
        """The replica has moved by one commit from sequence `before`. O(1), O(orders) at a mark."""
        every = self._every
        if not every or before // every == replica.seq // every:
            return
        if len(replica.exchange.orders) > LARGEST_BOOK:
            return
        self._own[replica.seq] = replica.exchange.state_hash()
        self._order.append(replica.seq)
        if len(self._order) > KEPT:
            del self._own[self._order.popleft()]

    def compare(self, told: Iterable[StateHash]) -> Iterator[tuple[str, int, bool]]:
        """(instance, sequence, whether it is ours) of those that we have as well."""
        for one in told:
            own = self._own.get(one.seq)
            if own is not None:
                yield one.instance, one.seq, own == one.hash
