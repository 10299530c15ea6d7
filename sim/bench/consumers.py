"""Topic `consumers`: the engine with readers that are stuck, and without any, in turns."""

import contextlib
import statistics
import time
from collections.abc import Callable

import msgspec

from matchbox_tui.store import Keys
from sim.bench.figures import ratios
from sim.bench.jobs import Load, SubmitJob
from sim.bench.machine import cpu_seconds, this_machine
from sim.bench.report import Plan, Report, Row, compare
from sim.bench.stuck import StuckReaders
from sim.bench.venue import BenchVenue, open_venue

LEAST_RATIO = 0.95
STUCK = 3
CONNECTIONS = 4
BATCH = 100
MOST_ORDERS = 60_000
WARM_SECONDS = 0.3

ALONE, STUCK_READERS = "without", "with"


class Measured(msgspec.Struct, frozen=True):
    """Orders until they were in the journal, in seconds, and what instance and server together used
    of the processor for them, in seconds; None where the system does not tell.
    """

    orders: int
    seconds: float
    cpu: float | None

    @property
    def rate(self) -> float:
        return self.orders / self.seconds

    @property
    def rate_of_cpu(self) -> float | None:
        """Orders a second of the processor: steadier than `rate` where other things run."""
        return self.orders / self.cpu if self.cpu else None


class ConsumersBench:
    """One run. Each round measures both, every second round the other way about."""

    def __init__(self, plan: Plan, venue: BenchVenue, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._venue = venue
        self._say = say
        self._stuck = StuckReaders(venue.url, Keys(), venue.gateway_port, STUCK)
        self.found: dict[str, list[Measured]] = {ALONE: [], STUCK_READERS: []}
        self._most_buffered = 0
        self._rounds = 0
        self.problems: list[str] = []

    async def run(self) -> Report:
        """Raises `Failed` where a part of it breaks."""
        for _ in range(self._plan.rounds):
            await self.round()
            alone, stuck = (self.found[name][-1] for name in (ALONE, STUCK_READERS))
            words = f"{stuck.rate:,.0f} orders/s with stuck readers, {alone.rate:,.0f} without"
            self._say(f"{self._rounds}/{self._plan.rounds} {words}")
        return self.report()

    def report(self) -> Report:
        """What was found up to now."""
        return Report("consumers", this_machine(), self._plan, self._rows(), self.problems)

    async def round(self) -> None:
        """Measures both once."""
        if not self._rounds:
            await self._measure(min(WARM_SECONDS, self._plan.seconds))
        self._rounds += 1
        for name in (ALONE, STUCK_READERS)[:: 1 if self._rounds % 2 else -1]:
            async with contextlib.AsyncExitStack() as stack:
                if name == STUCK_READERS:
                    stack.push_async_callback(self._stuck.close)
                    await self._stuck.open()
                self.found[name].append(await self._measure(self._plan.seconds))
                if name == STUCK_READERS:
                    buffered = await self._stuck.most_buffered()
                    self._most_buffered = max(self._most_buffered, buffered)

    async def close(self) -> None:
        await self._stuck.end()

    def cpu_ratios(self) -> list[float]:
        """Orders a second of the processor, with to without, round by round; [] if not told."""
        both = [[one.rate_of_cpu for one in self.found[name]] for name in (STUCK_READERS, ALONE)]
        ours, theirs = ([rate for rate in rates if rate is not None] for rates in both)
        return ratios(ours, theirs) if len(ours) == len(theirs) else []

    async def _measure(self, seconds: float) -> Measured:
        venue, seed = self._venue, self._rounds
        before, began = self._cpu(), time.perf_counter()
        job = SubmitJob(venue.url, CONNECTIONS, seconds, 1000 * seed, BATCH, MOST_ORDERS)
        load = await venue.workers[0].work(job, Load)
        await venue.drain()
        took, after = time.perf_counter() - began, self._cpu()
        cpu = after - before if before is not None and after is not None else None
        count = await venue.count()
        self.problems += count.wrong
        if count.orders != load.orders:
            self.problems.append(
                f"{load.orders} orders were acknowledged, {count.orders} are in the journal"
            )
        return Measured(count.orders, took, cpu)

    def _cpu(self) -> float | None:
        used = [cpu_seconds(pid) for pid in (self._venue.gateway.pid, self._venue.server_pid)]
        known = [one for one in used if one is not None]
        return sum(known) if len(known) == len(used) else None

    def _rows(self) -> list[Row]:
        rates = {name: [one.rate for one in found] for name, found in self.found.items()}
        more = {"most MB in an output buffer of the server": round(self._most_buffered / 1e6, 3)}
        rows = [
            compare(
                *("with stuck readers", "orders/s", rates[STUCK_READERS]),
                *("without", rates[ALONE]),
                least_ratio=LEAST_RATIO,
                more=more,
            )
        ]
        each = self.cpu_ratios()
        if each:
            # None is missing, as there are ratios.
            ours, theirs = (
                [one.rate_of_cpu or 0.0 for one in self.found[name]]
                for name in (STUCK_READERS, ALONE)
            )
            rows.append(
                compare(
                    *("of the processor's time", "orders/s", ours),
                    *("without", theirs),
                    least_ratio=LEAST_RATIO,
                    more={"us of the processor an order": round(1e6 / statistics.median(ours), 1)},
                )
            )
        return rows


async def bench_consumers(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures on a private venue, telling of each round.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    async with open_venue() as venue:
        bench = ConsumersBench(plan, venue, say)
        try:
            return await bench.run()
        finally:
            await bench.close()
