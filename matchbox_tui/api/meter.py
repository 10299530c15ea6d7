"""What this process has done, in plain numbers: counting costs a request next to nothing."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the buckets into which the times of requests are counted."""

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""The same for the commands that one SUBMIT carries."""


class Histogram:
    """How often a value fell into each bucket; the last is for all beyond the bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """O(log buckets)."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Meter:
    """Counts since the process began."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = {}
        """By route, method and status; the route is empty where none fits."""
        self.times: dict[tuple[str, str], Histogram] = {}
        """Seconds by route and method, from the request's head to the answer's end."""
        self.refusals: Counter[int] = Counter()
        """By status: what was refused before there was a request."""
        self.connections = 0
        """HTTP connections that are open now."""
        self.orders_submitted = 0
        self.orders_repeated = 0
        self.orders_refused: Counter[str] = Counter()
        """By the reason: overloaded, unreachable, in_doubt, refused."""
        self.batches = Histogram(SIZES)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Takes note of an answer; `status` 0 is none, for the client or the server went."""
        key = (route, method, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        times = self.times.get((route, method))
        if times is None:
            times = self.times[route, method] = Histogram(SECONDS)
        times.observe(seconds)

    def refused(self, status: int) -> None:
        """Takes note of a connection that was answered and closed by the protocol."""
        self.refusals[status] += 1
