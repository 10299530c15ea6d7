"""Late starts, history that was trimmed, and a store that was set back."""

import logging

import pytest

from matchbox_tui.engine import Market
from matchbox_tui.store import Client, Replica, StoreSetBack
from tests.consumers.persistence.rows import check, read, tables
from tests.consumers.persistence.running import persisted, persisting
from tests.node.backups import Backup
from tests.node.traded import mixed_orders, trim_to
from tests.node.venue import QUIET, Venue
from tests.waiting import eventually


async def opened(venue: Venue) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))


async def trades(venue: Venue, *seeds: int) -> int:
    for seed in seeds:
        await venue.client.submit(mixed_orders(seed))
    return await venue.handled()


async def check_open(venue: Venue, url: str) -> None:
    """The open orders are those of the venue."""
    found = {
        row["id"]: (row["price"], row["qty"], row["cum_qty"], row["leaves_qty"], row["trader"])
        for row in read(url, "orders")
        if row["status"] == "open"
    }
    assert found == {
        order.id: (order.price, order.qty, order.cum_qty, order.leaves_qty, order.trader)
        for order in (await venue.restored()).exchange.orders.values()
    }


async def test_a_late_start_has_everything_that_the_journal_has(
    venue: Venue, database_url: str
) -> None:
    await opened(venue)
    await trades(venue, 1, 2)
    await venue.snapshot()
    await trades(venue, 3)
    await persisted(venue, database_url)
    check(database_url, await venue.events())
    assert read(database_url, "gaps") == []


async def test_an_empty_database_begins_at_the_snapshot_where_the_journal_was_trimmed(
    venue: Venue, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(venue)
    await trades(venue, 1, 2)
    seq = await venue.snapshot()
    await trades(venue, 3)
    await trim_to(venue, seq)
    await persisted(venue, database_url)
    assert read(database_url, "gaps") == [{"after_seq": 0, "up_to_seq": seq}]
    assert f"History from 1 to {seq} was trimmed" in caplog.text
    await check_open(venue, database_url)
    assert min(row["seq"] for row in read(database_url, "trades")) > seq
    origins = {row["origin"] for row in read(database_url, "orders") if row["seq"] == seq}
    assert origins == {"snapshot"}
    assert [row["symbol"] for row in read(database_url, "markets")] == ["MAIN", "RAIN"]


async def test_what_was_trimmed_while_it_was_away_is_said_and_the_rest_goes_on(
    venue: Venue, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    await opened(venue)
    stopped = await trades(venue, 1)
    await persisted(venue, database_url)
    before = read(database_url, "trades")
    await trades(venue, 2, 3)
    seq = await venue.snapshot()
    await trades(venue, 4)
    await trim_to(venue, seq)
    await persisted(venue, database_url)
    assert read(database_url, "gaps") == [{"after_seq": stopped, "up_to_seq": seq}]
    assert f"History from {stopped + 1} to {seq} was trimmed" in caplog.text
    await check_open(venue, database_url)
    assert read(database_url, "trades")[: len(before)] == before
    lost = [row for row in read(database_url, "orders") if row["status"] == "unknown"]
    assert lost
    assert {row["reason"] for row in lost} == {"history_trimmed"}


async def test_trimming_waits_while_it_is_stopped(venue: Venue, sqlite_url: str) -> None:
    await opened(venue)
    stopped = await trades(venue, 1)
    await persisted(venue, sqlite_url)
    for seed in (2, 3, 4):
        for one in mixed_orders(seed, 40):
            await venue.client.submit([one])
            await venue.handled()
        await venue.snapshot(history=1)
    store = venue.instances["a"].node.store
    await store.published(await venue.handled())
    await store.archive.trim()
    ((first, _),) = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
    assert int(first.partition(b"-")[0]) <= stopped + 1
    await persisted(venue, sqlite_url)
    await store.archive.trim()
    ((later, _),) = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
    assert int(later.partition(b"-")[0]) > stopped + 1
    assert read(sqlite_url, "gaps") == []
    await check_open(venue, sqlite_url)


@pytest.mark.parametrize("begun", [False, True])
async def test_it_is_registered_before_it_reads_from_a_snapshot(
    venue: Venue, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    await opened(venue)
    await trades(venue, 1)
    if begun:
        await persisted(venue, sqlite_url)
        await venue.link.call("XGROUP", "DESTROY", venue.keys.log, "consumer:persistence")
        await trades(venue, 2)
        seq = await venue.snapshot()
        await trades(venue, 3)
        await trim_to(venue, seq)
    groups: list[bytes] = []
    restore = Client.restore

    async def watched(self: Client, *, oldest: bool = False) -> Replica:
        found = await venue.link.call("XINFO", "GROUPS", venue.keys.log)
        groups.extend(flat[flat.index(b"name") + 1] for flat in found)
        return await restore(self, oldest=oldest)

    monkeypatch.setattr(Client, "restore", watched)
    await persisted(venue, sqlite_url)
    assert b"consumer:persistence" in groups


async def test_the_journal_may_be_trimmed_up_to_where_a_running_one_is(
    venue: Venue, sqlite_url: str
) -> None:
    await opened(venue)
    async with persisting(venue, sqlite_url) as running:
        seq = await trades(venue, 1)
        await running.reaches(seq)
        await eventually(lambda: _has_read(venue), lambda place: place == f"{seq}-0".encode())


async def _has_read(venue: Venue) -> bytes:
    groups = await venue.link.call("XINFO", "GROUPS", venue.keys.log)
    (place,) = [
        flat[flat.index(b"last-delivered-id") + 1]
        for flat in groups
        if b"consumer:persistence" in flat
    ]
    return bytes(place)


@pytest.mark.parametrize("trimmed", [False, True])
async def test_a_store_that_was_set_back_is_followed_only_when_told_so(
    venue: Venue, database_url: str, trimmed: bool
) -> None:
    await opened(venue)
    await trades(venue, 1, 2)
    past = await venue.events()
    seq = await venue.snapshot()
    await persisted(venue, database_url)
    if trimmed:
        await trim_to(venue, seq)
    backup = await Backup.of(venue.link, venue.prefix)
    await trades(venue, 3)
    await persisted(venue, database_url)
    before = tables(database_url)
    await venue.instances["a"].crash()
    await backup.restore()
    async with persisting(venue, database_url) as running:
        with pytest.raises(StoreSetBack, match="matchbox consume persistence --rewind"):
            await running.ends()
    assert tables(database_url) == before
    await venue.link.call("DEL", venue.keys.leader)
    await venue.lead("next", settings=QUIET)
    await trades(venue, 5)
    await persisted(venue, database_url, rewind=True)
    later = await venue.client.entries_after(seq, 1000)
    check(database_url, past + [event for entry in later for event in entry.events])
    assert read(database_url, "gaps") == []
    await check_open(venue, database_url)


async def test_rows_that_are_of_no_known_history_go_when_the_store_is_followed(
    venue: Venue, database_url: str
) -> None:
    await opened(venue)
    await trades(venue, 1)
    seq = await venue.snapshot()
    await trim_to(venue, seq)
    backup = await Backup.of(venue.link, venue.prefix)
    await venue.instances["a"].crash()
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}*"))
    await venue.lead("another", settings=QUIET)
    await trades(venue, 6, 7, 8)
    await persisted(venue, database_url)
    await venue.instances["another"].crash()
    await backup.restore()
    await persisted(venue, database_url, rewind=True)
    assert read(database_url, "trades") == []
    assert read(database_url, "gaps") == [{"after_seq": 0, "up_to_seq": seq}]
    await check_open(venue, database_url)
