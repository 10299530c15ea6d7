"""The informed: they trade what is priced wrongly by more than their edge, and nothing else."""

from collections.abc import Callable

import pytest

from matchbox_tui.engine import Market, NewOrder, Side, TimeInForce
from sim.agents import Action
from tests.sim.agents.pit import SECOND, START, Pit


def always(value: int) -> Callable[[int], int]:
    return lambda now: value


def only(actions: list[Action]) -> NewOrder:
    (action,) = actions
    assert isinstance(action, NewOrder)
    assert action.time_in_force is TimeInForce.IOC
    return action


@pytest.mark.parametrize(
    ("value", "side", "price"),
    [(60, Side.BUY, 57), (54, Side.BUY, 51), (40, Side.SELL, 43), (46, Side.SELL, 49)],
)
def test_it_takes_what_is_wrong_by_more_than_its_edge(value: int, side: Side, price: int) -> None:
    """With an edge of 2 it pays 57 at most for what is worth 60: 3 less, which is more than 2."""
    pit = Pit("informed", signal=always(value), error=0, edge=2)
    pit.quotes(49, 51)
    order = only(pit.act())
    assert (order.side, order.price) == (side, price)
    assert pit.held == (order.qty if side is Side.BUY else -order.qty)


@pytest.mark.parametrize("value", [47, 48, 50, 52, 53])
def test_it_rests_within_its_edge(value: int) -> None:
    pit = Pit("informed", signal=always(value), error=0, edge=2)
    pit.quotes(49, 51)
    assert [action for _ in range(50) for action in pit.go()] == []


def test_it_never_pays_more_than_its_belief_less_its_edge() -> None:
    pit = Pit("informed", signal=always(60), error=0, edge=1, qty=1000, max_qty=1000)
    for price in range(51, 65):
        pit.crowd(Side.SELL, price, 10)
    pit.go()
    assert pit.sight.best_ask == 59
    assert pit.held == 10 * 8


def test_its_orders_grow_with_the_mistake_up_to_their_limit() -> None:
    def size(value: int) -> int:
        pit = Pit("informed", signal=always(value), error=0, edge=1, qty=10, max_qty=55)
        pit.quotes(49, 51)
        return only(pit.look()).qty

    assert [size(value) for value in (53, 54, 55, 90)] == [10, 20, 30, 55]
    assert [size(value) for value in (47, 46, 45, 10)] == [10, 20, 30, 55]


@pytest.mark.parametrize(("value", "held"), [(90, 100), (10, -100)])
def test_it_stops_at_the_position_that_it_may_have(value: int, held: int) -> None:
    pit = Pit("informed", signal=always(value), error=0, max_position=100, max_qty=40, qty=40)
    pit.quotes(49, 51, qty=10**6)
    for _ in range(10):
        pit.go()
    assert pit.held == held
    assert pit.look() == []


@pytest.mark.parametrize(("value", "side", "price"), [(53, Side.BUY, 50), (44, Side.SELL, 50)])
def test_its_limit_is_a_price_that_the_market_takes_and_no_worse(
    value: int, side: Side, price: int
) -> None:
    market = Market("ODD", min_price=10, max_price=90, tick=5)
    pit = Pit("informed", market, signal=always(value), error=0, edge=1)
    pit.quotes(50, 55) if side is Side.SELL else pit.quotes(45, 50)
    order = only(pit.act())
    assert (order.side, order.price) == (side, price)


def test_it_asks_for_the_value_of_the_moment() -> None:
    pit = Pit("informed", signal=lambda now: 50 if now < START + SECOND else 60, error=0)
    pit.quotes(49, 51)
    assert pit.act() == []
    assert only(pit.act(after=SECOND)).side is Side.BUY


def test_its_error_is_its_own_and_as_large_as_asked() -> None:
    """What it would pay at most tells what it believes."""
    pit = Pit("informed", signal=always(50), error=2_000, edge=0)
    pit.quotes(1, 2)
    beliefs = [only(pit.look()).price for _ in range(2_000)]
    assert 48 < sum(beliefs) / len(beliefs) < 50
    spread = sum((belief - 50) ** 2 for belief in beliefs) / len(beliefs)
    assert 3 < spread < 6
    other = Pit("informed", signal=always(50), error=2_000, edge=0, seed=2)
    other.quotes(1, 2)
    assert [only(other.look()).price for _ in range(2_000)] != beliefs


@pytest.mark.parametrize(("value", "side"), [(99, Side.BUY), (1, Side.SELL)])
def test_with_nobody_on_the_other_side_it_waits(value: int, side: Side) -> None:
    pit = Pit("informed", signal=always(value), error=0)
    pit.crowd(side, 50, 10)
    assert pit.act() == []


def test_a_halt_silences_it() -> None:
    pit = Pit("informed", signal=always(80), error=0)
    pit.quotes(49, 51)
    pit.halt()
    assert pit.act() == []
    pit.resume()
    assert len(pit.act()) == 1
