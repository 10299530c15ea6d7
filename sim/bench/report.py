"""What a benchmark says: rows that compare, and what went wrong."""

import statistics
from collections.abc import Sequence

import msgspec

from sim.bench.figures import Latency, ratios
from sim.bench.machine import Machine


class Plan(msgspec.Struct, frozen=True):
    """How much is measured. Each measurement takes `seconds` in each of `rounds` rounds.

    `connections` is keep-alive HTTP connections, `listeners` WebSocket clients, who are told of
    `fills` a second. `events` is how many a second go into the journal while a screen shows it.
    `commands` go through each engine in a round, and the biggest book has `orders`. A soak has
    `soak_orders`.
    """

    rounds: int = 5
    seconds: float = 2.0
    connections: int = 50
    listeners: int = 500
    fills: int = 1000
    events: int = 10_000
    commands: int = 200_000
    orders: int = 1_000_000
    soak_orders: int = 5_000_000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement, and what it was compared with in the same rounds.

    `value` and `base` are medians over the rounds, `ratio` is the median of the rounds' `ratios`.
    A row without a base compares with nothing. `reached` is None where there is no goal.
    """

    what: str
    value: float
    unit: str
    against: str = ""
    base: float | None = None
    ratio: float | None = None
    ratios: list[float] = []
    goal: str = ""
    reached: bool | None = None
    latency: Latency | None = None
    more: dict[str, float] = {}


class Report(msgspec.Struct, frozen=True):
    """A topic's outcome. `problems` says what was lost or answered wrongly; none is fine."""

    topic: str
    machine: Machine
    plan: Plan
    rows: list[Row]
    problems: list[str]

    @property
    def ok(self) -> bool:
        return not self.problems


def compare(
    what: str,
    unit: str,
    ours: Sequence[float],
    against: str,
    theirs: Sequence[float],
    *,
    least_ratio: float,
    enough: float | None = None,
    latency: Latency | None = None,
    more: dict[str, float] | None = None,
) -> Row:
    """A row out of rates that were measured round by round.

    The goal is a median ratio of `least_ratio`, or a rate that is `enough`.
    """
    each = ratios(ours, theirs)
    ratio = statistics.median(each)
    value = statistics.median(ours)
    goal = f"{least_ratio:g} of it" + (f" or {enough:,.0f}" if enough is not None else "")
    return Row(
        what=what,
        value=round(value, 1),
        unit=unit,
        against=against,
        base=round(statistics.median(theirs), 1),
        ratio=round(ratio, 3),
        ratios=each,
        goal=goal,
        reached=ratio >= least_ratio or (enough is not None and value >= enough),
        latency=latency,
        more=more or {},
    )
