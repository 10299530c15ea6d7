"""How long this person's requests took: until they were acknowledged, and until they were seen."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SAMPLES_KEPT = 500
"""Requests over which a summary is made."""


@dataclass(frozen=True)
class Sample:
    """One request: from its sending to the queue's answer, and to the frame with its outcome."""

    acknowledged_ns: int
    painted_ns: int


@dataclass(frozen=True)
class Summary:
    """(p50, p99) of so many requests, in ns."""

    count: int
    acknowledged: tuple[int, int]
    painted: tuple[int, int]


@dataclass
class _Pending:
    sent: int
    acknowledged: int | None = None
    painted: int | None = None


class Latencies:
    """The requests under way, by key, and the newest that are done. Times in ns of any one clock.

    An answer and an outcome come in either order. What was refused or is in doubt is no sample.
    """

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=SAMPLES_KEPT)
        self.taken = 0
        self._pending: dict[str, _Pending] = {}

    def __len__(self) -> int:
        """How many requests are under way."""
        return len(self._pending)

    def sent(self, keys: Iterable[str], now: int) -> None:
        for key in keys:
            self._pending[key] = _Pending(now)

    def acknowledged(self, keys: Iterable[str], now: int) -> None:
        for key in keys:
            if key in self._pending:
                self._pending[key].acknowledged = now
                self._finish(key)

    def forget(self, *keys: str) -> None:
        """Drops requests of which nothing is known."""
        for key in keys:
            self._pending.pop(key, None)

    def settled(self, is_open: Callable[[str], object]) -> list[str]:
        """The requests whose outcome has come since, none of which was painted yet."""
        if not self._pending:
            return []
        return [
            key
            for key, pending in self._pending.items()
            if pending.painted is None and not is_open(key)
        ]

    def painted(self, keys: Iterable[str], now: int) -> None:
        """The frame that shows their outcomes is on the screen."""
        for key in keys:
            pending = self._pending.get(key)
            if pending is not None and pending.painted is None:
                pending.painted = now
                self._finish(key)

    def summary(self) -> Summary | None:
        return summarise(self.samples)

    def _finish(self, key: str) -> None:
        pending = self._pending[key]
        if pending.acknowledged is None or pending.painted is None:
            return
        del self._pending[key]
        self.samples.append(
            Sample(pending.acknowledged - pending.sent, pending.painted - pending.sent)
        )
        self.taken += 1


def summarise(samples: Iterable[Sample]) -> Summary | None:
    """The percentiles of the samples, None where there is none. O(n log n)."""
    taken = list(samples)
    if not taken:
        return None
    return Summary(
        len(taken),
        _percentiles([sample.acknowledged_ns for sample in taken]),
        _percentiles([sample.painted_ns for sample in taken]),
    )


def _percentiles(values: Sequence[int]) -> tuple[int, int]:
    """p50 and p99: the smallest values that so many in a hundred do not exceed."""
    ordered = sorted(values)
    half, most = (-(-len(ordered) * share // 100) - 1 for share in (50, 99))
    return ordered[half], ordered[most]
