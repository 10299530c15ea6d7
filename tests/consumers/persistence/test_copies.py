"""Several copies: one works and the others stand by; two that both think so repeat nothing."""

import asyncio
import logging

import pytest

from matchbox_tui.consumers import Place
from matchbox_tui.consumers.persistence import Database, Overtaken
from matchbox_tui.consumers.persistence.ledger import Ledger
from matchbox_tui.engine import CancelOrder
from matchbox_tui.store import Header, Replica
from tests.consumers.persistence.rows import check, read
from tests.consumers.persistence.running import persisted, persisting
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue, sell


async def test_another_copy_takes_over_and_says_so(
    venue: Venue, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    await venue.lead(settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    async with persisting(venue, database_url, "one") as one:
        await one.reaches(await venue.handled())
        async with persisting(venue, database_url, "two") as two:
            await venue.client.submit(mixed_orders(2))
            await one.reaches(await venue.handled())
            assert two.service.progress.batches == 0
            await one.stop()
            await venue.client.submit(mixed_orders(3))
            await two.reaches(await venue.handled())
    assert "Working as persistence (one)" in caplog.text
    assert "Standing by as persistence: one works" in caplog.text
    assert "Working as persistence (two)" in caplog.text
    check(database_url, await venue.events())


async def test_two_copies_that_both_work_write_everything_once(
    venue: Venue, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    await venue.lead(settings=QUIET)
    # With names of their own neither hears of the other.
    async with (
        persisting(venue, database_url, "one", name="here") as one,
        persisting(venue, database_url, "two", name="there") as two,
    ):
        for round_ in range(12):
            await venue.client.submit(mixed_orders(round_))
            await venue.handled()
        seq = await venue.handled()
        await one.reaches(seq)
        await two.reaches(seq)
    assert "another copy has" in caplog.text
    check(database_url, await venue.events())


async def test_a_copy_that_is_overtaken_while_it_reads_the_rows_reads_them_again(
    venue: Venue, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.lead(settings=QUIET)
    [order_id] = await venue.client.submit([sell(50, 2)])
    await persisted(venue, database_url)
    database = Database(database_url, venue.prefix)
    places = [database.place()]
    database.close()
    await venue.client.submit([CancelOrder(order_id)])
    await persisted(venue, database_url)
    place = Database.place
    # Another copy wrote the cancel between the look at the place and that at the rows.
    monkeypatch.setattr(Database, "place", lambda self: places.pop() if places else place(self))
    await venue.client.submit([sell(51, 2)])
    await persisted(venue, database_url)
    assert not places
    check(database_url, await venue.events())


async def test_a_batch_that_another_copy_wrote_is_refused_whole(
    venue: Venue, database_url: str
) -> None:
    await venue.lead(settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    await persisted(venue, database_url)
    database = Database(database_url, venue.prefix)
    before = database.place()
    assert before is not None
    ledger = Ledger()
    ledger.load(database.open_orders())
    await venue.client.submit(mixed_orders(2))
    await persisted(venue, database_url)
    entries = await venue.client.entries_after(before.seq, 1000)
    for entry in entries:
        ledger.fold(entry.events)
    after = Place(entries[-1].seq, entries[-1].chain, entries[-1].epoch)
    with pytest.raises(Overtaken):
        database.commit(before, after, ledger.take())
    with pytest.raises(Overtaken):
        database.start_over(None, Replica())
    check(database_url, await venue.events())
    assert len(read(database_url, "position")) == 1
    database.close()


async def test_two_copies_may_write_down_the_same_snapshot_at_once(
    venue: Venue, database_url: str
) -> None:
    await venue.lead(settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    await persisted(venue, database_url)
    databases = [Database(database_url, venue.prefix) for _ in range(8)]
    for start in range(0, 200, 40):
        heads = [Header(seq, "chain", 1, 0, 0) for seq in range(start, start + 40)]
        noted = (asyncio.to_thread(one.note_snapshots, heads) for one in databases)
        await asyncio.gather(*noted)
    assert [row["seq"] for row in read(database_url, "snapshots")] == list(range(200))
    for one in databases:
        one.close()
