"""The nine cases of the original Matchbox, on the bare function and on the whole engine."""

from collections.abc import Callable

import pytest

from matchbox_tui.engine import Exchange, Fill, NewOrder, Order, OrderBook, Side, match_order
from tests.engine.build import buy, queue, sell, trades

Place = Callable[[NewOrder], list[tuple[int, int, int]]]
"""Places an order; returns (maker's id, price, qty) of each fill."""


@pytest.fixture(params=["match_order", "Exchange"])
def venue(request: pytest.FixtureRequest) -> tuple[Place, OrderBook]:
    if request.param == "Exchange":
        exchange = Exchange()
        return lambda command: trades(exchange.apply(command)), exchange.book()
    book = OrderBook()

    def place(command: NewOrder) -> list[tuple[int, int, int]]:
        fills = match_order(Order(command), book)
        assert all(fill.taker_order_id == command.order_id for fill in fills)
        return [(fill.maker_order_id, fill.price, fill.qty) for fill in fills]

    return place, book


def test_rests(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    assert place(buy(1, 50, 10)) == []
    assert queue(book, Side.BUY) == [(1, 10)]
    assert (book.best_bid, book.best_ask) == (50, None)


def test_full_match(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(1, 50, 10))
    assert place(buy(2, 50, 10)) == [(1, 50, 10)]
    assert (book.best_bid, book.best_ask) == (None, None)


def test_incoming_larger(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(1, 50, 4))
    assert place(buy(2, 50, 10)) == [(1, 50, 4)]
    assert queue(book, Side.SELL) == []
    assert queue(book, Side.BUY) == [(2, 6)]


def test_resting_larger(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(1, 50, 10))
    assert place(buy(2, 50, 4)) == [(1, 50, 4)]
    assert queue(book, Side.SELL) == [(1, 6)]
    assert queue(book, Side.BUY) == []


def test_price_priority(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(1, 52, 5))
    place(sell(2, 50, 5))
    place(sell(3, 51, 5))
    assert place(buy(4, 52, 12)) == [(2, 50, 5), (3, 51, 5), (1, 52, 2)]
    assert queue(book, Side.SELL) == [(1, 3)]


def test_time_priority(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(3, 50, 5))
    place(sell(1, 50, 5))
    place(sell(2, 50, 5))
    assert place(buy(4, 50, 7)) == [(3, 50, 5), (1, 50, 2)]
    assert queue(book, Side.SELL) == [(1, 3), (2, 5)]


def test_fills_sum(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    for order_id, qty in enumerate((3, 1, 4, 1, 5), start=1):
        place(sell(order_id, 50 + order_id, qty))
    fills = place(buy(6, 60, 12))
    assert sum(qty for _, _, qty in fills) == 12
    assert queue(book, Side.SELL) == [(5, 2)]


def test_price_too_low(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(sell(1, 50, 10))
    assert place(buy(2, 49, 10)) == []
    assert (book.best_bid, book.best_ask) == (49, 50)


def test_sell_takes_the_highest_bid(venue: tuple[Place, OrderBook]) -> None:
    place, book = venue
    place(buy(1, 48, 5))
    place(buy(2, 50, 5))
    place(buy(3, 49, 5))
    assert place(sell(4, 48, 8)) == [(2, 50, 5), (3, 49, 3)]
    assert queue(book, Side.BUY) == [(3, 2), (1, 5)]


def test_match_order_tells_the_fill_at_the_taker_s_time() -> None:
    book = OrderBook()
    match_order(Order(id=1, side=Side.SELL, price=50, qty=10, timestamp=3), book)
    fills = match_order(Order(id=2, side=Side.BUY, price=55, qty=4, timestamp=7), book)
    assert fills == [Fill(maker_order_id=1, taker_order_id=2, price=50, qty=4, timestamp=7)]


@pytest.mark.parametrize(("price", "qty"), [(0, 1), (-1, 1), (1, 0), (1, -1), (10**12 + 1, 1)])
def test_match_order_refuses_what_is_not_positive_or_too_large(price: int, qty: int) -> None:
    book = OrderBook()
    with pytest.raises(ValueError, match="must be > 0"):
        match_order(Order(id=1, side=Side.BUY, price=price, qty=qty), book)
    assert book.sequence == 0


def test_match_order_refuses_an_id_that_rests_already() -> None:
    book = OrderBook()
    match_order(Order(id=1, side=Side.BUY, price=50, qty=1), book)
    with pytest.raises(ValueError, match="rests in the book already"):
        match_order(Order(id=1, side=Side.BUY, price=50, qty=1), book)
