"""Zero intelligence: limits, market orders and cancels in their proportions, within a budget."""

import pytest

from matchbox_tui.engine import CancelOrder, NewOrder, Side, TimeInForce
from tests.sim.agents.pit import Pit

MS = 1_000_000


def living(**parameters: int) -> Pit:
    pit = Pit("zero-intelligence", **parameters)
    pit.quotes(45, 55, qty=10**6)
    return pit


def new(pit: Pit, count: int) -> list[NewOrder]:
    """What it would send as its first order, so many times."""
    actions = [action for _ in range(count) for action in pit.look()]
    return [action for action in actions if isinstance(action, NewOrder)]


def test_limits_lie_anywhere_within_reach_of_the_opposite_price_and_never_cross() -> None:
    orders = new(living(market_orders=0, reach=12), 4_000)
    bids = [order.price for order in orders if order.side is Side.BUY]
    asks = [order.price for order in orders if order.side is Side.SELL]
    assert set(bids) == set(range(42, 55))
    assert set(asks) == set(range(46, 59))
    # Uniform: none of 13 prices is much more frequent than the others.
    assert max(map(bids.count, set(bids))) < 2 * min(map(bids.count, set(bids)))
    assert abs(len(bids) - len(asks)) < 300


def test_the_share_of_market_orders_is_as_asked_and_each_has_a_budget() -> None:
    orders = new(living(market_orders=300, reach=12), 4_000)
    takes = [order for order in orders if order.time_in_force is TimeInForce.IOC]
    assert 1_050 < len(takes) < 1_350
    for order in takes:
        assert 55 <= order.price <= 67 if order.side is Side.BUY else 33 <= order.price <= 45


def test_sizes_have_the_mean_that_was_asked_for() -> None:
    sizes = [order.qty for order in new(living(qty=20), 4_000)]
    assert min(sizes) == 1
    assert max(sizes) > 60
    assert 17 < sum(sizes) / len(sizes) < 22


@pytest.mark.parametrize(("open_orders", "cancel"), [(1, 100), (4, 100), (3, 200)])
def test_each_open_order_is_as_likely_to_be_cancelled_as_any_other(
    open_orders: int, cancel: int
) -> None:
    pit = living(market_orders=0, cancel=0, max_open=open_orders + 1)
    while len(pit.own) < open_orders:
        pit.act()
    ids = [order.id for order in pit.own]
    other = living(cancel=cancel, max_open=open_orders + 1)
    cancelled = []
    for _ in range(3_000):
        other.sight = pit.sight
        (action,) = other.look()
        if isinstance(action, CancelOrder):
            cancelled.append(action.order_id)
    expected = 3 * open_orders * cancel
    assert expected * 85 < len(cancelled) * 100 < expected * 115
    assert set(cancelled) == set(ids)
    assert min(map(cancelled.count, ids)) * 2 > max(map(cancelled.count, ids))


def test_open_orders_stay_within_the_limit() -> None:
    pit = living(market_orders=0, cancel=0, max_open=3)
    most = []
    for _ in range(50):
        pit.go()
        most.append(len(pit.own))
    assert set(most[3:]) == {2, 3}


def test_waits_are_those_of_a_poisson_process() -> None:
    pit = Pit("zero-intelligence", every=100 * MS)
    waits = [pit.agent.wait() for _ in range(20_000)]
    assert 97 * MS < sum(waits) / len(waits) < 103 * MS
    # Of an exponential distribution: the share above the mean is 1/e, above twice the mean 1/e^2.
    assert 7_000 < sum(wait > 100 * MS for wait in waits) < 7_700
    assert 2_450 < sum(wait > 200 * MS for wait in waits) < 2_970


def test_an_empty_book_is_opened_around_the_opening_price() -> None:
    orders = new(Pit("zero-intelligence", opening=30, market_orders=0, reach=5), 500)
    assert {order.price for order in orders if order.side is Side.BUY} == set(range(25, 31))
    assert {order.price for order in orders if order.side is Side.SELL} == set(range(30, 36))


def test_with_one_side_gone_its_limits_go_around_what_is_left() -> None:
    pit = Pit("zero-intelligence", opening=30, market_orders=0, reach=5)
    pit.crowd(Side.BUY, 60, 10)
    orders = new(pit, 500)
    assert {order.price for order in orders if order.side is Side.BUY} == set(range(55, 61))
    assert {order.price for order in orders if order.side is Side.SELL} == set(range(61, 67))


def test_a_halt_lets_it_cancel_and_nothing_else() -> None:
    pit = living(market_orders=0, cancel=100)
    while len(pit.own) < 3:
        pit.act()
    pit.halt()
    actions = [action for _ in range(200) for action in pit.go()]
    assert len(actions) == 3
    assert all(isinstance(action, CancelOrder) for action in actions)
    pit.resume()
    assert any(isinstance(action, NewOrder) for _ in range(5) for action in pit.go())
