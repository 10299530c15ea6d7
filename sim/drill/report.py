"""What a drill ends with: figures beside promises, and everything that is wrong in words."""

import math
import statistics
from collections.abc import Iterator, Sequence

import msgspec

from sim.audit import Verdict
from sim.drill.hash_board import HashCheck
from sim.drill.reckoning import Executed
from sim.faults import KINDS, Recovery

MARGIN_MS = 500
"""No single recovery may take longer than the lease and this, whatever the fault."""

ENOUGH_FOR_MEDIAN = 10
"""Faults of a kind from which on a missed median is a failure: a few say more of the machine."""

ENOUGH_FOR_P99 = 100
"""The same for the 99th percentile."""


class Promise(msgspec.Struct, frozen=True):
    """Times to recover that we promise, in ms: of each fault, the median, the 99th percentile."""

    each: float | None = None
    median: float | None = None
    p99: float | None = None

    def words(self) -> str:
        parts = [] if self.each is None else [f"each <= {self.each:.0f}"]
        parts += [] if self.median is None else [f"median < {self.median:.0f}"]
        parts += [] if self.p99 is None else [f"p99 < {self.p99:.0f}"]
        return ", ".join(parts) or "-"

    def kept(self, median: float, p99: float, most: float) -> bool:
        return (
            (self.each is None or most <= self.each)
            and (self.median is None or median < self.median)
            and (self.p99 is None or p99 < self.p99)
        )


def promise_of(kind: str, lease_ms: int) -> Promise:
    """What we promise for this kind of fault."""
    match kind:
        case "kill":
            return Promise(median=100, p99=500)
        case "stop":
            return Promise(median=150)
        case "pause":
            return Promise(each=lease_ms + 250)
        case "redis":
            return Promise(each=lease_ms + 500)
        case _:
            return Promise()


class Figures(msgspec.Struct, frozen=True):
    """Times to recover from faults of one kind, in ms, beside what is promised.

    `never` counts faults after which the market did not go on; `kept` is whether the promise was,
    to the letter; `late` says what was missed by more than noise.
    """

    kind: str
    n: int
    min: float | None
    median: float | None
    p99: float | None
    max: float | None
    never: int
    promised: str
    kept: bool
    late: str = ""


class FaultReport(msgspec.Struct, frozen=True):
    """One fault: what it did, and three opinions on the state that the leader had before it."""

    number: int
    recovery: Recovery
    hashes: HashCheck | None


class Doubts(msgspec.Struct, frozen=True):
    """What the traders did not know: `commands` in doubt, and what the journal says about them.

    Orders were executed or never arrived; `others` are cancels, whose outcome needs no tracing.
    """

    commands: int = 0
    orders: int = 0
    executed: int = 0
    never_arrived: int = 0
    others: int = 0
    executed_orders: list[Executed] = []


class DrillReport(msgspec.Struct, frozen=True):
    """A drill in numbers. `seconds` is how long the traders traded, `rate` commands a second.

    `violations` and `late` say what is wrong, in words; `ok` is that nothing is.
    """

    ok: bool
    interrupted: bool
    seconds: float
    commands: int
    commits: int
    rate: float
    faults: list[FaultReport]
    figures: list[Figures]
    elections: int
    acknowledged: int
    overloaded: int
    unsent: int
    in_doubt: Doubts
    lost: int
    doubled: int
    zombie_commits: int
    zombie_commits_refused: int
    hashes_compared: int
    hashes_differing: int
    audit: Verdict
    violations: list[str]
    late: list[str]


def figures_of(kind: str, recoveries: Sequence[Recovery], lease_ms: int) -> Figures:
    """The times to recover from faults of this kind, and whether they keep the promise."""
    times = sorted(one.recovered_ms for one in recoveries if one.recovered_ms is not None)
    n, promise = len(recoveries), promise_of(kind, lease_ms)
    if not times:
        return Figures(kind, n, None, None, None, None, n, promise.words(), kept=False)
    median, p99, most = statistics.median(times), nearest_rank(times, 0.99), times[-1]
    never = n - len(times)
    return Figures(
        kind,
        n,
        round(times[0], 1),
        round(median, 1),
        round(p99, 1),
        round(most, 1),
        never,
        promise.words(),
        never == 0 and promise.kept(median, p99, most),
        "; ".join(_late(times, median, p99, promise, lease_ms)),
    )


def _late(
    times: Sequence[float], median: float, p99: float, promise: Promise, lease_ms: int
) -> Iterator[str]:
    bound = lease_ms + MARGIN_MS
    if times[-1] > bound:
        yield f"{times[-1]:.0f} ms is more than {bound}"
    if len(times) >= ENOUGH_FOR_MEDIAN:
        if promise.each is not None and median > promise.each:
            yield f"the median of {median:.0f} ms is above {promise.each:.0f}"
        if promise.median is not None and median >= promise.median:
            yield f"the median of {median:.0f} ms is not below {promise.median:.0f}"
    if len(times) >= ENOUGH_FOR_P99 and promise.p99 is not None and p99 >= promise.p99:
        yield f"the 99th percentile of {p99:.0f} ms is not below {promise.p99:.0f}"


def all_figures(recoveries: Sequence[Recovery], lease_ms: int) -> list[Figures]:
    """The figures of each kind that there was, in the usual order."""
    return [
        figures_of(kind, found, lease_ms)
        for kind in KINDS
        if (found := [one for one in recoveries if one.kind == kind])
    ]


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share - 1e-9) - 1)]
