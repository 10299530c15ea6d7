"""GTC, IOC and FOK. GTD is in test_expiry."""

from typing import Any

import pytest

from matchbox_tui.engine import OrderExpired, OrderType, Reason, Side, TimeInForce
from tests.engine.build import buy, exchange, kinds, queue, sell, trades

IOC = TimeInForce.IOC
FOK = TimeInForce.FOK


def test_gtc_order_rests_until_it_is_filled() -> None:
    venue = exchange(buy(1, 50, 10))
    for order_id in (2, 3):
        assert trades(venue.apply(sell(order_id, 50, 5))) == [(1, 50, 5)]
    assert venue.orders == {}


def test_ioc_order_takes_what_is_there_and_its_rest_expires() -> None:
    venue = exchange(sell(1, 50, 4))
    events = venue.apply(buy(2, 50, 10, time_in_force=IOC, timestamp=5))
    assert kinds(events) == ["order.accepted", "trade.executed", "order.expired"]
    assert events[-1] == OrderExpired(2, "MAIN", 2, 6, Reason.IMMEDIATE, 5)
    assert venue.book().best_bid is None


def test_ioc_order_that_is_filled_whole_does_not_expire() -> None:
    venue = exchange(sell(1, 50, 10))
    events = venue.apply(buy(2, 50, 10, time_in_force=IOC))
    assert kinds(events) == ["order.accepted", "trade.executed"]


def test_ioc_order_that_meets_nobody_expires_whole() -> None:
    events = exchange(sell(1, 51)).apply(buy(2, 50, 10, time_in_force=IOC))
    assert events[-1] == OrderExpired(2, "MAIN", 2, 10, Reason.IMMEDIATE, 0)


def test_fok_order_fills_whole_over_several_levels() -> None:
    venue = exchange(sell(1, 50, 4), sell(2, 51, 4), sell(3, 52, 4))
    events = venue.apply(buy(4, 52, 10, time_in_force=FOK))
    assert trades(events) == [(1, 50, 4), (2, 51, 4), (3, 52, 2)]
    assert kinds(events)[-1] == "trade.executed"


def test_fok_order_fills_when_there_is_exactly_enough() -> None:
    venue = exchange(sell(1, 50, 4), sell(2, 51, 6))
    assert len(trades(venue.apply(buy(3, 51, 10, time_in_force=FOK)))) == 2


def test_fok_order_touches_nothing_when_it_cannot_fill_whole() -> None:
    venue = exchange(sell(1, 50, 4), sell(2, 51, 5), sell(3, 53, 5))
    events = venue.apply(buy(4, 52, 10, time_in_force=FOK, timestamp=8))
    assert kinds(events) == ["order.accepted", "order.expired"]
    assert events[-1] == OrderExpired(4, "MAIN", 4, 10, Reason.NOT_FILLABLE, 8)
    assert queue(venue.book(), Side.SELL) == [(1, 4), (2, 5), (3, 5)]


def test_fok_sell_counts_only_bids_at_its_price_or_better() -> None:
    venue = exchange(buy(1, 50, 5), buy(2, 49, 5))
    assert trades(venue.apply(sell(3, 50, 6, time_in_force=FOK))) == []
    assert trades(venue.apply(sell(4, 49, 6, time_in_force=FOK))) == [(1, 50, 5), (2, 49, 1)]


def test_fok_market_order_counts_every_level() -> None:
    venue = exchange(sell(1, 50, 5), sell(2, 90, 5))
    more: dict[str, Any] = {"type": OrderType.MARKET, "time_in_force": FOK}
    assert trades(venue.apply(buy(3, 0, 11, **more))) == []
    assert len(trades(venue.apply(buy(4, 0, 10, **more)))) == 2


@pytest.mark.parametrize("time_in_force", [IOC, FOK])
def test_immediate_order_s_id_is_free_at_once(time_in_force: TimeInForce) -> None:
    venue = exchange(buy(1, 50, 10, time_in_force=time_in_force))
    assert kinds(venue.apply(buy(1, 50, 10))) == ["order.accepted", "order.rested"]
