"""The arithmetic of a benchmark: percentiles, medians, ratios of what was measured side by side."""

import math
import statistics
from collections.abc import Sequence

import msgspec

NS_PER_MS = 1_000_000


class Latency(msgspec.Struct, frozen=True):
    """In milliseconds."""

    p50: float
    p99: float


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0 to 1) of them don't exceed.

    Raises `ValueError` where there are none.
    """
    if not values:
        raise ValueError("no percentile of nothing")
    ordered = sorted(values)
    # Rounded first, for 100 * 0.07 is a little more than 7.
    rank = math.ceil(round(len(ordered) * share, 6))
    return ordered[max(rank, 1) - 1]


def latency(times_ns: Sequence[int]) -> Latency | None:
    """None where nothing was timed."""
    if not times_ns:
        return None
    p50, p99 = (percentile(times_ns, share) / NS_PER_MS for share in (0.5, 0.99))
    return Latency(round(p50, 3), round(p99, 3))


def typical(latencies: Sequence[Latency | None]) -> Latency | None:
    """The medians over rounds; None where nothing was timed in any."""
    known = [one for one in latencies if one is not None]
    if not known:
        return None
    return Latency(
        round(statistics.median(one.p50 for one in known), 3),
        round(statistics.median(one.p99 for one in known), 3),
    )


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round. A base of 0 makes the round's ratio 0: what can't be compared is not won."""
    pairs = zip(ours, theirs, strict=True)
    return [round(mine / base, 3) if base else 0.0 for mine, base in pairs]
