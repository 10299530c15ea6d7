"""Topic `soak`: whether a venue that goes on and on needs more and more memory.

One producer submits millions of orders and cancels to a venue whose book stays as it is. Every
process of it is looked at all the time; the same must be resident after the last million orders as
after the first.
"""

import asyncio
import contextlib
import http.client
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from sim.bench.figures import ratios
from sim.bench.flow import MARKET
from sim.bench.full_venue import SCREEN, SERVER, FullVenue, open_full_venue
from sim.bench.jobs import Load, SoakJob
from sim.bench.machine import resident_mb, this_machine
from sim.bench.phases import median
from sim.bench.processes import Failed
from sim.bench.report import Plan, Report, Row

LEADER, FOLLOWER, GATEWAY = "the leader", "a follower", "an instance with the gateway"
INSTANCES = {LEADER: "engine", FOLLOWER: "engine", GATEWAY: "serve"}
PARTS = (LEADER, FOLLOWER, GATEWAY, SCREEN, SERVER)

MOST_STEPS = 1_000_000
"""Orders of a step; fewer than so many are cut into `FEWEST` steps."""

FEWEST = 5

MOST_A_SECOND = 10_000
"""Orders: what the journal grows by between two snapshots, and so what the server needs, is the
same all the time, if the machine can keep it up.
"""

MOST_GROWTH = 1.05
"""The last step's size, as one of the first's."""

AT_ONCE = 20_000
"""Orders between two looks at how far those who read along are."""

MOST_RESTING = 2_000
"""Orders: a book that is steady holds fewer."""

PATIENCE = 60.0
"""Seconds."""

LOOK_SECONDS = 0.2

Sizes = dict[str, float]
"""MB by part."""


def steps_of(orders: int) -> tuple[int, int]:
    """How many steps, and how many orders each has."""
    count = max(FEWEST, orders // MOST_STEPS)
    return count, max(1, orders // count)


async def bench_soak(plan: Plan, say: Callable[[str], None]) -> Report:
    """Soaks a private venue, telling of each step.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    count, orders = steps_of(plan.soak_orders)
    steps: list[Sizes] = []
    held: list[float] = []
    rates: list[float] = []
    problems: list[str] = []
    async with open_full_venue(INSTANCES) as venue:
        soak = _Soak(venue, await venue.instances[GATEWAY].port())
        for number in range(1, count + 1):
            began = time.perf_counter()
            sizes = await soak.step(orders)
            steps.append(sizes)
            held.append(await soak.held())
            rates.append(orders / (time.perf_counter() - began))
            told = ", ".join(f"{name} {size:.1f} MB" for name, size in sizes.items())
            say(f"{number}/{count} {number * orders:,} orders, {rates[-1]:,.0f}/s: {told}")
        problems += soak.wrong + await soak.missing(count * orders)
    return Report("soak", this_machine(), plan, soak_rows(orders, steps, held, rates), problems)


class _Soak:
    """The producer, and the eye that is kept on everybody meanwhile."""

    def __init__(self, venue: FullVenue, port: int) -> None:
        """`port` is the gateway's."""
        self._venue = venue
        self._port = port
        self._producer = venue.processes.start("the producer", "sim.bench.worker")
        self.wrong: list[str] = []

    async def step(self, orders: int) -> Sizes:
        """So many orders, and what was resident in the later half of their time.

        Sizes swing with the snapshots and what is trimmed after them: that is why they are looked
        at again and again.
        """
        async with _watched(self._venue.parts) as seen:
            while orders > 0:
                job = SoakJob(self._venue.url, min(orders, AT_ONCE), MOST_A_SECOND)
                load = await self._producer.work(job, Load)
                self.wrong += load.wrong
                orders -= load.orders
                self._venue.check()
                await self._await_readers()
        later = seen[len(seen) // 2 :]
        return {name: round(statistics.median(sizes[name] for sizes in later), 1) for name in PARTS}

    async def held(self) -> float:
        """MB that the server says it holds: what is resident is about the most it ever held."""
        link = self._venue.client.server.link("matchbox-bench:memory")
        try:
            return int(_fact(await link.call("INFO", "memory"), b"used_memory")) / 2**20
        finally:
            await link.close()

    async def missing(self, orders: int) -> list[str]:
        """What is wrong with the journal's end: every order and every cancel is one command."""
        client = self._venue.client
        replica = await client.restore()
        tip = (await client.cluster()).seq
        async for _ in client.follow(replica, until=tip):
            pass
        resting = len(replica.exchange.orders)
        wrong = []
        if tip < orders:
            wrong.append(f"{orders} orders were acknowledged, {tip} commands are in the journal")
        if resting > MOST_RESTING:
            wrong.append(f"the book was not steady: {resting} orders rest in it")
        return wrong

    async def _await_readers(self) -> None:
        """Waits until the engine has done all, and the gateway shows nearly all of it.

        Whoever falls far behind begins anew, which is something else than going on.
        """
        await self._venue.drain(PATIENCE)
        tip, deadline = (await self._venue.client.cluster()).seq, time.monotonic() + PATIENCE
        while await asyncio.to_thread(self._shown) < tip - AT_ONCE:
            self._venue.check()
            if time.monotonic() > deadline:
                raise Failed("the gateway does not keep up")
            await asyncio.sleep(LOOK_SECONDS)

    def _shown(self) -> int:
        """The sequence that the gateway's view is at."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", f"/orderbook?market={MARKET.symbol}&depth=1")
            return int(connection.getresponse().headers["Matchbox-Sequence"])
        except (OSError, TypeError, ValueError, http.client.HTTPException) as error:
            raise Failed(f"the gateway does not answer: {error}") from None
        finally:
            connection.close()


@contextlib.asynccontextmanager
async def _watched(parts: Mapping[str, int]) -> AsyncIterator[list[Sizes]]:
    """Looks at the sizes now and then, and once at the end."""
    seen: list[Sizes] = []

    def look() -> None:
        sizes = {name: resident_mb(pid) for name, pid in parts.items()}
        known = {name: size for name, size in sizes.items() if size is not None}
        if len(known) < len(sizes):
            raise Failed("this system does not tell how much memory a process has")
        seen.append(known)

    async def go_on() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            look()

    looking = asyncio.ensure_future(go_on())
    try:
        yield seen
        look()
    finally:
        looking.cancel()
        outcome = await asyncio.gather(looking, return_exceptions=True)
    if isinstance(outcome[0], Failed):
        raise outcome[0]


def _fact(info: bytes, name: bytes) -> bytes:
    """What the server says of itself under a name."""
    return info.partition(b"\n" + name + b":")[2].partition(b"\r")[0]


def soak_rows(
    orders: int, steps: Sequence[Sizes], held: Sequence[float], rates: Sequence[float]
) -> list[Row]:
    """Each part at the end beside itself after the first step. `held` is what the server held after
    each, in MB, `rates` how many orders a second there were in each.
    """
    rows = []
    for name in PARTS:
        sizes = [step[name] for step in steps]
        each = ratios(sizes, [sizes[0]] * len(sizes))
        rows.append(
            Row(
                what=name,
                value=sizes[-1],
                unit="MB",
                against=f"after {orders:,} orders",
                base=sizes[0],
                ratio=each[-1],
                ratios=each,
                goal=f"at most {MOST_GROWTH:g} of it",
                reached=each[-1] <= MOST_GROWTH,
                more=_swing(held) if name == SERVER else {},
            )
        )
    rows.append(Row(what="submitted meanwhile", value=median(rates), unit="orders/s"))
    return rows


def _swing(held: Sequence[float]) -> dict[str, float]:
    """The server's data between two trimmings."""
    return {"MB that it held at least": round(min(held), 1), "at most": round(max(held), 1)}
