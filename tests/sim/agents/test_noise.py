"""Noise: sizes that revert to their mean, orders at the best price, and no patience."""

from itertools import pairwise

from matchbox_tui.engine import CancelOrder, NewOrder, Side, TimeInForce
from tests.sim.agents.pit import SECOND, Pit

MS = 1_000_000


def new(pit: Pit, count: int) -> list[NewOrder]:
    actions = [action for _ in range(count) for action in pit.look()]
    return [action for action in actions if isinstance(action, NewOrder)]


def test_sizes_vary_around_their_mean() -> None:
    pit = Pit("noise", qty=100, deviation=10, reversion=200)
    pit.quotes(45, 55)
    sizes = [order.qty for order in new(pit, 5_000)]
    assert 95 < sum(sizes) / len(sizes) < 105
    # A step's deviation of 10 with 20 % reversion: 10 / sqrt(1 - 0.8 ** 2) = 16.7 in the long run.
    squares = sum((size - 100) ** 2 for size in sizes) / len(sizes)
    assert 14**2 < squares < 20**2


def test_a_size_far_from_the_mean_comes_back_step_by_step() -> None:
    pit = Pit("noise", qty=100, deviation=60, reversion=100)
    pit.quotes(45, 55)
    sizes = [order.qty for order in new(pit, 5_000)]
    high = [(now, after) for now, after in pairwise(sizes) if now > 180]
    low = [(now, after) for now, after in pairwise(sizes) if now < 30]
    assert len(high) > 100
    assert len(low) > 100
    assert sum(after - now for now, after in high) < -len(high) * 5
    assert sum(after - now for now, after in low) > len(low) * 5
    # But not at once: what follows a large order is still large.
    assert sum(after for _, after in high) > len(high) * 140


def test_a_size_is_never_less_than_one() -> None:
    pit = Pit("noise", qty=1, deviation=50, reversion=0)
    pit.quotes(45, 55)
    assert min(order.qty for order in new(pit, 1_000)) == 1


def test_it_takes_in_its_share_of_cases_and_within_its_slippage() -> None:
    pit = Pit("noise", takes=400, slippage=2)
    pit.quotes(45, 55)
    orders = new(pit, 4_000)
    takes = [order for order in orders if order.time_in_force is TimeInForce.IOC]
    assert 1_450 < len(takes) < 1_750
    assert {(order.side, order.price) for order in takes} == {(Side.BUY, 57), (Side.SELL, 43)}


def test_it_joins_the_best_price_or_betters_it_by_a_tick() -> None:
    pit = Pit("noise", takes=0)
    pit.quotes(45, 55)
    prices = {(order.side, order.price) for order in new(pit, 200)}
    assert prices == {(Side.BUY, 45), (Side.BUY, 46), (Side.SELL, 55), (Side.SELL, 54)}
    tight = Pit("noise", takes=0)
    tight.quotes(49, 50)
    assert {(order.side, order.price) for order in new(tight, 200)} == {
        (Side.BUY, 49),
        (Side.SELL, 50),
    }


def test_where_nobody_is_it_makes_a_market_instead_of_taking() -> None:
    pit = Pit("noise", opening=70, takes=1000)
    orders = new(pit, 50)
    assert {(order.side, order.price) for order in orders} == {(Side.BUY, 69), (Side.SELL, 71)}
    assert all(order.time_in_force is TimeInForce.GTC for order in orders)


def test_an_order_that_waits_too_long_is_withdrawn_the_oldest_first() -> None:
    pit = Pit("noise", takes=0, patience=3 * SECOND, max_open=9)
    pit.quotes(45, 55)
    pit.act()
    pit.act(after=SECOND)
    first, second = (order.id for order in pit.own)
    assert isinstance(pit.look(after=2 * SECOND - 1)[0], NewOrder)
    assert pit.act(after=1) == [CancelOrder(first)]
    assert isinstance(pit.look(after=SECOND - 1)[0], NewOrder)
    assert pit.act(after=1) == [CancelOrder(second)]
    assert pit.own == []


def test_open_orders_stay_within_the_limit() -> None:
    pit = Pit("noise", takes=0, patience=1000 * SECOND, max_open=3)
    pit.quotes(45, 55)
    counts = []
    for _ in range(40):
        pit.go()
        counts.append(len(pit.own))
    assert max(counts) == 3


def test_waits_have_their_mean() -> None:
    pit = Pit("noise", every=50 * MS)
    waits = [pit.agent.wait() for _ in range(10_000)]
    assert 48 * MS < sum(waits) / len(waits) < 52 * MS
    assert 3_450 < sum(wait > 50 * MS for wait in waits) < 3_900


def test_a_halt_silences_it() -> None:
    pit = Pit("noise", takes=500)
    pit.quotes(45, 55)
    pit.halt()
    assert [action for _ in range(50) for action in pit.go()] == []
