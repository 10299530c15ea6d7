"""A venue for the pipeline's benchmark: a private server, one engine, a producer, a subscriber."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from matchbox_tui.store import Client, EmbeddedServer, Link
from sim.bench.counting import Count, Counting
from sim.bench.line_jobs import Done, LineJob, Produced, ProduceJob, Seen, SeenJob, WatchJob
from sim.bench.machine import cpu_seconds
from sim.bench.processes import Failed, Process, Processes
from sim.bench.venue import environment

OFF, EVERYSEC, ALWAYS = "off", "everysec", "always"
"""What the server does with its append-only file."""

START_SECONDS = 30.0
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0


async def set_persistence(link: Link, how: str) -> None:
    """For an empty server that syncs at every write. Raises a `StoreError`."""
    if how == OFF:
        await link.call("CONFIG", "SET", "appendonly", "no")
    else:
        await link.call("CONFIG", "SET", "appendfsync", how)


class Run:
    """A load that was submitted and seen: orders, in seconds from the first one's sending until the
    last was seen. `times` are from a call's sending until its last order was seen (ns).
    """

    def __init__(self, produced: Produced, seen: Seen, base: int) -> None:
        self.orders = produced.orders
        self.refused = produced.refused
        self.offered = (produced.orders + produced.refused) / produced.seconds
        last = seen.entries[-1][1] if seen.entries else produced.began
        self.seconds = (last - produced.began) / 1e9
        self.times = _times(produced, seen, base)
        self.used: dict[str, float] = {}
        """What a process used of the processor, in us an order."""

        self.most_queued = 0

    @property
    def rate(self) -> float:
        return self.orders / self.seconds if self.seconds > 0 else 0.0


def _times(produced: Produced, seen: Seen, base: int) -> list[int]:
    found: list[int] = []
    entries = iter(seen.entries)
    seq, at = base, 0
    for orders, sent in produced.sent:
        while seq < base + orders:
            try:
                seq, at = next(entries)
            except StopIteration:
                return found
        found.append(at - sent)
    return found


class LineVenue:
    """The running parts, each a process of its own. Nobody else submits, so the n-th order is the
    n-th command in the journal.
    """

    def __init__(
        self,
        server: EmbeddedServer,
        client: Client,
        link: Link,
        engine: Process,
        workers: tuple[Process, Process],
    ) -> None:
        self.url = server.url
        self._client = client
        self._counting = Counting(client, link)
        self._pids = {"server": server.pid, "engine": engine.pid}
        self._engine = engine
        self._producing, self._watching = workers
        self._seq = 0
        self.wrong: list[str] = []

    async def open(self) -> None:
        """Waits until the engine leads. Raises `Failed` or a `StoreError`."""
        await self._counting.open()
        deadline = time.monotonic() + START_SECONDS
        while (await self._client.cluster()).leader is None:
            self._engine.check()
            if time.monotonic() > deadline:
                raise Failed("nobody became leader in time")
            await asyncio.sleep(LOOK_SECONDS)
        await self._watching.work(WatchJob(self.url), Seen)

    async def ask(self, job: LineJob) -> Done:
        """Has the producing process do something else. Raises `Failed`."""
        return await self._producing.work(job, Done)

    async def run(self, job: ProduceJob) -> Run:
        """Has orders submitted, seen and counted; what went wrong is added to `wrong`.

        Raises `Failed` or a `StoreError`.
        """
        before = self._cpu()
        looking = asyncio.ensure_future(self._longest_queue())
        try:
            produced = await self._producing.work(job, Produced)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        goal = self._seq + produced.orders
        seen = await self._watching.work(SeenJob(goal, PATIENCE_SECONDS), Seen)
        run = Run(produced, seen, self._seq)
        run.most_queued = self._longest
        run.used = {
            name: (after - before[name]) / max(produced.orders, 1) * 1e6
            for name, after in self._cpu().items()
            if name in before
        }
        self._check(produced, seen, await self._counting.count())
        self._seq = goal
        return run

    def _check(self, produced: Produced, seen: Seen, count: Count) -> None:
        self.wrong += [*produced.wrong, *count.wrong]
        if seen.trouble:
            self.wrong.append(f"the subscriber: {seen.trouble}")
        if count.orders != produced.orders:
            self.wrong.append(
                f"{produced.orders} orders were acknowledged, {count.orders} are in the journal"
            )
        goal = self._seq + produced.orders
        last = seen.entries[-1][0] if seen.entries else self._seq
        if last != goal:
            self.wrong.append(f"the subscriber saw up to {last}, not {goal}")

    async def _longest_queue(self) -> None:
        self._longest = 0
        while True:
            self._longest = max(self._longest, (await self._client.cluster()).queue_depth)
            await asyncio.sleep(LOOK_SECONDS)

    def _cpu(self) -> dict[str, float]:
        """By process; those of which the system tells."""
        found = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        return {name: used for name, used in found.items() if used is not None}


@contextlib.asynccontextmanager
async def open_line(persistence: str, *, collected: bool = True) -> AsyncIterator[LineVenue]:
    """A venue that nobody else knows of; at the end nothing of it is left.

    Without `collected` the engine runs without Python's cyclic collector. Raises `Failed`, or a
    `StoreError` where there is no server to be had.
    """
    with EmbeddedServer() as server, Processes(environment(server.url), server.directory) as start:
        client = await Client.connect(server.url, name="bench")
        link = client.server.link("matchbox-bench:keep")
        try:
            await set_persistence(link, persistence)
            module = "matchbox_tui" if collected else "sim.bench.uncollected"
            engine = start.start("engine", module, "engine", "--until-eof")
            workers = (
                start.start("producer", "sim.bench.line_worker"),
                start.start("subscriber", "sim.bench.line_worker"),
            )
            venue = LineVenue(server, client, link, engine, workers)
            await venue.open()
            yield venue
        finally:
            await link.close()
            await client.close()
