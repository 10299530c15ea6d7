"""Average prices."""

from matchbox_tui.engine import Position, Side
from matchbox_tui.tui.holdings import Holding, Holdings


def test_buying_more_moves_the_average() -> None:
    held = Holding().filled(Side.BUY, 50, 10).filled(Side.BUY, 53, 5)
    assert (held.qty, held.average) == (15, 51_000)


def test_selling_part_keeps_the_average() -> None:
    held = Holding().filled(Side.BUY, 50, 10).filled(Side.SELL, 90, 9)
    assert (held.qty, held.average) == (1, 50_000)


def test_a_short_position_has_an_average_too() -> None:
    held = Holding().filled(Side.SELL, 60, 4).filled(Side.SELL, 50, 4)
    assert (held.qty, held.average) == (-8, 55_000)


def test_turning_over_starts_anew_at_the_fill() -> None:
    held = Holding().filled(Side.BUY, 50, 10).filled(Side.SELL, 45, 12)
    assert (held.qty, held.average) == (-2, 45_000)


def test_closing_leaves_nothing() -> None:
    held = Holding().filled(Side.BUY, 50, 10).filled(Side.SELL, 60, 10)
    assert held == Holding()


def test_a_position_whose_fills_are_unknown_costs_what_was_paid() -> None:
    holdings = Holdings()
    assert holdings.of("RAIN", Position(10, -480)).average == 48_000
    holdings.filled("RAIN", Side.BUY, 50, 10)
    assert holdings.of("RAIN", Position(20, -980)).average == 49_000
