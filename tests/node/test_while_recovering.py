"""While an instance recovers: it can be stopped, its heart beats, and the venue moves on."""

import asyncio
import signal
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import dump_parts
from matchbox_tui.node import Role, recovery
from matchbox_tui.store import (
    Client,
    Entry,
    Header,
    Link,
    Server,
    Store,
)
from matchbox_tui.store.snapshot import write_snapshot
from tests.node.processes import cluster_of, stand_by
from tests.node.traded import (
    mixed_orders,
    traded,
    trim_to,
)
from tests.node.venue import QUIET, Instance, Venue, buy, sell
from tests.servers import OwnServer
from tests.store.states import (
    Past,
    grown,
    point_at,
)
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("unsynced")


class Gate:
    """Lets so many of a link's calls of one kind pass, and holds the next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, command: str, passes: int) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        calls = Link.calls
        left = passes

        async def held(link: Link, commands: list[tuple[str, ...]], *more: float) -> object:
            nonlocal left
            if commands[0][0] == command and not self.opened.is_set():
                left -= 1
                if left < 0:
                    self.reached.set()
                    await self.opened.wait()
            return await calls(link, commands, *more)

        monkeypatch.setattr(Link, "calls", held)


async def _ends_at_once(instance: Instance) -> None:
    async with asyncio.timeout(20):
        await instance.stop()


@pytest.mark.parametrize("command", ["LINDEX", "LRANGE", "XRANGE"])
async def test_an_instance_can_be_stopped_in_the_middle_of_its_recovery(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    await traded(venue)
    gate = Gate(monkeypatch, command, 1 if command == "XRANGE" else 0)
    instance = venue.start("next", settings=QUIET)
    await gate.reached.wait()
    await _ends_at_once(instance)
    assert instance.node.replica.seq == 0
    gate.opened.set()
    await venue.lead("another", settings=QUIET)


async def test_an_instance_can_be_stopped_in_the_middle_of_catching_up(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await venue.lead(settings=QUIET)
    follower = venue.start("b", settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    await venue.handled()
    await venue.caught_up(follower)
    tailing = Gate(monkeypatch, "XREAD", 0)
    gate = Gate(monkeypatch, "XRANGE", 0)
    await asyncio.sleep(0.6)
    await venue.client.submit(mixed_orders(2))
    await eventually(venue.client.cluster, lambda status: status.queue_depth == 0)
    await first.stop()
    async with asyncio.timeout(30):
        await gate.reached.wait()
    assert follower.node.role is Role.CATCHING_UP
    await _ends_at_once(follower)
    tailing.opened.set()
    gate.opened.set()
    # What it was elected to is given back.
    assert (await venue.client.cluster()).leader is None


async def test_a_large_book_is_loaded_while_the_heart_beats(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = 25_000
    exchange = grown(orders)
    await point_at(venue.link, venue.keys, orders, "c")
    head = Header(orders, "c", 1, orders, 0)
    await write_snapshot(venue.link, venue.keys, "a", head, dump_parts(exchange))
    seen: list[str] = []
    beat, read = Store.heartbeat, Link.calls

    async def beating(self: Store, *args: object) -> None:
        seen.append("beat")
        await beat(self, *args)  # type: ignore[arg-type]

    async def reading(self: Link, commands: list[tuple[str, ...]], *more: float) -> object:
        if commands[0][0] == "LRANGE":
            seen.append("read")
        return await read(self, commands, *more)

    monkeypatch.setattr(Store, "heartbeat", beating)
    monkeypatch.setattr(Link, "calls", reading)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(others())
    settings = msgspec.structs.replace(QUIET, renew_ms=10)
    instance = venue.start("next", settings=settings)
    replica = await venue.caught_up(instance)
    running.cancel()
    assert len(replica.exchange.orders) == len(exchange.orders) > 20_000
    between = seen[seen.index("read") : len(seen) - seen[::-1].index("read")]
    assert "beat" in between
    assert turns > between.count("read") * 8


async def test_a_recovery_that_took_so_long_that_all_was_renewed_begins_anew(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a process that was paused while it read."""
    await traded(venue)
    await venue.lead("leader", settings=QUIET)
    gate = Gate(monkeypatch, "LRANGE", 0)
    instance = venue.start("paused", settings=QUIET)
    await gate.reached.wait()
    # From here on only the paused one is held.
    monkeypatch.undo()
    for round_ in range(2):
        await venue.client.submit(mixed_orders(round_))
        await venue.handled()
        await venue.snapshot()
    for seq in (61, 121):
        await venue.link.call("DEL", venue.keys.snapshot(seq))
        await venue.link.call("ZREM", venue.keys.snapshots, seq)
    await trim_to(venue, 241)
    gate.opened.set()
    replica = await venue.caught_up(instance)
    assert replica.tip == (await venue.restored()).tip
    assert not instance.task.done()


@pytest.mark.parametrize(("commands", "then"), [(40, 2), (10, 1), (10**6, 16)])
async def test_large_commits_are_read_a_few_at_a_time(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, commands: int, then: int
) -> None:
    """What one read returns is decoded in one go, and the loop stands still for that time."""
    monkeypatch.setattr(recovery, "COMMANDS_AT_ONCE", commands)
    store = Store(Server(venue.url), venue.keys, "a")
    past = await Past.of(store, venue.link, venue.keys)
    await past.go_on(12, orders=20)
    limits: list[int] = []
    read = Store.read

    async def noted(self: Store, after: int, limit: int) -> list[Entry]:
        limits.append(limit)
        return await read(self, after, limit)

    monkeypatch.setattr(Store, "read", noted)
    assert (await recovery.recover(store)).tip == past.replica.tip
    await store.close()
    assert limits[0] == recovery.FIRST_READ
    assert set(limits[1:]) == {then}


async def test_a_venue_that_is_killed_whole_keeps_every_order(tmp_path: Path) -> None:
    names = ["node-1", "node-2", "node-3"]
    env = {
        "MATCHBOX_SNAPSHOT_INTERVAL_MS": "100",
        "MATCHBOX_HISTORY": "0",
        "MATCHBOX_DATA_DIR": str(tmp_path / "data"),
    }
    acknowledged: list[int] = []
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        with cluster_of(names, server.url, "", tmp_path, **env) as cluster:
            await stand_by(client, names)
            acknowledged += await _some_hundred(client)
            for member in cluster.nodes.values():
                member.signal(signal.SIGKILL)
            server.kill()
        server.start()
        await client.close()
        client = await Client.connect(server.url)
        with cluster_of(names, server.url, "", tmp_path, **env):
            await stand_by(client, names)
            acknowledged += await _some_hundred(client)
            await eventually(client.cluster, lambda status: status.queue_depth == 0)
            replica = await client.restore()
            # What was there before came through a snapshot.
            assert replica.seq > 0
            await client.catch_up(replica)
            assert sorted(replica.exchange.orders) == acknowledged
            assert replica.seq == len(acknowledged)
            await eventually(
                client.cluster,
                lambda status: {one.seq for one in status.instances} == {replica.seq},
            )
        await client.close()


async def _some_hundred(client: Client) -> list[int]:
    """Orders that rest, a few at a time, over a few snapshots."""
    acknowledged = []
    for n in range(30):
        acknowledged += await client.submit([buy(50 - n % 5, 1)] * 20 + [sell(51 + n % 5, 1)])
        await asyncio.sleep(0.01)
    return acknowledged
