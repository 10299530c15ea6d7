"""Analytics that start late: what the journal has lost comes out of the database, to the trade."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchbox_tui.consumers.analytics import Analytics, Figures, PastTrades, PastUnusable
from matchbox_tui.consumers.analytics.past import whole_from
from matchbox_tui.engine import Exchange, TradeExecuted
from matchbox_tui.store import (
    CANDLE_SPANS,
    CANDLES_KEPT,
    Candle,
    Client,
    Entry,
    LeaderboardStats,
    PriceStats,
)
from tests.cli.command import run
from tests.consumers.analytics.journal import commands, entries, events_of, sizes
from tests.consumers.persistence.running import persisted
from tests.engine.workload import MARKETS
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue, buy, sell
from tests.waiting import eventually

Traded = dict[str, tuple[PriceStats, LeaderboardStats, dict[str, list[Candle]]]]


def traded(figures: Figures) -> Traded:
    """What trades alone tell."""
    shown = {}
    for symbol, market in figures.markets.items():
        candles = {name: market.candles_of(name) for name in CANDLE_SPANS}
        shown[symbol] = (market.stats().prices, market.stats().leaderboard, candles)
    return shown


def folded(journal: list[Entry], exchange: Exchange | None = None) -> Figures:
    figures = Figures(exchange or Exchange())
    for entry in journal:
        figures.fold(entry)
    return figures


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 400), st.floats(0, 1))
def test_trades_that_are_recalled_count_as_those_that_were_seen(
    seed: int, count: int, part: float
) -> None:
    happened = events_of(list(commands(seed, count)))
    journal = entries(happened, sizes(seed))
    cut = round(part * len(journal))
    before, after = journal[:cut], journal[cut:]
    exchange = folded(before, Exchange(MARKETS)).exchange
    late = Figures(exchange)
    events = [event for entry in before for event in entry.events]
    late.recall(event for event in events if isinstance(event, TradeExecuted))
    for entry in after:
        late.fold(entry)
    whole = folded(journal, Exchange(MARKETS))
    assert traded(late) == traded(whole)
    assert late.exchange.state_hash() == whole.exchange.state_hash()
    # What trades don't tell is of the rest alone, the ratio's trades too.
    for symbol, market in late.markets.items():
        seen = [event for entry in after for event in entry.events if event.market == symbol]
        count_of_trades = sum(isinstance(event, TradeExecuted) for event in seen)
        assert market.stats().activity.trades == count_of_trades


@pytest.mark.parametrize(
    ("gaps", "seq", "first"),
    [
        ((), 10, 1),
        (((1, 4),), 10, 5),
        (((1, 4), (7, 9)), 10, 10),
        (((1, 4), (7, 9)), 8, 10),
        (((11, 20),), 10, 1),
        (((10, 12),), 10, 13),
    ],
)
def test_history_is_whole_after_its_last_gap(
    gaps: tuple[tuple[int, int], ...], seq: int, first: int
) -> None:
    assert whole_from(gaps, seq) == first


@contextlib.asynccontextmanager
async def analysing(venue: Venue, past: PastTrades | None) -> AsyncIterator[Analytics]:
    client = await Client.connect(venue.url, venue.prefix, "late")
    service = Analytics(client, "late", past=past, post_seconds=0.01)
    task = asyncio.ensure_future(service.run())
    try:
        yield service
        service.stop()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def trade(venue: Venue, seed: int, rounds: int = 4) -> int:
    for number in range(rounds):
        await venue.client.submit(mixed_orders(100 * seed + number, 60))
    return await venue.handled()


async def rest(venue: Venue) -> list[Entry]:
    """What there is of the journal."""
    return await venue.client.entries_after(0, 10_000)


async def trimmed(venue: Venue) -> int:
    """Takes the journal away up to now; its last command that is gone."""
    seq = await venue.snapshot()
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{seq + 1}-0")
    return seq


async def posted(venue: Venue, service: Analytics, seq: int) -> tuple[int, int, Traded]:
    """Where the counting begins, for what trades tell and for the rest; and what is posted."""
    board = venue.client.analytics

    async def place() -> int:
        found = await board.stats("MAIN")
        return found[0].sequence if found is not None else -1

    await eventually(place, lambda found: found == seq)
    assert service.figures is not None
    shown, venue_stats = {}, None
    for symbol in service.figures.markets:
        found = await board.stats(symbol)
        assert found is not None
        venue_stats, stats = found
        candles = {}
        for name in CANDLE_SPANS:
            answer = await board.candles(symbol, name, CANDLES_KEPT)
            assert answer is not None
            candles[name] = answer[1]
        shown[symbol] = (stats.prices, stats.leaderboard, candles)
    assert venue_stats is not None
    return venue_stats.history_from, venue_stats.since, shown


async def test_the_past_comes_from_the_database(venue: Venue, database_url: str) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    # A name that PostgreSQL does not take is the same name on both sides of the seam.
    await venue.client.submit([sell(1, 5, trader="nul\0")])
    await trade(venue, 2)
    # The last command before the seam trades, and so does the first one after it.
    await venue.client.submit([sell(1, 9), buy(1000, 1)])
    await persisted(venue, database_url)
    before = await rest(venue)
    assert isinstance(before[-1].events[-1], TradeExecuted)
    seq = await trimmed(venue)
    await venue.client.submit([sell(1, 5, trader="nul\0")])
    tip = await trade(venue, 3)
    # The database may know more than the journal has lost.
    await persisted(venue, database_url)
    whole = folded([*before, *await rest(venue)])
    assert any(row.trader == "nul\N{SYMBOL FOR NULL}" for row in traded(whole)["MAIN"][1].by_volume)
    past = PastTrades(database_url, venue.prefix)
    async with analysing(venue, past) as service:
        assert await posted(venue, service, tip) == (1, seq + 1, traded(whole))
    # It is kept with the rest: the next one has no need of the database.
    tip = await trade(venue, 4)
    whole = folded([*before, *await rest(venue)])
    async with analysing(venue, None) as service:
        assert await posted(venue, service, tip) == (1, seq + 1, traded(whole))


async def test_a_database_with_a_gap_tells_of_what_came_after_it(
    venue: Venue, sqlite_url: str
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    gap = await trimmed(venue)
    await trade(venue, 2)
    await persisted(venue, sqlite_url)
    middle = await rest(venue)
    seq = await trimmed(venue)
    tip = await trade(venue, 3)
    later = [*middle, *await rest(venue)]
    expected = Figures(Exchange())
    for entry in later:
        expected.recall(event for event in entry.events if isinstance(event, TradeExecuted))
    async with analysing(venue, PastTrades(sqlite_url, venue.prefix)) as service:
        history_from, since, shown = await posted(venue, service, tip)
    assert (history_from, since) == (gap + 1, seq + 1)
    assert {symbol: one[0].trades for symbol, one in shown.items()} == {
        symbol: sum(
            isinstance(event, TradeExecuted) and event.market == symbol
            for entry in later
            for event in entry.events
        )
        for symbol in shown
    }


async def started_without(
    venue: Venue, past: PastTrades, tip: int, seq: int, caplog: pytest.LogCaptureFixture
) -> str:
    """Why the past is not known, where the counting begins after `seq`."""
    caplog.set_level(logging.INFO)
    async with analysing(venue, past) as service:
        history_from, since, shown = await posted(venue, service, tip)
    assert history_from == since == seq + 1
    left = [event for entry in await rest(venue) for event in entry.events]
    trades = sum(isinstance(event, TradeExecuted) for event in left)
    assert sum(one[0].trades for one in shown.values()) == trades > 0
    (why,) = [line for line in caplog.messages if "is not known" in line]
    return why


async def test_a_database_that_lags_behind_is_not_used(
    venue: Venue, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    known = await trade(venue, 1)
    await persisted(venue, sqlite_url)
    await trade(venue, 2)
    seq = await trimmed(venue)
    tip = await trade(venue, 3)
    why = await started_without(venue, PastTrades(sqlite_url, venue.prefix), tip, seq, caplog)
    assert f"the database knows the journal up to {known} only" in why


async def test_a_database_of_another_history_is_not_used(
    venue: Venue, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    seq = await trimmed(venue)
    await trade(venue, 2)
    await persisted(venue, sqlite_url)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("DELETE FROM gaps")
        connection.execute("UPDATE position SET chain = 'another'")
    connection.close()
    tip = await trade(venue, 3)
    why = await started_without(venue, PastTrades(sqlite_url, venue.prefix), tip, seq, caplog)
    assert "the database is of another history" in why


async def test_no_database_is_only_an_error_where_one_was_named(
    venue: Venue, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    seq = await trimmed(venue)
    tip = await trade(venue, 2)
    named = PastTrades(sqlite_url, venue.prefix)
    with pytest.raises(PastUnusable, match="there is no such file"):
        named.recall(Figures(Exchange()), lambda: False)
    usual = PastTrades(sqlite_url, venue.prefix, required=False)
    why = await started_without(venue, usual, tip, seq, caplog)
    assert "there is no such file" in why


async def test_a_database_that_is_away_is_waited_for(
    venue: Venue, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    await persisted(venue, sqlite_url)
    before = await rest(venue)
    seq = await trimmed(venue)
    tip = await trade(venue, 2)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.commit()
        connection.execute("BEGIN EXCLUSIVE")
        past = PastTrades(f"{sqlite_url}", venue.prefix)
        async with analysing(venue, past) as service:

            async def said() -> bool:
                return "The analytics wait for the past" in caplog.text

            await eventually(said)
            assert service.figures is None
            connection.execute("ROLLBACK")
            whole = folded([*before, *await rest(venue)])
            assert await posted(venue, service, tip) == (1, seq + 1, traded(whole))
    connection.close()


async def test_the_command_takes_the_database_and_names_what_is_wrong_with_it(
    venue: Venue, sqlite_url: str
) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 1)
    await persisted(venue, sqlite_url)
    before = await rest(venue)
    seq = await trimmed(venue)
    tip = await trade(venue, 2)
    env = {"REDIS_URL": venue.url, "MATCHBOX_KEY_PREFIX": venue.prefix}
    once = ("consume", "analytics", "--once")
    wrong = await asyncio.to_thread(run, *once, env=env | {"DATABASE_URL": "mysql://h/n"})
    assert wrong.code == 3
    assert "there is no database for mysql://" in wrong.err.splitlines()[-1]
    done = await asyncio.to_thread(run, *once, "--database-url", sqlite_url, env=env)
    assert done.code == 0, done.err
    assert "Prices, candles and traders count from command 1 on" in done.err
    found = await venue.client.analytics.stats("MAIN")
    assert found is not None
    assert (found[0].history_from, found[0].since, found[0].sequence) == (1, seq + 1, tip)
    whole = folded([*before, *await rest(venue)])
    assert found[1].prices == traded(whole)["MAIN"][0]
