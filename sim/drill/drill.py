"""The drill: a private venue that trades, faults, and the proof that nothing was lost."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import closing

from sim.audit import Verdict, audit_recording, collect
from sim.drill.judging import Evidence, judged
from sim.drill.reckoning import reckon
from sim.drill.report import DrillReport, FaultReport
from sim.drill.venue import DrillVenue, Plan, private_venue
from sim.faults import Unhealed
from sim.floor import FloorRecord
from sim.recording import indexed, open_run

CALM = (0.3, 0.8)
"""Seconds of undisturbed trading before each fault, by chance between these."""


class Drill:
    """One drill on a venue of its own. `run` it once; `stop` ends it early, with a report."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        """`say` gets a line of progress for each fault."""
        self._plan = plan
        self._say = say
        self._rng = random.Random(plan.seed)
        self._stopping = asyncio.Event()
        self._faults: list[FaultReport] = []
        self._violations: list[str] = []

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> DrillReport:
        """Raises a `StoreError` where no venue can be started, `RecordingError` where it can't be
        recorded.
        """
        async with private_venue(self._plan) as venue:
            opened = await venue.unless(self._stopping.wait(), venue.open())
            began, before = time.monotonic(), venue.watcher.seq
            if opened and not await venue.unless(self._stopping.wait(), self._inject_all(venue)):
                await self._heal(venue, "at the end")
            seconds, traded = time.monotonic() - began, venue.watcher.seq - before
            return await self._judge(venue, opened, seconds, traded)

    async def _inject_all(self, venue: DrillVenue) -> None:
        kinds = self._plan.faults(self._rng)
        for number, kind in enumerate(kinds, 1):
            await asyncio.sleep(self._rng.uniform(*CALM))
            recovery = await venue.faults.inject(kind)
            hashes = await venue.board.opinions(recovery.old_leader, recovery.new_leader)
            self._faults.append(FaultReport(number, recovery, hashes))
            self._say(f"{number:3d}/{len(kinds)}  {recovery.line()}")
            problem = venue.died(but=recovery.who) or venue.watcher.broken
            if problem is not None:
                self._violations.append(problem)
                return
            if not await self._heal(venue, f"fault {number} ({kind})"):
                return

    async def _heal(self, venue: DrillVenue, when: str) -> bool:
        try:
            await venue.faults.heal()
        except Unhealed as error:
            self._violations.append(f"{when}: {error}")
            return False
        return True

    async def _judge(
        self, venue: DrillVenue, opened: bool, seconds: float, traded: int
    ) -> DrillReport:
        """Ends the trading, and lets everybody tell what there is to tell."""
        problem = venue.died()
        if problem is not None and problem not in self._violations:
            self._violations.append(problem)
        record = await asyncio.to_thread(venue.cluster.stop_traders)
        if record is None:
            if opened:
                self._violations.append("the traders left no record of what they were told")
            record = FloorRecord()
        if opened and (unrest := await venue.settle()):
            self._violations.append(unrest)
        await venue.watch_no_more()
        seen, board = venue.watcher.sightings, venue.board
        evidence = Evidence(
            faults=self._faults,
            record=record,
            watcher=venue.watcher,
            board=board,
            reckoning=await reckon(venue.client, record, seen, board.seqs()),
            verdict=await self._audit(venue, record),
            refused=venue.faults.refused,
            seconds=seconds,
            traded=traded,
            violations=self._violations,
        )
        return judged(evidence, self._plan.lease_ms, interrupted=self._stopping.is_set())

    async def _audit(self, venue: DrillVenue, record: FloorRecord) -> Verdict:
        directory = self._plan.out or venue.directory / "recording"
        keys = venue.client.keys
        await collect(venue.client.server.url, keys.prefix, directory, record)
        verdict = await audit_recording(directory)
        if self._plan.out is not None and verdict.ok:
            # For who wants to see it: a replay goes anywhere at once.
            with closing(open_run(directory)) as run:
                await asyncio.to_thread(indexed, run)
        return verdict
