"""A venue comes back from what there is: snapshots, the journal, files; or it says why not."""

import asyncio
import logging
import os
import random
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import Market, NewOrder, Side, dump_parts, encode_command
from matchbox_tui.node import Role, recovery
from matchbox_tui.store import (
    Client,
    Entry,
    Header,
    JournalBroken,
    Link,
    Replica,
    Server,
    SnapshotFiles,
    Store,
)
from matchbox_tui.store.snapshot import sealed, write_snapshot
from tests.node.processes import cluster_of, stand_by
from tests.node.venue import QUIET, Instance, Venue, buy, order, sell
from tests.servers import OwnServer
from tests.store.states import (
    Past,
    busy,
    elements_of,
    grown,
    point_at,
    put_snapshot,
    write_as_version_1,
)
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("unsynced")


def _orders(seed: int, count: int = 60) -> list[NewOrder]:
    chance = random.Random(seed)
    return [
        order(
            chance.randint(45, 55),
            chance.randint(1, 9),
            chance.choice(list(Side)),
            trader=f"t{chance.randint(1, 4)}",
            market=chance.choice(("MAIN", "RAIN")),
        )
        for _ in range(count)
    ]


async def _traded(venue: Venue, data_dir: Path | None = None) -> Replica:
    """Two snapshots, at 61 and 121, of a journal up to 181, and nobody there any more.

    In the data directory as well, where one is given. The state at the end.
    """
    instance = await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    for round_ in range(3):
        await venue.client.submit(_orders(round_))
        assert await venue.handled() == 61 + 60 * round_
        if round_ < 2:
            await venue.snapshot()
            if data_dir is not None:
                await _file(venue, data_dir)
    await instance.stop()
    return await venue.restored()


async def _file(venue: Venue, data_dir: Path) -> None:
    replica = await venue.restored()
    counter = int(await venue.link.call("GET", venue.keys.order_id))
    head = Header(replica.seq, replica.chain, replica.epoch, counter, 1_700_000_000_000)
    assert await SnapshotFiles(data_dir).write(head, replica.exchange)


async def _trim_to(venue: Venue, seq: int) -> None:
    """Leaves of the journal what comes after a sequence."""
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{seq + 1}-0")


async def _comes_back(
    venue: Venue, expected: Replica, caplog: pytest.LogCaptureFixture, data_dir: Path | None = None
) -> int:
    """An instance recovers all of it, and goes on; from which snapshot, 0 for the journal."""
    caplog.set_level(logging.INFO, "matchbox_tui.node.recovery")
    caplog.clear()
    instance = await venue.lead("next", settings=QUIET, data_dir=data_dir)
    replica = await venue.caught_up(instance)
    assert replica.tip == expected.tip
    assert replica.exchange.state_hash() == expected.exchange.state_hash()
    await venue.client.submit([buy(1, 1)])
    assert await venue.handled() == expected.seq + 1
    said = re.findall(r"Recovered from snapshot (\d+), now at \d+", caplog.text)
    assert len(said) <= 1
    return int(said[0]) if said else 0


# Where it begins


async def test_it_begins_at_the_newest_snapshot_and_reads_the_journal_after_it(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await _traded(venue)
    await _trim_to(venue, 121)
    assert await _comes_back(venue, expected, caplog) == 121


async def test_it_begins_at_a_snapshot_of_the_tip_without_any_journal(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await _traded(venue)
    assert await venue.snapshot() == 181
    await venue.link.call("DEL", venue.keys.log)
    assert await _comes_back(venue, expected, caplog) == 181


async def test_it_begins_at_the_journal_s_beginning_where_there_is_no_snapshot(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await _traded(venue)
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}engine:snapshot*"))
    assert await _comes_back(venue, expected, caplog) == 0


async def _spoil(venue: Venue, seq: int, how: str) -> None:
    *parts, header = await elements_of(venue.link, venue.keys, seq)
    raw = {
        "torn": [*parts[:-1], header],
        "half written": parts,
        "altered": [parts[0][:-1] + b"?", *parts[1:], header],
        "future": [*parts, header.replace(b'"version":2', b'"version":3')],
        "gone": [],
        "elsewhere": [*parts, _elsewhere(parts, header)],
    }[how]
    await put_snapshot(venue.link, venue.keys, seq, raw)


def _elsewhere(parts: list[bytes], header: bytes) -> bytes:
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    head = msgspec.structs.replace(msgspec.json.decode(header, type=Header), chain="another")
    return msgspec.json.encode(sealed(head, len(parts), crc))


@pytest.mark.parametrize("how", ["torn", "half written", "altered", "future", "gone", "elsewhere"])
async def test_it_begins_at_the_older_snapshot_where_the_newest_is_of_no_use(
    venue: Venue, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    expected = await _traded(venue)
    await _trim_to(venue, 61)
    await _spoil(venue, 121, how)
    assert await _comes_back(venue, expected, caplog) == 61
    assert "Snapshot 121 can't be used" in caplog.text


async def test_it_begins_at_the_journal_where_both_snapshots_are_of_no_use(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await _traded(venue)
    for seq in (61, 121):
        await _spoil(venue, seq, "torn")
    assert await _comes_back(venue, expected, caplog) == 0


async def test_a_snapshot_that_contradicts_the_journal_costs_nothing(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Whole and sealed, of the right place, but with a state that the journal does not fit."""
    expected = await _traded(venue)
    base = await venue.client.restore()
    book = base.exchange.book("MAIN")
    for held in [*book.queue(Side.BUY), *book.queue(Side.SELL)]:
        book.remove(held)
    head = Header(121, base.chain, base.epoch, 0, 0)
    await write_snapshot(venue.link, venue.keys, "odd", head, dump_parts(base.exchange))
    assert await _comes_back(venue, expected, caplog) == 61
    assert "The journal can't be followed from 121" in caplog.text


async def test_an_upgraded_venue_keeps_its_book(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await _traded(venue)
    base = await venue.client.restore()
    head = Header(base.seq, base.chain, base.epoch, 120, 0)
    await write_as_version_1(venue.link, venue.keys, head, base.exchange)
    await venue.link.call("ZREM", venue.keys.snapshots, 61)
    await _trim_to(venue, 121)
    assert await _comes_back(venue, expected, caplog) == 121
    # What it writes from now on is of its own version.
    seq = await venue.snapshot()
    assert b'"version":2' in (await elements_of(venue.link, venue.keys, seq))[-1]


async def test_a_state_that_was_recovered_is_the_same_to_the_last_order_and_name(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = busy(6)
    await point_at(venue.link, venue.keys, exchange.seq, "c")
    head = Header(exchange.seq, "c", 1, 5000, 0)
    await write_snapshot(venue.link, venue.keys, "a", head, dump_parts(exchange))
    expected = Replica(exchange, "c", 1)
    assert await _comes_back(venue, expected, caplog) == exchange.seq


# Files


async def test_it_begins_at_the_files_where_the_store_s_snapshots_are_gone(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await _traded(venue, tmp_path)
    await _trim_to(venue, 61)
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}engine:snapshot*"))
    assert await _comes_back(venue, expected, caplog, tmp_path) == 121


async def test_it_begins_at_the_older_files_where_the_newest_are_torn(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await _traded(venue, tmp_path)
    await _trim_to(venue, 61)
    for seq in (61, 121):
        await _spoil(venue, seq, "torn")
    path = tmp_path / "snapshots" / "RAIN.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert await _comes_back(venue, expected, caplog, tmp_path) == 61
    assert "RAIN.json: it is torn" in caplog.text


async def test_files_of_another_history_are_not_used(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await _traded(venue)
    exchange = grown(100)
    await SnapshotFiles(tmp_path).write(Header(100, "another", 1, 100, 0), exchange)
    for seq in (61, 121):
        await _spoil(venue, seq, "torn")
    assert await _comes_back(venue, expected, caplog, tmp_path) == 0
    assert "The snapshot files of 100 can't be used" in caplog.text


# Nowhere to begin


async def test_an_instance_with_nowhere_to_begin_ends(venue: Venue) -> None:
    await _traded(venue)
    await _trim_to(venue, 100)
    for seq in (61, 121):
        await _spoil(venue, seq, "altered")
    instance = venue.start("next", settings=QUIET)
    with pytest.raises(JournalBroken, match=r"beginning is gone, and no snapshot.*backup"):
        await instance.task
    status = await venue.client.cluster()
    assert (status.leader, status.instances, status.seq) == (None, (), 181)


async def test_an_engine_with_nowhere_to_begin_ends_with_exit_code_3_and_one_line(
    venue: Venue, tmp_path: Path
) -> None:
    await _traded(venue)
    await venue.link.call("DEL", venue.keys.log)
    ended = subprocess.run(  # noqa: ASYNC221  # nothing else happens meanwhile
        [
            *(sys.executable, "-m", "matchbox_tui", "engine", "--log-level", "error"),
            *("--data-dir", str(tmp_path)),
        ],
        env={**os.environ, "REDIS_URL": venue.url, "MATCHBOX_KEY_PREFIX": venue.prefix},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 3
    lines = [line for line in ended.stderr.splitlines() if line.startswith("matchbox:")]
    # That the server of these tests is unsynced is said as well.
    (line,) = [line for line in lines if "warning: appendfsync" not in line]
    assert "no snapshot of it can be used: put a backup of the server's data" in line
    assert "Traceback" not in ended.stderr


# While it recovers


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
    await _traded(venue)
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
    await venue.client.submit(_orders(1))
    await venue.handled()
    await venue.caught_up(follower)
    tailing = Gate(monkeypatch, "XREAD", 0)
    gate = Gate(monkeypatch, "XRANGE", 0)
    await asyncio.sleep(0.6)
    await venue.client.submit(_orders(2))
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
    await _traded(venue)
    await venue.lead("leader", settings=QUIET)
    gate = Gate(monkeypatch, "LRANGE", 0)
    instance = venue.start("paused", settings=QUIET)
    await gate.reached.wait()
    # From here on only the paused one is held.
    monkeypatch.undo()
    for round_ in range(2):
        await venue.client.submit(_orders(round_))
        await venue.handled()
        await venue.snapshot()
    for seq in (61, 121):
        await venue.link.call("DEL", venue.keys.snapshot(seq))
        await venue.link.call("ZREM", venue.keys.snapshots, seq)
    await _trim_to(venue, 241)
    gate.opened.set()
    replica = await venue.caught_up(instance)
    assert replica.tip == (await venue.restored()).tip
    assert not instance.task.done()


@pytest.mark.parametrize(("commands", "then"), [(40, 2), (10, 1), (10**6, 64)])
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


# The highest id


async def test_a_lost_counter_goes_on_above_the_ids_of_a_journal_without_snapshots(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    given = await venue.client.submit(_orders(1))
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.link.call("DEL", venue.keys.order_id)
    await venue.lead("b", settings=QUIET)
    stranger = await Client.connect(venue.url, venue.prefix)
    again = await stranger.submit(_orders(2))
    await stranger.close()
    assert min(again) > max(given)
    assert "The order id counter was set back from" in caplog.text


async def test_ids_of_other_programs_don_t_move_a_counter_that_is_there(venue: Venue) -> None:
    await venue.client.submit([buy()])
    foreign = encode_command(buy(order_id=900_000))
    await venue.link.call("RPUSH", venue.keys.queue, foreign)
    await venue.lead(settings=QUIET)
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.lead("b", settings=QUIET)
    assert await venue.client.submit([buy()]) == [2]


# Everything at once


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
