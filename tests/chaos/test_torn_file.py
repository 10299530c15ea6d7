"""The append-only file ends anywhere: what is left is history up to some moment, and it goes on.

A power failure or a full disk leaves the file of a server that does not sync every write like
this. Each script is one transaction in it, so nothing is ever left half done.
"""

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import NewOrder, OrderAccepted, OrderRejected, Side, decode_command
from matchbox_tui.node import Settings
from matchbox_tui.store import Client, Entry, Keys, Server, StoreError
from matchbox_tui.store.journal import parse_entry
from sim.audit import audit_venue
from tests.kinds import KINDS
from tests.node.venue import Venue, order
from tests.servers import OwnServer
from tests.waiting import eventually

BATCHES = 60
CUTS = 6
"""Per kind of server."""

QUICK = Settings(lease_ms=400, renew_ms=100, poll_ms=10)
KEYS = Keys()


class History(msgspec.Struct):
    """What a venue's server left on its disk, and what it would be if no byte were missing."""

    kind: str
    directory: Path
    entries: list[Entry]
    orders: int
    names: dict[int, str]
    """client_order_ids by the order that has it; the trader is always ada."""

    @property
    def file(self) -> Path:
        return _file(self.directory)


def _file(directory: Path) -> Path:
    """The file that the server appends to; Redis 6.2 has but one, the others name it anew."""
    return next(directory.glob("appendonlydir/*.incr.aof"), directory / "appendonly.aof")


@contextlib.asynccontextmanager
async def _venue(server: OwnServer) -> AsyncIterator[Venue]:
    client = await Client.connect(server.url)
    link = Server(server.url).link()
    venue = Venue(server.url, "", client, link)
    try:
        yield venue
    finally:
        await venue.stop()
        await client.close()
        await link.close()


def _batch(chance: random.Random, number: int) -> list[NewOrder]:
    return [
        order(
            chance.randint(48, 52),
            chance.randint(1, 9),
            chance.choice(list(Side)),
            trader="ada",
            self_trade_prevention="none",
            client_order_id=f"{number}-{n}" if chance.random() < 0.3 else "",
        )
        for n in range(chance.randint(1, 4))
    ]


async def _make(server: OwnServer) -> History:
    chance = random.Random(1)
    names = {}
    async with _venue(server) as venue:
        await venue.lead("a", settings=QUICK)
        orders = 0
        for number in range(BATCHES):
            batch = _batch(chance, number)
            for order_id, one in zip(await venue.client.submit(batch), batch, strict=True):
                orders = order_id
                names[order_id] = one.client_order_id
        await venue.handled()
        entries = await venue.journal()
        server.kill()
    return History(server.kind, server.directory, entries, orders, names)


@pytest.fixture(scope="module", params=KINDS)
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    with OwnServer(tmp_path_factory.mktemp("history"), kind=request.param) as server:
        yield asyncio.run(_make(server))


def _place(chance: random.Random, data: bytes, seed: int) -> int:
    """Where to cut: anywhere, or between a commit's or a submit's first write and its last."""
    first = (b"", b"XADD\r\n$10\r\nengine:log", b"INCRBY\r\n")[seed % 3]
    if not first:
        return chance.randrange(len(data))
    starts = [n for n in range(len(data)) if data.startswith(first, n)]
    start = chance.choice(starts)
    return chance.randrange(start, data.index(b"EXEC\r\n", start) + 5)


@pytest.mark.parametrize("seed", range(CUTS))
async def test_what_is_left_is_history_up_to_a_moment_and_it_goes_on(
    history: History, seed: int, tmp_path: Path
) -> None:
    directory = tmp_path / "cut"
    shutil.copytree(history.directory, directory, ignore=shutil.ignore_patterns("s", "lock"))
    file = _file(directory)
    data = file.read_bytes()
    file.write_bytes(data[: _place(random.Random(seed), data, seed)])
    with OwnServer(directory, kind=history.kind) as server:
        async with _venue(server) as venue:
            orders = await _check_prefix(history, venue)
            await venue.lead("b", settings=QUICK)
            await venue.handled()
            assert await venue.client.submit([order(50, 1)]) == [orders + 1]
            await venue.handled()
            assert _answered(await venue.journal()) == list(range(1, orders + 2))
        verdict = await audit_venue(server.url)
        assert verdict.ok, verdict.lines()


async def _check_prefix(history: History, venue: Venue) -> int:
    """That no script is half done in what is left; how many orders are."""
    link = venue.link
    entries = [parse_entry(entry) for entry in await link.call("XRANGE", KEYS.log, "-", "+")]
    assert entries == history.entries[: len(entries)]
    cursor = await link.call("HMGET", KEYS.cursor, "seq", "chain", "epoch")
    last = entries[-1] if entries else None
    assert cursor == (
        [str(last.seq).encode(), last.chain.encode(), str(last.epoch).encode()]
        if last is not None
        else [None, None, None]
    )
    queue = [decode_command(one) for one in await link.call("LRANGE", KEYS.queue, 0, -1)]
    waiting = [one.order_id for one in queue if isinstance(one, NewOrder)]
    orders = int(await link.call("GET", KEYS.order_id) or 0)
    assert _answered(entries) + waiting == list(range(1, orders + 1))
    known = await link.call("KEYS", KEYS.client_order("ada", "*"))
    assert {key.decode() for key in known} == {
        KEYS.client_order("ada", name)
        for order_id, name in history.names.items()
        if name and order_id <= orders
    }
    return orders


def _answered(entries: list[Entry]) -> list[int]:
    """The orders' ids in the order in which they were answered first."""
    return [
        event.order_id
        for entry in entries
        for event in entry.events
        if isinstance(event, OrderAccepted | OrderRejected)
    ]


async def test_without_its_transactions_a_cut_would_leave_a_commit_half_done(
    history: History, tmp_path: Path
) -> None:
    directory = tmp_path / "cut"
    shutil.copytree(history.directory, directory, ignore=shutil.ignore_patterns("s", "lock"))
    file = _file(directory)
    data = file.read_bytes()
    for word in (b"MULTI", b"EXEC"):
        data = data.replace(b"*1\r\n$%d\r\n%s\r\n" % (len(word), word), b"")
    file.write_bytes(data[: data.index(b"LTRIM", len(data) // 2)])
    with OwnServer(directory, kind=history.kind) as server:
        async with _venue(server) as venue:
            with pytest.raises(AssertionError):
                await _check_prefix(history, venue)


@pytest.mark.parametrize("seed", range(4))
async def test_living_instances_notice_it_and_go_on_by_themselves(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    with OwnServer(tmp_path) as server:
        async with _venue(server) as venue:
            await venue.lead("a", settings=QUICK)
            venue.start("b", settings=QUICK)
            acknowledged = 0
            for number in range(30):
                *_, acknowledged = await venue.client.submit(_batch(chance, number))
            await venue.handled()
            for instance in venue.instances.values():
                await venue.caught_up(instance)
            server.kill()
            data = _file(tmp_path).read_bytes()
            _file(tmp_path).write_bytes(data[: chance.randrange(len(data) // 2, len(data))])
            server.start()

            (new,) = await eventually(lambda: _submitted(venue.client))
            assert new > acknowledged
            await venue.handled()
            replica = await venue.replica()
            assert new in replica.exchange.orders
            for instance in venue.instances.values():
                found = await venue.caught_up(instance)
                assert found.tip == replica.tip
                assert found.exchange.state_hash() == replica.exchange.state_hash()
        verdict = await audit_venue(server.url)
        assert verdict.ok, verdict.lines()


async def _submitted(client: Client) -> list[int]:
    """The id of an order far from all others, if the server takes it."""
    with contextlib.suppress(StoreError):
        return await client.submit([order(1, 1)])
    return []
