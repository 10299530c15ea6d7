"""From a run's evidence to its measures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from matchbox_tui.engine import Exchange
from sim.audit import Status, Verdict
from sim.floor import FloorRecord
from sim.measuring.evidence import Evidence
from sim.measuring.fold import JournalFold, Watch
from sim.measuring.form import FaultSeries, Measures, Value
from sim.measuring.market import Counts, MarketFold, ratio
from sim.measuring.names import MEASURES, Scope
from sim.measuring.quantiles import nearest_or_never
from sim.recording import FaultRow, PublishedHash, RecordingError, Sample

AROUND_NS = (400_000_000, 2_000_000_000)
"""How much time around a fault is shown at the least: where samples are dense, and where not."""

ENOUGH_SAMPLES = 20

AROUND_POINTS = 400
"""Samples around a fault that are kept."""

LEAST_RATED_NS = 1_000_000
"""A run that was stopped within that time had no rate: the markets' opening alone was in it."""


class Measuring:
    """Measures one run. `steps` does the work, a commit at a time; `measures` is what came of it.

    `audited` is what an audit of the same run found: lost and doubled orders are its count.
    `markets` names the scenario's markets in its order; else they come as they were created.
    `watch` looks on.
    """

    def __init__(
        self,
        evidence: Evidence,
        audited: Verdict | None = None,
        markets: Sequence[str] = (),
        watch: Watch | None = None,
    ) -> None:
        self._evidence = evidence
        self._audited = audited
        self._markets = markets
        self._fold = JournalFold(evidence, watch)
        self._problems: list[str] = []

    @property
    def exchange(self) -> Exchange:
        """The venue as far as `steps` have come."""
        return self._fold.exchange

    @property
    def whole(self) -> bool:
        """Whether nothing contradicted itself so far."""
        return not self._problems and not self._fold.problem

    def steps(self) -> Iterator[int]:
        """Yields the sequence that was reached after each commit, then finishes."""
        fold = self._fold
        try:
            for entry in self._evidence.journal():
                fold.read(entry)
                if fold.problem:
                    break
                yield entry.seq
        except RecordingError as error:
            self._problems.append(str(error))
        if fold.problem:
            self._problems.append(fold.problem)
        fold.finish()

    def measures(self) -> Measures:
        """After `steps`."""
        fold, evidence = self._fold, self._evidence
        markets = self._in_order(fold.markets())
        grid = fold.grid()
        found = self._run_values() | _record_values(evidence.record) | _faults(evidence.faults)
        found |= _audit_values(self._audited) | _hash_values(evidence.hashes, self._audited)
        found |= _sums(fold) | _total_values([fold.strays, *(one.counts for one in markets)])
        if markets:
            found |= markets[0].values()
        values = {name: found.get(name) for name in MEASURES}
        for market in markets:
            own = market.counts.values() | market.values()
            values |= {
                f"{market.symbol}.{name}": own[name]
                for name, one in MEASURES.items()
                if one.scope is not Scope.RUN
            }
        return Measures(
            values=values,
            kinds=fold.kinds.figures(fold.marks()),
            grid=grid,
            markets=[market.series() for market in markets],
            profits=fold.profits(),
            queue=_queue(evidence.samples, grid),
            faults=[_around(row, evidence.samples) for row in evidence.faults],
            problems=self._problems,
        )

    def _in_order(self, markets: list[MarketFold]) -> list[MarketFold]:
        places = {symbol: place for place, symbol in enumerate(self._markets)}
        return sorted(markets, key=lambda one: places.get(one.symbol, len(places)))

    def _run_values(self) -> dict[str, Value]:
        fold, evidence = self._fold, self._evidence
        rated = evidence.end >= LEAST_RATED_NS
        epochs = [sample.epoch for sample in evidence.samples if sample.epoch] + fold.epochs
        return {
            "commands": fold.commands,
            "commits": fold.commits,
            "rate": ratio(fold.commands * 10**9, evidence.end if rated else 0),
            "run_ms": ratio(evidence.end, 1_000_000),
            "elections": max(epochs) - min(epochs) if epochs else 0,
            "queue_max": max((sample.waiting for sample in evidence.samples), default=None),
        }


def measure(
    evidence: Evidence, audited: Verdict | None = None, markets: Sequence[str] = ()
) -> Measures:
    """The measures of a run, at once; see `Measuring`. O(events)."""
    measuring = Measuring(evidence, audited, markets)
    for _ in measuring.steps():
        pass
    return measuring.measures()


def _record_values(record: FloorRecord | None) -> dict[str, Value]:
    if record is None:
        return {}
    return {
        "acknowledged": record.acknowledged,
        "overloaded": record.overloaded,
        "unsent": record.unsent,
        "in_doubt": record.in_doubt,
    }


def _faults(rows: Sequence[FaultRow]) -> dict[str, Value]:
    # What the run's end cut short is neither recovered nor not.
    times = [row.recovered_us for row in rows if not row.cut_short]
    least = min((time for time in times if time is not None), default=None)
    return {
        "faults": len(rows),
        "faults_unrecovered": sum(time is None for time in times),
        "recovery_ms_min": _ms(least),
        "recovery_ms_median": _ms(nearest_or_never(times, 500)),
        "recovery_ms_p99": _ms(nearest_or_never(times, 990)),
        "recovery_ms_max": _ms(nearest_or_never(times, 1000)),
        "refused_commits": sum(row.refused for row in rows),
    }


def _ms(us: int | None) -> Value:
    return None if us is None else ratio(us, 1000)


def _audit_values(audited: Verdict | None) -> dict[str, Value]:
    if audited is None:
        return {}
    outcomes = audited.check("I1").counts
    return {
        "lost": outcomes.get("lost"),
        "doubled": outcomes.get("doubled"),
        "audit_failed": sum(check.status is Status.FAIL for check in audited.checks),
    }


def _hash_values(hashes: Sequence[PublishedHash], audited: Verdict | None) -> dict[str, Value]:
    """Each hash is held against the most frequent one of its place in the journal, and by the
    audit against the replay's.
    """
    found: dict[tuple[int, str], Counter[str]] = {}
    for one in hashes:
        found.setdefault((one.seq, one.chain), Counter())[one.hash] += 1
    differing = sum(sum(those.values()) - max(those.values()) for those in found.values())
    if audited is not None and audited.check("I8").status is Status.FAIL:
        differing = max(1, differing)
    return {"hashes_compared": len(hashes), "hashes_differing": differing}


def _sums(fold: JournalFold) -> dict[str, Value]:
    """The largest sum over all traders in any market, 0 where all is well."""
    positions: Counter[str] = Counter()
    cash: Counter[str] = Counter()
    for _, market, position in fold.exchange.positions.unsorted():
        positions[market] += position.qty
        cash[market] += position.cash
    return {
        "positions_sum": max(positions.values(), key=abs, default=0),
        "cash_sum": max(cash.values(), key=abs, default=0),
    }


def _total_values(counts: list[Counts]) -> dict[str, Value]:
    total = Counts()
    for one in counts:
        total.add(one)
    return total.values()


def _queue(samples: Sequence[Sample], grid: Sequence[int]) -> list[int | None]:
    """The longest queue among the samples of each column."""
    longest: list[int | None] = [None] * len(grid)
    column = 0
    for sample in samples:
        while column < len(grid) - 1 and sample.at > grid[column]:
            column += 1
        if grid:
            longest[column] = max(sample.waiting, longest[column] or 0)
    return longest


def _around(row: FaultRow, samples: Sequence[Sample]) -> FaultSeries:
    """The queue around a fault; where samples are many, the longest of those that lie together."""
    shown: list[tuple[int, int]] = []
    for least in AROUND_NS:
        span = max(least, 5000 * (row.recovered_us or 0))
        shown = [
            (sample.at - row.at, sample.waiting)
            for sample in samples
            if -span // 4 <= sample.at - row.at <= 3 * span // 4
        ]
        if len(shown) >= ENOUGH_SAMPLES:
            break
    if len(shown) > AROUND_POINTS:
        bounds = [len(shown) * n // AROUND_POINTS for n in range(AROUND_POINTS + 1)]
        shown = [max(shown[a:b], key=lambda one: one[1]) for a, b in pairwise(bounds)]
    return FaultSeries(row, shown)
