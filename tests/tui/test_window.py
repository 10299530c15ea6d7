"""Which prices the ladder shows, and when its centre moves."""

import pytest

from matchbox_tui.engine import MAX_PRICE, Market, NewOrder, Order, OrderBook, Side
from matchbox_tui.tui.gaze import Gaze
from matchbox_tui.tui.window import Window

RAIN = Market.prediction("RAIN")
MAIN = Market("MAIN")


def book(*orders: tuple[Side, int], market: Market = RAIN) -> OrderBook:
    made = OrderBook(market)
    for number, (side, price) in enumerate(orders, 1):
        made.rest(Order(NewOrder(order_id=number, side=side, price=price, qty=1)))
    return made


def test_every_row_is_one_tick_from_the_next() -> None:
    window = Window.of(Market("FIVES", max_price=1000, tick=5), 9, 502)
    prices = [window.price(row) for row in range(9)]
    assert prices == [520, 515, 510, 505, 500, 495, 490, 485, 480]
    assert [window.row(price) for price in (520, 480)] == [0, 8]


def test_a_window_stays_inside_the_market() -> None:
    assert Window.of(RAIN, 9, 2).bottom == 1
    assert Window.of(RAIN, 9, 98).top == 99
    assert Window.of(MAIN, 9, 1).bottom == 1
    assert Window.of(MAIN, 9, MAX_PRICE).top == MAX_PRICE


def test_a_window_taller_than_the_market_leaves_rows_blank() -> None:
    window = Window.of(Market("COIN", min_price=1, max_price=3), 9)
    prices = [window.price(row) for row in range(9)]
    assert prices == [None, None, None, 3, 2, 1, None, None, None]


@pytest.mark.parametrize("rows", [1, 2, 3, 17, 200])
@pytest.mark.parametrize("market", [RAIN, MAIN, Market("T", min_price=7, max_price=9, tick=7)])
def test_any_window_has_its_cursor_in_it(rows: int, market: Market) -> None:
    gaze = Gaze.at(market, rows)
    for step in (1, -1, 50, -1000, 10**13):
        gaze.step(step)
        assert gaze.window.shows(gaze.cursor)
    for height in (1, 5, 90):
        gaze.fit(height)
        assert gaze.window.shows(gaze.cursor)


def test_the_centre_stands_still_while_the_market_moves_inside() -> None:
    gaze = Gaze.at(RAIN, 17)
    gaze.recentre(book((Side.BUY, 49), (Side.SELL, 51)), None)
    before = gaze.window
    gaze.follow(book((Side.BUY, 53), (Side.SELL, 55)), None)
    assert gaze.window == before


def test_the_centre_follows_when_the_best_price_nears_the_edge() -> None:
    gaze = Gaze.at(RAIN, 17)
    gaze.recentre(book((Side.BUY, 49), (Side.SELL, 51)), None)
    gaze.follow(book((Side.BUY, 56), (Side.SELL, 58)), None)
    assert gaze.window.row(57) == 8


def test_scrolling_away_holds_the_window_until_it_is_recentred() -> None:
    market = book((Side.BUY, 49), (Side.SELL, 51))
    gaze = Gaze.at(RAIN, 17)
    gaze.recentre(market, None)
    gaze.step(30)
    held = gaze.window
    gaze.follow(market, None)
    assert gaze.held
    assert gaze.window == held
    gaze.recentre(market, None)
    assert not gaze.held
    assert gaze.window.row(50) == 8
    assert gaze.cursor == 49


def test_prices_far_apart_are_anchored_and_do_not_swing() -> None:
    market = book((Side.BUY, 50), (Side.SELL, 10**6), market=MAIN)
    gaze = Gaze.at(MAIN, 17)
    gaze.recentre(market, None)
    assert gaze.window.shows(50)
    before = gaze.window
    gaze.follow(market, None)
    assert gaze.window == before
    gaze.follow(market, 500_000)
    assert gaze.window.shows(500_000)


def test_resizing_never_changes_the_price_under_the_cursor() -> None:
    gaze = Gaze.at(RAIN, 40)
    gaze.go(67)
    for rows in (3, 1, 80, 17):
        gaze.fit(rows)
        assert gaze.cursor == 67
        assert gaze.window.shows(67)
