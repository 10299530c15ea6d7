"""Failover keys pressed quickly, twice and in the wrong moment, and what small screens tell."""

import msgspec
import pytest

from matchbox_tui.engine import Side
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.faults import Faults
from matchbox_tui.tui.operator import Fault
from matchbox_tui.tui.recovery import WATCHED_NS
from tests.tui.cockpit import app_on, desk_on, press, screen_text, until, until_shown
from tests.tui.venue import LocalVenue, Staffed


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
    assert said(desk) == "node-2 was killed already (R starts what has ended)"
    assert desk.model.recoveries.current is first
    assert desk.model.recoveries.count == 1, "nothing was done, so there is nothing to count"


async def test_a_leader_that_has_not_died_of_it_yet_is_not_killed_again() -> None:
    desk = await led_desk()
    processes = Processes()
    faults = Faults(desk, processes)
    await faults.strike(Fault.STOP)
    # A process may take its time to stop, or be killed and not gone yet.
    processes.ended.clear()
    await faults.strike(Fault.STOP)
    assert desk.model.recoveries.count == 1
    await faults.strike(Fault.KILL)
    assert processes.ended == {"node-2"}, "what hears no request can still be killed"
    assert desk.model.recoveries.count == 2


async def test_the_next_leader_may_be_killed_though_it_bears_the_same_name() -> None:
    desk = await led_desk()
    processes = Processes()
    faults = Faults(desk, processes)
    await faults.strike(Fault.KILL)
    status = desk.model.cluster
    assert status is not None
    processes.ended.clear()
    desk.model.observed(msgspec.structs.replace(status, epoch=status.epoch + 1), 1)
    await faults.strike(Fault.KILL)
    assert processes.ended == {"node-2"}


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


@pytest.mark.parametrize("size", [(63, 14), (80, 24), (40, 10), (64, 7)])
async def test_kill_the_leader_on_a_small_screen_and_read_that_nothing_was_lost(
    size: tuple[int, int],
) -> None:
    venue = Staffed()
    venue.order(Side.BUY, 1, 40)
    app = app_on(venue, operator=Processes())
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "● live", "leader node-2")
        await press(pilot, "K")
        await until_shown(pilot, "no commit since")
        venue.epoch, venue.leader = 8, "node-3"
        for _ in range(9):
            venue.order(Side.BUY, 1, 40)
        await until_shown(pilot, "✓ lost 0, doubled 0 of 9 order")


async def test_on_a_low_screen_a_failover_gives_way_to_alarms_and_ends_by_itself() -> None:
    venue = Staffed()
    app = app_on(venue, operator=Processes())
    async with app.run_test(size=(40, 10)) as pilot:
        await until_shown(pilot, "● live", "leader node-2")
        await press(pilot, "K")
        await until_shown(pilot, "● live  · killed: no commit since")
        await press(pilot, "b")
        await until_shown(pilot, "● live  trading is locked: a arms it")
        await press(pilot, "a")
        await until_shown(pilot, "● live  armed: b buys")
        venue.epoch, venue.leader = 8, "node-3"
        for _ in range(9):
            venue.order(Side.BUY, 1, 40)
        await until_shown(pilot, "● live  ✓ lost 0, doubled 0 of 9 order…")
        venue.time += WATCHED_NS
        await until_shown(pilot, "● live  leader node-3")


async def test_the_traders_die_and_r_brings_them_back() -> None:
    processes = Processes()
    app = app_on(Staffed(), operator=processes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live  leader node-2")
        await press(pilot, "R")
        await until_shown(pilot, "everything runs")
        processes.ended.add("traders")
        await until_shown(pilot, "the traders ended: killed by SIGKILL (R starts them again)")
        await until_shown(pilot, "● live  no traders  leader node-2")
        await press(pilot, "o o o o")
        await until_shown(pilot, "! traders ended: killed by SIGKILL")
        told = len(app.desk.model.notices)
        await press(pilot, "R")
        await until_shown(pilot, "started traders again", "● live  leader node-2")
        await until(pilot, lambda: "! traders ended" not in screen_text(app))
        assert len(app.desk.model.notices) == told + 1, "their end is told once"
