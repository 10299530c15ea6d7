"""Bounds and divisions: what random journals reach too seldom."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.consumers.analytics.candles import Candles
from matchbox_tui.consumers.analytics.flow import NO_ASK, Flow
from matchbox_tui.consumers.analytics.health import Health
from matchbox_tui.consumers.analytics.traders import Standing, Traders
from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.engine import Side, TradeExecuted
from matchbox_tui.store import Candle
from tests.consumers.analytics import naive


def trade(
    maker: str, taker: str, qty: int, price: int = 50, side: Side = Side.BUY, at: int = 0
) -> TradeExecuted:
    return TradeExecuted(1, 0, "MAIN", 1, 2, price, qty, side, maker, taker, at)


@given(st.lists(st.integers(0, 80), max_size=80), st.integers(1, 5))
def test_the_windows_that_were_touched_last_are_kept(times: list[int], limit: int) -> None:
    windows = Windows(10, limit)
    for number, time in enumerate(times):
        windows.at(time).append(number)
    touches = [(time, number) for number, time in enumerate(times)]
    assert windows.kept == naive.windows(touches, 10, limit)
    assert list(windows.kept) == list(naive.windows(touches, 10, limit))


def test_a_clock_that_is_off_by_centuries_is_pushed_out_by_those_after_it() -> None:
    candles = Candles(10, Windows(10, 3))
    far = 2**63 - 1
    for time in (5, far, 15, 8):
        candles.record(50, 1, time)
    assert sorted(candles.windows.kept) == [0, 10, far - far % 10]
    candles.record(50, 1, 25)
    assert sorted(candles.windows.kept) == [0, 10, 20]
    assert candles.candle(0) == Candle(0, 50, 50, 50, 50, 2, 2)


def test_candles_say_what_is_new_and_what_is_gone() -> None:
    candles = Candles(10, Windows(10, 2))
    candles.record(50, 1, 1)
    candles.record(51, 1, 11)
    candles.changed.clear()
    candles.record(52, 1, 12)
    assert candles.changed == {10}
    candles.record(52, 1, 25)
    assert candles.changed == {0, 10, 20}
    assert candles.candle(0) is None


fills = st.lists(
    st.tuples(st.integers(1, 99), st.integers(-20, 20).filter(bool)), min_size=1, max_size=40
)


@given(fills)
def test_realised_profit_is_that_of_the_average_price(deals: list[tuple[int, int]]) -> None:
    standing = Standing()
    held, average, realised, divisions, cash = 0, Fraction(0), Fraction(0), 0, 0
    for price, qty in deals:
        standing.fill(price, qty)
        cash -= price * qty
        closed = min(abs(qty), abs(held)) if held * qty < 0 else 0
        realised += closed * (price - average) * (1 if held > 0 else -1)
        divisions += bool(closed)
        if held * qty >= 0:
            average = (average * abs(held) + price * abs(qty)) / (abs(held) + abs(qty))
        elif abs(qty) > abs(held):
            average = Fraction(price)
        held += qty
        assert standing.qty == held
        assert standing.realised - standing.cost == cash
        # Less than a tick is put off at each division.
        assert abs(standing.realised - realised) < max(divisions, 1)
        if held == 0:
            divisions, realised = 0, Fraction(standing.realised)
            assert standing.cost == 0


def test_a_position_that_turns_round_is_closed_and_opened_at_the_same_price() -> None:
    standing = Standing()
    standing.fill(40, 10)
    standing.fill(60, -15)
    assert (standing.realised, standing.qty, standing.cost) == (200, -5, -300)
    standing.fill(50, 5)
    assert (standing.realised, standing.qty, standing.cost) == (250, 0, 0)


def test_beyond_the_bound_traders_are_counted_together_and_nobody_is_pushed_out() -> None:
    traders = Traders(limit=2)
    traders.record(trade("ann", "bob", 5))
    traders.record(trade("cy", "ann", 3))
    traders.record(trade("dan", "eve", 4))
    stats = traders.stats()
    assert [(one.trader, one.volume) for one in stats.by_volume] == [("ann", 8), ("bob", 5)]
    assert (stats.traders, stats.untracked) == (2, 3 + 4 + 4)


def test_nobody_in_particular_is_on_no_leaderboard() -> None:
    traders = Traders()
    traders.record(trade("", "bob", 5))
    assert [one.trader for one in traders.stats().by_volume] == ["bob"]
    assert traders.untracked == 0


def test_a_trade_with_oneself_counts_on_both_sides_and_leaves_no_position() -> None:
    traders = Traders()
    traders.record(trade("ann", "ann", 5, price=7))
    (ann,) = traders.stats().by_volume
    assert (ann.volume, ann.maker_qty, ann.position, ann.realised) == (10, 5, 0, 0)


@pytest.mark.parametrize(
    ("after", "flow"),
    [
        ((50, 15, 60, 10), 5),
        ((50, 4, 60, 10), -6),
        ((51, 3, 60, 10), 3),
        ((49, 8, 60, 10), -10),
        ((50, 10, 60, 25), -15),
        ((50, 10, 59, 2), -2),
        ((50, 10, 61, 7), 10),
        ((50, 10, NO_ASK, 0), 10),
        ((0, 0, 60, 10), -10),
        ((51, 3, 61, 7), 13),
        ((50, 10, 60, 10), 0),
    ],
)
def test_each_change_at_the_best_prices_counts_with_its_sign(
    after: tuple[int, int, int, int], flow: int
) -> None:
    moves = Flow()
    moves.begin(50, 10, 60, 10)
    moves.see(*after, 25_000_000_000)
    assert moves.total == flow
    windows = [(window.time, window.flow) for window in moves.stats().windows]
    assert windows == ([(20_000_000_000, flow)] if flow else [])


@given(st.lists(st.integers(1, 5000)))
def test_commits_are_counted_by_their_size(sizes: list[int]) -> None:
    health = Health()
    for size in sizes:
        health.commit(size)
    limits = [2**power for power in range(11)]
    expected = Counter(max(index for index in range(11) if limits[index] <= size) for size in sizes)
    assert health.sizes == [expected[index] for index in range(11)]
    assert (health.commits, health.largest) == (len(sizes), max(sizes, default=0))
