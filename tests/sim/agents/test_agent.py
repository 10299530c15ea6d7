"""What all agents share: prices that their market takes."""

import pytest

from matchbox_tui.engine import Market
from sim.agents import clamped


@pytest.mark.parametrize(
    ("market", "prices"),
    [
        (Market("FREE"), {-5: 1, 0: 1, 1: 1, 10**9: 10**9}),
        (Market.prediction("RAIN"), {0: 1, 1: 1, 42: 42, 99: 99, 100: 99}),
        (Market("ODD", min_price=10, max_price=90, tick=5), {3: 10, 14: 10, 89: 85, 99: 90}),
        # Neither end is a price by itself: 10 and 95 are the nearest.
        (Market("OFF", min_price=7, max_price=99, tick=5), {1: 10, 9: 10, 12: 10, 200: 95}),
    ],
    ids=lambda one: one.symbol if isinstance(one, Market) else "",
)
def test_a_price_is_brought_to_the_nearest_below_that_the_market_takes(
    market: Market, prices: dict[int, int]
) -> None:
    assert {price: clamped(price, market) for price in prices} == prices
