"""The figures are what a naive computation finds, however the journal was committed and read."""

import itertools
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchbox_tui.consumers.analytics import Figures
from matchbox_tui.consumers.analytics.state import dump_figures, load_figures
from matchbox_tui.engine import Event, Exchange, Side
from matchbox_tui.store import CANDLE_SPANS, CANDLES_KEPT, JournalBroken, MarketStats, StateHeader
from tests.consumers.analytics import naive
from tests.consumers.analytics.journal import commands, entries, events_of, sizes
from tests.engine.build import buy, sell
from tests.engine.workload import MARKETS

seeds = st.integers(0, 2**32)
counts = st.integers(1, 400)


def folded(happened: list[list[Event]], batches: Any) -> Figures:
    figures = Figures(Exchange(MARKETS))
    for entry in entries(happened, batches):
        figures.fold(entry)
    return figures


def shown(figures: Figures) -> dict[str, tuple[MarketStats, Any]]:
    return {
        symbol: (market.stats(), {name: market.candles_of(name) for name in CANDLE_SPANS})
        for symbol, market in figures.markets.items()
    }


@settings(max_examples=60, deadline=None)
@given(seeds, counts)
def test_the_figures_are_those_of_a_naive_computation(seed: int, count: int) -> None:
    happened = events_of(list(commands(seed, count)))
    figures = folded(happened, sizes(seed))
    assert set(figures.markets) == set(figures.exchange.books)
    for symbol, market in figures.markets.items():
        stats = market.stats()
        trades = naive.trades_of(happened, symbol)
        check_prices(stats, trades)
        check_books(stats, happened, symbol)
        check_traders(stats, trades)
        active = stats.activity
        counted = (active.orders, active.replaces, active.cancels, active.expiries)
        assert counted == naive.activity(happened, symbol)
        assert (active.messages, active.trades) == (sum(counted[:3]), len(trades))
        for name, span in CANDLE_SPANS.items():
            found = {one.time: msgspec.structs.astuple(one)[1:] for one in market.candles_of(name)}
            assert found == naive.candles(trades, span, CANDLES_KEPT)
    assert figures.health.commands == len(happened)
    assert figures.health.events == sum(map(len, happened))


def check_prices(stats: MarketStats, trades: list[Any]) -> None:
    prices = stats.prices
    assert prices.notional == sum(trade.price * trade.qty for trade in trades)
    assert prices.volume == sum(trade.qty for trade in trades)
    assert prices.trades == len(trades)
    assert prices.last == (trades[-1].price if trades else None)
    days = naive.candles(trades, 24 * 3600 * 10**9, 8)
    if trades:
        today = trades[-1].timestamp // (24 * 3600 * 10**9) * 24 * 3600 * 10**9
        assert prices.day is not None
        assert msgspec.structs.astuple(prices.day) == (today, *days[today])
        assert prices.change == trades[-1].price - days[today][0]
    else:
        assert prices.day is prices.change is None


def check_books(stats: MarketStats, happened: list[list[Event]], symbol: str) -> None:
    tops = naive.tops(happened, symbol)
    both = [sides for _, sides in tops if len(sides) == 2]
    spreads = [sides[Side.SELL][0] - sides[Side.BUY][0] for sides in both]
    quotes = stats.quotes
    assert (quotes.samples, quotes.two_sided) == (len(tops), len(both))
    assert quotes.spread_sum == sum(spreads)
    assert quotes.spread_min == min(spreads, default=None)
    assert quotes.spread_max == max(spreads, default=None)
    assert quotes.bid_qty_sum == sum(sides[Side.BUY][1] for sides in both)
    assert quotes.ask_qty_sum == sum(sides[Side.SELL][1] for sides in both)
    flows = []
    before: dict[Side, list[int]] = {}
    for time, sides in tops:
        flows.append((time, naive.imbalance(before, sides)))
        before = sides
    moved = [(time, flow) for time, flow in flows if flow]
    assert stats.flow.total == sum(flow for _, flow in moved)
    expected = {start: sum(m) for start, m in naive.windows(moved, 10**10, 30).items()}
    assert {window.time: window.flow for window in stats.flow.windows} == expected


def check_traders(stats: MarketStats, trades: list[Any]) -> None:
    volume, made, fills, cash, qty = Counter(), Counter(), Counter(), Counter(), Counter()
    for trade in trades:
        made[trade.maker_trader] += trade.qty
        for who, sign in ((trade.buyer, 1), (trade.seller, -1)):
            volume[who] += trade.qty
            fills[who] += 1
            qty[who] += sign * trade.qty
            cash[who] -= sign * trade.price * trade.qty
    names = sorted(name for name in volume if name)
    board = stats.leaderboard
    assert board.traders == len(names)
    assert [one.trader for one in board.by_volume] == sorted(
        names, key=lambda name: (-volume[name], name)
    )
    for one in board.by_volume:
        name = one.trader
        found = (one.volume, one.maker_qty, one.trades, one.position)
        assert found == (volume[name], made[name], fills[name], qty[name])
        # Nothing is lost in a division: what was made and what is tied up is what was paid.
        assert one.realised - one.cost == cash[name]
        if not one.position:
            assert one.cost == 0
    ranked = [(-one.realised, one.trader) for one in board.by_profit]
    assert ranked == sorted(ranked)
    assert {one.trader for one in board.by_profit} == set(names)


@settings(max_examples=30, deadline=None)
@given(seeds, counts, seeds)
def test_how_the_engine_batched_changes_no_market(seed: int, count: int, other: int) -> None:
    happened = events_of(list(commands(seed, count)))
    alone = folded(happened, itertools.repeat(1))
    together = folded(happened, sizes(other))
    assert shown(alone) == shown(together)
    assert alone.health.windows == together.health.windows


@settings(max_examples=30, deadline=None)
@given(seeds, counts, st.floats(0, 1))
def test_figures_that_were_put_away_and_taken_up_go_on_as_if_nothing_had_been(
    seed: int, count: int, part: float
) -> None:
    happened = events_of(list(commands(seed, count)))
    journal = entries(happened, sizes(seed))
    cut = round(part * len(journal))
    figures = Figures(Exchange(MARKETS))
    for entry in journal[:cut]:
        figures.fold(entry)
    chain = journal[cut - 1].chain if cut else ""
    head = StateHeader(figures.seq, chain, 1, figures.since)
    again = load_figures(head, list(dump_figures(figures)))
    assert again.exchange.state_hash() == figures.exchange.state_hash()
    for entry in journal[cut:]:
        figures.fold(entry)
        again.fold(entry)
    assert shown(figures) == shown(again)
    assert figures.health == again.health
    assert [market.state() for market in figures.markets.values()] == [
        market.state() for market in again.markets.values()
    ]


def test_what_rests_in_the_book_at_the_beginning_is_nobodys_flow() -> None:
    exchange = Exchange(MARKETS)
    exchange.apply(buy(1, 50, 10))
    figures = Figures(Exchange.load(exchange.dump()))
    assert figures.since == 2
    (entry,) = entries([exchange.apply(buy(2, 50, 3))], itertools.repeat(1))
    figures.fold(entry)
    assert figures.markets["MAIN"].stats().flow.total == 3


def test_a_journal_that_contradicts_itself_is_refused() -> None:
    happened = events_of([buy(1, 50, 10), sell(2, 50, 4)])
    figures = Figures(Exchange(MARKETS))
    with pytest.raises(JournalBroken, match="the journal contradicts itself"):
        figures.fold(entries(happened[1:], itertools.repeat(1))[0])
