"""What a drill ends with: figures beside promises, and everything that is wrong in words."""

import math
import statistics
from collections.abc import Sequence

import msgspec

from sim.audit import Verdict
from sim.hash_board import HashCheck
from sim.reckoning import Executed
from sim.recovery import KINDS, Recovery


class Promise(msgspec.Struct, frozen=True):
    """Times to recover, in ms: the promised median and 99th percentile, and the bound of each.

    The bound holds for every single fault, on any machine: it is the lease and a margin, for a
    market goes on by the end of the lease even where nothing else is noticed.
    """

    each: float
    median: float | None = None
    p99: float | None = None

    def words(self) -> str:
        parts = [] if self.median is None else [f"median < {self.median:.0f}"]
        parts += [] if self.p99 is None else [f"p99 < {self.p99:.0f}"]
        return ", ".join(parts) or f"each <= {self.each:.0f}"


def promise_of(kind: str, lease_ms: int) -> Promise:
    """What we promise for this kind of fault."""
    match kind:
        case "kill":
            return Promise(lease_ms + 500, 100, 500)
        case "stop":
            return Promise(lease_ms + 500, 150)
        case "pause":
            return Promise(lease_ms + 250)
        case _:
            return Promise(lease_ms + 500)


class Figures(msgspec.Struct, frozen=True):
    """Times to recover from faults of one kind, in ms, beside what is promised.

    `never` counts faults after which the market did not go on; `late` says what was missed.
    """

    kind: str
    n: int
    min: float | None
    median: float | None
    p99: float | None
    max: float | None
    never: int
    promised: str
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


ENOUGH_FOR_MEDIAN = 10
"""Faults of a kind from which on a missed median is a failure: a few say more of the machine."""

ENOUGH_FOR_P99 = 100
"""The same for the 99th percentile."""


def figures_of(kind: str, recoveries: Sequence[Recovery], lease_ms: int) -> Figures:
    """The times to recover from faults of this kind, and whether they keep the promise."""
    times = sorted(one.recovered_ms for one in recoveries if one.recovered_ms is not None)
    promise = promise_of(kind, lease_ms)
    never = len(recoveries) - len(times)
    if not times:
        return Figures(kind, len(recoveries), None, None, None, None, never, promise.words())
    median, p99 = statistics.median(times), nearest_rank(times, 0.99)
    late = []
    if times[-1] > promise.each:
        late.append(f"{times[-1]:.0f} ms is more than {promise.each:.0f}")
    if len(times) >= ENOUGH_FOR_MEDIAN and promise.median is not None and median >= promise.median:
        late.append(f"the median of {median:.0f} ms is not below {promise.median:.0f}")
    if len(times) >= ENOUGH_FOR_P99 and promise.p99 is not None and p99 >= promise.p99:
        late.append(f"the 99th percentile of {p99:.0f} ms is not below {promise.p99:.0f}")
    return Figures(
        kind,
        len(recoveries),
        round(times[0], 1),
        round(median, 1),
        round(p99, 1),
        round(times[-1], 1),
        never,
        promise.words(),
        "; ".join(late),
    )


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
