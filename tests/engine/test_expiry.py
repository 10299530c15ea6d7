"""Good-till-date orders, and the clock as a command."""

from typing import Any

import pytest

from matchbox_tui.engine import (
    CancelRejected,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Market,
    NewOrder,
    OrderExpired,
    Reason,
    ReplaceOrder,
    Side,
    TimeInForce,
)
from tests.engine.build import buy, cancel, exchange, kinds, queue, reason_of, sell, trades


def gtd(order_id: int, expires_at: int, price: int = 50, **more: Any) -> NewOrder:
    return buy(order_id, price, time_in_force=TimeInForce.GTD, expires_at=expires_at, **more)


def test_gtd_order_rests_and_trades_like_any_other() -> None:
    venue = exchange(gtd(1, 100))
    assert trades(venue.apply(sell(2, 50, 4))) == [(1, 50, 4)]
    assert queue(venue.book(), Side.BUY) == [(1, 6)]


def test_expire_ends_what_is_due_and_tells_what_was_left() -> None:
    venue = exchange(gtd(1, 100), sell(2, 50, 4))
    assert venue.apply(ExpireOrders(100)) == [
        OrderExpired(3, "MAIN", 1, 6, Reason.TIME, 100),
    ]
    assert venue.orders == {}
    assert venue.book().best_bid is None


def test_expire_leaves_what_is_due_later() -> None:
    venue = exchange(gtd(1, 100), gtd(2, 101), buy(3))
    venue.apply(ExpireOrders(100))
    assert queue(venue.book(), Side.BUY) == [(2, 10), (3, 10)]


def test_expire_goes_by_time_and_then_by_id() -> None:
    venue = exchange(gtd(4, 20), gtd(3, 30), gtd(2, 20), gtd(1, 10, price=40))
    events = venue.apply(ExpireOrders(30))
    assert [e.order_id for e in events if isinstance(e, OrderExpired)] == [1, 2, 4, 3]


def test_expire_goes_through_all_markets_in_the_order_of_their_creation() -> None:
    venue = Exchange([Market("B"), Market("A")])
    venue.apply(gtd(1, 10, market="A"))
    venue.apply(gtd(2, 20, market="B"))
    events = venue.apply(ExpireOrders(20))
    assert [e.market for e in events] == ["B", "A"]


def test_expire_says_so_when_nothing_is_due() -> None:
    venue = exchange(gtd(1, 100))
    assert venue.apply(ExpireOrders(99)) == [CancelRejected(2, "", 0, Reason.NOTHING_DUE, 99)]


def test_expire_works_in_a_halted_market() -> None:
    venue = exchange(gtd(1, 100), HaltMarket("MAIN"))
    assert kinds(venue.apply(ExpireOrders(100))) == ["order.expired"]


def test_an_order_that_was_filled_or_cancelled_does_not_expire() -> None:
    venue = exchange(gtd(1, 100, price=51), gtd(2, 100), sell(3, 51, 10), cancel(2))
    assert reason_of(venue.apply(ExpireOrders(100))) == Reason.NOTHING_DUE


def test_a_replaced_order_keeps_its_date_and_expires_once() -> None:
    venue = exchange(gtd(1, 100), ReplaceOrder(order_id=1, price=51, qty=12))
    assert venue.next_expiry == 100
    assert venue.apply(ExpireOrders(100)) == [OrderExpired(3, "MAIN", 1, 12, Reason.TIME, 100)]
    assert reason_of(venue.apply(ExpireOrders(100))) == Reason.NOTHING_DUE


def test_a_reused_id_does_not_inherit_the_date() -> None:
    venue = exchange(gtd(1, 100), cancel(1), buy(1))
    assert reason_of(venue.apply(ExpireOrders(100))) == Reason.NOTHING_DUE
    assert queue(venue.book(), Side.BUY) == [(1, 10)]


def test_next_expiry_is_the_soonest_of_all_markets() -> None:
    venue = Exchange([Market("A"), Market("B")])
    assert venue.next_expiry is None
    venue.apply(gtd(1, 200, market="A"))
    venue.apply(gtd(2, 100, market="B"))
    assert venue.next_expiry == 100
    venue.apply(ExpireOrders(100))
    assert venue.next_expiry == 200


@pytest.mark.parametrize("expires_at", [0, 4, 5, -1])
def test_gtd_order_needs_a_date_after_its_timestamp(expires_at: int) -> None:
    events = Exchange().apply(gtd(1, expires_at, timestamp=5))
    assert reason_of(events) == Reason.INVALID_EXPIRES_AT


@pytest.mark.parametrize("time_in_force", ["GTC", "IOC", "FOK"])
def test_other_orders_may_have_no_date(time_in_force: str) -> None:
    events = Exchange().apply(buy(1, time_in_force=TimeInForce(time_in_force), expires_at=9))
    assert reason_of(events) == Reason.INVALID_EXPIRES_AT


def test_gtd_order_may_last_until_the_end_of_time() -> None:
    venue = exchange(gtd(1, 2**63 - 1))
    assert kinds(venue.apply(ExpireOrders(2**63 - 1))) == ["order.expired"]
