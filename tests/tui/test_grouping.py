"""Grouped rows: every price has exactly one, and the cursor is always in one that is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import MAX_PRICE, Market, Side
from matchbox_tui.tui.gaze import Gaze
from matchbox_tui.tui.window import Window

RAIN = Market.prediction("RAIN")
MARKETS = (
    RAIN,
    Market("MAIN"),
    Market("FIVES", min_price=7, max_price=1003, tick=5),
    Market("COIN", min_price=1, max_price=3),
)
BOUNDED = [market for market in MARKETS if market.max_price is not None]
markets = st.sampled_from(MARKETS)
sides = st.sampled_from(Side)
groupings = st.sampled_from((1, 2, 5, 10, 20, 50, 100))
heights = st.integers(1, 60)
prices = st.integers(1, 2000) | st.integers(1, MAX_PRICE)


def grouped(market: Market, group: int, rows: int, centre: int) -> Window:
    window = Window.of(market, rows, centre)
    return window.regrouped(group, window.clamp(centre), Side.BUY)


def everything(market: Market, group: int) -> Window:
    """A window so tall that nothing is outside, of a market with a bound."""
    return grouped(market, group, 1100, market.min_price)


def test_steps_are_one_two_five_and_ten_times_that_both_ways() -> None:
    window = Window.of(Market("MAIN"), 9)
    up = []
    for _ in range(8):
        up.append(window.group)
        window = grouped(Market("MAIN"), window.coarser(), 9, 50)
    assert up == [1, 2, 5, 10, 20, 50, 100, 200]
    down = []
    for _ in range(9):
        down.append(window.group)
        window = grouped(Market("MAIN"), window.finer(), 9, 50)
    assert down == [500, 200, 100, 50, 20, 10, 5, 2, 1]
    assert window.finer() == 1


def test_a_group_is_never_larger_than_the_market() -> None:
    window = grouped(RAIN, 50, 9, 50)
    assert window.coarser() == 50


def test_bids_go_down_to_their_row_and_asks_up() -> None:
    window = grouped(RAIN, 10, 11, 50)
    written = [window.price(row) for row in range(11)]
    assert written == [99, 90, 80, 70, 60, 50, 40, 30, 20, 10, 1]
    assert written[window.row(48, Side.BUY)] == 40
    assert written[window.row(52, Side.SELL)] == 60
    assert written[window.row(50, Side.BUY)] == written[window.row(50, Side.SELL)] == 50
    assert written[window.row(9, Side.BUY)] == 1
    assert written[window.row(91, Side.SELL)] == 99


@given(st.sampled_from(BOUNDED), groupings, sides)
def test_every_price_is_in_exactly_one_row(market: Market, group: int, side: Side) -> None:
    window = everything(market, group)
    for price in range(window.low, window.high + 1, window.tick):
        row = window.row(price, side)
        written = window.price(row)
        assert written is not None
        away = price - written if side is Side.BUY else written - price
        # Nobody seems to bid or ask better than they do, but where the range ends.
        assert 0 <= away < window.step or written in (window.low, window.high)


@given(markets, groupings, heights, prices, prices, prices)
def test_groups_never_cross(
    market: Market, group: int, rows: int, centre: int, one: int, other: int
) -> None:
    window = grouped(market, group, rows, centre)
    bid, ask = sorted((window.clamp(one), window.clamp(other)))
    if bid < ask:
        assert window.round(bid, Side.BUY) <= bid < ask <= window.round(ask, Side.SELL)
        assert window.row(ask, Side.SELL) <= window.row(bid, Side.BUY)


@given(markets, heights, prices, st.data())
def test_the_cursor_is_always_in_a_row_that_is_shown(
    market: Market, rows: int, price: int, data: st.DataObject
) -> None:
    gaze = Gaze.at(market, rows)
    gaze.go(price)
    acts = ("step", "go", "face", "scroll", "pinned", "fit", "coarser", "finer")
    for act in data.draw(st.lists(st.sampled_from(acts), max_size=12)):
        before = gaze.cursor
        if act == "step":
            gaze.step(data.draw(st.integers(-90, 90)))
        elif act == "go":
            gaze.go(data.draw(prices), data.draw(sides))
        elif act == "face":
            gaze.face(data.draw(sides))
        elif act in ("scroll", "pinned"):
            gaze.scroll(data.draw(st.integers(-90, 90)), pinned=act == "pinned")
        elif act == "fit":
            gaze.fit(data.draw(heights))
        else:
            window = gaze.window
            gaze.regroup(window.coarser() if act == "coarser" else window.finer())
        assert 0 <= gaze.row < gaze.window.rows
        assert gaze.window.price(gaze.row) is not None
        assert gaze.cursor == gaze.window.clamp(gaze.cursor)
        if act not in ("step", "go", "scroll"):
            assert gaze.cursor == before


@given(markets, groupings, heights, prices, st.integers(-40, 40))
def test_a_step_lands_on_the_price_that_is_written_so_many_rows_away(
    market: Market, group: int, rows: int, price: int, step: int
) -> None:
    gaze = Gaze.at(market, rows)
    gaze.regroup(group)
    gaze.go(price)
    written = gaze.window.moved(gaze.cursor, gaze.side, step)
    gaze.step(step)
    assert gaze.cursor == gaze.window.price(gaze.row) == written


@pytest.mark.parametrize("market", BOUNDED)
def test_walking_the_groups_comes_from_one_end_of_the_market_to_the_other(market: Market) -> None:
    gaze = Gaze.at(market, 5)
    gaze.regroup(2)
    gaze.go(1)
    lowest, walked = gaze.cursor, [gaze.cursor]
    for _ in range(1000):
        gaze.step(1)
        if gaze.cursor == walked[-1]:
            break
        walked.append(gaze.cursor)
    assert walked[-1] == gaze.window.high
    while gaze.cursor != lowest:
        before = gaze.cursor
        gaze.step(-1)
        assert gaze.cursor < before


def test_changing_the_grouping_keeps_the_cursor_in_its_place_of_the_screen() -> None:
    gaze = Gaze.at(Market("MAIN"), 21)
    gaze.go(123_456)
    row = gaze.row
    for group in (2, 5, 10, 100, 10, 1):
        gaze.regroup(group)
        assert (gaze.cursor, gaze.row) == (123_456, row)


def test_a_cursor_between_two_rows_stands_where_an_order_of_its_side_would() -> None:
    gaze = Gaze.at(RAIN, 17)
    gaze.regroup(10)
    gaze.go(48, Side.BUY)
    assert gaze.window.price(gaze.row) == 40
    gaze.face(Side.SELL)
    assert gaze.window.price(gaze.row) == 50
    assert gaze.cursor == 48


def test_scrolling_holds_the_window_and_takes_the_cursor_along_at_the_edge() -> None:
    gaze = Gaze.at(Market("MAIN"), 9)
    gaze.go(500)
    gaze.held = False
    gaze.scroll(30, pinned=False)
    assert gaze.held
    assert gaze.cursor == gaze.window.bottom > 500


def test_scrolling_stops_where_what_is_prepared_would_leave_the_screen() -> None:
    gaze = Gaze.at(Market("MAIN"), 9)
    gaze.go(500)
    gaze.scroll(30, pinned=True)
    assert (gaze.cursor, gaze.window.bottom) == (500, 500)
    gaze.scroll(-30, pinned=True)
    assert (gaze.cursor, gaze.window.top) == (500, 500)


def test_a_cursor_that_turns_to_the_other_side_stays_in_sight() -> None:
    gaze = Gaze.at(RAIN, 1)
    gaze.regroup(10)
    gaze.go(48, Side.BUY)
    gaze.face(Side.SELL)
    assert gaze.row == 0
    assert gaze.window.price(0) == 50
