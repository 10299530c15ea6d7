"""A whole server that was set back, and whoever looks on: readers, traders, the screen."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from matchbox_tui.engine import Market, OrderAccepted
from matchbox_tui.store import (
    Client,
    JournalBroken,
    Replica,
    Server,
    StoreSetBack,
)
from matchbox_tui.tui.feed import Feed
from matchbox_tui.tui.model import Link as FeedLink
from sim import TradingFloor, standard_crew
from tests.node.backups import Backup
from tests.node.set_back import (
    SHORT,
    agree,
    any_orders,
    by_a_stranger,
    said_set_back,
    submit,
    times_said,
)
from tests.node.venue import QUIET, Venue
from tests.servers import OwnServer
from tests.waiting import eventually

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
    before = await submit(venue, 30)
    await agree(venue)
    epoch = (await venue.client.cluster()).epoch
    await venue.link.call("FLUSHALL")
    await eventually(times_said(caplog), lambda times: times >= 2)
    assert set(said_set_back(caplog)) == {(31, 0)}
    after = await by_a_stranger(venue, 10)
    assert min(after) > max(before)
    await eventually(venue.client.cluster, lambda status: status.leader is not None)
    replica = await agree(venue)
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
    before = await submit(venue, 30)
    await agree(venue)
    data = server.directory / "appendonlydir"
    server.stop()
    shutil.copytree(data, tmp_path / "copy")
    server.start()
    before += await _when_back(venue, 20)
    await agree(venue)
    tip = (await venue.client.cluster()).seq
    server.stop()
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "copy", data)
    server.start()
    await eventually(times_said(caplog), lambda times: times >= 2)
    assert set(said_set_back(caplog)) == {(tip, 30)}
    stranger = await by_a_stranger(venue, 10)
    after = await _when_back(venue, 10)
    assert not set(before) & set(stranger) & set(after)
    assert min(*stranger, *after) > max(before)
    assert (await agree(venue)).seq >= 50
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
    ids = await client.submit(any_orders(count))
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
    await submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 10)
    replica = await venue.restored()
    await backup.restore()
    with pytest.raises(StoreSetBack, match="set back from 30 to 20"):
        await _follow(venue, replica)
    await venue.client.submit(any_orders(5))
    assert (await agree(venue)).seq == 25


async def test_a_reader_that_looks_only_when_the_new_history_is_longer_is_told_as_well(
    venue: Venue,
) -> None:
    await venue.lead("a", settings=QUIET)
    await submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 10)
    replica = await venue.restored()
    await backup.restore()
    for n in range(3):
        await venue.client.submit(any_orders(10, n))
        await agree(venue)
    with pytest.raises(JournalBroken):
        await _follow(venue, replica)


async def _follow(venue: Venue, replica: Replica) -> None:
    async with asyncio.timeout(30):
        async for _ in venue.client.follow(replica):
            pass


async def test_traders_trade_on(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET, markets=(Market.prediction("RAIN"),))
    venue.start("b", settings=QUIET)
    floor = TradingFloor(venue.client, standard_crew(5, 300, 1, ("RAIN",)))
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
    await agree(venue)


async def test_the_screen_s_feed_says_so_and_shows_what_is_there(venue: Venue) -> None:
    await venue.lead("a", settings=QUIET)
    await submit(venue, 20)
    backup = await Backup.of(venue.link, venue.prefix)
    await submit(venue, 10)
    feed = Feed.of(venue.url, venue.prefix, "me", lambda: 0)
    running = [asyncio.ensure_future(feed.run()), asyncio.ensure_future(feed.watch())]

    async def shown() -> tuple[int, FeedLink]:
        return feed.replica.seq, feed.model.link

    await eventually(shown, lambda seen: seen == (30, FeedLink.LIVE))
    await backup.restore()
    await eventually(shown, lambda seen: seen[0] == 20)
    await venue.client.submit(any_orders(5))
    replica = await agree(venue)
    await eventually(shown, lambda seen: seen == (25, FeedLink.LIVE))
    assert feed.replica.exchange.state_hash() == replica.exchange.state_hash()
    assert any("set back from 30 to 20" in notice.words for notice in feed.model.notices)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await feed.close()
