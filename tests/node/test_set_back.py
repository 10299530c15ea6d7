"""The store at an older state than it was: noticed, said loudly, and survived."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.node import Role
from matchbox_tui.node import leader as leader_module
from matchbox_tui.store import (
    Header,
    JournalBroken,
    Outcome,
    Replica,
    Server,
    SnapshotFiles,
    Store,
    fill_message,
)
from tests.node.backups import Backup
from tests.node.set_back import (
    SHORT,
    agree,
    any_orders,
    by_a_stranger,
    said_set_back,
    submit,
    times_said,
)
from tests.node.venue import QUIET, Venue, buy, sell
from tests.store.build import match
from tests.waiting import eventually

# Noticed and said


async def test_every_instance_notices_and_all_go_on_from_what_the_store_has(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead("a", settings=QUIET)
    for name in "bc":
        venue.start(name, settings=QUIET)
    before = await submit(venue, 50)
    backup = await Backup.of(venue.link, venue.prefix)
    before += await submit(venue, 30)
    await agree(venue)
    await backup.restore()
    await eventually(times_said(caplog), lambda times: times == 3)
    assert set(said_set_back(caplog)) == {(80, 50)}
    after = await by_a_stranger(venue, 20)
    assert min(after) > max(before)
    replica = await agree(venue)
    assert replica.seq == 70
    assert await times_said(caplog)() == 3
    assert not any(instance.task.done() for instance in venue.instances.values())


@pytest.mark.parametrize("then", ["nothing happens", "an order comes"])
@pytest.mark.parametrize("epoch", ["the same", "an older one"])
async def test_a_leader_that_is_alone_notices(
    venue: Venue, caplog: pytest.LogCaptureFixture, then: str, epoch: str
) -> None:
    instance = await venue.lead("a", settings=SHORT)
    await submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 5)
    if epoch == "an older one":
        await instance.stop()
        await venue.lead("b", settings=SHORT)
        await submit(venue, 5)
    tip = (await venue.client.cluster()).seq
    await backup.restore()
    if then == "an order comes":
        await venue.client.submit([buy()])
    await eventually(times_said(caplog), lambda times: times >= 1)
    assert said_set_back(caplog) == [(tip, 10)]
    await venue.client.submit([buy()])
    await eventually(venue.client.cluster, lambda status: status.leader is not None)
    replica = await agree(venue)
    assert replica.seq == 11 + (then == "an order comes")
    epochs = [entry.epoch for entry in await venue.journal()]
    assert epochs[-1] > epochs[0]


async def test_without_the_look_at_the_tip_an_idle_leader_would_not_notice(
    venue: Venue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(*_: object) -> None:
        pass

    monkeypatch.setattr(leader_module.Leader, "_check_not_set_back", blind)
    await venue.lead("a", settings=QUIET)
    await submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 5)
    await backup.restore()
    await asyncio.sleep(1)
    assert said_set_back(caplog) == []
    # A commit then fails, but says nothing of the reason.
    await venue.client.submit([buy()])
    await agree(venue)
    assert said_set_back(caplog) == []
    assert "No longer leader" in caplog.text


async def test_an_older_state_of_the_same_length_is_another_one(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Set back, and another order came before anybody looked."""
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 1, seed=2)
    await agree(venue)
    other = await venue.restored()
    for instance in list(venue.instances.values()):
        await instance.stop()
    held = venue.instances.pop("a").node.replica
    del venue.instances["b"]
    assert held.tip == other.tip
    await backup.restore()
    await venue.link.call("DEL", venue.keys.leader)
    await venue.lead("c", settings=QUIET)
    await venue.client.submit([sell(60, 5)])
    assert await venue.handled() == 11
    # Somebody who still holds what was.
    late = venue.start("d", settings=QUIET)
    late.node.replica, late.node._void = other, False
    await eventually(times_said(caplog))
    assert said_set_back(caplog)[0] == (11, 11)
    await agree(venue)


# While nobody was there


async def test_files_that_know_more_than_the_store_tell_of_it(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    instance = await venue.lead("a", settings=QUIET)
    await submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    before = await submit(venue, 30)
    replica = await venue.restored()
    head = Header(replica.seq, replica.chain, 1, before[-1], 0)
    await SnapshotFiles(tmp_path).write(head, replica.exchange)
    await instance.stop()
    await backup.restore()
    await venue.link.call("DEL", venue.keys.leader)
    await venue.lead("b", settings=QUIET, data_dir=tmp_path)
    assert said_set_back(caplog) == [(40, 10)]
    assert min(await by_a_stranger(venue, 5)) > max(before)
    assert (await agree(venue)).seq == 15


@pytest.mark.parametrize("was", ["alive", "dead", "another of its name"])
async def test_a_lease_that_was_restored_holds_nobody_up(venue: Venue, was: str) -> None:
    """The backup says that somebody leads who has long been deposed."""
    slow = msgspec.structs.replace(QUIET, lease_ms=600_000)
    first = await venue.lead("a", settings=slow)
    venue.start("b", settings=slow)
    await submit(venue, 10)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    backup = await Backup.of(venue.link, venue.prefix)
    await first.stop()
    await venue.leads("b")
    await submit(venue, 5)
    if was != "dead":
        venue.start("a" if was == "alive" else "c", settings=slow)
        await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    else:
        del venue.instances["a"]
    await backup.restore()
    await venue.client.submit([buy()])
    assert await venue.handled() == 11
    assert (await agree(venue)).seq == 11


# What only a part of it


async def test_where_only_the_journal_is_deleted_the_venue_goes_on(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.link.call("SET", venue.keys.snapshot_turn, "nobody")
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await submit(venue, 30)
    held = await agree(venue)
    await venue.link.call("DEL", venue.keys.log)
    await venue.client.submit(any_orders(10, 2))
    await eventually(venue.client.cluster, lambda status: status.seq == 40)
    for instance in venue.instances.values():
        replica = await venue.caught_up(instance)
        assert replica.seq == 40
    # Nobody new can begin, until there is a snapshot of somebody who was there.
    with pytest.raises(JournalBroken, match="beginning is gone"):
        await venue.client.restore()
    await venue.link.call("DEL", venue.keys.snapshot_turn)
    venue.instances["b"].node._snapshotter._look_at = 0
    await venue.client.submit([buy(1, 1)])
    await eventually(venue.client.cluster, lambda status: status.seq == 41)
    await eventually(_restorable(venue))
    late = venue.start("late", settings=QUIET)
    assert (await venue.caught_up(late)).seq == 41
    assert (await agree(venue)).seq == 41 > held.seq


def _restorable(venue: Venue) -> Callable[[], Awaitable[bool]]:
    async def restorable() -> bool:
        try:
            await venue.client.restore()
        except JournalBroken:
            return False
        return True

    return restorable


async def test_the_fills_are_those_of_the_journal_afterwards(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await submit(venue, 40)
    await _published(venue)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 40, 2)
    await _published(venue)
    await backup.restore()
    await submit(venue, 40, 3)
    await agree(venue)
    assert await _published(venue) > 10


async def _published(venue: Venue) -> int:
    """Waits until `events_stream` has the journal's fills, and nothing else."""
    expected = [
        fill_message(event).trade_id.encode()
        for event in await venue.events()
        if type(event) is TradeExecuted
    ]

    async def told() -> list[bytes]:
        reply = await venue.link.call("XRANGE", venue.keys.fills_stream, "-", "+")
        return [entry_id for entry_id, _ in reply]

    await eventually(told, lambda ids: ids == expected)
    return len(expected)


# Zombies


async def test_a_leader_of_the_lost_history_commits_nothing(venue: Venue) -> None:
    """It was paused through all of it, and the store is at its place again by chance."""
    zombie = Store(Server(venue.url), venue.keys, "zombie")
    backup = await Backup.of(venue.link, venue.prefix)
    tenure = await zombie.elect(600_000)
    assert tenure is not None
    await venue.client.submit([buy(50, 10)])
    commit = match(await zombie.peek(10), Replica(), tenure.epoch)
    await backup.restore()
    await venue.client.submit([buy(51, 10)])
    outcome, _ = await zombie.commit(commit, 600_000, 10)
    assert outcome in (Outcome.FENCED, Outcome.INPUT)
    await zombie.close()
    await venue.lead("a", settings=QUIET)
    assert await venue.handled() == 1
    assert [o.price for o in (await venue.replica()).exchange.orders.values()] == [51]
    assert venue.instances["a"].node.role is Role.LEADING
