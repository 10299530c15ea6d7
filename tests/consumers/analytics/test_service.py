"""The service: what it posts, and that kills, copies, trimming and restarts change no number."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from matchbox_tui.consumers import Place
from matchbox_tui.consumers.analytics import Analytics, Figures
from matchbox_tui.consumers.analytics.poster import Poster
from matchbox_tui.engine import Exchange
from matchbox_tui.store import CANDLE_SPANS, CANDLES_KEPT, Candle, Client, MarketStats, VenueStats
from tests.node.venue import QUIET, Venue, buy, sell
from tests.waiting import eventually

Shown = dict[str, tuple[MarketStats, dict[str, list[Candle]]]]
BEGIN = 1_700_000_000_000_000_000


class Copy:
    """A copy of the service that runs on a test's loop."""

    def __init__(self, client: Client, name: str, keep_seconds: float = 3600) -> None:
        self.analytics = Analytics(
            client, name, lease_ms=300, post_seconds=0.01, keep_seconds=keep_seconds
        )
        self.task = asyncio.ensure_future(self.analytics.run())

    async def stop(self) -> None:
        self.analytics.stop()
        await self.task

    async def kill(self) -> None:
        """Ends it wherever it is; it keeps nothing and tells nobody."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def another_client(venue: Venue) -> AsyncIterator[Client]:
    client = await Client.connect(venue.url, venue.prefix, "copy")
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def copy(venue: Venue) -> AsyncIterator[Any]:
    """Starts copies by name; whoever is left over is killed."""
    async with contextlib.AsyncExitStack() as clients:
        started: list[Copy] = []

        async def start(name: str = "a", **options: Any) -> Copy:
            client = await clients.enter_async_context(another_client(venue))
            started.append(Copy(client, name, **options))
            return started[-1]

        yield start
        for one in started:
            await one.kill()


async def trade(venue: Venue, rounds: int, begin: int = 0) -> int:
    """Each round three orders and two trades, a second apart; the journal's tip."""
    for number in range(begin, begin + rounds):
        now = BEGIN + number * 10**9
        price = 40 + number % 7
        await venue.client.submit(
            [
                sell(price, 5, trader="ann", timestamp=now),
                sell(price + 1, 3, trader="bob", timestamp=now),
                buy(price + 1, 7, trader=f"t{number % 3}", timestamp=now),
            ]
        )
    return await venue.handled()


async def posted(venue: Venue, seq: int) -> tuple[VenueStats, Shown]:
    """What is posted as soon as it is of that place."""
    board = venue.client.analytics

    async def venue_stats() -> int:
        found = await board.stats("MAIN")
        return found[0].sequence if found is not None else -1

    await eventually(venue_stats, lambda sequence: sequence >= seq)
    shown, stats = {}, None
    for market in ("MAIN",):
        found = await board.stats(market)
        assert found is not None
        stats = found[0]
        candles = {}
        for name in CANDLE_SPANS:
            answer = await board.candles(market, name, CANDLES_KEPT)
            assert answer is not None
            candles[name] = answer[1]
        shown[market] = (found[1], candles)
    assert stats is not None
    assert stats.sequence == seq
    return stats, shown


async def held_from(venue: Venue) -> int:
    """The place after which the journal is held back from being trimmed; -1 where it isn't."""
    groups = await venue.link.call("XINFO", "GROUPS", venue.keys.log)
    found = [dict(zip(flat[::2], flat[1::2], strict=True)) for flat in groups]
    mine = [group for group in found if group[b"name"] == b"consumer:analytics"]
    return int(mine[0][b"last-delivered-id"].partition(b"-")[0]) if mine else -1


async def expected(venue: Venue) -> tuple[VenueStats, Shown]:
    """What a fold over the whole journal finds."""
    figures = Figures(Exchange())
    for entry in await venue.journal():
        figures.fold(entry)
    shown = {
        symbol: (market.stats(), {name: market.candles_of(name) for name in CANDLE_SPANS})
        for symbol, market in figures.markets.items()
    }
    return VenueStats(figures.seq, 1, figures.health.stats(), 1), shown


async def test_the_figures_are_posted_as_the_journal_grows(venue: Venue, copy: Any) -> None:
    await venue.lead(settings=QUIET)
    assert await venue.client.analytics.stats("MAIN") is None
    assert await venue.client.analytics.candles("MAIN", "1s", 10) is None
    await copy()
    for begin in (0, 5, 10):
        seq = await trade(venue, 5, begin)
        assert await posted(venue, seq) == await expected(venue)
    answer = await venue.client.analytics.candles("MAIN", "1s", 4)
    assert answer is not None
    assert [candle.time for candle in answer[1]] == [BEGIN + n * 10**9 for n in (11, 12, 13, 14)]
    nowhere = await venue.client.analytics.stats("NOWHERE")
    assert nowhere is not None
    assert nowhere[1] == MarketStats("NOWHERE")


async def test_after_a_stop_it_goes_on_though_the_journal_before_is_gone(
    venue: Venue, copy: Any
) -> None:
    await venue.lead(settings=QUIET)
    first = await copy()
    seq = await trade(venue, 8)
    await posted(venue, seq)
    await first.stop()
    whole = await venue.journal()
    await venue.snapshot()
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{seq + 1}-0")
    seq = await trade(venue, 4, 8)
    await copy("b")
    found = await posted(venue, seq)
    figures = Figures(Exchange())
    rest = await venue.client.entries_after(whole[-1].seq, 1000)
    for entry in (*whole, *rest):
        figures.fold(entry)
    assert found[0] == VenueStats(seq, 1, figures.health.stats(), 1)
    assert found[1]["MAIN"][0] == figures.markets["MAIN"].stats()


async def test_what_was_kept_holds_back_trimming_and_no_more_than_that(
    venue: Venue, copy: Any
) -> None:
    await venue.lead(settings=QUIET)
    service = await copy(keep_seconds=0.0)
    seq = await trade(venue, 3)

    await eventually(lambda: held_from(venue), lambda place: place == seq)
    await service.kill()
    await trade(venue, 3, 3)
    assert await held_from(venue) == seq


async def test_before_anything_is_kept_the_whole_journal_is_held_back(
    venue: Venue, copy: Any
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    assert await held_from(venue) == -1
    await copy()
    await posted(venue, await trade(venue, 3, 1))
    assert await held_from(venue) == 0


async def test_kills_change_no_number(venue: Venue, copy: Any) -> None:
    await venue.lead(settings=QUIET)
    seq = 0
    for number in range(6):
        service = await copy(keep_seconds=0.02 * (number % 2))
        seq = await trade(venue, 3, 3 * number)
        await asyncio.sleep(0.01 * number)
        await service.kill()
    await copy()
    assert await posted(venue, seq) == await expected(venue)


async def test_a_copy_stands_by_and_takes_over_with_the_same_numbers(
    venue: Venue, copy: Any
) -> None:
    await venue.lead(settings=QUIET)
    first = await copy("a")
    seq = await trade(venue, 4)
    await posted(venue, seq)
    second = await copy("b")
    seq = await trade(venue, 4, 4)
    await posted(venue, seq)
    assert second.analytics.figures is None
    await first.kill()
    seq = await trade(venue, 4, 8)
    assert await posted(venue, seq) == await expected(venue)
    assert second.analytics.figures is not None


async def test_what_is_older_never_stands_over_what_is_newer(venue: Venue, copy: Any) -> None:
    """Two copies that both think the turn is theirs, one of them behind."""
    await venue.lead(settings=QUIET)
    first = await copy("a")
    for number in range(4):
        seq = await trade(venue, 1, number)
    stats = await posted(venue, seq)
    entries = await venue.journal()
    assert len(entries) >= 4
    middle = entries[1]
    late = Figures(Exchange())
    for entry in entries[: entries.index(middle) + 1]:
        late.fold(entry)
    poster = Poster(venue.link, venue.keys)
    assert not await poster.post(Place(middle.seq, middle.chain, middle.epoch), late)
    assert await posted(venue, seq) == stats
    for entry in entries[entries.index(middle) + 1 :]:
        late.fold(entry)
    assert await poster.post(Place(entries[-1].seq, entries[-1].chain, 1), late)
    # The first one finds that somebody else was here, and brings all it has.
    seq = await trade(venue, 4, 4)
    assert await posted(venue, seq) == await expected(venue)
    assert not first.task.done()


async def test_a_late_starter_counts_from_where_the_journal_begins_and_says_so(
    venue: Venue, copy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    at = await trade(venue, 4)
    await venue.snapshot()
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{at + 1}-0")
    seq = await trade(venue, 2, 4)
    with caplog.at_level(logging.WARNING):
        await copy()
        stats, shown = await posted(venue, seq)
    assert stats.since == at + 1
    replica = await venue.client.restore(oldest=True)
    assert replica.seq == at
    figures = Figures(replica.exchange)
    for entry in await venue.client.entries_after(at, 1000):
        figures.fold(entry)
    assert shown["MAIN"][0] == figures.markets["MAIN"].stats()
    assert shown["MAIN"][0].prices.trades > 0
    assert f"Counting from command {at + 1} on" in caplog.text


async def test_a_state_that_is_damaged_is_said_and_not_used(
    venue: Venue, copy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    first = await copy()
    seq = await trade(venue, 3)
    await posted(venue, seq)
    await first.stop()
    await venue.link.call("LSET", venue.keys.analytics_state, 0, "damaged")
    seq = await trade(venue, 3, 3)
    with caplog.at_level(logging.WARNING):
        await copy("b")
        assert await posted(venue, seq) == await expected(venue)
    assert "begin anew, their state can't be used: its checksum differs" in caplog.text


async def test_a_store_that_was_emptied_is_counted_anew(venue: Venue, copy: Any) -> None:
    instance = await venue.lead(settings=QUIET)
    service = await copy(keep_seconds=0.0)
    seq = await trade(venue, 3)
    await posted(venue, seq)
    await instance.crash()
    names = await venue.link.call("KEYS", f"{venue.prefix}*")
    await venue.link.call("UNLINK", *names)
    await venue.lead("b", settings=QUIET)
    seq = await trade(venue, 2, 50)
    assert await posted(venue, seq) == await expected(venue)
    assert not service.task.done()
