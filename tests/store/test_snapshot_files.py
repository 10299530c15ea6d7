"""Snapshot files: what stands in them, and that one snapshot is whole whatever happens."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from matchbox_tui.engine import (
    CreateMarket,
    Exchange,
    HaltMarket,
    Market,
    ReplaceOrder,
    TimeInForce,
)
from matchbox_tui.store import Base, Header, SnapshotFiles, snapshot_files
from matchbox_tui.store.market_file import MarketFile
from tests.store.build import buy, sell
from tests.store.states import busy, grown, rich

Directory = dict[str, bytes]


def _head(exchange: Exchange, chain: str = "c") -> Header:
    return Header(exchange.seq, chain, 3, 77, 1_700_000_000_000)


async def _write(data_dir: Path, exchange: Exchange, chain: str = "c") -> None:
    assert await SnapshotFiles(data_dir).write(_head(exchange, chain), exchange)


async def _found(data_dir: Path) -> list[Base]:
    return [base async for base in SnapshotFiles(data_dir).bases()]


async def _seqs(data_dir: Path) -> list[int]:
    return [base.replica.seq for base in await _found(data_dir)]


def _files(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "snapshots").iterdir() if path.name != ".lock")


def _path(data_dir: Path, name: str = "MAIN.json") -> Path:
    return data_dir / "snapshots" / name


# What stands in them


async def test_a_file_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    exchange = Exchange([Market("RAIN", max_price=99)])
    for command in (
        sell(60, 10, order_id=1, market="RAIN", trader="ann", timestamp=11),
        buy(60, 4, order_id=2, market="RAIN", trader="bob", timestamp=12),
        buy(50, 7, order_id=3, market="RAIN", trader="bob", timestamp=13, post_only=True),
        buy(50, 8, order_id=4, market="RAIN", timestamp=14),
        buy(51, 9, order_id=5, market="RAIN", timestamp=15),
        ReplaceOrder(order_id=3, qty=6),
    ):
        exchange.apply(command)
    await _write(tmp_path, exchange)
    assert _files(tmp_path) == ["RAIN.json"]
    raw = _path(tmp_path, "RAIN.json").read_bytes()
    told = json.loads(raw)
    assert {name: told[name] for name in told if name not in ("orderBook", "crc32")} == {
        "market": "RAIN",
        "engineSequence": 6,
        "lastRedisStreamId": "6-0",
        "createdAt": 1_700_000_000_000,
        "version": 2,
        "chain": "c",
        "epoch": 3,
        "orderId": 77,
        "markets": ["RAIN"],
        "definition": {"symbol": "RAIN", "max_price": 99},
        "positions": [["bob", 4, -240], ["ann", -4, 240]],
    }
    book = told["orderBook"]
    assert set(book) == {"market", "sequence", "bids", "asks"}
    assert (book["market"], book["sequence"]) == ("RAIN", 6)
    assert [set(level) for side in ("bids", "asks") for level in book[side]] == [
        {"priceTicks", "totalQtyLots", "orders"}
    ] * 3
    assert [
        (level["priceTicks"], level["totalQtyLots"], [one["orderId"] for one in level["orders"]])
        for level in (*book["bids"], *book["asks"])
    ] == [(51, 9, [5]), (50, 14, [3, 4]), (60, 6, [1])]
    replaced = book["bids"][1]["orders"][0]
    contract = {
        "orderId": 3,
        "userId": "bob",
        "market": "RAIN",
        "side": "buy",
        "type": "limit",
        "qtyLots": 6,
        "remainingQtyLots": 6,
        "priceTicks": 50,
        "status": "open",
        "timeInForce": "GTC",
        "reduceOnly": False,
        "postOnly": True,
        "createdAt": 13,
        "sequence": 2,
    }
    assert contract.items() <= replaced.items()
    partly = book["asks"][0]["orders"][0]
    assert (partly["qtyLots"], partly["remainingQtyLots"], partly["sequence"]) == (10, 6, 4)
    before, _, crc = raw.rpartition(b',"crc32":')
    assert told["crc32"] == zlib.crc32(before) == int(crc.rstrip(b"}\n"))


async def test_orders_stand_first_come_first(tmp_path: Path) -> None:
    exchange = Exchange()
    for order_id in (9, 2, 7, 4):
        exchange.apply(buy(50, 5, order_id=order_id))
    exchange.apply(ReplaceOrder(order_id=9, qty=6))
    await _write(tmp_path, exchange)
    (level,) = json.loads(_path(tmp_path).read_bytes())["orderBook"]["bids"]
    assert [(order["orderId"], order["sequence"]) for order in level["orders"]] == [
        (2, 1),
        (7, 2),
        (4, 3),
        (9, 4),
    ]


@pytest.mark.parametrize("piece", [1, 7, 200])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_is_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, seed: int
) -> None:
    monkeypatch.setattr(snapshot_files, "PIECE", piece)
    monkeypatch.setattr("matchbox_tui.store.market_file.PART_SIZE", piece)
    exchange = busy(seed)
    await _write(tmp_path, exchange)
    (base,) = await _found(tmp_path)
    again = base.replica.exchange
    assert again.state_hash() == exchange.state_hash()
    assert (base.replica.chain, base.replica.epoch, base.order_id) == ("c", 3, 77)
    # Queues, expiries and what the traders hold go on alike.
    for command in (sell(40, 99, order_id=1), buy(160, 500, order_id=2), HaltMarket("MAIN")):
        assert again.apply(command) == exchange.apply(command)
    assert again.next_expiry == exchange.next_expiry
    assert again.state_hash() == exchange.state_hash()


@pytest.mark.parametrize("make", [rich, Exchange])
async def test_books_that_are_empty_or_huge_are_kept(
    tmp_path: Path, make: Callable[[], Exchange]
) -> None:
    exchange = make()
    exchange.seq = 2**53 - 1
    await _write(tmp_path, exchange)
    (base,) = await _found(tmp_path)
    assert base.replica.exchange.state_hash() == exchange.state_hash()
    assert SnapshotFiles(tmp_path).newest_place() == 2**53 - 1


async def test_dated_and_named_orders_come_back_with_all_that_they_had(tmp_path: Path) -> None:
    exchange = Exchange()
    order = buy(
        *(50, 5),
        order_id=1,
        trader="Zoë",
        client_order_id="mine",
        time_in_force=TimeInForce.GTD,
        expires_at=2**63 - 1,
        timestamp=2**62,
    )
    exchange.apply(order)
    exchange.apply(ReplaceOrder(order_id=1, qty=9, price=48))
    await _write(tmp_path, exchange)
    (base,) = await _found(tmp_path)
    again = base.replica.exchange.orders[1]
    assert (again.message, again.price, again.qty) == (order, 48, 9)


async def test_the_loop_is_free_while_a_snapshot_is_written_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_files, "WRITE_BYTES", 2000)
    monkeypatch.setattr("matchbox_tui.store.market_file.PART_SIZE", 10)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(others())
    await _write(tmp_path, busy(1))
    written = turns
    assert len(await _found(tmp_path)) == 1
    running.cancel()
    assert written > 20
    assert turns - written > 10


# Two of them, and which one counts


async def test_the_snapshot_before_stays_until_the_next(tmp_path: Path) -> None:
    for orders in (10, 20, 30):
        await _write(tmp_path, grown(orders))
    assert await _seqs(tmp_path) == [30, 20]
    for base in await _found(tmp_path):
        expected = grown(base.replica.seq).state_hash()
        assert base.replica.exchange.state_hash() == expected
    assert _files(tmp_path) == [
        *("MAIN.json", "MAIN.json.previous", "RAIN.json", "RAIN.json.previous")
    ]


async def test_markets_may_come_between_two_snapshots(tmp_path: Path) -> None:
    exchange = grown(10)
    await _write(tmp_path, exchange)
    exchange.apply(CreateMarket(Market("A.json")))
    exchange.apply(CreateMarket(Market("main")))
    exchange.apply(buy(5, 5, order_id=99, market="A.json"))
    await _write(tmp_path, exchange)
    first, second = await _found(tmp_path)
    assert first.replica.exchange.state_hash() == exchange.state_hash()
    assert second.replica.exchange.state_hash() == grown(10).state_hash()


@pytest.mark.parametrize("spoiled", ["MAIN.json", "RAIN.json"])
async def test_where_one_market_s_file_is_gone_the_snapshot_before_is_read(
    tmp_path: Path, spoiled: str, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    _path(tmp_path, spoiled).unlink()
    caplog.set_level(logging.WARNING)
    assert await _seqs(tmp_path) == [10]
    assert f"of 20 in {tmp_path}/snapshots can't be used: there is none of" in caplog.text


async def test_files_of_two_snapshots_are_never_mixed(tmp_path: Path) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    _path(tmp_path, "MAIN.json.previous").unlink()
    _path(tmp_path, "RAIN.json").unlink()
    assert await _seqs(tmp_path) == []
    # Nor of two histories that stand at the same sequence.
    await _write(tmp_path, grown(20, ("MAIN",)), "other")
    _path(tmp_path, "MAIN.json.previous").unlink(missing_ok=True)
    assert await _seqs(tmp_path) == [20]


async def test_a_name_that_does_not_fit_what_stands_in_the_file_is_no_trouble(
    tmp_path: Path,
) -> None:
    await _write(tmp_path, grown(10))
    _path(tmp_path, "RAIN.json").rename(_path(tmp_path, "copy of rain.json"))
    assert await _seqs(tmp_path) == [10]


async def test_one_place_written_twice_is_found_where_either_file_holds(tmp_path: Path) -> None:
    for _ in range(2):
        await _write(tmp_path, grown(10))
    _path(tmp_path).write_bytes(b"torn")
    _path(tmp_path, "RAIN.json.previous").write_bytes(b"torn")
    assert await _seqs(tmp_path) == [10]


async def test_a_history_that_was_set_back_does_not_cost_the_new_one_s_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost history's files have the higher sequence, but are of no use any more."""
    await _write(tmp_path, grown(90), "lost")
    await _write(tmp_path, grown(10), "new")
    assert await _seqs(tmp_path) == [90, 10]
    states = await _states_of(tmp_path, _writing(tmp_path, grown(20), "new"), monkeypatch)
    for number, state in enumerate(states):
        _put(tmp_path / str(number), state)
        assert set(await _seqs(tmp_path / str(number))) & {10, 20}


async def test_who_reads_while_others_are_put_in_their_place_finds_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    read = snapshot_files._read
    written: list[int] = []

    def late(path: Path) -> MarketFile:
        if not written:
            written.append(30)
            asyncio.run(_write(tmp_path, grown(30)))
        return read(path)

    monkeypatch.setattr(snapshot_files, "_read", late)
    bases = await _found(tmp_path)
    assert bases[0].replica.seq == 30
    for base in bases:
        expected = grown(base.replica.seq).state_hash()
        assert base.replica.exchange.state_hash() == expected


async def test_all_is_synced_before_it_is_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []
    fsync, replace = os.fsync, Path.replace

    def synced(number: int) -> None:
        done.append(("sync", os.fstat(number).st_ino))
        fsync(number)

    def replaced(path: Path, target: Path) -> Path:
        done.append((path.suffix, path.stat().st_ino))
        return replace(path, target)

    await _write(tmp_path, grown(10))
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    await _write(tmp_path, grown(20))
    drafts = [(n, inode) for n, (what, inode) in enumerate(done) if what == ".draft"]
    assert len(drafts) == 2
    for n, inode in drafts:
        assert ("sync", inode) in done[:n]
    assert done[-1] == ("sync", (tmp_path / "snapshots").stat().st_ino)


# Torn, altered, strange


@pytest.mark.parametrize("size", [0, 1, 100, 400, 0.5, -25, -10, -2, -1])
async def test_a_torn_file_is_skipped(
    tmp_path: Path, size: float, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    raw = _path(tmp_path).read_bytes()
    cut = int(len(raw) * size) if size == 0.5 else int(size)
    _path(tmp_path).write_bytes(raw[:cut])
    caplog.set_level(logging.WARNING)
    assert await _seqs(tmp_path) == [10]
    assert "can't be used" in caplog.text
    _path(tmp_path, "MAIN.json.previous").unlink()
    assert await _seqs(tmp_path) == []


async def test_a_torn_only_file_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await _write(tmp_path, grown(10, ("MAIN",)))
    raw = _path(tmp_path).read_bytes()
    for cut, words in ((50, "torn, altered or no snapshot file"), (-5, "MAIN.json: it is torn")):
        caplog.clear()
        _path(tmp_path).write_bytes(raw[:cut])
        assert await _seqs(tmp_path) == []
        assert words in caplog.text


async def test_a_byte_altered_anywhere_is_recognised(tmp_path: Path) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    raw = _path(tmp_path).read_bytes()
    for at in range(0, len(raw), 23):
        altered = bytearray(raw)
        altered[at] ^= 1 << (at % 7)
        _path(tmp_path).write_bytes(altered)
        assert await _seqs(tmp_path) == [10]


def _sealed(told: dict[str, Any]) -> bytes:
    told.pop("crc32")
    before = msgspec.json.encode(told)[:-1]
    return before + b',"crc32":%d}\n' % zlib.crc32(before)


@pytest.mark.parametrize("version", [0, 3, 2**70])
async def test_a_file_of_an_unknown_version_is_skipped_with_the_reason(
    tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    told = json.loads(_path(tmp_path).read_bytes())
    _path(tmp_path).write_bytes(_sealed({**told, "version": version}))
    assert await _seqs(tmp_path) == [10]
    assert f"MAIN.json: it has version {version}, this program reads up to 2" in caplog.text


async def test_a_sealed_file_that_contradicts_itself_is_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _write(tmp_path, grown(10, ("MAIN",)))
    told = json.loads(_path(tmp_path).read_bytes())
    told["orderBook"]["bids"] *= 2
    _path(tmp_path).write_bytes(_sealed(told))
    assert await _seqs(tmp_path) == []
    assert "contradicts itself (order 10 is there twice)" in caplog.text


async def test_other_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    strays = {
        "notes.txt": b"mine",
        "notes.draft": b"mine",
        "list.json": b"[1,2]",
        "text.json.previous": b"\xff\xfe",
        "almost.json": b'{"version":2,"market":"MAIN","engineSequence":99}',
    }
    for name, raw in strays.items():
        _path(tmp_path, name).write_bytes(raw)
    _path(tmp_path, "directory.json").mkdir()
    _path(tmp_path, "nowhere.json").symlink_to(tmp_path / "nowhere")
    assert await _seqs(tmp_path) == [20, 10]
    assert SnapshotFiles(tmp_path).newest_place() == 20
    await _write(tmp_path, grown(30))
    assert await _seqs(tmp_path) == [30, 20]
    assert {name: _path(tmp_path, name).read_bytes() for name in strays} == strays


async def test_where_there_is_no_directory_there_are_no_snapshots(tmp_path: Path) -> None:
    assert await _seqs(tmp_path / "nowhere") == []
    assert SnapshotFiles(tmp_path / "nowhere").newest_place() == 0


# Killed at any point


def _now(data_dir: Path) -> Directory:
    return {path.name: path.read_bytes() for path in (data_dir / "snapshots").iterdir()}


def _put(data_dir: Path, state: Directory) -> None:
    (data_dir / "snapshots").mkdir(parents=True)
    for name, raw in state.items():
        _path(data_dir, name).write_bytes(raw)


def _writing(
    data_dir: Path, exchange: Exchange, chain: str = "c"
) -> Callable[[], Coroutine[Any, Any, None]]:
    async def write() -> None:
        await _write(data_dir, exchange, chain)

    return write


async def _states_of(
    data_dir: Path,
    write: Callable[[], Coroutine[Any, Any, None]],
    monkeypatch: pytest.MonkeyPatch,
) -> list[Directory]:
    """The directory at every moment of a write at which a kill could leave it."""
    states: list[Directory] = []

    def look() -> None:
        if not states or states[-1] != _now(data_dir):
            states.append(_now(data_dir))

    def watched(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **more: Any) -> Any:
            look()
            try:
                return do(*args, **more)
            finally:
                look()

        return done

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, watched(getattr(Path, name)))
        patch.setattr(os, "fsync", watched(os.fsync))
        patch.setattr(snapshot_files, "WRITE_BYTES", 1)
        await write()
    look()
    return states


async def _check_whole(data_dir: Path, at_least: int) -> int:
    """The newest usable snapshot's sequence; whatever is usable is right."""
    bases = await _found(data_dir)
    for base in bases:
        expected = grown(base.replica.seq).state_hash()
        assert base.replica.exchange.state_hash() == expected
    newest = max((base.replica.seq for base in bases), default=0)
    assert newest >= at_least
    return newest


async def _kill_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, first: Directory
) -> int:
    """Writes from every state that a kill leaves, so many kills in a row; how many states."""
    seen = 0
    states = [(first, 10)]
    for kill in range(kills):
        after: dict[tuple[tuple[str, bytes], ...], int] = {}
        for number, (state, whole) in enumerate(states):
            data_dir = tmp_path / f"{kill}-{number}"
            _put(data_dir, state)
            write = _writing(data_dir, grown(20 + 10 * kill))
            for left in await _states_of(data_dir, write, monkeypatch):
                copy = tmp_path / f"{kill}-{number}-left"
                _put(copy, left)
                after[tuple(sorted(left.items()))] = await _check_whole(copy, whole)
                for path in sorted((copy / "snapshots").iterdir()):
                    path.unlink()
                (copy / "snapshots").rmdir()
            assert await _seqs(data_dir) >= [20 + 10 * kill]
        states = [(dict(items), whole) for items, whole in after.items()]
        seen += len(states)
    return seen


async def test_a_kill_at_any_point_leaves_one_whole_snapshot_however_often_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _write(tmp_path, grown(10))
    assert await _kill_again_and_again(tmp_path, monkeypatch, 3, _now(tmp_path)) > 40


async def test_if_the_one_in_place_always_became_the_previous_two_kills_would_leave_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

    await _write(tmp_path, grown(10))
    monkeypatch.setattr(SnapshotFiles, "_whole", lambda self: Anything())
    with pytest.raises(AssertionError):
        await _kill_again_and_again(tmp_path, monkeypatch, 2, _now(tmp_path))


async def test_a_torn_file_in_place_does_not_take_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for orders in (10, 20):
        await _write(tmp_path, grown(orders))
    raw = _path(tmp_path).read_bytes()
    for spoil in (raw[:-30], raw.replace(b'"userId":"t1"', b'"userId":"t2"')):
        _path(tmp_path).write_bytes(spoil)
        before = _now(tmp_path)
        states = await _states_of(tmp_path, _writing(tmp_path, grown(30)), monkeypatch)
        for number, state in enumerate(states):
            copy = tmp_path / f"{len(spoil)}-{number}"
            _put(copy, state)
            await _check_whole(copy, 10)
        for path in (tmp_path / "snapshots").iterdir():
            path.unlink()
        for name, content in before.items():
            _path(tmp_path, name).write_bytes(content)


async def test_a_write_that_is_dropped_at_any_await_leaves_one_whole_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def to_thread(do: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        return do(*args)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    monkeypatch.setattr(snapshot_files, "WRITE_BYTES", 200)
    await _write(tmp_path, grown(10))
    dropped, newest = 0, 10
    while True:
        writing = asyncio.ensure_future(_write(tmp_path, grown(newest + 10)))
        for _ in range(dropped):
            await asyncio.sleep(0)
        if not writing.cancel():
            break
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert not list((tmp_path / "snapshots").glob("*.draft"))
        newest = await _check_whole(tmp_path, newest)
        dropped += 1
    assert dropped > 20
    await writing
    await _check_whole(tmp_path, newest + 10)


WRITER = """
import asyncio, sys
from pathlib import Path
from matchbox_tui.store import SnapshotFiles
from tests.store.states import grown
from tests.store.test_snapshot_files import _head

async def main():
    files = SnapshotFiles(Path(sys.argv[1]))
    orders = int(sys.argv[2])
    while True:
        orders += 1
        exchange = grown(orders)
        assert await files.write(_head(exchange), exchange)
        print(orders, flush=True)

asyncio.run(main())
"""


async def test_a_writer_that_is_killed_again_and_again_leaves_what_it_had_written(
    tmp_path: Path,
) -> None:
    chance = random.Random(4)
    newest = 0
    for _ in range(3):
        writer = subprocess.Popen(  # noqa: ASYNC220  # nothing else happens meanwhile
            [sys.executable, "-c", WRITER, str(tmp_path), str(newest + 200)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(3)]
        await asyncio.sleep(chance.random() * 0.05)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        newest = await _check_whole(tmp_path, int([line for line in said if line][-1]))


# Others, and disks


async def test_while_one_writes_another_does_nothing(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    await _write(tmp_path, grown(10))
    with _path(tmp_path, ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _now(tmp_path)
        assert not await files.write(_head(grown(20)), grown(20))
        assert _now(tmp_path) == before
        # Readers need no lock.
        assert await _seqs(tmp_path) == [10]
    assert await files.write(_head(grown(20)), grown(20))


async def test_without_the_lock_two_at_once_would_be_in_each_other_s_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def open_to_all(path: Path) -> Iterator[bool]:
        yield True

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(SnapshotFiles(tmp_path).write(_head(grown(n)), grown(n)) for n in (20, 30)),
            return_exceptions=True,
        )

    await _write(tmp_path, grown(10))
    assert sorted(await both()) == [False, True]
    await _check_whole(tmp_path, 20)
    monkeypatch.setattr(snapshot_files, "_locked", open_to_all)
    assert any(isinstance(end, OSError) for end in await both()) or await _seqs(tmp_path) == []


async def test_a_lock_that_can_t_be_had_at_all_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(OSError, match="not supported"):
        await SnapshotFiles(tmp_path).write(_head(grown(10)), grown(10))


async def test_a_full_disk_costs_nothing_that_was_there(tmp_path: Path) -> None:
    await _write(tmp_path, grown(10))
    _path(tmp_path, "RAIN.json.draft").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await _write(tmp_path, grown(20))
    assert _files(tmp_path) == ["MAIN.json", "RAIN.json"]
    assert await _seqs(tmp_path) == [10]
    await _write(tmp_path, grown(20))
    assert await _seqs(tmp_path) == [20, 10]


async def test_a_disk_that_takes_only_half_a_file_costs_nothing_that_was_there(
    tmp_path: Path,
) -> None:
    await _write(tmp_path, grown(10))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            await _write(tmp_path, grown(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert _files(tmp_path) == ["MAIN.json", "RAIN.json"]
    assert await _seqs(tmp_path) == [10]


@contextlib.contextmanager
def _read_only(directory: Path) -> Iterator[None]:
    """Nobody may write there; not even root, who acts as somebody else for that time."""
    root = os.geteuid() == 0
    mode = directory.stat().st_mode
    directory.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(mode)


async def test_a_directory_that_can_t_be_written_is_an_error(tmp_path: Path) -> None:
    await _write(tmp_path, grown(10))
    with _read_only(tmp_path / "snapshots"), pytest.raises(PermissionError):
        await _write(tmp_path, grown(20))
    assert await _seqs(tmp_path) == [10]


async def test_a_file_in_the_way_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("in the way")
    with pytest.raises(FileExistsError):
        await _write(tmp_path, grown(10))
    assert await _seqs(tmp_path) == []


async def test_drafts_that_a_killed_writer_left_are_removed(tmp_path: Path) -> None:
    await _write(tmp_path, grown(10))
    for name in ("MAIN.json.draft", "GONE.json.draft"):
        _path(tmp_path, name).write_bytes(b"half")
    assert await _seqs(tmp_path) == [10]
    await _write(tmp_path, grown(20))
    assert not [name for name in _files(tmp_path) if name.endswith(".draft")]
    assert await _seqs(tmp_path) == [20, 10]
