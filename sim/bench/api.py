"""Topic `api`: the gateway against a hello of the same framework, and against the store alone."""

import asyncio
import statistics
from collections.abc import Callable

from sim.bench.counting import Count
from sim.bench.figures import Latency, typical
from sim.bench.jobs import (
    Connected,
    ConnectJob,
    FillsJob,
    GetJob,
    Heard,
    Job,
    ListenJob,
    Load,
    OrdersJob,
    SubmitJob,
)
from sim.bench.machine import cpu_seconds, this_machine
from sim.bench.report import Plan, Report, Row, compare
from sim.bench.venue import BenchVenue, open_venue

BATCH = 100
ENOUGH = 20_000.0
"""Orders a second in batches that are enough, however quick the store is."""

LEAST_RATIO = 0.5
MOST_SUBMITTED = 60_000
"""In one measurement of the store alone: nobody takes orders as quickly as it queues them, and what
waits is worked off before the next measurement.
"""

IN_TIME = 0.95
"""The share of the fills asked for a second that must arrive in a second."""

PATIENCE_SECONDS = 10.0
"""How long listeners wait for what is not there when it should be."""

US_PER_SECOND = 1e6
WARM_SECONDS = 0.5
PROBLEMS_TOLD = 20

HELLO, ORDERS, BATCHES, SUBMITS = "hello", "orders", "batches", "submits"
EACH = (HELLO, ORDERS, BATCHES, SUBMITS)


class ApiBench:
    """One run. Every round measures each thing once, every second round the other way about."""

    def __init__(self, plan: Plan, venue: BenchVenue, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._venue = venue
        self._say = say
        self._loads: dict[str, list[Load]] = {name: [] for name in EACH}
        self._used: dict[str, list[float]] = {name: [] for name in EACH}
        self._problems: list[str] = []

    async def run(self) -> Report:
        """Raises `Failed` where a part of it breaks."""
        for name in EACH:
            await self._measure(name, 0, min(WARM_SECONDS, self._plan.seconds))
        for number in range(1, self._plan.rounds + 1):
            for name in EACH if number % 2 else EACH[::-1]:
                load = await self._measure(name, number, self._plan.seconds)
                self._loads[name].append(load)
            self._say(f"{number}/{self._plan.rounds} {self._last_words()}")
        rows = self._rows()
        if self._plan.listeners:
            rows.append(await self._measure_feed())
        return Report("api", this_machine(), self._plan, rows, self._problems)

    async def _measure(self, name: str, number: int, seconds: float) -> Load:
        asked = self._venue.hello if name == HELLO else self._venue.gateway
        before = cpu_seconds(asked.pid)
        load = await self._venue.workers[0].work(self._job(name, number, seconds), Load)
        after = cpu_seconds(asked.pid)
        if number and load.requests and before is not None and after is not None:
            self._used[name].append((after - before) / load.requests * US_PER_SECOND)
        for words in load.wrong:
            self._complain(f"{name}: {words}")
        await self._compare_count(name, load.orders)
        return load

    def _job(self, name: str, number: int, seconds: float) -> Job:
        plan, venue = self._plan, self._venue
        # No round places the orders of another.
        seed = 1000 * number
        if name == HELLO:
            return GetJob(venue.hello_port, "/hello", plan.connections, seconds)
        if name == SUBMITS:
            return SubmitJob(venue.url, plan.connections, seconds, seed, BATCH, MOST_SUBMITTED)
        batch = BATCH if name == BATCHES else 0
        return OrdersJob(venue.gateway_port, plan.connections, seconds, seed, batch)

    async def _compare_count(self, name: str, acknowledged: int) -> Count:
        """What the journal has more since the last time; complains where that isn't what it was
        acknowledged.
        """
        count = await self._venue.count()
        for words in count.wrong:
            self._complain(f"{name}: {words}")
        if count.orders != acknowledged:
            self._complain(
                f"{name}: {acknowledged} orders were acknowledged,"
                f" {count.orders} are in the journal"
            )
        return count

    async def _measure_feed(self) -> Row:
        plan, venue = self._plan, self._venue
        hearing, making = venue.workers
        seconds = plan.rounds * plan.seconds
        fills = round(plan.fills * seconds)
        await hearing.work(ConnectJob(venue.gateway_port, plan.listeners), Connected)
        before = cpu_seconds(venue.gateway.pid)
        heard, made = await asyncio.gather(
            hearing.work(ListenJob(fills, seconds, seconds + PATIENCE_SECONDS), Heard),
            making.work(FillsJob(venue.url, plan.fills, seconds), Load),
        )
        after = cpu_seconds(venue.gateway.pid)
        count = await self._compare_count("feed", made.orders)
        if count.fills != fills:
            self._complain(f"feed: {fills} fills were to be made, {count.fills} were")
        for what, number in (
            ("fills lost", heard.lost),
            ("fills told twice", max(0, heard.fills + heard.lost - fills * plan.listeners)),
            ("fills out of order", heard.disordered),
            ("clients disconnected", heard.disconnected),
        ):
            if number:
                self._complain(f"feed: {number} {what}")
        rate = fills / max(heard.seconds, made.seconds)
        more = {"deliveries": float(heard.fills), "lost": float(heard.lost)}
        if before is not None and after is not None:
            more["cores used by the gateway"] = round(
                (after - before) / max(heard.seconds, made.seconds), 3
            )
        self._say(f"{heard.fills} fills told to {plan.listeners} clients, {heard.lost} lost")
        return Row(
            what=f"fills to {plan.listeners} WebSocket clients",
            value=round(rate, 1),
            unit="fills/s to each",
            goal=f"{plan.fills:,} and none lost",
            reached=heard.lost == 0 and rate >= IN_TIME * plan.fills,
            latency=heard.latency,
            more=more,
        )

    def _last_words(self) -> str:
        hello, orders = self._loads[HELLO][-1], self._loads[ORDERS][-1]
        batches, submits = self._loads[BATCHES][-1], self._loads[SUBMITS][-1]
        return (
            f"orders {orders.requests_a_second:,.0f} to hello {hello.requests_a_second:,.0f}"
            f" requests/s, batches {batches.orders_a_second:,.0f} to the store's"
            f" {submits.orders_a_second:,.0f} orders/s"
        )

    def _rows(self) -> list[Row]:
        return [
            compare(
                f"POST /orders, {self._plan.connections} connections",
                "requests/s",
                [load.requests_a_second for load in self._loads[ORDERS]],
                "GET hello",
                [load.requests_a_second for load in self._loads[HELLO]],
                least_ratio=LEAST_RATIO,
                latency=self._latency(ORDERS),
                more=self._processor(),
            ),
            compare(
                f"POST /orders/batch of {BATCH}",
                "orders/s",
                [load.orders_a_second for load in self._loads[BATCHES]],
                "the store's SUBMIT",
                [load.orders_a_second for load in self._loads[SUBMITS]],
                least_ratio=LEAST_RATIO,
                enough=ENOUGH,
                latency=self._latency(BATCHES),
            ),
        ]

    def _latency(self, name: str) -> Latency | None:
        return typical([load.latency for load in self._loads[name]])

    def _processor(self) -> dict[str, float]:
        """What a request costs of the processor: steadier than rates where other things run."""
        return {
            f"us of the processor for {name}": round(statistics.median(self._used[name]), 1)
            for name in (ORDERS, HELLO)
            if self._used[name]
        }

    def _complain(self, words: str) -> None:
        if words not in self._problems and len(self._problems) < PROBLEMS_TOLD:
            self._problems.append(words)


async def bench_api(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures the gateway on a private venue, telling of each round.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    async with open_venue() as venue:
        return await ApiBench(plan, venue, say).run()
