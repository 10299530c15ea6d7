"""Replace: the new total and price of an open order, and what becomes of its place."""

import pytest

from matchbox_tui.engine import (
    Exchange,
    HaltMarket,
    Market,
    OrderCancelled,
    OrderReplaced,
    OrderRested,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    Side,
    TradeExecuted,
)
from tests.engine.build import buy, exchange, kinds, only, queue, reason_of, sell, trades


def two_bids() -> Exchange:
    return exchange(buy(1, 50, 10), buy(2, 50, 10))


@pytest.mark.parametrize("qty", [1, 9, 10])
def test_same_price_and_no_more_qty_keeps_priority(qty: int) -> None:
    venue = two_bids()
    events = venue.apply(ReplaceOrder(order_id=1, price=50, qty=qty, timestamp=7))
    assert events == [OrderReplaced(3, "MAIN", 1, 50, qty, qty, True, 7)]
    assert queue(venue.book(), Side.BUY) == [(1, qty), (2, 10)]
    assert venue.book().depth_at(Side.BUY, 50) == qty + 10


def test_more_qty_loses_priority() -> None:
    venue = two_bids()
    events = venue.apply(ReplaceOrder(order_id=1, qty=11, timestamp=7))
    assert events == [
        OrderReplaced(3, "MAIN", 1, 50, 11, 11, False, 7),
        OrderRested(3, "MAIN", 1, 50, 11, 7),
    ]
    assert queue(venue.book(), Side.BUY) == [(2, 10), (1, 11)]


@pytest.mark.parametrize("price", [49, 51])
def test_a_new_price_loses_priority_even_when_it_comes_back(price: int) -> None:
    venue = two_bids()
    venue.apply(ReplaceOrder(order_id=1, price=price))
    assert venue.book().depth_at(Side.BUY, price) == 10
    venue.apply(ReplaceOrder(order_id=1, price=50))
    assert queue(venue.book(), Side.BUY) == [(2, 10), (1, 10)]


def test_priority_kept_counts_when_it_trades() -> None:
    venue = two_bids()
    venue.apply(ReplaceOrder(order_id=1, qty=4))
    assert trades(venue.apply(sell(3, 50, 6))) == [(1, 50, 4), (2, 50, 2)]


def test_qty_is_the_new_total_and_what_was_filled_stays_filled() -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 50, 4))
    event = only(venue.apply(ReplaceOrder(order_id=1, qty=7)))
    assert (event.qty, event.leaves_qty) == (7, 3)
    order = venue.book().order(1)
    assert order is not None
    assert (order.qty, order.cum_qty, order.leaves_qty) == (7, 4, 3)


def test_a_partly_filled_order_that_grows_goes_to_the_back_with_what_is_left() -> None:
    venue = exchange(buy(1, 50, 10), buy(2, 50, 10), sell(3, 50, 4))
    venue.apply(ReplaceOrder(order_id=1, qty=12))
    assert queue(venue.book(), Side.BUY) == [(2, 10), (1, 8)]


@pytest.mark.parametrize("qty", [4, 3, 1])
def test_a_total_that_was_filled_already_cancels_the_rest(qty: int) -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 50, 4))
    events = venue.apply(ReplaceOrder(order_id=1, qty=qty, timestamp=7))
    assert events == [OrderCancelled(3, "MAIN", 1, 6, Reason.REPLACED_BELOW_FILLED, 7)]
    assert venue.orders == {}


def test_replace_may_match_at_its_new_price() -> None:
    venue = exchange(sell(1, 52, 4, trader="bob"), buy(2, 50, 10, trader="ann"))
    events = venue.apply(ReplaceOrder(order_id=2, price=53, timestamp=7))
    assert kinds(events) == ["order.replaced", "trade.executed", "order.rested"]
    assert events[1] == TradeExecuted(3, 0, "MAIN", 1, 2, 52, 4, Side.BUY, "bob", "ann", 7)
    assert events[2] == OrderRested(3, "MAIN", 2, 53, 6, 7)
    order = venue.book().order(2)
    assert order is not None
    assert (order.qty, order.cum_qty) == (10, 4)


def test_replace_that_fills_whole_closes_the_order() -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 52, 10))
    assert kinds(venue.apply(ReplaceOrder(order_id=2, price=50))) == [
        "order.replaced",
        "trade.executed",
    ]
    assert venue.orders == {}


def test_only_the_price_or_only_the_qty_may_be_given() -> None:
    venue = exchange(buy(1, 50, 10))
    assert only(venue.apply(ReplaceOrder(order_id=1, qty=8))).price == 50
    assert venue.apply(ReplaceOrder(order_id=1, price=49))[0] == OrderReplaced(
        3, "MAIN", 1, 49, 8, 8, False, 0
    )


def test_neither_price_nor_qty_is_rejected() -> None:
    events = two_bids().apply(ReplaceOrder(order_id=1))
    assert reason_of(events) == Reason.NOTHING_TO_REPLACE


def test_an_unknown_order_is_rejected_without_a_market() -> None:
    events = two_bids().apply(ReplaceOrder(order_id=3, qty=1, timestamp=7))
    assert events == [ReplaceRejected(3, "", 3, Reason.UNKNOWN_ORDER, 7, qty=1)]


def test_a_rejected_replace_tells_what_was_asked_for() -> None:
    events = two_bids().apply(ReplaceOrder(order_id=1, qty=5, price=0, timestamp=7))
    assert events == [ReplaceRejected(3, "MAIN", 1, Reason.INVALID_PRICE, 7, qty=5, price=0)]


def test_a_filled_order_can_not_be_replaced() -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 50, 10))
    assert reason_of(venue.apply(ReplaceOrder(order_id=1, qty=20))) == Reason.UNKNOWN_ORDER


@pytest.mark.parametrize("more", [{"qty": 5}, {"price": 51}])
def test_a_halted_market_takes_no_replace(more: dict[str, int]) -> None:
    venue = exchange(buy(1, 50, 10), HaltMarket("MAIN"))
    events = venue.apply(ReplaceOrder(order_id=1, **more))
    assert reason_of(events) == Reason.MARKET_HALTED
    assert queue(venue.book(), Side.BUY) == [(1, 10)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"qty": 0}, Reason.INVALID_QTY),
        ({"qty": -1}, Reason.INVALID_QTY),
        ({"qty": 10**12 + 1}, Reason.INVALID_QTY),
        ({"price": 0}, Reason.INVALID_PRICE),
        ({"price": -1}, Reason.INVALID_PRICE),
        ({"price": 10**12 + 1}, Reason.INVALID_PRICE),
        ({"price": 30}, Reason.PRICE_OUT_OF_RANGE),
        ({"price": 100}, Reason.PRICE_OUT_OF_RANGE),
        ({"price": 51}, Reason.PRICE_OFF_TICK),
        ({"price": 52, "timestamp": -1}, Reason.INVALID_TIMESTAMP),
    ],
)
def test_replace_keeps_to_the_bounds(more: dict[str, int], reason: Reason) -> None:
    venue = Exchange([Market("M", min_price=40, max_price=98, tick=2)])
    venue.apply(buy(1, 50, 10, market="M"))
    events = venue.apply(ReplaceOrder(order_id=1, **more))
    assert kinds(events) == ["order.replace_rejected"]
    assert reason_of(events) == reason
    assert queue(venue.book("M"), Side.BUY) == [(1, 10)]
    assert venue.book("M").best_bid == 50


def test_replace_up_to_the_bounds_is_taken() -> None:
    venue = exchange(buy(1, 50, 10))
    assert kinds(venue.apply(ReplaceOrder(order_id=1, qty=10**12, price=10**12))) == [
        "order.replaced",
        "order.rested",
    ]
