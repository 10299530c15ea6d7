"""post_only: rests or is refused, never takes."""

import pytest

from matchbox_tui.engine import OrderType, Reason, ReplaceOrder, Side, TimeInForce
from tests.engine.build import buy, exchange, kinds, queue, reason_of, sell, trades


def test_post_only_order_rests_where_it_crosses_nobody() -> None:
    venue = exchange(sell(1, 51))
    assert kinds(venue.apply(buy(2, 50, post_only=True))) == ["order.accepted", "order.rested"]


@pytest.mark.parametrize("price", [51, 52])
def test_post_only_buy_that_would_cross_is_rejected_and_touches_nothing(price: int) -> None:
    venue = exchange(sell(1, 51))
    events = venue.apply(buy(2, price, post_only=True))
    assert reason_of(events) == Reason.POST_ONLY_WOULD_CROSS
    assert queue(venue.book(), Side.SELL) == [(1, 10)]
    assert venue.book().best_bid is None


def test_post_only_sell_that_would_cross_is_rejected() -> None:
    events = exchange(buy(1, 50)).apply(sell(2, 50, post_only=True))
    assert reason_of(events) == Reason.POST_ONLY_WOULD_CROSS


def test_post_only_order_is_filled_as_a_maker() -> None:
    venue = exchange(buy(1, 50, post_only=True))
    assert trades(venue.apply(sell(2, 50, 4))) == [(1, 50, 4)]


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_post_only_needs_an_order_that_can_rest(time_in_force: TimeInForce) -> None:
    events = exchange().apply(buy(1, post_only=True, time_in_force=time_in_force))
    assert reason_of(events) == Reason.POST_ONLY_NEEDS_RESTING


def test_post_only_market_order_is_rejected() -> None:
    events = exchange().apply(buy(1, post_only=True, type=OrderType.MARKET))
    assert reason_of(events) == Reason.POST_ONLY_NEEDS_RESTING


def test_post_only_gtd_order_rests() -> None:
    order = buy(1, post_only=True, time_in_force=TimeInForce.GTD, expires_at=9)
    assert kinds(exchange().apply(order))[-1] == "order.rested"


def test_replace_that_would_make_a_post_only_order_cross_is_rejected() -> None:
    venue = exchange(sell(1, 52), buy(2, 50, post_only=True))
    events = venue.apply(ReplaceOrder(order_id=2, price=52))
    assert reason_of(events) == Reason.POST_ONLY_WOULD_CROSS
    assert queue(venue.book(), Side.BUY) == [(2, 10)]
    assert venue.book().best_bid == 50


def test_post_only_order_may_be_moved_where_it_still_rests() -> None:
    venue = exchange(sell(1, 52), buy(2, 50, post_only=True))
    events = venue.apply(ReplaceOrder(order_id=2, price=51))
    assert kinds(events) == ["order.replaced", "order.rested"]
