"""Each kind of fault on a real venue: what it does, and that the market outlives it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from matchbox_tui.store import ClusterStatus, EmbeddedServer, Unusable
from sim import FloorRecord
from sim.cluster import Member
from sim.drill.reckoning import Reckoning, reckon
from sim.drill.venue import DrillVenue, Plan, private_venue
from sim.faults import KINDS, Recovery, Unhealed, faults
from tests.waiting import eventually

PLAN = Plan(rate=400, instances=2, traders=5, lease_ms=1000)


@pytest.fixture
async def venue() -> AsyncIterator[DrillVenue]:
    async with private_venue(PLAN) as opened:
        await opened.open()
        yield opened


def pids(venue: DrillVenue) -> dict[str, int]:
    return {name: member.process.pid for name, member in venue.cluster.nodes.items()}


async def at_rest(venue: DrillVenue) -> tuple[FloorRecord, Reckoning]:
    """Ends the trading; the traders' record, and what the journal says about it."""
    record = await asyncio.to_thread(venue.cluster.stop_traders)
    assert record is not None
    assert await venue.settle() is None
    await venue.watch_no_more()
    return record, await reckon(venue.client, record, venue.watcher.sightings)


def nothing_lost(venue: DrillVenue, record: FloorRecord, reckoning: Reckoning) -> None:
    assert record.acknowledged > 0
    assert (reckoning.lost, reckoning.doubled) == ([], [])
    assert (reckoning.broken, reckoning.altered, venue.watcher.broken) == (None, None, None)


def led_on(recovery: Recovery, status: ClusterStatus) -> None:
    """Another instance leads, and it took less than for ever."""
    assert recovery.new_leader not in ("", recovery.old_leader)
    assert recovery.who == recovery.old_leader
    assert recovery.new_epoch > recovery.old_epoch
    assert status.epoch == recovery.new_epoch
    assert recovery.elected_ms is not None
    assert recovery.recovered_ms is not None


async def injected(venue: DrillVenue, kind: str) -> Recovery:
    """The fault, and the way back to full strength."""
    recovery = await venue.faults.inject(kind)
    assert recovery.kind == kind
    await venue.faults.heal()
    assert venue.died() is None
    return recovery


@pytest.mark.parametrize(("kind", "exit_code"), [("kill", -9), ("stop", 0)])
async def test_an_instance_that_ends_is_succeeded_and_replaced(
    venue: DrillVenue, kind: str, exit_code: int
) -> None:
    before = pids(venue)
    recovery = await injected(venue, kind)
    led_on(recovery, await venue.client.cluster())
    assert recovery.exit_code == exit_code
    after = pids(venue)
    assert [name for name in after if after[name] != before[name]] == [recovery.who]
    nothing_lost(venue, *await at_rest(venue))


async def test_a_leader_that_stood_still_comes_back_and_its_late_commit_is_refused(
    venue: DrillVenue,
) -> None:
    before = pids(venue)
    recovery = await injected(venue, "pause")
    status = await venue.client.cluster()
    led_on(recovery, status)
    # It has nothing but the lease that tells that it stands still.
    assert (recovery.recovered_ms or 0) > PLAN.lease_ms / 2
    assert (recovery.commits_held, recovery.commits_refused) == (1, 1)
    assert venue.faults.refused >= 1
    assert pids(venue) == before
    roles = {one.id: one.role for one in status.instances}
    assert roles[recovery.old_leader] == "follower"
    nothing_lost(venue, *await at_rest(venue))


async def test_a_server_that_is_killed_comes_back_with_all_it_had(venue: DrillVenue) -> None:
    before, seq = pids(venue), venue.watcher.seq
    recovery = await injected(venue, "redis")
    assert recovery.who == "server"
    assert recovery.back_ms is not None
    assert recovery.recovered_ms is not None
    assert recovery.back_ms < recovery.recovered_ms
    assert pids(venue) == before
    assert venue.watcher.seq > seq
    nothing_lost(venue, *await at_rest(venue))


async def test_a_leader_that_is_cut_off_is_succeeded_and_follows_when_it_is_back(
    venue: DrillVenue,
) -> None:
    before = pids(venue)
    recovery = await injected(venue, "cut")
    led_on(recovery, await venue.client.cluster())
    # Nobody but the leader was hit: the traders know nothing of it.
    assert pids(venue) == before
    record, reckoning = await at_rest(venue)
    assert (record.in_doubt, record.unsent) == (0, 0)
    nothing_lost(venue, record, reckoning)


@pytest.mark.parametrize("kind", ["kill", "stop", "pause", "cut"])
async def test_one_that_does_not_lead_has_no_successor(venue: DrillVenue, kind: str) -> None:
    status = await venue.client.cluster()
    (other,) = {one.id for one in status.instances} - {status.leader}
    before = pids(venue)
    recovery = await venue.faults.inject(kind, other)
    assert recovery.who == other
    assert recovery.recovered_ms is not None
    assert recovery.elected_ms is None
    if kind == "pause":
        # The market went on while it stood still.
        assert recovery.recovered_ms < PLAN.lease_ms
    await venue.faults.heal()
    after = await venue.client.cluster()
    assert (after.leader, after.epoch) == (status.leader, status.epoch)
    assert (recovery.new_leader, recovery.new_epoch) == (status.leader, status.epoch)
    replaced = [other] if kind in ("kill", "stop") else []
    assert [name for name in before if pids(venue)[name] != before[name]] == replaced
    nothing_lost(venue, *await at_rest(venue))


async def test_a_named_one_that_leads_is_hit_as_the_leader_is(venue: DrillVenue) -> None:
    leader = (await venue.client.cluster()).leader
    assert leader is not None
    led_on(await venue.faults.inject("kill", leader), await venue.client.cluster())


async def test_nobody_is_hit_by_a_name_that_is_not_there(venue: DrillVenue) -> None:
    with pytest.raises(ValueError, match="node-9 is no instance: node-1, node-2"):
        await venue.faults.inject("kill", "node-9")


@pytest.mark.parametrize("kind", ["kill", "stop", "pause", "cut"])
async def test_one_that_is_alone_comes_back_and_goes_on(kind: str) -> None:
    plan = msgspec.structs.replace(PLAN, instances=1, lease_ms=500)
    async with private_venue(plan) as venue:
        await venue.open()
        recovery = await venue.faults.inject(kind)
        assert recovery.who == recovery.new_leader == "node-1"
        assert recovery.recovered_ms is not None
        ended = kind in ("kill", "stop")
        assert (recovery.new_epoch > recovery.old_epoch) >= ended
        assert (recovery.exit_code is not None) == ended
        await venue.faults.heal()
        nothing_lost(venue, *await at_rest(venue))


async def test_lost_replies_change_nothing_but_what_the_traders_know(venue: DrillVenue) -> None:
    recovery = await injected(venue, "reply-lost")
    assert recovery.recovered_ms is not None
    # The leader asked what became of its commit, instead of giving up.
    assert (recovery.new_leader, recovery.new_epoch) == (recovery.old_leader, recovery.old_epoch)
    record, reckoning = await at_rest(venue)
    assert record.in_doubt > 0
    assert len(reckoning.executed) == len(record.doubts) > 0
    assert reckoning.never_arrived == []
    nothing_lost(venue, record, reckoning)


async def test_a_leader_without_a_commit_on_its_way_can_stand_still_too(
    venue: DrillVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "TRAP_SECONDS", 0.2)
    monkeypatch.setattr(faults, "RECOVERY_SECONDS", 3.0)
    record, reckoning = await at_rest(venue)
    recovery = await venue.faults.inject("pause")
    assert (recovery.commits_held, recovery.commits_refused) == (0, 0)
    # Nobody asks for anything, so there is no first commit; but there is another leader.
    assert recovery.new_leader not in ("", recovery.old_leader)
    assert recovery.recovered_ms is None
    await venue.faults.mend()
    nothing_lost(venue, record, reckoning)


async def test_a_fault_that_is_broken_off_is_mended(venue: DrillVenue) -> None:
    for kind in KINDS:
        injecting = asyncio.ensure_future(venue.faults.inject(kind))
        await asyncio.sleep(0.03)
        injecting.cancel()
        await asyncio.gather(injecting, return_exceptions=True)
        # Everybody is there again, the server and those that stood still among them.
        await venue.faults.heal()
    nothing_lost(venue, *await at_rest(venue))


async def test_an_instance_that_is_still_ending_is_waited_for(
    venue: DrillVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    signal_it = Member.signal

    def noted(self: Member, number: signal.Signals) -> None:
        signal_it(self, number)
        asked.set()

    monkeypatch.setattr(Member, "signal", noted)
    before = pids(venue)
    injecting = asyncio.ensure_future(venue.faults.inject("stop"))
    await asked.wait()
    injecting.cancel()
    await venue.faults.heal()
    after = pids(venue)
    assert len([name for name in after if after[name] != before[name]]) == 1


async def test_what_is_missing_to_full_strength_is_said(
    venue: DrillVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovery = await venue.faults.inject("kill")
    monkeypatch.setattr(venue.cluster, "start_node", lambda name: None)
    with pytest.raises(Unhealed, match=f"still {recovery.who} ended: "):
        await venue.faults.heal(0.3)


async def test_a_venue_that_nobody_leads_can_t_be_hit(
    venue: DrillVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "RECOVERY_SECONDS", 0.3)
    for member in venue.cluster.nodes.values():
        member.process.kill()
        member.wait(5)
    await eventually(venue.client.cluster, lambda status: status.leader is None)
    with pytest.raises(Unusable, match="nobody to be hit"):
        await venue.faults.inject("kill")
    monkeypatch.setattr(venue.cluster, "start_node", lambda name: None)
    with pytest.raises(Unhealed, match=r"still node-\d"):
        await venue.faults.heal(0.3)


async def test_an_unknown_fault_hits_nobody(venue: DrillVenue) -> None:
    before = pids(venue)
    with pytest.raises(ValueError, match="flood is no fault: kill, pause"):
        await venue.faults.inject("flood")
    assert pids(venue) == before


async def test_the_venue_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    for owner in (EmbeddedServer, subprocess.Popen):
        _noted(monkeypatch, owner, started)
    async with private_venue(PLAN) as venue:
        await venue.open()
        directory = venue.directory
        members = [*venue.cluster.nodes.values(), venue.cluster.traders]
        # Broken off in the middle of the worst of them.
        pausing = asyncio.ensure_future(venue.faults.inject("pause"))
        await asyncio.sleep(0.3)
        pausing.cancel()
    assert all(member is not None and not member.alive() for member in members)
    assert directory.name not in os.listdir(directory.parent)
    processes = [one for one in started if isinstance(one, subprocess.Popen)]
    assert len(processes) >= 5
    assert all(process.poll() is not None for process in processes)


def _noted(monkeypatch: pytest.MonkeyPatch, kind: Any, into: list[Any]) -> None:
    original = kind.__init__

    def noted(self: Any, *args: Any, **more: Any) -> None:
        into.append(self)
        original(self, *args, **more)

    monkeypatch.setattr(kind, "__init__", noted)
