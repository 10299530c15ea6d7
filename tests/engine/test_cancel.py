"""Cancel and cancel-all."""

import pytest

from matchbox_tui.engine import (
    CancelAll,
    CancelRejected,
    Exchange,
    HaltMarket,
    Market,
    OrderCancelled,
    Reason,
    Side,
    TimeInForce,
)
from tests.engine.build import buy, cancel, exchange, queue, reason_of, sell, trades


def two_markets() -> Exchange:
    venue = Exchange([Market("B"), Market("A")])
    venue.apply(buy(5, 50, 1, trader="ann", market="A"))
    venue.apply(sell(4, 60, 2, trader="ann", market="B"))
    venue.apply(buy(3, 50, 3, trader="bob", market="B"))
    venue.apply(buy(2, 49, 4, trader="ann", market="B"))
    return venue


def test_cancel_ends_the_order_and_tells_what_was_left() -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 50, 4))
    assert venue.apply(cancel(1, timestamp=7)) == [
        OrderCancelled(3, "MAIN", 1, 6, Reason.REQUESTED, 7)
    ]
    assert venue.orders == {}
    assert venue.book().best_bid is None


@pytest.mark.parametrize("which", [1, 2, 3])
def test_cancel_takes_one_out_of_the_queue_wherever_it_stands(which: int) -> None:
    venue = exchange(buy(1), buy(2), buy(3), cancel(which))
    left = [order_id for order_id in (1, 2, 3) if order_id != which]
    assert [order_id for order_id, _ in queue(venue.book(), Side.BUY)] == left
    assert venue.book().depth_at(Side.BUY, 50) == 20
    assert [maker for maker, _, _ in trades(venue.apply(sell(4, 50, 20)))] == left


def test_cancelling_the_best_level_uncovers_the_next() -> None:
    venue = exchange(buy(1, 50), buy(2, 48), sell(3, 52), sell(4, 55), cancel(1), cancel(3))
    assert (venue.book().best_bid, venue.book().best_ask) == (48, 55)


def test_cancelling_a_level_behind_the_best_leaves_the_best() -> None:
    venue = exchange(buy(1, 50), buy(2, 48), cancel(2))
    assert venue.book().best_bid == 50
    assert venue.book().depth_at(Side.BUY, 48) == 0


@pytest.mark.parametrize("order_id", [0, -1, 2, 2**53, 2**63 - 1])
def test_cancel_of_an_unknown_order_is_rejected(order_id: int) -> None:
    venue = exchange(buy(1))
    assert venue.apply(cancel(order_id, timestamp=7)) == [
        CancelRejected(2, "", order_id, Reason.UNKNOWN_ORDER, 7)
    ]


def test_an_order_can_be_cancelled_only_once() -> None:
    venue = exchange(buy(1), cancel(1))
    assert reason_of(venue.apply(cancel(1))) == Reason.UNKNOWN_ORDER


def test_an_immediate_order_can_not_be_cancelled() -> None:
    venue = exchange(buy(1, time_in_force=TimeInForce.IOC))
    assert reason_of(venue.apply(cancel(1))) == Reason.UNKNOWN_ORDER


def test_a_halted_market_takes_cancels() -> None:
    venue = exchange(buy(1), buy(2, trader="ann"), HaltMarket("MAIN"))
    assert reason_of(venue.apply(cancel(1))) == Reason.REQUESTED
    assert reason_of(venue.apply(CancelAll(trader="ann"))) == Reason.REQUESTED
    assert venue.orders == {}


def test_cancel_all_ends_a_trader_s_orders_market_by_market_and_by_id() -> None:
    venue = two_markets()
    assert venue.apply(CancelAll(trader="ann", timestamp=7)) == [
        OrderCancelled(5, "B", 2, 4, Reason.REQUESTED, 7),
        OrderCancelled(5, "B", 4, 2, Reason.REQUESTED, 7),
        OrderCancelled(5, "A", 5, 1, Reason.REQUESTED, 7),
    ]
    assert list(venue.orders) == [3]


def test_cancel_all_in_one_market_leaves_the_others() -> None:
    venue = two_markets()
    events = venue.apply(CancelAll(trader="ann", market="A"))
    assert events == [OrderCancelled(5, "A", 5, 1, Reason.REQUESTED, 0)]
    assert sorted(venue.orders) == [2, 3, 4]


@pytest.mark.parametrize("market", [None, "B"])
def test_cancel_all_says_so_when_the_trader_has_nothing(market: str | None) -> None:
    venue = two_markets()
    events = venue.apply(CancelAll(trader="zoe", market=market, timestamp=7))
    assert events == [CancelRejected(5, market or "", 0, Reason.NOTHING_TO_CANCEL, 7)]


def test_cancel_all_in_an_unknown_market_is_rejected() -> None:
    events = two_markets().apply(CancelAll(trader="ann", market="C"))
    assert events == [CancelRejected(5, "C", 0, Reason.UNKNOWN_MARKET, 0)]


def test_cancel_all_ends_only_what_still_rests() -> None:
    venue = exchange(buy(1, trader="ann"), buy(2, trader="ann"), sell(3, trader="bob"))
    events = venue.apply(CancelAll(trader="ann"))
    assert events == [OrderCancelled(4, "MAIN", 2, 10, Reason.REQUESTED, 0)]


def test_orders_of_lists_a_trader_s_open_orders_market_by_market() -> None:
    venue = two_markets()
    assert [order.id for order in venue.orders_of("ann")] == [2, 4, 5]
    assert [order.id for order in venue.orders_of("ann", "A")] == [5]
    assert list(venue.orders_of("zoe")) == []
