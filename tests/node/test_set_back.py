"""The store at an older state than it was: noticed, said loudly, and survived."""

import asyncio
import logging
import operator
import random
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import Market, NewOrder, OrderAccepted, Side, TradeExecuted
from matchbox_tui.node import Role
from matchbox_tui.node import leader as leader_module
from matchbox_tui.store import (
    Client,
    Header,
    JournalBroken,
    Outcome,
    Replica,
    Server,
    SnapshotFiles,
    Store,
    StoreSetBack,
    fill_message,
)
from matchbox_tui.tui.feed import Feed
from matchbox_tui.tui.model import Link as FeedLink
from sim import TradingFloor
from tests.node.backups import Backup
from tests.node.venue import QUIET, Venue, buy, order, sell
from tests.servers import OwnServer
from tests.store.build import match
from tests.waiting import eventually

SHORT = msgspec.structs.replace(QUIET, lease_ms=1000)
"""Where a lease of the restored past has to run out."""


def _orders(count: int, seed: int = 1) -> list[NewOrder]:
    chance = random.Random(seed)
    return [
        order(chance.randint(45, 55), chance.randint(1, 9), chance.choice(list(Side)))
        for _ in range(count)
    ]


async def _agree(venue: Venue) -> Replica:
    """Waits until every instance that runs holds what the journal says."""
    await venue.handled()
    expected = await venue.restored()
    for instance in venue.instances.values():
        if not instance.task.done():
            node = instance.node
            await eventually(_hash(node), lambda seen: seen == expected.exchange.state_hash())
    return expected


def _hash(node: object) -> Callable[[], Awaitable[str]]:
    async def state_hash() -> str:
        return node.replica.exchange.state_hash()  # type: ignore[attr-defined,no-any-return]

    return state_hash


def _said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, int]]:
    """The two sequences of each time that it was said, loudly."""
    found = [
        re.search(
            r"THE STORE WAS SET BACK: .*\b(\d+), the store has .*? up to (\d+)", record.message
        )
        for record in caplog.records
        if record.levelno == logging.ERROR
    ]
    return [(int(one[1]), int(one[2])) for one in found if one]


def _times_said(caplog: pytest.LogCaptureFixture) -> Callable[[], Awaitable[int]]:
    async def times() -> int:
        return len(_said(caplog))

    return times


async def _submit(venue: Venue, count: int, seed: int = 1) -> list[int]:
    ids = await venue.client.submit(_orders(count, seed))
    await venue.handled()
    return ids


async def _by_a_stranger(venue: Venue, count: int) -> list[int]:
    """Ids that a client gets which has never had any before."""
    stranger = await Client.connect(venue.url, venue.prefix)
    try:
        return await stranger.submit(_orders(count))
    finally:
        await stranger.close()


def _knows(venue: Venue, name: str, order_id: int) -> Callable[[], Awaitable[bool]]:
    async def known() -> bool:
        return venue.instances[name].node.store.highest_id >= order_id

    return known


# Noticed and said


async def test_every_instance_notices_and_all_go_on_from_what_the_store_has(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead("a", settings=QUIET)
    for name in "bc":
        venue.start(name, settings=QUIET)
    before = await _submit(venue, 50)
    backup = await Backup.of(venue.link, venue.prefix)
    before += await _submit(venue, 30)
    await _agree(venue)
    await backup.restore()
    await eventually(_times_said(caplog), lambda times: times == 3)
    assert set(_said(caplog)) == {(80, 50)}
    after = await _by_a_stranger(venue, 20)
    assert min(after) > max(before)
    replica = await _agree(venue)
    assert replica.seq == 70
    assert await _times_said(caplog)() == 3
    assert not any(instance.task.done() for instance in venue.instances.values())


@pytest.mark.parametrize("then", ["nothing happens", "an order comes"])
@pytest.mark.parametrize("epoch", ["the same", "an older one"])
async def test_a_leader_that_is_alone_notices(
    venue: Venue, caplog: pytest.LogCaptureFixture, then: str, epoch: str
) -> None:
    instance = await venue.lead("a", settings=SHORT)
    await _submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 5)
    if epoch == "an older one":
        await instance.stop()
        await venue.lead("b", settings=SHORT)
        await _submit(venue, 5)
    tip = (await venue.client.cluster()).seq
    await backup.restore()
    if then == "an order comes":
        await venue.client.submit([buy()])
    await eventually(_times_said(caplog), lambda times: times >= 1)
    assert _said(caplog) == [(tip, 10)]
    await venue.client.submit([buy()])
    await eventually(venue.client.cluster, lambda status: status.leader is not None)
    replica = await _agree(venue)
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
    await _submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 5)
    await backup.restore()
    await asyncio.sleep(1)
    assert _said(caplog) == []
    # A commit then fails, but says nothing of the reason.
    await venue.client.submit([buy()])
    await _agree(venue)
    assert _said(caplog) == []
    assert "No longer leader" in caplog.text


async def test_an_older_state_of_the_same_length_is_another_one(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Set back, and another order came before anybody looked."""
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await _submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 1, seed=2)
    await _agree(venue)
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
    await eventually(_times_said(caplog))
    assert _said(caplog)[0] == (11, 11)
    await _agree(venue)


# Ids and epochs


async def test_ids_that_were_given_but_not_yet_journaled_are_not_given_again(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    before = await _submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    gate, commit = asyncio.Event(), Store.commit

    async def held(self: Store, *args: object) -> object:
        await gate.wait()
        return await commit(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "commit", held)
    before += await venue.client.submit(_orders(40))
    await eventually(_knows(venue, "b", before[-1]))
    await backup.restore()
    gate.set()
    await eventually(_counter(venue), lambda counter: counter > before[-1])
    after = await _by_a_stranger(venue, 10)
    assert min(after) > max(before)
    await _agree(venue)


def _counter(venue: Venue) -> Callable[[], Awaitable[int]]:
    async def counter() -> int:
        return int(await venue.link.call("GET", venue.keys.order_id) or 0)

    return counter


async def test_a_client_gets_no_id_twice_even_before_any_instance_has_looked(
    venue: Venue,
) -> None:
    backup = await Backup.of(venue.link, venue.prefix)
    seen: set[int] = set()
    for _ in range(3):
        ids = await venue.client.submit(_orders(10))
        assert not seen & set(ids)
        seen |= set(ids)
        await backup.restore()
    await venue.lead("a", settings=QUIET)
    assert not seen & set(await venue.client.submit(_orders(10)))


@pytest.mark.parametrize("times", [3])
async def test_set_back_again_and_again_no_id_is_given_twice_and_epochs_rise(
    venue: Venue, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abc":
        venue.start(name, settings=SHORT)
    await venue.leader()
    given = await _submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    epochs = [(await venue.client.cluster()).epoch]
    for round_ in range(times):
        given += await _submit(venue, 10, round_)
        leader = await venue.leader()
        await venue.instances.pop(leader).crash()
        venue.start(f"{leader}{round_}", settings=SHORT)
        await venue.leader()
        await _agree(venue)
        said = len(_said(caplog))
        await backup.restore()
        await eventually(_times_said(caplog), partial(operator.le, said + 3))
        given += await _by_a_stranger(venue, 5)
        await eventually(venue.client.cluster, lambda status: status.queue_depth == 0)
        await _agree(venue)
        epochs.append((await venue.client.cluster()).epoch)
    assert len(set(given)) == len(given)
    assert epochs == sorted(set(epochs))


@pytest.mark.parametrize("what", ["deleted", "set to an older value"])
async def test_a_counter_that_fell_goes_on_above_all_ids_that_were_seen(
    venue: Venue, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    before = await _submit(venue, 30)
    await eventually(_knows(venue, "b", 30))
    if what == "deleted":
        await venue.link.call("DEL", venue.keys.order_id)
    else:
        await venue.link.call("SET", venue.keys.order_id, 5)
    await eventually(_counter(venue), lambda counter: counter > 30)
    assert min(await _by_a_stranger(venue, 10)) > max(before)
    fell = 0 if what == "deleted" else 5
    assert f"The order id counter was set back from 30 to {fell}" in caplog.text
    # The journal is as it was.
    assert _said(caplog) == []
    await _agree(venue)


async def test_a_lost_counter_is_known_from_the_snapshot_where_nobody_was_there(
    venue: Venue,
) -> None:
    instance = await venue.lead("a", settings=QUIET)
    before = await _submit(venue, 30)
    await venue.snapshot()
    await instance.stop()
    await venue.link.call("DEL", venue.keys.order_id)
    await venue.lead("b", settings=QUIET)
    assert min(await _by_a_stranger(venue, 10)) > max(before)


# While nobody was there


async def test_files_that_know_more_than_the_store_tell_of_it(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    instance = await venue.lead("a", settings=QUIET)
    await _submit(venue, 10)
    backup = await Backup.of(venue.link, venue.prefix)
    before = await _submit(venue, 30)
    replica = await venue.restored()
    head = Header(replica.seq, replica.chain, 1, before[-1], 0)
    await SnapshotFiles(tmp_path).write(head, replica.exchange)
    await instance.stop()
    await backup.restore()
    await venue.link.call("DEL", venue.keys.leader)
    await venue.lead("b", settings=QUIET, data_dir=tmp_path)
    assert _said(caplog) == [(40, 10)]
    assert min(await _by_a_stranger(venue, 5)) > max(before)
    assert (await _agree(venue)).seq == 15


@pytest.mark.parametrize("was", ["alive", "dead", "another of its name"])
async def test_a_lease_that_was_restored_holds_nobody_up(venue: Venue, was: str) -> None:
    """The backup says that somebody leads who has long been deposed."""
    slow = msgspec.structs.replace(QUIET, lease_ms=600_000)
    first = await venue.lead("a", settings=slow)
    venue.start("b", settings=slow)
    await _submit(venue, 10)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    backup = await Backup.of(venue.link, venue.prefix)
    await first.stop()
    await venue.leads("b")
    await _submit(venue, 5)
    if was != "dead":
        venue.start("a" if was == "alive" else "c", settings=slow)
        await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    else:
        del venue.instances["a"]
    await backup.restore()
    await venue.client.submit([buy()])
    assert await venue.handled() == 11
    assert (await _agree(venue)).seq == 11


# What only a part of it


async def test_where_only_the_journal_is_deleted_the_venue_goes_on(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.link.call("SET", venue.keys.snapshot_turn, "nobody")
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await _submit(venue, 30)
    held = await _agree(venue)
    await venue.link.call("DEL", venue.keys.log)
    await venue.client.submit(_orders(10, 2))
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
    assert (await _agree(venue)).seq == 41 > held.seq


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
    await _submit(venue, 40)
    await _published(venue)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 40, 2)
    await _published(venue)
    await backup.restore()
    await _submit(venue, 40, 3)
    await _agree(venue)
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


# The whole server


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[tuple[OwnServer, Venue]]:
    """A venue with a server of its own."""
    (tmp_path / "server").mkdir()
    with OwnServer(tmp_path / "server") as server:
        client = await Client.connect(server.url)
        link = Server(server.url).link()
        opened = Venue(server.url, "", client, link)
        yield server, opened
        await opened.stop()
        await client.close()
        await link.close()


async def test_a_flushed_server_begins_anew_with_new_ids(
    alone: tuple[OwnServer, Venue], caplog: pytest.LogCaptureFixture
) -> None:
    _, venue = alone
    await venue.lead("a", settings=QUIET, markets=(Market.prediction("RAIN"),))
    venue.start("b", settings=QUIET)
    before = await _submit(venue, 30)
    await _agree(venue)
    epoch = (await venue.client.cluster()).epoch
    await venue.link.call("FLUSHALL")
    await eventually(_times_said(caplog), lambda times: times >= 2)
    assert set(_said(caplog)) == {(31, 0)}
    after = await _by_a_stranger(venue, 10)
    assert min(after) > max(before)
    await eventually(venue.client.cluster, lambda status: status.leader is not None)
    replica = await _agree(venue)
    assert replica.seq in (10, 11)
    ids = [e.order_id for e in await venue.events() if type(e) is OrderAccepted]
    assert ids == after
    assert (await venue.client.cluster()).epoch > epoch


async def test_a_server_on_an_older_copy_of_its_data_is_noticed_and_survived(
    alone: tuple[OwnServer, Venue], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server, venue = alone
    await venue.lead("a", settings=SHORT)
    venue.start("b", settings=SHORT)
    before = await _submit(venue, 30)
    await _agree(venue)
    data = server.directory / "appendonlydir"
    server.stop()
    shutil.copytree(data, tmp_path / "copy")
    server.start()
    before += await _when_back(venue, 20)
    await _agree(venue)
    tip = (await venue.client.cluster()).seq
    server.stop()
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "copy", data)
    server.start()
    await eventually(_times_said(caplog), lambda times: times >= 2)
    assert set(_said(caplog)) == {(tip, 30)}
    stranger = await _by_a_stranger(venue, 10)
    after = await _when_back(venue, 10)
    assert not set(before) & set(stranger) & set(after)
    assert min(*stranger, *after) > max(before)
    assert (await _agree(venue)).seq >= 50
    epochs = [entry.epoch for entry in await venue.journal()]
    assert epochs == sorted(epochs)


async def _when_back(venue: Venue, count: int) -> list[int]:
    """Ids of orders that are submitted as soon as the server answers."""
    link = Server(venue.url).link()
    await eventually(_answers(link))
    await link.close()
    await eventually(_answers(venue.link))
    client = await Client.connect(venue.url)
    await venue.client.close()
    venue.client = client
    ids = await client.submit(_orders(count))
    await eventually(client.cluster, lambda status: status.queue_depth == 0)
    return ids


def _answers(link: object) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        try:
            return bool(await link.call("PING"))  # type: ignore[attr-defined]
        except Exception:
            return False

    return answers


# Whoever looks on


async def test_a_reader_is_told_and_goes_on_with_what_is_there(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET)
    await _submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 10)
    replica = await venue.restored()
    await backup.restore()
    with pytest.raises(StoreSetBack, match="set back from 30 to 20"):
        await _follow(venue, replica)
    await venue.client.submit(_orders(5))
    assert (await _agree(venue)).seq == 25


async def test_a_reader_that_looks_only_when_the_new_history_is_longer_is_told_as_well(
    venue: Venue,
) -> None:
    await venue.lead("a", settings=QUIET)
    await _submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 10)
    replica = await venue.restored()
    await backup.restore()
    for n in range(3):
        await venue.client.submit(_orders(10, n))
        await _agree(venue)
    with pytest.raises(JournalBroken):
        await _follow(venue, replica)


async def _follow(venue: Venue, replica: Replica) -> None:
    async with asyncio.timeout(30):
        async for _ in venue.client.follow(replica):
            pass


async def test_traders_trade_on(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET, markets=(Market.prediction("RAIN"),))
    venue.start("b", settings=QUIET)
    floor = TradingFloor(venue.client, traders=5, rate=300, seed=1, markets=("RAIN",))
    trading = asyncio.ensure_future(floor.run())
    await eventually(venue.client.cluster, lambda status: status.seq > 100)
    backup = await Backup.of(venue.link, venue.prefix)
    tip = (await venue.client.cluster()).seq
    for _ in range(2):
        await eventually(venue.client.cluster, lambda status: status.seq > tip + 150)
        await backup.restore()
    await eventually(venue.client.cluster, lambda status: status.seq > tip + 150)
    assert not trading.done()
    floor.stop()
    record = await trading
    ids = [n for first, last in record.order_ids for n in range(first, last + 1)]
    assert len(set(ids)) == len(ids)
    await eventually(venue.client.cluster, lambda status: status.queue_depth == 0)
    await _agree(venue)


async def test_the_screen_s_feed_says_so_and_shows_what_is_there(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET)
    await _submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await _submit(venue, 10)
    feed = Feed.of(venue.url, venue.prefix, "me", lambda: 0)
    running = [asyncio.ensure_future(feed.run()), asyncio.ensure_future(feed.watch())]

    async def shown() -> tuple[int, FeedLink]:
        return feed.replica.seq, feed.model.link

    await eventually(shown, lambda seen: seen == (30, FeedLink.LIVE))
    await backup.restore()
    await eventually(shown, lambda seen: seen[0] == 20)
    await venue.client.submit(_orders(5))
    replica = await _agree(venue)
    await eventually(shown, lambda seen: seen == (25, FeedLink.LIVE))
    assert feed.replica.exchange.state_hash() == replica.exchange.state_hash()
    assert any("set back from 30 to 20" in notice.words for notice in feed.model.notices)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await feed.close()


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
