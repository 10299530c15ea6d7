"""Topic `pipeline`: producer, queue, engine, journal, subscriber, each a process of its own.

Each round opens a venue for each way to keep the append-only file, and one more whose engine has no
collector. All that is compared is measured in the same venue, one after the other.
"""

import statistics
from collections.abc import Callable, Sequence

from matchbox_tui.store import QUEUE_LIMIT
from sim.bench.figures import NS_PER_MS, Latency, latency, percentile, ratios, typical
from sim.bench.line_jobs import AddJob, OriginalJob, PingJob, ProduceJob
from sim.bench.line_venue import ALWAYS, EVERYSEC, OFF, LineVenue, Run, open_line
from sim.bench.machine import this_machine
from sim.bench.report import Plan, Report, Row, compare

BATCH = 256
"""Orders a call at saturation, and commands in flight for the server's own rate."""

WINDOW = 4096
LONE_RATE = 2000.0
STEADY_SHARE = 0.6
TWICE = 2.0
ORIGINAL_ORDERS = 20_000
"""Queued for the original's loop, for each second."""

LEAST_OF_ADDING = 0.15
LEAST_TIMES_ORIGINAL = 50
LEAST_OF_OFF = 0.7
MOST_PINGS = 5
LONE_MS = 3.0
STEADY_MS = 10.0
PROBLEMS_TOLD = 20

UNCOLLECTED = "no collector"
EACH = (OFF, EVERYSEC, ALWAYS, UNCOLLECTED)
WORDS = {
    OFF: "append-only off",
    EVERYSEC: "append-only everysec",
    ALWAYS: "append-only always",
    UNCOLLECTED: "off, without the collector",
}


class Found:
    """What was measured of one kind of venue, round by round."""

    def __init__(self) -> None:
        self.added: list[float] = []
        self.original: list[float] = []
        self.full: list[Run] = []
        self.pings: list[Latency] = []
        self.lone: list[Run] = []
        self.steady: list[Run] = []
        self.twice: list[Run] = []

    @property
    def rates(self) -> list[float]:
        return [run.rate for run in self.full]


class PipelineBench:
    """One run. Every second round goes through the venues the other way about."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self._found = {kind: Found() for kind in EACH}
        self._problems: list[str] = []

    async def run(self) -> Report:
        """Raises `Failed` or a `StoreError`."""
        for number in range(1, self._plan.rounds + 1):
            for kind in EACH if number % 2 else EACH[::-1]:
                collected = kind != UNCOLLECTED
                async with open_line(kind if collected else OFF, collected=collected) as venue:
                    await self._measure(kind, venue)
                    for words in venue.wrong:
                        self._complain(f"{WORDS[kind]}: {words}")
            rates = ", ".join(f"{kind} {self._found[kind].rates[-1]:,.0f}" for kind in EACH)
            self._say(f"{number}/{self._plan.rounds} orders/s: {rates}")
        return Report("pipeline", this_machine(), self._plan, self._rows(), self._problems)

    async def _measure(self, kind: str, venue: LineVenue) -> None:
        found, url, seconds = self._found[kind], venue.url, self._plan.seconds
        if kind != UNCOLLECTED:
            found.added.append((await venue.ask(AddJob(url, seconds, BATCH))).rate)
            orders = round(ORIGINAL_ORDERS * seconds)
            found.original.append((await venue.ask(OriginalJob(url, seconds, orders))).rate)
        full = await venue.run(ProduceJob(url, seconds, BATCH, 0, QUEUE_LIMIT, WINDOW))
        found.full.append(full)
        pings = latency((await venue.ask(PingJob(url, seconds, LONE_RATE))).times)
        if pings is not None:
            found.pings.append(pings)
        found.lone.append(await venue.run(ProduceJob(url, seconds, 1, LONE_RATE, QUEUE_LIMIT)))
        rate = STEADY_SHARE * full.rate
        found.steady.append(await venue.run(ProduceJob(url, seconds, BATCH, rate, QUEUE_LIMIT)))
        if kind == ALWAYS:
            found.twice.append(await self._overload(venue, full.rate))

    async def _overload(self, venue: LineVenue, rate: float) -> Run:
        """Twice as many orders as it takes, until the queue is full and beyond."""
        # As many too many as come in half of the time.
        limit = min(QUEUE_LIMIT, max(BATCH, round(rate * self._plan.seconds / 2)))
        run = await venue.run(ProduceJob(venue.url, self._plan.seconds, BATCH, TWICE * rate, limit))
        if run.most_queued > limit:
            self._complain(f"{run.most_queued} commands were queued, {limit} is the limit")
        return run

    def _rows(self) -> list[Row]:
        rows = [row for kind in (OFF, EVERYSEC, ALWAYS) for row in self._full_rows(kind)]
        off, always = self._found[OFF], self._found[ALWAYS]
        rows.append(
            compare(
                *("saturated, always", "orders/s", always.rates, "off", off.rates),
                least_ratio=LEAST_OF_OFF,
            )
        )
        rows.append(_overload_row(always.twice, always.rates))
        rows += [_lone_row(kind, self._found[kind], goal=kind == OFF) for kind in EACH]
        rows += [_steady_row(kind, self._found[kind], goal=kind == OFF) for kind in EACH]
        rows += _added_rows(self._found)
        return rows

    def _full_rows(self, kind: str) -> list[Row]:
        found = self._found[kind]
        what = f"saturated, {WORDS[kind]}"
        return [
            compare(
                *(what, "orders/s", found.rates, f"XADD, {BATCH} in flight", found.added),
                least_ratio=LEAST_OF_ADDING,
                more=_used(found.full),
            ),
            compare(
                *(what, "orders/s", found.rates, "the original's loop", found.original),
                least_ratio=LEAST_TIMES_ORIGINAL,
            ),
        ]

    def _complain(self, words: str) -> None:
        if words not in self._problems and len(self._problems) < PROBLEMS_TOLD:
            self._problems.append(words)


def _overload_row(runs: Sequence[Run], rates: Sequence[float]) -> Row:
    """Whether anything is lost is told by the report's problems."""
    offered = [run.offered for run in runs]
    return Row(
        what="at twice that, always",
        value=round(statistics.median(run.rate for run in runs), 1),
        unit="orders/s",
        against="offered",
        base=round(statistics.median(offered), 1),
        goal="none lost, some refused",
        reached=all(run.refused for run in runs),
        more={
            "offered of saturation": _median(ratios(offered, rates), 2),
            "refused": _median([run.refused for run in runs]),
            "most queued": _median([run.most_queued for run in runs]),
        },
    )


def _lone_row(kind: str, found: Found, *, goal: bool) -> Row:
    """The ratio is of medians, submit to seen beside PING."""
    each = [_p50(run.times) for run in found.lone]
    pings = [one.p50 for one in found.pings]
    compared = ratios(each, pings)
    ratio = statistics.median(compared)
    timed = typical([latency(run.times) for run in found.lone])
    reached = timed is not None and ratio <= MOST_PINGS and timed.p99 < LONE_MS
    return Row(
        what=f"lone orders at {LONE_RATE:,.0f}/s, {WORDS[kind]}",
        value=round(1000 * statistics.median(each), 1),
        unit="us until seen",
        against="PING",
        base=round(1000 * statistics.median(pings), 1),
        ratio=round(ratio, 3),
        ratios=compared,
        goal=f"{MOST_PINGS} of it at most, p99 under {LONE_MS:g} ms" if goal else "",
        reached=reached if goal else None,
        latency=timed,
        more=_p999(found.lone) | _used(found.lone),
    )


def _steady_row(kind: str, found: Found, *, goal: bool) -> Row:
    timed = typical([latency(run.times) for run in found.steady])
    return Row(
        what=f"at {STEADY_SHARE:.0%} of saturation, {WORDS[kind]}",
        value=round(statistics.median(run.rate for run in found.steady), 1),
        unit="orders/s",
        goal=f"p99 under {STEADY_MS:g} ms" if goal else "",
        reached=timed is not None and timed.p99 < STEADY_MS if goal else None,
        latency=timed,
        more=_p999(found.steady) | _used(found.steady),
    )


def _added_rows(found: dict[str, Found]) -> list[Row]:
    """What the file's sync and the collector add to a lone order's time, and at the 99th of 100."""
    rows = []
    for what, slow, quick in (
        ("the sync at every write adds", ALWAYS, OFF),
        ("the collector adds", OFF, UNCOLLECTED),
    ):
        pairs = list(zip(found[slow].lone, found[quick].lone, strict=True))
        middle = [1000 * (_p50(one.times) - _p50(other.times)) for one, other in pairs]
        late = [1000 * (_at(one.times, 0.99) - _at(other.times, 0.99)) for one, other in pairs]
        rows.append(
            Row(
                what=what,
                value=_median(middle),
                unit="us, p50",
                more={"us, p99": _median(late)},
            )
        )
    return rows


def _at(times: Sequence[int], share: float) -> float:
    """In ms; 0 where nothing was timed."""
    return percentile(times, share) / NS_PER_MS if times else 0.0


def _p50(times: Sequence[int]) -> float:
    return _at(times, 0.5)


def _p999(runs: Sequence[Run]) -> dict[str, float]:
    return {"p99.9 ms": _median([_at(run.times, 0.999) for run in runs], 3)}


def _used(runs: Sequence[Run]) -> dict[str, float]:
    """What an order costs of the processor: steadier than rates where other things run."""
    return {
        f"us of the {name} an order": _median([run.used[name] for run in runs])
        for name in runs[0].used
    }


def _median(values: Sequence[float], digits: int = 1) -> float:
    return round(statistics.median(values), digits)


async def bench_pipeline(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures all once a round. Raises `Failed`, or a `StoreError` without a server."""
    return await PipelineBench(plan, say).run()
