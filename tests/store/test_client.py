"""What a client sees: the journal in order, the status, the fills, the published book."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import (
    Client,
    ClusterStatus,
    Commit,
    InDoubt,
    InstanceStatus,
    JournalBroken,
    Keys,
    Link,
    Outcome,
    Replica,
    Server,
    Store,
    StoreError,
    StoreSetBack,
    Tip,
    fill_message,
)
from matchbox_tui.store import client as client_module
from matchbox_tui.store import store as store_module
from matchbox_tui.store.client import FIRST_READ, MOST_READ, READ_BYTES, next_read
from matchbox_tui.store.link import Reply
from tests.servers import OwnServer
from tests.store.build import LEASE, buy, elected, match, sell
from tests.waiting import eventually


class Leading:
    """A leader by hand: matches what is queued and commits it, when it is told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.replica = Replica()

    async def commit(self) -> None:
        epoch = self.replica.epoch
        if not epoch:
            epoch = (await elected(self.store)).epoch
        commit = match(await self.store.peek(1000), self.replica, epoch)
        book = msgspec.json.encode(self.replica.exchange.book().snapshot(100))
        commit = Commit(
            epoch, commit.before, commit.after, commit.elements, commit.blob, {"MAIN": book}
        )
        outcome, _ = await self.store.commit(commit, LEASE, 1)
        assert outcome in (Outcome.OK, Outcome.DUP)


@pytest.fixture
def leading(store: Store) -> Leading:
    return Leading(store)


async def test_following_yields_what_is_there_and_what_comes(
    client: Client, leading: Leading
) -> None:
    await client.submit([buy(50), sell(50)])
    await leading.commit()
    replica, seen = Replica(), []
    async for entry in client.follow(replica, wait_ms=50, until=6):
        seen.append(entry.seq)
        assert replica.seq == entry.seq
        if entry.seq < 6:
            await client.submit([buy(49), sell(52)])
            await leading.commit()
    assert seen == [2, 4, 6]
    assert replica.exchange.state_hash() == leading.replica.exchange.state_hash()


async def test_following_waits_at_the_tip(client: Client, leading: Leading) -> None:
    replica = Replica()
    following = asyncio.ensure_future(anext(client.follow(replica, wait_ms=20)))
    done, _ = await asyncio.wait([following], timeout=0.1)
    assert not done
    await client.submit([buy()])
    await leading.commit()
    assert (await following).seq == 1


async def test_following_until_a_place_that_was_reached_ends_at_once(
    client: Client, leading: Leading
) -> None:
    await client.submit([buy(), sell()])
    await leading.commit()
    replica = Replica()
    await client.catch_up(replica)
    assert [entry async for entry in client.follow(replica, until=2)] == []
    assert [entry async for entry in client.follow(replica, until=1)] == []


async def test_entries_start_after_the_given_place(client: Client, leading: Leading) -> None:
    for _ in range(3):
        await client.submit([buy(), buy()])
        await leading.commit()
    entries = client.entries(2)
    assert [(await anext(entries)).seq, (await anext(entries)).seq] == [4, 6]
    await entries.aclose()  # type: ignore[attr-defined]


async def test_catching_up_ends_at_the_tip(client: Client, leading: Leading) -> None:
    replica = Replica()
    await client.catch_up(replica)
    assert replica.seq == 0
    for _ in range(3):
        await client.submit([buy()] * 300)
        await leading.commit()
    await client.catch_up(replica)
    assert replica.tip == leading.replica.tip
    await client.catch_up(replica)
    assert replica.seq == 900


async def test_following_goes_on_after_a_restart_with_nothing_missed_or_doubled(
    tmp_path: Path,
) -> None:
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        leading = Leading(Store(Server(server.url), Keys(), "a"))
        replica: Replica = Replica()
        seen: list[int] = []
        lost = asyncio.Event()

        async def follow() -> None:
            while replica.seq < 30:
                try:
                    async for entry in client.follow(replica, wait_ms=50, until=30):
                        seen.append(entry.seq)  # noqa: PERF401  # it ends with an error
                except StoreError:
                    lost.set()
                    await asyncio.sleep(0.01)

        following = asyncio.ensure_future(follow())
        for n in range(1, 31):
            await client.submit([buy(n)])
            await leading.commit()
            if n in (10, 20):
                server.stop()
                lost.clear()
                await lost.wait()
                server.start()
        await following
        assert seen == list(range(1, 31))
        assert replica.tip == leading.replica.tip
        await client.close()
        await leading.store.close()


async def test_the_cluster_of_an_untouched_venue_is_empty(client: Client) -> None:
    assert await client.cluster() == ClusterStatus(None, 0, 0, 0, ())


async def test_the_cluster_shows_leader_tip_queue_and_instances(
    client: Client, leading: Leading, rival: Store
) -> None:
    await client.submit([buy(), sell()])
    await leading.commit()
    await client.submit([buy()])
    await rival.heartbeat("follower", 1, 12, "host b", 1, 34, LEASE)
    await leading.store.heartbeat("leading", 1, 11, "host", 2, 33, LEASE)
    status = await client.cluster()
    assert (status.leader, status.epoch, status.seq, status.queue_depth) == ("a", 1, 2, 1)
    one, other = (
        msgspec.structs.replace(instance, connection=0, heard_ms=0) for instance in status.instances
    )
    assert one == InstanceStatus("a", "leading", 1, 11, "host", 2, 0, 33)
    assert other == InstanceStatus("b", "follower", 1, 12, "host b", 1, 0, 34)
    await rival.depart()
    assert [instance.id for instance in (await client.cluster()).instances] == ["a"]


async def test_the_cluster_tells_how_long_ago_an_instance_beat(
    client: Client, leading: Leading, link: Link
) -> None:
    await leading.store.heartbeat("leading", 1, 11, "host", 2, 33, 60_000)
    (fresh,) = (await client.cluster()).instances
    assert fresh.heard_ms < 30_000
    # As it will be 50 seconds from now.
    await link.call("PEXPIRE", leading.store.keys.instance("a"), 10_000)
    (old,) = (await client.cluster()).instances
    assert 50_000 <= old.heard_ms <= 60_000


async def test_a_heartbeat_written_by_another_version_is_shown_as_far_as_it_goes(
    client: Client, link: Link, keys: Keys
) -> None:
    await link.call("ZADD", keys.instances, 1, "old", 2, "gone")
    await link.call("HSET", keys.instance("old"), "role", b"\xff", "pid", "many", "new", "field")
    (instance,) = (await client.cluster()).instances
    assert (instance.id, instance.pid, instance.seq) == ("old", 0, 0)


async def test_the_published_book_is_the_replica_s(client: Client, leading: Leading) -> None:
    assert await client.published_book("MAIN") is None
    await client.submit([buy(49, 3), buy(50, 4), sell(52, 5), sell(50, 1)])
    await leading.commit()
    replica = Replica()
    await client.catch_up(replica)
    published = await client.published_book("MAIN")
    assert published == replica.exchange.book().snapshot()
    assert published is not None
    assert [(level.price, level.qty) for level in published.bids] == [(50, 3), (49, 3)]
    assert await client.published_book("NONE") is None


async def test_recent_fills_are_the_last_ones_oldest_first(
    client: Client, leading: Leading
) -> None:
    assert await client.recent_fills(5) == []
    assert await client.count_fills() == 0
    await client.submit([sell(50, 3)] * 4 + [buy(50, 12)])
    await leading.commit()
    (entry,) = await leading.store.read(0, 1)
    trades = [event for event in entry.events if isinstance(event, TradeExecuted)]
    assert len(trades) == 4
    fills = [(trade.seq, trade.n, fill_message(trade)) for trade in trades]
    assert await leading.store.publish(Tip(entry.seq, entry.chain), (0, -1), fills)
    assert await client.recent_fills(3) == [fill for _, _, fill in fills[1:]]
    assert await client.recent_fills(100) == [fill for _, _, fill in fills]
    assert await client.count_fills() == 4


async def test_a_client_that_lost_its_server_says_so_and_comes_back(tmp_path: Path) -> None:
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        following = asyncio.ensure_future(anext(client.follow(Replica(), wait_ms=60_000)))

        async def blocked() -> bool:
            return b"blocked_clients:1" in await client._asking.call("INFO", "clients")

        await eventually(blocked)
        server.stop()
        with pytest.raises(InDoubt):
            await following
        with pytest.raises(StoreError):
            await client.cluster()
        server.start()
        assert (await client.cluster()).seq == 0
        await client.close()


async def two_commits(client: Client, leading: Leading, link: Link, keys: Keys) -> dict[str, str]:
    """A journal of two commits; returns the cursor as it stood after the first."""
    await client.submit([buy()])
    await leading.commit()
    flat = await link.call("HGETALL", keys.cursor)
    await client.submit([buy(49)])
    await leading.commit()
    return {key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)}


@pytest.mark.parametrize("read", [0, 1])
async def test_catching_up_with_a_store_that_is_set_back_meanwhile(
    client: Client,
    leading: Leading,
    link: Link,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    read: int,
) -> None:
    before = await two_commits(client, leading, link, keys)
    replica = Replica()
    async for _ in client.follow(replica, until=read):
        pass
    look = client.cluster

    async def looked_too_early() -> ClusterStatus:
        status = await look()
        await link.call("XDEL", keys.log, "2-0")
        await link.call("HSET", keys.cursor, *(word for pair in before.items() for word in pair))
        return status

    monkeypatch.setattr(client, "cluster", looked_too_early)
    async with asyncio.timeout(10):
        with pytest.raises(StoreSetBack, match="from 2 to 1"):
            await client.catch_up(replica)
    assert replica.seq == 1


async def test_following_notices_a_store_that_was_set_back_and_grew_again_just_as_far(
    client: Client, leading: Leading, link: Link, keys: Keys
) -> None:
    await two_commits(client, leading, link, keys)
    replica = Replica()
    async for _ in client.follow(replica, until=2):
        pass
    await link.call("HSET", keys.cursor, "chain", "f" * 32)
    async with asyncio.timeout(10):
        with pytest.raises(StoreSetBack, match="another journal up to 2"):
            async for _ in client.follow(replica, wait_ms=1):
                pass


async def test_catching_up_with_a_journal_that_lost_its_end(
    client: Client, leading: Leading, link: Link, keys: Keys
) -> None:
    await two_commits(client, leading, link, keys)
    await link.call("XDEL", keys.log, "2-0")
    async with asyncio.timeout(10):
        with pytest.raises(JournalBroken, match="has nothing after 1, up to 2"):
            await client.catch_up(Replica())


async def test_catching_up_takes_what_is_there(client: Client, leading: Leading) -> None:
    replica = Replica()
    await client.catch_up(replica)
    assert replica.seq == 0
    for _ in range(300):
        await client.submit([buy(), sell()])
        await leading.commit()
    await client.catch_up(replica)
    assert replica.tip == leading.replica.tip
    assert replica.seq == 600


@pytest.mark.parametrize(
    ("size", "limit", "count", "then"),
    [
        # There is more: twice as many, up to a bound.
        (200, FIRST_READ, FIRST_READ, 2 * FIRST_READ),
        (200, MOST_READ, MOST_READ, MOST_READ),
        # There was no more: whoever is held up now finds others than those.
        (200, MOST_READ, MOST_READ - 1, FIRST_READ),
        (0, MOST_READ, 0, FIRST_READ),
        # Those of a venue under load: as many as make up the bytes.
        (READ_BYTES // 40, 32, 32, 40),
        (READ_BYTES // 40, 64, 64, 40),
        (2 * READ_BYTES, 8, 8, 1),
        (2 * READ_BYTES, 8, 1, 1),
    ],
)
def test_of_big_entries_fewer_are_read_at_once(
    size: int, limit: int, count: int, then: int
) -> None:
    entry = [b"", [b"b", b"x" * (size - 1)]]
    assert next_read([entry] * count, limit) == then


async def test_a_reader_that_is_held_up_takes_a_bounded_piece_of_the_journal_at_a_time(
    client: Client, leading: Leading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commits before were of one order each; those that it finds have hundreds."""
    taken: list[int] = []
    read = store_module.read_unparsed

    async def noted(link: Link, keys: Keys, after: int, limit: int, wait_ms: int) -> list[Reply]:
        replies = await read(link, keys, after, limit, wait_ms)
        taken.append(sum(len(value) for _, fields in replies for value in fields))
        return replies

    monkeypatch.setattr(client_module, "read_unparsed", noted)
    replica = Replica()
    following = client.follow(replica)
    for _ in range(60):
        await client.submit([buy()])
        await leading.commit()
    while replica.seq < 60:
        await anext(following)
    small = len(taken)
    for _ in range(60):
        await client.submit([buy()] * 400)
        await leading.commit()
    while replica.seq < leading.replica.seq:
        await anext(following)
    assert sum(taken[small:]) > 3 * READ_BYTES
    assert max(taken) < 1.2 * READ_BYTES
