"""Snapshot files: what stands in them, and which of two snapshots counts."""

import asyncio
import json
import logging
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from matchbox_tui.engine import (
    CreateMarket,
    Exchange,
    HaltMarket,
    Market,
    ReplaceOrder,
    TimeInForce,
)
from matchbox_tui.store import SnapshotFiles, snapshot_files
from matchbox_tui.store.market_file import MarketFile
from tests.store.build import buy, sell
from tests.store.data_dir import (
    file_names,
    file_path,
    found_files,
    found_seqs,
    write_files,
)
from tests.store.states import busy, grown, rich

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
    await write_files(tmp_path, exchange)
    assert file_names(tmp_path) == ["RAIN.json"]
    raw = file_path(tmp_path, "RAIN.json").read_bytes()
    told = json.loads(raw)
    # They are in no order.
    told["positions"].sort()
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
        "positions": [["ann", -4, 240], ["bob", 4, -240]],
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
    await write_files(tmp_path, exchange)
    (level,) = json.loads(file_path(tmp_path).read_bytes())["orderBook"]["bids"]
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
    await write_files(tmp_path, exchange)
    (base,) = await found_files(tmp_path)
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
    await write_files(tmp_path, exchange)
    (base,) = await found_files(tmp_path)
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
    await write_files(tmp_path, exchange)
    (base,) = await found_files(tmp_path)
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
    await write_files(tmp_path, busy(1))
    written = turns
    assert len(await found_files(tmp_path)) == 1
    running.cancel()
    assert written > 20
    assert turns - written > 10


# Two of them, and which one counts


async def test_the_snapshot_before_stays_until_the_next(tmp_path: Path) -> None:
    for orders in (10, 20, 30):
        await write_files(tmp_path, grown(orders))
    assert await found_seqs(tmp_path) == [30, 20]
    for base in await found_files(tmp_path):
        expected = grown(base.replica.seq).state_hash()
        assert base.replica.exchange.state_hash() == expected
    assert file_names(tmp_path) == [
        *("MAIN.json", "MAIN.json.previous", "RAIN.json", "RAIN.json.previous")
    ]


async def test_markets_may_come_between_two_snapshots(tmp_path: Path) -> None:
    exchange = grown(10)
    await write_files(tmp_path, exchange)
    exchange.apply(CreateMarket(Market("A.json")))
    exchange.apply(CreateMarket(Market("main")))
    exchange.apply(buy(5, 5, order_id=99, market="A.json"))
    await write_files(tmp_path, exchange)
    first, second = await found_files(tmp_path)
    assert first.replica.exchange.state_hash() == exchange.state_hash()
    assert second.replica.exchange.state_hash() == grown(10).state_hash()


@pytest.mark.parametrize("spoiled", ["MAIN.json", "RAIN.json"])
async def test_where_one_market_s_file_is_gone_the_snapshot_before_is_read(
    tmp_path: Path, spoiled: str, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    file_path(tmp_path, spoiled).unlink()
    caplog.set_level(logging.WARNING)
    assert await found_seqs(tmp_path) == [10]
    assert f"of 20 in {tmp_path}/snapshots can't be used: there is none of" in caplog.text


async def test_files_of_two_snapshots_are_never_mixed(tmp_path: Path) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    file_path(tmp_path, "MAIN.json.previous").unlink()
    file_path(tmp_path, "RAIN.json").unlink()
    assert await found_seqs(tmp_path) == []
    # Nor of two histories that stand at the same sequence.
    await write_files(tmp_path, grown(20, ("MAIN",)), "other")
    file_path(tmp_path, "MAIN.json.previous").unlink(missing_ok=True)
    assert await found_seqs(tmp_path) == [20]


async def test_a_name_that_does_not_fit_what_stands_in_the_file_is_no_trouble(
    tmp_path: Path,
) -> None:
    await write_files(tmp_path, grown(10))
    file_path(tmp_path, "RAIN.json").rename(file_path(tmp_path, "copy of rain.json"))
    assert await found_seqs(tmp_path) == [10]


async def test_one_place_written_twice_is_found_where_either_file_holds(tmp_path: Path) -> None:
    for _ in range(2):
        await write_files(tmp_path, grown(10))
    file_path(tmp_path).write_bytes(b"torn")
    file_path(tmp_path, "RAIN.json.previous").write_bytes(b"torn")
    assert await found_seqs(tmp_path) == [10]


async def test_who_reads_while_others_are_put_in_their_place_finds_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    read = snapshot_files._read
    written: list[int] = []

    def late(path: Path) -> MarketFile:
        if not written:
            written.append(30)
            asyncio.run(write_files(tmp_path, grown(30)))
        return read(path)

    monkeypatch.setattr(snapshot_files, "_read", late)
    bases = await found_files(tmp_path)
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

    await write_files(tmp_path, grown(10))
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    await write_files(tmp_path, grown(20))
    drafts = [(n, inode) for n, (what, inode) in enumerate(done) if what == ".draft"]
    assert len(drafts) == 2
    for n, inode in drafts:
        assert ("sync", inode) in done[:n]
    assert done[-1] == ("sync", (tmp_path / "snapshots").stat().st_ino)
