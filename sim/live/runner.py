"""One run, from its first process to the end of its recording."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from matchbox_tui.store import StoreError, Unusable
from sim.audit.moments import read_moment
from sim.floor import FloorRecord
from sim.live.happenings import Happenings
from sim.live.run_time import RunTime
from sim.live.sampler import Sampler
from sim.live.troubles import Troubles
from sim.live.venue import LiveVenue, live_venue
from sim.recording import RunWriter, Sample
from sim.run_result import RunResult
from sim.scenario import Scenario

LEAD_NS = 2_000_000_000
"""What the traders get to be there when the run begins."""

LOOK_SECONDS = 0.05
CATCH_UP_SECONDS = 10.0

UNHEARD = (-signal.SIGTERM, 130)
"""How a process ends that is asked to before it can hear of it: by the signal itself, or with the
code that `matchbox` has for it while it loads.
"""

Begin = Callable[[int], RunWriter]
"""Begins to record a run whose time zero is so many ns since the epoch."""


def never() -> bool:
    return False


def silent(words: str) -> None:
    pass


async def run(
    scenario: Scenario,
    text: str,
    seed: int,
    begin: Begin,
    *,
    stopping: Callable[[], bool] = never,
    told: Callable[[Sample], None] | None = None,
    say: Callable[[str], None] = silent,
) -> RunResult:
    """The whole run. `text` is the scenario's file, for the traders' process.

    What `begin` returns is finished in the end, but where the server was lost: then it is closed
    as an interrupted run's. Ends early once `stopping()` is true; `told` hears of samples, `say` of
    each fault. Raises a `StoreError` where no venue can be opened, `RecordingError`. However it
    ends, no process is left.
    """
    async with live_venue(scenario, seed) as venue:
        one = _Run(scenario, text, venue, stopping, told, say)
        opened = await one.unless_stopped(venue.open())
        start = time.time_ns() + (LEAD_NS if opened else 0)
        with contextlib.closing(begin(start)) as writer:
            one.begin(writer, start)
            if opened:
                await one.trade(start)
            return await one.finish(interrupted=not opened)


class _Run:
    def __init__(
        self,
        scenario: Scenario,
        text: str,
        venue: LiveVenue,
        stopping: Callable[[], bool],
        told: Callable[[Sample], None] | None,
        say: Callable[[str], None],
    ) -> None:
        self._scenario = scenario
        self._text = text
        self._venue = venue
        self._stopping = stopping
        self._told = told
        self._say = say
        self._problems: list[str] = []
        self._missed: set[str] = set()
        self._interrupted = False
        self._lost = False
        """Whether the server is gone for good."""

    def begin(self, writer: RunWriter, start: int) -> None:
        venue = self._venue
        self._writer = writer
        self._clock = RunTime(start)
        keys = venue.client.keys
        self._sampler = Sampler(venue.looking, keys, self._clock, self._told)
        self._happenings = Happenings(venue.client, self._scenario)
        self._troubles = Troubles(venue, self._scenario, self._sampler, self._say)
        venue.chronicle.begin(writer)

    async def trade(self, start: int) -> None:
        """Until the time is over, or there is nothing to go on with, or it is to stop."""
        venue, clock, writer = self._venue, self._clock, self._writer
        venue.hire(self._text, start)
        if not await self.unless_stopped(clock.until(0)):
            self._interrupted = True
            return
        assert venue.watching is not None
        plan = asyncio.ensure_future(self._plan())
        stopped = asyncio.ensure_future(self._stopped())
        others = {
            stopped,
            asyncio.ensure_future(venue.collapse()),
            asyncio.ensure_future(self._missing()),
            asyncio.ensure_future(self._sampler.run(writer, venue.chronicle)),
        }
        try:
            done, _ = await asyncio.wait(
                {plan, venue.watching, *others}, return_when=asyncio.FIRST_COMPLETED
            )
            self._interrupted = stopped in done and plan not in done
            for future in done:
                future.result()
        except Unusable as error:
            self._problems.append(str(error))
            self._lost = True
        finally:
            for future in (plan, *others):
                future.cancel()
            await asyncio.gather(plan, *others, return_exceptions=True)
        if venue.watcher.broken is not None:
            self._problems.append(f"the journal broke: {venue.watcher.broken}")

    async def finish(self, *, interrupted: bool) -> RunResult:
        """Lets everybody tell what there is to tell, and completes the recording."""
        venue, passed = self._venue, self._clock.now()
        if not self._lost:
            with contextlib.suppress(StoreError, TimeoutError):
                await asyncio.wait_for(venue.faults.mend(), CATCH_UP_SECONDS)
        record = await self._record()
        if not self._lost:
            await self._complete(record)
        return RunResult(
            record=record or self._happenings.record,
            interrupted=interrupted or self._interrupted,
            wall_seconds=passed / 1e9,
            simulated_ns=min(passed, self._scenario.duration),
            # Who ends by itself around a fault may be found from both sides.
            problems=tuple(dict.fromkeys((*self._problems, *self._troubles.problems))),
        )

    async def _record(self) -> FloorRecord | None:
        """What everybody was told; None where the traders can't say."""
        cluster = self._venue.cluster
        traders = cluster.traders
        record = await asyncio.to_thread(cluster.stop_traders)
        if traders is not None and record is None and traders.process.returncode in UNHEARD:
            # It had not even come so far as to hear of it.
            record = FloorRecord()
        if record is None:
            self._note("the traders left no record of what they were told")
            return None
        return record.joined(self._happenings.record)

    async def unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the work came to its end; it is dropped once the run is to stop."""
        return await self._venue.unless(self._stopped(), work)

    async def _plan(self) -> None:
        """All that is to happen, and the time. Faults that are under way at the end are too."""
        clock = self._clock
        happening = asyncio.ensure_future(self._happenings.run(clock))
        try:
            await asyncio.gather(
                self._troubles.run(clock, self._writer), clock.until(self._scenario.duration)
            )
            if happening.done():
                happening.result()
        finally:
            happening.cancel()
            await asyncio.gather(happening, return_exceptions=True)

    async def _stopped(self) -> None:
        while not self._stopping():  # noqa: ASYNC110  # whoever stops it may be in another thread
            await asyncio.sleep(LOOK_SECONDS)

    async def _missing(self) -> None:
        """Notes who ended without having been hit; returns where nobody is left to go on."""
        cluster = self._venue.cluster
        while True:
            for name, member in list(cluster.nodes.items()):
                if not member.alive() and name not in self._troubles.hit | self._missed:
                    self._missed.add(name)
                    self._note(f"{name} ended by itself: {member.ending()}")
            if cluster.traders is not None and not cluster.traders.alive():
                self._note(f"the traders ended by themselves: {cluster.traders.ending()}")
                return
            if not any(node.alive() for node in cluster.nodes.values()) and not self._troubles.hit:
                self._note("no instance is left")
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _complete(self, record: FloorRecord | None) -> None:
        venue, writer = self._venue, self._writer
        led = any(node.alive() for node in venue.cluster.nodes.values())
        if led and (unrest := await venue.settle()) is not None:
            self._note(unrest)
        chronicle = venue.chronicle
        chronicle.hold()
        try:
            moment, queue = await read_moment(venue.looking, venue.client.keys)
            last = moment.cursor[0]
            if last:
                await venue.watcher.first(lambda one: one.seq >= last, 0, CATCH_UP_SECONDS)
            await chronicle.end(writer, moment)
            # Its lease outlives the last instance, but nobody tells its fills any more.
            leader = (await venue.client.cluster()).leader if led else None
            await self._sampler.look(writer)
        except StoreError as error:
            self._note(f"how it ended can't be read: {error}")
            return
        writer.finish(msgspec.structs.replace(moment, leader=leader), record, queue)

    def _note(self, words: str) -> None:
        if words not in self._problems:
            self._problems.append(words)
