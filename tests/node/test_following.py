"""Standbys are warm, one instance leads, and who takes over goes on where the other stopped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from matchbox_tui.engine import NewOrder
from matchbox_tui.node import Role, Settings, follower, recovery
from matchbox_tui.store import Entry, Server, Store
from tests.node.venue import PATIENT, Venue, buy, sell
from tests.waiting import eventually


def _mixed(count: int) -> list[NewOrder]:
    return [
        (buy if n % 3 else sell)(45 + n * 7 % 11, 1 + n % 5, trader=f"t{n % 4}")
        for n in range(count)
    ]


async def test_a_follower_holds_what_the_leader_holds(venue: Venue) -> None:
    leader = await venue.lead("a")
    followers = [venue.start("b"), venue.start("c")]
    for _ in range(10):
        await venue.client.submit(_mixed(60))
    assert await venue.handled() == 600
    expected = (await venue.replica()).exchange.state_hash()
    for instance in (leader, *followers):
        replica = await venue.caught_up(instance)
        assert (replica.seq, replica.exchange.state_hash()) == (600, expected)
    assert [one.node.role for one in followers] == [Role.FOLLOWER, Role.FOLLOWER]


async def test_an_instance_that_joins_late_catches_up(venue: Venue) -> None:
    await venue.lead("a")
    for _ in range(5):
        await venue.client.submit(_mixed(200))
    await venue.handled()
    late = venue.start("late")
    replica = await venue.caught_up(late)
    assert replica.exchange.state_hash() == (await venue.replica()).exchange.state_hash()


async def test_a_follower_that_was_held_up_decodes_a_few_commits_at_a_time(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes while it stands still may be much bigger than what came before."""
    monkeypatch.setattr(recovery, "COMMANDS_AT_ONCE", 100)
    await venue.lead("a")
    held_up = venue.start("b")
    gate, tail = asyncio.Event(), held_up.node.store.tail
    gate.set()
    decoded: list[int] = []

    async def noted(after: int, limit: int, wait_ms: int) -> list[Entry]:
        await gate.wait()
        entries = await tail(after, limit, wait_ms)
        decoded.append(sum(entry.count for entry in entries))
        return entries

    monkeypatch.setattr(held_up.node.store, "tail", noted)
    for _ in range(10):
        await venue.client.submit(_mixed(1))
        await venue.handled()
    await venue.caught_up(held_up)
    gate.clear()
    for _ in range(60):
        await venue.client.submit(_mixed(40))
        await venue.handled()
    decoded.clear()
    gate.set()
    await venue.caught_up(held_up)
    assert sum(decoded) >= 59 * 40
    # The first read does not know yet; a wait that began before the gate closed may be one more.
    assert max(decoded) <= recovery.FIRST_READ * 40
    assert sorted(decoded)[-3] <= 200


async def test_who_has_nothing_to_do_looks_less_often(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "QUIET_SECONDS", 0.2)
    pauses: list[float] = []
    pause = follower._pause

    async def noted(seconds: float, stopping: asyncio.Event) -> None:
        pauses.append(seconds)
        await pause(seconds, stopping)

    async def seen() -> set[float]:
        found = set(pauses)
        pauses.clear()
        return found

    monkeypatch.setattr(follower, "_pause", noted)
    poll_s = PATIENT.poll_ms / 1000
    rare_s = follower.QUIET_POLLS * poll_s
    assert rare_s > poll_s
    await venue.lead("a")
    venue.start("b")
    await eventually(seen, lambda found: found == {rare_s})
    await venue.client.submit([buy(50, 1)])
    await eventually(seen, lambda found: poll_s in found)
    await eventually(seen, lambda found: found == {rare_s})


async def test_one_of_many_leads_at_a_time(venue: Venue) -> None:
    for name in "abcde":
        venue.start(name)
    name = await venue.leader()
    status = await eventually(
        venue.client.cluster, lambda status: [one.role for one in status.instances] == _roles(name)
    )
    assert status.leader == name
    assert status.epoch == 1
    assert await venue.link.call("GET", venue.keys.leader) == name.encode()


def _roles(leader: str) -> list[str]:
    return ["leading" if name == leader else "follower" for name in "abcde"]


async def test_the_next_one_takes_over_when_the_leader_stops(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.node.node")
    await venue.lead("a")
    venue.start("b")
    await venue.client.submit([buy(50, 10)])
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.leads("b")
    await venue.client.submit([sell(50, 4)])
    assert await venue.handled() == 2
    entries = await venue.journal()
    assert [entry.epoch for entry in entries] == [1, 2]
    book = await venue.client.published_book("MAIN")
    assert book is not None
    assert [(level.price, level.qty) for level in book.bids] == [(50, 6)]
    said = [record.getMessage() for record in caplog.records if "Became" in record.message]
    assert said == ["Became engine leader: a, epoch 1", "Became engine leader: b, epoch 2"]


async def test_the_lead_goes_round_and_the_journal_stays_whole(venue: Venue) -> None:
    acknowledged: list[int] = []
    for name in "abcdef":
        venue.start(name)
    for _ in range(5):
        name = await venue.leader()
        acknowledged += await venue.client.submit(_mixed(50))
        await venue.instances.pop(name).stop()
    acknowledged += await venue.client.submit(_mixed(50))
    await venue.handled()
    entries = await venue.journal()
    accepted = [
        event.order_id  # type: ignore[union-attr]
        for entry in entries
        for event in entry.events
        if type(event).__name__ == "OrderAccepted"
    ]
    assert accepted == acknowledged == list(range(1, 301))
    epochs = [entry.epoch for entry in entries]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 6


async def test_a_lease_that_is_not_renewed_passes_to_the_next(venue: Venue) -> None:
    stranger = Store(Server(venue.url), venue.keys, "hung")
    assert await stranger.elect(300) is not None
    # Connected all the while, so that only its lease can tell.
    await stranger.heartbeat("leading", 1, 1, "host", 0, 0, 60_000)
    venue.start("b")
    await venue.leads("b")
    assert venue.instances["b"].node.epoch == 2
    assert not await stranger.renew(1, 300)
    await stranger.close()


async def test_a_leader_whose_connection_is_gone_is_followed_before_its_lease_ends(
    venue: Venue,
) -> None:
    dead = Store(Server(venue.url), venue.keys, "dead")
    assert await dead.elect(600_000) is not None
    await dead.heartbeat("leading", 1, 1, "host", 0, 0, 600_000)
    venue.start("b")
    # It has to see the leader alive once, to know which connection to watch.
    await eventually(_sees(venue, "b"))
    await dead.close()
    await venue.leads("b")


def _sees(venue: Venue, name: str) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return venue.instances[name].node.store._leader_connection is not None

    return seen


async def test_a_deposed_leader_becomes_a_follower_and_holds_the_new_journal(
    venue: Venue,
) -> None:
    instance = await venue.lead("a")
    await venue.client.submit([buy(50, 10)])
    await venue.handled()
    usurper = Store(Server(venue.url), venue.keys, "u")
    assert await usurper.usurp(1, 60_000) is not None
    await venue.client.submit([buy(51, 10)])
    await eventually(_role(venue, "a"), lambda role: role is Role.FOLLOWER)
    assert (await venue.client.cluster()).queue_depth == 1
    await usurper.release(2)
    await venue.leads("a")
    assert await venue.handled() == 2
    assert [entry.epoch for entry in await venue.journal()] == [1, 3]
    assert (await venue.caught_up(instance)).tip == (await venue.replica()).tip
    await usurper.close()


def _role(venue: Venue, name: str) -> Callable[[], Awaitable[Role]]:
    async def role() -> Role:
        return venue.instances[name].node.role

    return role


async def test_several_that_believe_to_lead_leave_an_exact_journal(venue: Venue) -> None:
    """Whoever leads is deposed again and again, under load and without a fault of its own."""
    for name in "abc":
        venue.start(name)
    usurper = Store(Server(venue.url), venue.keys, "u")
    acknowledged: list[int] = []
    for _ in range(15):
        await venue.leader()
        acknowledged += await venue.client.submit(_mixed(40))
        epoch = (await venue.client.cluster()).epoch
        tenure = await usurper.usurp(epoch, 60_000)
        acknowledged += await venue.client.submit(_mixed(40))
        if tenure is not None:
            await usurper.release(tenure.epoch)
    await venue.handled()
    replica = await venue.replica()
    assert replica.seq == len(acknowledged) == 1200
    for instance in venue.instances.values():
        assert (await venue.caught_up(instance)).exchange.state_hash() == (
            replica.exchange.state_hash()
        )
    await usurper.close()


@pytest.mark.parametrize(
    "times", [(99, 50, 20), (600_001, 500, 20), (2000, 1001, 20), (2000, 9, 20), (2000, 500, 0)]
)
def test_times_that_could_not_work_are_refused(times: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"MATCHBOX_.*_MS must be between"):
        Settings(*times)


async def test_the_heartbeat_tells_role_epoch_and_place_and_goes_with_the_instance(
    venue: Venue,
) -> None:
    await venue.lead("a")
    venue.start("b")
    await venue.client.submit([buy()])
    status = await eventually(
        venue.client.cluster,
        lambda status: (
            [(one.role, one.seq) for one in status.instances] == [("leading", 1), ("follower", 1)]
        ),
    )
    assert all(one.pid > 0 and one.host and one.connection for one in status.instances)
    assert status.instances[0].epoch == 1
    await venue.instances["a"].stop()
    await venue.leads("b")
    status = await eventually(
        venue.client.cluster, lambda status: [one.role for one in status.instances] == ["leading"]
    )
    await venue.instances["b"].stop()
    status = await venue.client.cluster()
    assert (status.leader, status.instances) == (None, ())


async def test_stopping_an_idle_instance_ends_it_at_once(venue: Venue) -> None:
    await venue.lead("a")
    venue.start("b")
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    async with asyncio.timeout(20):
        await venue.instances["b"].stop()
        await venue.instances["a"].stop()


async def test_stopping_under_load_leaves_each_order_committed_or_queued(venue: Venue) -> None:
    await venue.lead("a")
    stopping = asyncio.Event()
    acknowledged: list[int] = []

    async def submit() -> None:
        while not stopping.is_set():
            acknowledged.extend(await venue.client.submit(_mixed(50)))

    load = asyncio.ensure_future(submit())
    await eventually(venue.client.cluster, lambda status: status.seq > 500)
    async with asyncio.timeout(20):
        await venue.instances["a"].stop()
    stopping.set()
    await load
    status = await venue.client.cluster()
    assert status.leader is None
    assert status.seq + status.queue_depth == len(acknowledged)
    await venue.lead("b")
    assert await venue.handled() == len(acknowledged)
    assert len((await venue.replica()).exchange.orders) > 0


async def test_an_instance_stopped_at_any_moment_of_its_start_ends(venue: Venue) -> None:
    await venue.client.submit(_mixed(200))
    for steps in range(0, 120, 5):
        instance = venue.start(f"n{steps}")
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await instance.stop()
    status = await venue.client.cluster()
    assert (status.leader, status.instances) == (None, ())
    assert status.seq + status.queue_depth == 200


async def test_a_leader_put_there_by_hand_does_not_block_the_venue(venue: Venue) -> None:
    await venue.link.call("SET", venue.keys.leader, "somebody")
    await venue.lead("a")
    await venue.client.submit([buy()])
    await venue.handled()
    await venue.link.call("SET", venue.keys.leader, "somebody")
    await venue.client.submit([buy()])
    await venue.handled()
    assert len((await venue.replica()).exchange.orders) == 2
