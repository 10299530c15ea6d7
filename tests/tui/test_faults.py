"""Failover keys pressed quickly, twice and in the wrong moment."""

import msgspec

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.faults import Faults
from matchbox_tui.tui.operator import Fault
from tests.tui.cockpit import desk_on
from tests.tui.venue import LocalVenue


class Processes:
    """Instances that are killed, frozen and thawed without a venue behind them."""

    hash_every = 0

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self._frozen = ""

    async def kill(self, instance: str) -> str:
        self._check(instance)
        self.ended.add(instance)
        return f"kill -9 {instance}"

    async def freeze(self, instance: str) -> str:
        self._check(instance)
        self._frozen = instance
        return f"kill -STOP {instance}"

    async def thaw(self) -> str:
        self._check(self._frozen)
        name, self._frozen = self._frozen, ""
        return f"kill -CONT {name}"

    async def stop(self, instance: str) -> str:
        return await self.kill(instance)

    async def restart(self) -> str:
        if not self.ended:
            raise ValueError("everything runs")
        started, self.ended = sorted(self.ended), set()
        return f"started {', '.join(started)} again"

    async def kill_server(self) -> str:
        raise ValueError("the server is not a private one: it is not ours to kill")

    def traders_ended(self) -> str:
        return "killed by SIGKILL" if "traders" in self.ended else ""

    def frozen(self) -> str:
        return self._frozen

    def deposed_words(self, instance: str) -> str:
        return "epoch 8 leads"

    def _check(self, instance: str) -> None:
        if instance in self.ended:
            raise ValueError(f"{instance} has ended")


async def led_desk() -> Desk:
    venue = LocalVenue()
    desk = desk_on(venue)
    desk.model.observed(await venue.cluster(), 0)
    return desk


def said(desk: Desk) -> str:
    return desk.model.notices[-1].words


async def test_kill_a_leader_twice() -> None:
    desk = await led_desk()
    faults = Faults(desk, Processes())
    await faults.strike(Fault.KILL)
    first = desk.model.recoveries.current
    await faults.strike(Fault.KILL)
    assert said(desk) == "node-2 has ended"
    assert desk.model.recoveries.current is first
    assert desk.model.recoveries.count == 1, "nothing was done, so there is nothing to count"


async def test_what_was_frozen_and_has_ended_is_not_thawed() -> None:
    desk = await led_desk()
    processes = Processes()
    faults = Faults(desk, processes)
    await faults.strike(Fault.FREEZE)
    processes.ended.add("node-2")
    await faults.strike(Fault.FREEZE)
    assert said(desk) == "node-2 has ended"


async def test_the_refusal_of_a_thawed_leader_is_told_with_its_fault() -> None:
    desk = await led_desk()
    faults = Faults(desk, Processes())
    await faults.strike(Fault.FREEZE)
    frozen = desk.model.recoveries.current
    assert frozen is not None
    await faults.strike(Fault.FREEZE)
    assert frozen.thawed
    assert frozen.refused == said(desk) == "node-2: epoch 8 leads"


async def test_a_server_that_is_not_ours_is_not_killed() -> None:
    desk = await led_desk()
    await Faults(desk, Processes()).strike(Fault.SERVER)
    assert "not ours to kill" in said(desk)
    assert desk.model.recoveries.current is None
    assert desk.model.recoveries.count == 0


async def test_where_nobody_leads_there_is_nobody_to_kill() -> None:
    desk = await led_desk()
    status = desk.model.cluster
    assert status is not None
    desk.model.observed(msgspec.structs.replace(status, leader=None), 1)
    processes = Processes()
    await Faults(desk, processes).strike(Fault.KILL)
    assert "nobody leads now" in said(desk)
    assert "R starts what has ended" in said(desk)
    assert not processes.ended
    assert desk.model.recoveries.current is None
