"""What can be measured in a run: every measure's name, its unit, and what it says."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """What a measure is about, and so what its plain name and `RAIN.name` mean."""

    RUN = "run"
    """The whole run: there is only the plain name."""
    TOTAL = "total"
    """Counted in each market; the plain name is all of them together."""
    MARKET = "market"
    """Of one market; the plain name is the scenario's first."""


class Measure(msgspec.Struct, frozen=True):
    """A measure by its documented name. A run that has nothing to measure has None for it."""

    name: str
    unit: str
    meaning: str
    scope: Scope = Scope.RUN


_RUN = (
    ("commands", "commands", "commands in the journal, of all kinds"),
    ("commits", "commits", "entries of the journal"),
    ("rate", "commands/s", "commands for each second of the run's own time"),
    ("run_ms", "ms", "how long the run was, by its own clock"),
    ("acknowledged", "commands", "commands that the venue told their traders it had queued"),
    ("overloaded", "commands", "commands that were turned away because the queue was full"),
    ("unsent", "commands", "commands that never left, since the server was away"),
    ("in_doubt", "commands", "commands whose traders never heard whether they were queued"),
    ("lost", "orders", "acknowledged orders without an outcome, as the audit counts them"),
    ("doubled", "orders", "acknowledged orders with more than one, as the audit counts them"),
    ("faults", "faults", "faults that struck"),
    ("faults_unrecovered", "faults", "faults after which nothing was committed any more"),
    ("elections", "elections", "changes of the epoch within the run"),
    ("recovery_ms_min", "ms", "from a fault to the first commit after it: the shortest"),
    ("recovery_ms_median", "ms", "from a fault to the first commit after it: the median"),
    ("recovery_ms_p99", "ms", "from a fault to the first commit after it: the 99th percentile"),
    ("recovery_ms_max", "ms", "from a fault to the first commit after it: the longest"),
    ("refused_commits", "commits", "commits of deposed leaders that came late and were refused"),
    ("queue_max", "commands", "the longest queue among the samples"),
    ("audit_failed", "invariants", "how many of I1 to I8 the audit found broken"),
    ("hashes_compared", "hashes", "state hashes held against another's, or the replay's"),
    ("hashes_differing", "hashes", "state hashes that were not what the others had"),
    ("positions_sum", "contracts", "what the positions of all traders lack to a sum of 0"),
    ("cash_sum", "ticks x contracts", "what the cash of all traders lacks to a sum of 0"),
)

_TOTAL = (
    ("orders", "orders", "new orders in the journal, those rejected too"),
    ("rejected", "commands", "orders, cancels and changes that the engine refused"),
    ("cancels", "commands", "commands that cancelled at least one order"),
    ("replaces", "commands", "commands that changed an order"),
    ("trades", "trades", "trades"),
    ("volume", "contracts", "contracts that changed hands"),
    (
        "order_to_trade_ratio",
        "commands/trade",
        "commands about orders (new, cancel, change, those refused too) for each trade",
    ),
)

_MARKET = (
    (
        "spread_median",
        "ticks",
        "the spread that half of the time was not exceeded: weighted by how long it stood, over"
        " the time in which both sides were quoted",
    ),
    ("spread_p99", "ticks", "the same for 99 % of that time"),
    ("quoted", "%", "the part of the time, from the first order on, with both sides quoted"),
    (
        "depth_median",
        "contracts",
        "contracts within 5 ticks of the middle, both sides together: the median over moments at"
        " equal distances in time at which both sides were quoted",
    ),
    ("price_min", "ticks", "the lowest price traded at"),
    ("price_max", "ticks", "the highest price traded at"),
    ("price_first", "ticks", "the first trade's price"),
    ("price_last", "ticks", "the last trade's price"),
    ("price_drop_max", "ticks", "the largest fall of the price, from a peak to a later trough"),
    ("price_rise_max", "ticks", "the largest rise of the price, from a trough to a later peak"),
    ("price_recovered", "%", "how much of the largest fall the last trade's price has made up"),
    ("halted_ms", "ms", "how long the market was halted"),
)

MEASURES: dict[str, Measure] = {
    name: Measure(name, unit, meaning, scope)
    for scope, those in ((Scope.RUN, _RUN), (Scope.TOTAL, _TOTAL), (Scope.MARKET, _MARKET))
    for name, unit, meaning in those
}
"""By name, in the order in which they are shown."""


def measure_of(written: str, markets: Iterable[str]) -> Measure | None:
    """What `spread_median` or `RAIN.spread_median` names, None where that is no measure of a run
    with these markets.
    """
    market, dot, name = written.rpartition(".")
    found = MEASURES.get(name)
    if found is None or (dot and (found.scope is Scope.RUN or market not in markets)):
        return None
    return found


def written_names(markets: Iterable[str]) -> list[str]:
    """Everything that an expectation of a run with these markets may name."""
    own = [name for name, one in MEASURES.items() if one.scope is not Scope.RUN]
    return [*MEASURES, *(f"{market}.{name}" for market in markets for name in own)]
