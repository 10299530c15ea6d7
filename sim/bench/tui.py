"""Topic `tui`: what the screen costs of the processor, and how often it paints, under load.

The app runs as users run it, on a terminal that counts its frames. What it costs is compared with
what folding the same events costs in the same seconds without a screen.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from itertools import chain

from matchbox_tui.store import Client, EmbeddedServer
from sim.bench.flow import MARKET, PERSON
from sim.bench.jobs import Flowed, FlowJob, Tally, TallyJob
from sim.bench.machine import cpu_seconds, this_machine
from sim.bench.phases import Phase, Sight, core_rows, event_row, frame_row, median, phase
from sim.bench.processes import Failed, Process, Processes
from sim.bench.report import Plan, Report, Row
from sim.bench.terminal import Terminal, screen_environment
from sim.bench.venue import environment

SIZES = ((80, 24), (120, 36), (200, 60))
IDLE_SIZE = SIZES[0]

SETTLE_SECONDS = 1.0
"""After a change of size or load, until it is measured; shorter where measurements are."""

START_SECONDS = 30.0
LOOK_SECONDS = 0.02


class TuiBench:
    """One run. Every round measures each size once, every second round the other way about."""

    def __init__(
        self,
        plan: Plan,
        url: str,
        client: Client,
        engine: Process,
        flowing: Process,
        folding: Process,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._url = url
        self._client = client
        self._engine = engine
        self._flowing = flowing
        self._folding = folding
        self._say = say
        self._idle: list[Phase] = []
        self._phases: dict[tuple[int, int], list[Phase]] = {size: [] for size in SIZES}
        self._asked = 0
        self._problems: list[str] = []

    async def run(self, terminal: Terminal) -> Report:
        """Raises `Failed` where a part of it breaks."""
        await terminal.first_frame()
        began = await self._folded()
        for size in SIZES:
            await self._measure(terminal, size, self._plan.events, SETTLE_SECONDS / 2)
        for number in range(1, self._plan.rounds + 1):
            self._idle.append(await self._measure(terminal, IDLE_SIZE, 0, self._plan.seconds))
            for size in SIZES if number % 2 else SIZES[::-1]:
                found = await self._measure(terminal, size, self._plan.events, self._plan.seconds)
                self._phases[size].append(found)
            self._say(f"{number}/{self._plan.rounds} {self._last_words()}")
        in_journal = await self._folded() - began
        if in_journal != self._asked:
            self._problems.append(
                f"{self._asked} events were asked for, {in_journal} are in the journal"
            )
        return Report("tui", this_machine(), self._plan, self._rows(), self._problems)

    async def _measure(
        self, terminal: Terminal, size: tuple[int, int], rate: int, seconds: float
    ) -> Phase:
        terminal.resize(*size)
        settle = min(SETTLE_SECONDS, seconds)
        flowing = None
        if rate:
            # A little longer than it is looked at.
            job = FlowJob(self._url, rate, settle + seconds + 0.2)
            flowing = asyncio.ensure_future(self._flowing.work(job, Flowed))
        try:
            await asyncio.sleep(settle)
            before = await self._look(terminal)
            await asyncio.sleep(seconds)
            after = await self._look(terminal)
        finally:
            flowed = await flowing if flowing is not None else None
        if flowed is not None:
            self._asked += flowed.events
            self._problems += [words for words in flowed.wrong if words not in self._problems]
        return phase(before, after, terminal.frames.ends[before.frames : after.frames])

    async def _look(self, terminal: Terminal) -> Sight:
        terminal.check()
        self._engine.check()
        tally = await self._tally()
        return Sight(
            time.perf_counter(),
            cpu_seconds(terminal.pid),
            len(terminal.frames.ends),
            terminal.frames.size,
            tally,
        )

    async def _tally(self) -> Tally:
        tally = await self._folding.work(TallyJob(self._url), Tally)
        if tally.trouble:
            raise Failed(f"the journal could not be followed: {tally.trouble}")
        return tally

    async def _folded(self) -> int:
        """How many events the journal holds, once all that was queued is in it and folded."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            status, tally = await self._client.cluster(), await self._tally()
            if not status.queue_depth and tally.seq == status.seq:
                return tally.events
            if time.monotonic() > deadline:
                raise Failed("the engine did not work off its queue in time")
            await asyncio.sleep(LOOK_SECONDS)

    def _last_words(self) -> str:
        sizes = ", ".join(
            f"{_name(size)} {_percent(phases[-1].core)} at {phases[-1].frames:.1f} frames/s"
            for size, phases in self._phases.items()
        )
        return f"{sizes}; folded only {self._phases[SIZES[0]][-1].fold_core:.0f} %"

    def _rows(self) -> list[Row]:
        rows = []
        for size, phases in self._phases.items():
            rows += core_rows(f"the screen at {_name(size)}", phases)
            rows.append(frame_row(f"frames at {_name(size)}", phases))
        idle = [found.core for found in self._idle if found.core is not None]
        if idle:
            rows.append(
                Row(
                    what=f"the screen at {_name(IDLE_SIZE)}, no events",
                    value=round(statistics.median(idle), 1),
                    unit="% of a core",
                    more={"frames/s": median([found.frames for found in self._idle])},
                )
            )
        rows.append(event_row(self._plan.events, list(chain.from_iterable(self._phases.values()))))
        return rows


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _percent(core: float | None) -> str:
    return "?" if core is None else f"{core:.0f} %"


async def bench_tui(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures the app on a private venue, telling of each round.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    with EmbeddedServer() as server:
        env = screen_environment(environment(server.url), server.directory)
        with Processes(env, server.directory) as start:
            engine = start.start(
                *("engine", "matchbox_tui", "engine", "--until-eof"),
                *("--markets", MARKET.symbol),
            )
            flowing = start.start("flow", "sim.bench.worker")
            folding = start.start("fold", "sim.bench.worker")
            client = await Client.connect(server.url, name="bench")
            try:
                await _await_market(client, engine)
                app = ("matchbox_tui", "tui", "--trader", PERSON, "--market", MARKET.symbol)
                with Terminal("the screen", app, env) as terminal:
                    bench = TuiBench(plan, server.url, client, engine, flowing, folding, say)
                    return await bench.run(terminal)
            finally:
                await client.close()


async def _await_market(client: Client, engine: Process) -> None:
    """Waits until the instance leads and has opened the market. Raises `Failed`."""
    deadline = time.monotonic() + START_SECONDS
    while not (await client.cluster()).seq:
        engine.check()
        if time.monotonic() > deadline:
            raise Failed("nobody became leader in time")
        await asyncio.sleep(LOOK_SECONDS)
