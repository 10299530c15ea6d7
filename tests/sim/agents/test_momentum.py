"""Momentum: in while the price moves one way, out when it no longer does."""

import pytest

from matchbox_tui.engine import NewOrder, Side
from tests.sim.agents.pit import Pit


class Trend:
    """A market of one price at a time, in a size that nobody takes away."""

    def __init__(self, pit: Pit) -> None:
        self.pit = pit
        self._quotes: list[int] = []

    def at(self, middle: int) -> list[NewOrder]:
        """The agent's orders when the middle is there."""
        for order_id in self._quotes:
            self.pit.withdraw(order_id)
        self._quotes = [
            self.pit.crowd(Side.BUY, middle - 1, 10**6),
            self.pit.crowd(Side.SELL, middle + 1, 10**6),
        ]
        return [action for action in self.pit.go() if isinstance(action, NewOrder)]


def test_it_buys_a_rise_and_is_out_when_it_is_over() -> None:
    pit = Pit("momentum", fast=2, slow=8, threshold=1_000, qty=10, max_position=30)
    trend = Trend(pit)
    assert [order for _ in range(10) for order in trend.at(50)] == []
    orders = [order for step in range(12) for order in trend.at(51 + step)]
    assert {order.side for order in orders} == {Side.BUY}
    assert [order.qty for order in orders] == [10, 10, 10]
    assert pit.held == 30
    # Still in while the averages come together, and out before they have met.
    assert trend.at(62) == []
    after = [order for _ in range(40) for order in trend.at(62)]
    assert [(order.side, order.qty) for order in after] == [(Side.SELL, 10)] * 3
    assert pit.held == 0


def test_it_sells_a_fall() -> None:
    pit = Pit("momentum", fast=2, slow=8, threshold=1_000, qty=10, max_position=30)
    trend = Trend(pit)
    orders = [order for step in range(15) for order in trend.at(50 - step)]
    assert {order.side for order in orders} == {Side.SELL}
    assert pit.held == -30


def test_it_turns_with_the_trend() -> None:
    pit = Pit("momentum", fast=2, slow=8, threshold=1_000, qty=100, max_position=50)
    trend = Trend(pit)
    held = []
    for middle in [*range(50, 70), *range(70, 40, -1)]:
        trend.at(middle)
        held.append(pit.held)
    assert max(held) == 50
    assert held[-1] == -50
    # Out of the one before it is in the other.
    assert 0 in held[held.index(50) :]


@pytest.mark.parametrize("middles", [(50, 51), (50, 50, 51, 51)])
def test_what_goes_back_and_forth_is_no_trend(middles: tuple[int, ...]) -> None:
    trend = Trend(Pit("momentum"))
    assert [
        order for number in range(100) for order in trend.at(middles[number % len(middles)])
    ] == []


def test_the_band_decides_what_a_trend_is() -> None:
    def traded(threshold: int) -> bool:
        trend = Trend(Pit("momentum", fast=2, slow=8, threshold=threshold))
        return any(trend.at(50 + step // 4) for step in range(60))

    assert traded(500)
    assert not traded(3_000)


def test_it_gives_up_on_a_market_without_offers_and_on_a_halted_one() -> None:
    pit = Pit("momentum", fast=1, slow=100, threshold=100)
    pit.crowd(Side.BUY, 60, 10)
    assert [action for _ in range(10) for action in pit.go()] == []
    pit.crowd(Side.SELL, 62, 10)
    pit.halt()
    assert [action for _ in range(10) for action in pit.go()] == []
    pit.resume()
    assert len(pit.go()) == 1
