"""Faults on request: what a key does to the venue, and the recovery that it starts."""

import asyncio

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.model import Link
from matchbox_tui.tui.operator import Fault, Operator
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.recovery import Recovery

REFUSAL_SECONDS = 5.0
LOOK_SECONDS = 0.05


class Faults:
    """The operator at the desk. Without one there is nobody to ask."""

    def __init__(self, desk: Desk, operator: Operator | None) -> None:
        self.desk = desk
        self._operator = operator

    async def strike(self, fault: Fault) -> None:
        """Does it to the leader, or to the server, and follows what comes of it."""
        operator, desk = self._operator, self.desk
        if operator is None:
            desk.say("only 'matchbox play' may do that: these processes are not its own")
            return
        if fault is Fault.FREEZE and operator.frozen():
            try:
                await self._thaw(operator)
            except ValueError as error:
                desk.say(str(error), Tone.ALARM)
            return
        leader = desk.model.leader
        if leader is None and fault is not Fault.SERVER:
            again = f"{desk.key('restart')} starts what has ended"
            desk.say(f"nobody leads now: wait for the next leader ({again})", Tone.ALARM)
            return
        recoveries = desk.model.recoveries
        before = recoveries.current
        if before is not None and before.awaits_end_of(leader, fault):
            again = f"{desk.key('restart')} starts what has ended"
            desk.say(f"{leader} was {fault.value} already ({again})", Tone.ALARM)
            return
        recovery = Recovery(
            fault,
            leader or "",
            "",
            desk.model.epoch,
            desk.model.source.seq,
            desk.clock(),
            cut=fault is Fault.SERVER and desk.model.link is not Link.LIVE,
        )
        recoveries.begin(recovery)
        try:
            recovery.words = await self._do(operator, fault, leader or "")
        except ValueError as error:
            recoveries.take_back(recovery, before)
            desk.say(str(error), Tone.ALARM)
            return
        desk.say(recovery.words, Tone.ALARM)

    async def restart(self) -> None:
        """Starts every process that has ended."""
        if self._operator is None:
            self.desk.say("only 'matchbox play' may do that: these processes are not its own")
            return
        try:
            self.desk.say(await self._operator.restart())
        except ValueError as error:
            self.desk.say(str(error), Tone.ALARM)
        self.look()

    def look(self) -> None:
        """Tells it when the traders have ended: the market goes on, and falls silent. O(1)."""
        if self._operator is None:
            return
        model, ended = self.desk.model, self._operator.traders_ended()
        if ended and not model.traders_ended:
            again = f"{self.desk.key('restart')} starts them again"
            self.desk.say(f"the traders ended: {ended} ({again})", Tone.ALARM)
        model.told_of_traders(ended)

    async def _do(self, operator: Operator, fault: Fault, leader: str) -> str:
        match fault:
            case Fault.KILL:
                return await operator.kill(leader)
            case Fault.FREEZE:
                return await operator.freeze(leader)
            case Fault.STOP:
                return await operator.stop(leader)
            case Fault.SERVER:
                return await operator.kill_server()

    async def _thaw(self, operator: Operator) -> None:
        """Lets the frozen one go on, and shows how it was told that its time is over."""
        name = operator.frozen()
        recoveries = self.desk.model.recoveries
        frozen = recoveries.current
        self.desk.say(await operator.thaw())
        if frozen is not None and frozen.fault is Fault.FREEZE and frozen.victim == name:
            frozen.thawed = True
        words = ""
        for _ in range(int(REFUSAL_SECONDS / LOOK_SECONDS)):
            words = operator.deposed_words(name)
            if words:
                break
            await asyncio.sleep(LOOK_SECONDS)
        if words:
            self.desk.say(f"{name}: {words}", Tone.ALARM)
            # Another fault may have come meanwhile, and the one that was thawed is its own.
            if frozen is not None:
                frozen.refused = f"{name}: {words}"
                recoveries.revision += 1
