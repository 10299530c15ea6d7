"""reduce_only: capped at the open position, refused where it would open or grow one."""

from typing import Any

import pytest

from matchbox_tui.engine import (
    Exchange,
    Market,
    NewOrder,
    OrderAccepted,
    OrderExpired,
    OrderType,
    Position,
    Reason,
    TimeInForce,
)
from tests.engine.build import buy, exchange, kinds, only, reason_of, sell, trades

IOC: dict[str, Any] = {"reduce_only": True, "time_in_force": TimeInForce.IOC, "trader": "ann"}
FOK: dict[str, Any] = {**IOC, "time_in_force": TimeInForce.FOK}
MARKET: dict[str, Any] = {"reduce_only": True, "type": OrderType.MARKET, "trader": "ann"}


def long_ten() -> Exchange:
    """ann is long ten, and bob bids for more than she has."""
    return exchange(
        sell(1, 50, 10, trader="bob"), buy(2, 50, 10, trader="ann"), buy(3, 49, 30, trader="bob")
    )


def short_ten() -> Exchange:
    return exchange(
        buy(1, 50, 10, trader="bob"), sell(2, 50, 10, trader="ann"), sell(3, 51, 30, trader="bob")
    )


@pytest.mark.parametrize("more", [IOC, FOK, MARKET])
def test_reduce_only_sell_is_capped_at_the_long_position(more: dict[str, Any]) -> None:
    venue = long_ten()
    events = venue.apply(sell(4, 49, 25, **more))
    assert isinstance(events[0], OrderAccepted)
    assert events[0].order.qty == 10
    assert trades(events) == [(3, 49, 10)]
    assert kinds(events) == ["order.accepted", "trade.executed"]
    assert venue.position("ann").qty == 0


def test_reduce_only_buy_is_capped_at_the_short_position() -> None:
    venue = short_ten()
    events = venue.apply(buy(4, 51, 25, **IOC))
    assert trades(events) == [(3, 51, 10)]
    assert venue.position("ann") == Position(0, 500 - 510)


def test_reduce_only_order_below_the_position_is_not_capped() -> None:
    venue = long_ten()
    assert trades(venue.apply(sell(4, 49, 4, **IOC))) == [(3, 49, 4)]
    assert venue.position("ann").qty == 6


def test_the_rest_of_a_capped_order_expires_by_its_capped_quantity() -> None:
    venue = exchange(
        sell(1, 50, 10, trader="bob"), buy(2, 50, 10, trader="ann"), buy(3, 49, 4, trader="bob")
    )
    events = venue.apply(sell(4, 49, 25, **IOC))
    assert events[-1] == OrderExpired(4, "MAIN", 4, 6, Reason.IMMEDIATE, 0)


def test_fok_needs_only_the_capped_quantity_to_fill() -> None:
    venue = exchange(
        sell(1, 50, 10, trader="bob"), buy(2, 50, 10, trader="ann"), buy(3, 49, 10, trader="bob")
    )
    assert trades(venue.apply(sell(4, 49, 25, **FOK))) == [(3, 49, 10)]


def test_reduce_only_order_that_would_grow_the_position_is_rejected() -> None:
    assert reason_of(long_ten().apply(buy(4, 50, 1, **IOC))) == Reason.REDUCE_ONLY_WOULD_INCREASE
    assert reason_of(short_ten().apply(sell(4, 50, 1, **IOC))) == Reason.REDUCE_ONLY_WOULD_INCREASE


@pytest.mark.parametrize("order", [buy(1, **IOC), sell(1, **IOC), buy(1, **MARKET)])
def test_reduce_only_order_without_a_position_is_rejected(order: NewOrder) -> None:
    assert reason_of(exchange().apply(order)) == Reason.REDUCE_ONLY_WOULD_INCREASE


def test_a_rejected_reduce_only_order_is_told_as_it_was_asked() -> None:
    order = buy(4, 50, 25, **IOC)
    assert only(long_ten().apply(order)).order == order


def test_a_position_in_another_market_does_not_count() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(sell(1, 50, 10, trader="bob", market="A"))
    venue.apply(buy(2, 50, 10, trader="ann", market="A"))
    events = venue.apply(sell(3, 50, 5, market="B", **IOC))
    assert reason_of(events) == Reason.REDUCE_ONLY_WOULD_INCREASE


@pytest.mark.parametrize(
    "more", [{}, {"time_in_force": TimeInForce.GTD, "expires_at": 9}, {"post_only": True}]
)
def test_reduce_only_order_may_not_rest(more: dict[str, Any]) -> None:
    events = long_ten().apply(sell(4, 49, 5, reduce_only=True, trader="ann", **more))
    assert reason_of(events) == Reason.REDUCE_ONLY_NEEDS_IMMEDIATE
