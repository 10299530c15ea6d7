"""What each agent does with what it sees."""

import itertools
import random
from collections.abc import Sequence

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Exchange,
    Market,
    NewOrder,
    Order,
    OrderRejected,
    OrderType,
    Position,
    Side,
)
from sim.agents import Action, Drift, MarketMaker, RandomTrader, View, clamped

RAIN = Market.prediction("RAIN")
NOW = 1_000


def view(value: int = 50, own: Sequence[Order] = (), qty: int = 0, market: Market = RAIN) -> View:
    return View(market, None, None, own, Position(qty, 0), value)


def own_orders(count: int) -> list[Order]:
    return [Order(id=n + 1, side=Side.BUY, price=40, qty=5, market="RAIN") for n in range(count)]


def sent(actions: list[Action], side: Side) -> list[NewOrder]:
    return [a for a in actions if isinstance(a, NewOrder) and a.side is side]


def resting(actions: list[Action]) -> list[Order]:
    return [
        Order(id=n + 1, side=a.side, price=a.price, qty=a.qty, market=a.market)
        for n, a in enumerate(actions)
        if isinstance(a, NewOrder)
    ]


@pytest.mark.parametrize("value", [1, 2, 50, 98, 99])
def test_a_random_trader_sends_only_what_the_market_takes(value: int) -> None:
    trader = RandomTrader("ann", "RAIN", random.Random(value))
    exchange = Exchange([RAIN])
    kinds, sides = set(), set()
    for order_id in range(1, 400):
        (action,) = trader.act(view(value), NOW)
        assert isinstance(action, NewOrder)
        kinds.add(action.type)
        sides.add(action.side)
        assert (action.trader, action.market, action.timestamp) == ("ann", "RAIN", NOW)
        assert 1 <= action.qty <= 100
        if action.type is OrderType.LIMIT:
            assert 1 <= action.price <= 99
        numbered = msgspec.structs.replace(action, order_id=order_id)
        assert not any(isinstance(e, OrderRejected) for e in exchange.apply(numbered))
    assert kinds == {OrderType.LIMIT, OrderType.MARKET}
    assert sides == {Side.BUY, Side.SELL}


def test_a_random_traders_prices_are_around_its_value() -> None:
    trader = RandomTrader("ann", "RAIN", random.Random(1))
    actions = [action for _ in range(500) for action in trader.act(view(30), NOW)]
    bids = [a.price for a in sent(actions, Side.BUY) if a.type is OrderType.LIMIT]
    asks = [a.price for a in sent(actions, Side.SELL) if a.type is OrderType.LIMIT]
    assert max(bids) == 31
    assert min(asks) == 29
    assert sum(bids) / len(bids) < 30 < sum(asks) / len(asks)


def test_a_random_trader_with_many_orders_cancels_one() -> None:
    trader = RandomTrader("ann", "RAIN", random.Random(1), max_open=8)
    for _ in range(50):
        (action,) = trader.act(view(own=own_orders(8)), NOW)
        assert isinstance(action, CancelOrder)
        assert 1 <= action.order_id <= 8
    few = [trader.act(view(own=own_orders(7)), NOW)[0] for _ in range(200)]
    cancels = sum(isinstance(action, CancelOrder) for action in few)
    assert 0 < cancels < 120


def test_a_maker_quotes_both_sides_and_never_takes() -> None:
    actions = MarketMaker("max", "RAIN", random.Random(1), levels=3).act(view(50), NOW)
    assert [order.price for order in sent(actions, Side.BUY)] == [49, 48, 47]
    assert [order.price for order in sent(actions, Side.SELL)] == [51, 52, 53]
    assert len(actions) == 6
    assert all(isinstance(a, NewOrder) and a.post_only for a in actions)


def test_a_maker_rests_until_the_value_moves() -> None:
    maker = MarketMaker("max", "RAIN", random.Random(1))
    quotes = resting(maker.act(view(50), NOW))
    assert maker.act(view(50, own=quotes), NOW) == []
    moved = maker.act(view(51, own=quotes), NOW)
    assert isinstance(moved[0], CancelAll)
    assert (moved[0].trader, moved[0].market) == ("max", "RAIN")
    assert max(order.price for order in sent(moved, Side.BUY)) == 50
    assert min(order.price for order in sent(moved, Side.SELL)) == 52


def test_a_maker_quotes_anew_where_a_side_was_taken() -> None:
    maker = MarketMaker("max", "RAIN", random.Random(1))
    quotes = resting(maker.act(view(50), NOW))
    left = [order for order in quotes if order.side is Side.BUY]
    assert len(maker.act(view(50, own=left), NOW)) > 1


@pytest.mark.parametrize(("held", "best_bid"), [(0, 49), (300, 47), (-300, 51), (149, 49)])
def test_a_maker_leans_against_its_position(held: int, best_bid: int) -> None:
    actions = MarketMaker("max", "RAIN", random.Random(1)).act(view(50, qty=held), NOW)
    assert max(order.price for order in sent(actions, Side.BUY)) == best_bid
    assert min(order.price for order in sent(actions, Side.SELL)) == best_bid + 2


@pytest.mark.parametrize("value", [1, 99])
def test_a_maker_at_the_edge_stays_in_range(value: int) -> None:
    actions = MarketMaker("max", "RAIN", random.Random(1)).act(view(value), NOW)
    assert all(1 <= a.price <= 99 for a in actions if isinstance(a, NewOrder))


@pytest.mark.parametrize("kind", [RandomTrader, MarketMaker])
def test_the_same_seed_does_the_same(kind: type[RandomTrader] | type[MarketMaker]) -> None:
    def story(seed: int) -> list[list[Action]]:
        agent = kind("ann", "RAIN", random.Random(seed))
        return [agent.act(view(40 + step % 20), step) for step in range(50)]

    assert story(3) == story(3)
    assert story(3) != story(4)


@pytest.mark.parametrize("start", [1, 50, 99])
def test_the_drift_moves_by_a_tick_and_stays_in_range(start: int) -> None:
    drift = Drift(start, RAIN, random.Random(start))
    values = [start]
    for _ in range(5_000):
        drift.step()
        values.append(drift.value)
    assert all(1 <= value <= 99 for value in values)
    assert {abs(b - a) for a, b in itertools.pairwise(values)} == {0, 1}
    # Pulled back to its start, it does not wander off for good.
    assert abs(sum(values) / len(values) - start) < 25


def test_clamped_prices_are_valid() -> None:
    market = Market("ODD", min_price=10, max_price=50, tick=5)
    assert [clamped(price, market) for price in (-3, 11, 14, 27, 49, 70)] == [
        *(10, 10, 10, 25, 45, 50),
    ]
