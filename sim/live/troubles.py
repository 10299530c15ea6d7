"""The faults of a running venue: each at its time, and healed before the next one."""

import asyncio
from collections.abc import Callable

import msgspec

from matchbox_tui.store import StoreError
from sim.faults import Recovery, Unhealed
from sim.live.run_time import RunTime
from sim.live.sampler import Sampler
from sim.private_venue import PrivateVenue
from sim.recording import FaultRow, RunWriter
from sim.scenario import Fault, RestartServer, Scenario

REDIS = "redis"
"""What `Faults` calls a server that is killed and started again."""


class Troubles:
    """Injects a scenario's faults and records what became of them. `hit` has the instances that
    are away because we want them to be; `problems` says what did not come back.
    """

    def __init__(
        self, venue: PrivateVenue, scenario: Scenario, sampler: Sampler, say: Callable[[str], None]
    ) -> None:
        self.hit: set[str] = set()
        self.problems: list[str] = []
        self._venue = venue
        self._sampler = sampler
        self._say = say
        happenings = sorted(scenario.happenings, key=lambda one: one.at)
        self._faults = [one for one in happenings if isinstance(one, Fault | RestartServer)]

    async def run(self, clock: RunTime, writer: RunWriter) -> None:
        for fault in self._faults:
            await clock.until(fault.at)
            try:
                await self._strike(fault, clock, writer)
            except (StoreError, Unhealed) as error:
                self.problems.append(f"{_kind(fault)} at {fault.at / 1e9:g} s: {error}")
                return
            finally:
                self._sampler.dense = False
                self.hit.clear()

    async def _strike(
        self, fault: Fault | RestartServer, clock: RunTime, writer: RunWriter
    ) -> None:
        venue, faults = self._venue, self._venue.faults
        who = "" if isinstance(fault, RestartServer) or fault.who == "leader" else fault.who
        # Whoever leads when it comes to that.
        self.hit |= {who} if who else set(venue.cluster.nodes)
        self._sampler.dense = True
        refused = faults.refused
        kind = REDIS if isinstance(fault, RestartServer) else _kind(fault)
        struck = faults.struck
        try:
            recovery = await faults.inject(kind, who)
        except asyncio.CancelledError:
            if faults.recovery is not None and faults.struck != struck:
                faults.recovery.kind = _kind(fault)
                row = fault_row(faults.recovery, clock.at(faults.struck), faults.refused - refused)
                writer.fault(msgspec.structs.replace(row, cut_short=row.recovered_us is None))
            raise
        # Before `heal` starts them again, and nobody would know.
        self.hit &= {recovery.who}
        for name, node in venue.cluster.nodes.items():
            if name != recovery.who and not node.alive():
                self.problems.append(f"{name} ended by itself: {node.ending()}")
        recovery.kind = _kind(fault)
        try:
            await faults.heal()
        finally:
            refused = max(faults.refused - refused, recovery.commits_refused)
            row = fault_row(recovery, clock.at(faults.struck), refused)
            writer.fault(row)
        self._say(f"{clock.at(faults.struck) / 1e9:6.1f} s  {recovery.line()}")


def fault_row(recovery: Recovery, at: int, refused: int) -> FaultRow:
    """What became of a fault at this time of the run, as a recording has it."""
    return FaultRow(
        kind=recovery.kind,
        who=recovery.who,
        at=at,
        old_epoch=recovery.old_epoch,
        new_epoch=recovery.new_epoch,
        new_leader=recovery.new_leader,
        elected_us=_us(recovery.elected_ms),
        back_us=_us(recovery.back_ms),
        recovered_us=_us(recovery.recovered_ms),
        refused=refused,
    )


def _us(ms: float | None) -> int | None:
    return None if ms is None else int(ms * 1000)


def _kind(fault: Fault | RestartServer) -> str:
    return str(type(fault).__struct_config__.tag)
