"""Self-trade prevention: what happens when two orders of one trader would meet."""

import pytest

from matchbox_tui.engine import (
    Exchange,
    NewOrder,
    OrderCancelled,
    OrderExpired,
    Reason,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.engine.build import buy, exchange, kinds, queue, sell, trades

TAKER = SelfTradePrevention.CANCEL_TAKER
MAKER = SelfTradePrevention.CANCEL_MAKER
BOTH = SelfTradePrevention.CANCEL_BOTH
NONE = SelfTradePrevention.NONE
FOK = TimeInForce.FOK


def three_asks() -> Exchange:
    """bob, then ann, then bob again."""
    return exchange(
        sell(1, 50, 3, trader="bob"), sell(2, 50, 4, trader="ann"), sell(3, 51, 5, trader="bob")
    )


def ann_buys(mode: SelfTradePrevention, qty: int = 10, **more: TimeInForce) -> NewOrder:
    return buy(4, 51, qty, trader="ann", timestamp=9, self_trade_prevention=mode, **more)


def stopped(seq: int, order_id: int, qty: int) -> OrderCancelled:
    return OrderCancelled(seq, "MAIN", order_id, qty, Reason.SELF_TRADE, 9)


def test_cancel_taker_stops_the_incoming_order_where_they_meet() -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(TAKER))
    assert kinds(events) == ["order.accepted", "trade.executed", "order.cancelled"]
    assert events[-1] == stopped(4, 4, 7)
    assert queue(venue.book(), Side.SELL) == [(2, 4), (3, 5)]
    assert venue.book().best_bid is None


def test_cancel_taker_is_the_default() -> None:
    venue = exchange(sell(1, 50, 3, trader="ann"))
    assert kinds(venue.apply(buy(2, 50, 3, trader="ann"))) == ["order.accepted", "order.cancelled"]


def test_cancel_maker_removes_the_resting_order_and_goes_on() -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(MAKER))
    assert trades(events) == [(1, 50, 3), (3, 51, 5)]
    assert events[2] == stopped(4, 2, 4)
    assert kinds(events)[-1] == "order.rested"
    assert queue(venue.book(), Side.BUY) == [(4, 2)]
    assert queue(venue.book(), Side.SELL) == []


def test_cancel_both_ends_the_two_that_meet() -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(BOTH))
    assert trades(events) == [(1, 50, 3)]
    assert events[-2:] == [stopped(4, 2, 4), stopped(4, 4, 7)]
    assert queue(venue.book(), Side.SELL) == [(3, 5)]
    assert venue.book().best_bid is None


def test_none_lets_a_trader_trade_with_itself() -> None:
    venue = three_asks()
    assert trades(venue.apply(ann_buys(NONE))) == [(1, 50, 3), (2, 50, 4), (3, 51, 3)]
    assert venue.position("ann").qty == 6


@pytest.mark.parametrize("mode", [TAKER, MAKER, BOTH])
def test_orders_that_do_not_meet_are_left_alone(mode: SelfTradePrevention) -> None:
    venue = three_asks()
    assert kinds(venue.apply(ann_buys(mode, qty=3))) == ["order.accepted", "trade.executed"]
    assert queue(venue.book(), Side.SELL) == [(2, 4), (3, 5)]


@pytest.mark.parametrize("mode", list(SelfTradePrevention))
def test_anonymous_orders_may_always_trade(mode: SelfTradePrevention) -> None:
    venue = exchange(sell(1, 50, 3))
    assert trades(venue.apply(buy(2, 50, 3, self_trade_prevention=mode))) == [(1, 50, 3)]


def test_the_incoming_order_s_mode_counts_not_the_resting_one_s() -> None:
    venue = exchange(sell(1, 50, 3, trader="ann", self_trade_prevention=NONE))
    events = venue.apply(buy(2, 50, 3, trader="ann", self_trade_prevention=MAKER))
    assert kinds(events) == ["order.accepted", "order.cancelled", "order.rested"]


def test_cancel_maker_ends_several_in_a_row_and_their_level() -> None:
    venue = exchange(*[sell(order_id, 50, 1, trader="ann") for order_id in (1, 2, 3)])
    events = venue.apply(buy(4, 50, 1, trader="ann", self_trade_prevention=MAKER))
    assert [e.order_id for e in events if isinstance(e, OrderCancelled)] == [1, 2, 3]
    assert (venue.book().best_bid, venue.book().best_ask) == (50, None)


@pytest.mark.parametrize("mode", [TAKER, BOTH])
def test_fok_order_that_would_be_stopped_before_it_fills_touches_nothing(
    mode: SelfTradePrevention,
) -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(mode, qty=4, time_in_force=FOK))
    assert kinds(events) == ["order.accepted", "order.expired"]
    assert events[-1] == OrderExpired(4, "MAIN", 4, 4, Reason.NOT_FILLABLE, 9)
    assert queue(venue.book(), Side.SELL) == [(1, 3), (2, 4), (3, 5)]


@pytest.mark.parametrize("mode", [TAKER, MAKER, BOTH])
def test_fok_order_fills_from_what_stands_before_its_own(mode: SelfTradePrevention) -> None:
    events = three_asks().apply(ann_buys(mode, qty=3, time_in_force=FOK))
    assert trades(events) == [(1, 50, 3)]


def test_fok_order_that_cancels_makers_does_not_count_them() -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(MAKER, qty=9, time_in_force=FOK))
    assert events[-1] == OrderExpired(4, "MAIN", 4, 9, Reason.NOT_FILLABLE, 9)
    assert queue(venue.book(), Side.SELL) == [(1, 3), (2, 4), (3, 5)]


def test_fok_order_that_cancels_makers_fills_from_the_others() -> None:
    venue = three_asks()
    events = venue.apply(ann_buys(MAKER, qty=8, time_in_force=FOK))
    assert trades(events) == [(1, 50, 3), (3, 51, 5)]
    assert venue.orders == {}


def test_fok_order_without_prevention_counts_its_own() -> None:
    assert len(trades(three_asks().apply(ann_buys(NONE, qty=12, time_in_force=FOK)))) == 3


def test_ioc_order_is_cancelled_not_expired_where_it_is_stopped() -> None:
    events = three_asks().apply(ann_buys(TAKER, time_in_force=TimeInForce.IOC))
    assert kinds(events)[-1] == "order.cancelled"


def test_a_replaced_order_that_meets_its_own_is_ended_by_its_mode() -> None:
    venue = exchange(sell(1, 52, 4, trader="ann"), buy(2, 50, 10, trader="ann"))
    events = venue.apply(ReplaceOrder(order_id=2, price=52, timestamp=9))
    assert kinds(events) == ["order.replaced", "order.cancelled"]
    assert events[-1] == stopped(3, 2, 10)
    assert list(venue.orders) == [1]


def test_prevention_makes_no_position() -> None:
    venue = exchange(sell(1, 50, 3, trader="ann"), buy(2, 50, 3, trader="ann"))
    assert list(venue.positions.items()) == []
