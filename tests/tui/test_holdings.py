"""Average prices, and what is realised."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

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
    assert held == Holding(0, 0, 100_000)


def test_a_position_whose_fills_are_unknown_costs_what_was_paid() -> None:
    holdings = Holdings()
    assert holdings.of("RAIN", Position(10, -480)).average == 48_000
    holdings.filled("RAIN", Side.BUY, 50, 10)
    assert holdings.of("RAIN", Position(20, -980)).average == 49_000


def test_closing_part_realises_its_share_and_leaves_the_rest_open() -> None:
    held = Holding().filled(Side.BUY, 50, 10).filled(Side.SELL, 53, 4)
    assert held.realised == 12_000
    assert held.unrealised(2 * 48) == -12_000
    turned = held.filled(Side.SELL, 51, 8)
    assert (turned.qty, turned.realised) == (-2, 18_000)
    assert turned.unrealised(2 * 48) == 6_000


def test_a_half_tick_of_the_mark_counts() -> None:
    assert Holding().filled(Side.BUY, 50, 3).unrealised(101) == 1_500


@st.composite
def fills(draw: st.DrawFn) -> list[tuple[Side, int, int]]:
    sides, sizes = st.sampled_from(Side), st.integers(1, 10**4)
    return draw(st.lists(st.tuples(sides, st.integers(1, 10**6), sizes), max_size=40))


@given(fills=fills(), mark=st.integers(1, 2 * 10**6))
def test_realised_and_unrealised_add_up_to_cash_and_position(
    fills: list[tuple[Side, int, int]], mark: int
) -> None:
    held, qty, cash = Holding(), 0, 0
    for side, price, size in fills:
        held = held.filled(side, price, size)
        sign = 1 if side is Side.BUY else -1
        qty += sign * size
        cash -= sign * size * price
    assert held.qty == qty
    assert held.realised + held.unrealised(mark) == 1000 * cash + 500 * qty * mark
    assert held.fits(Position(qty, cash))


@given(fills=fills())
def test_what_is_realised_is_what_each_closed_contract_brought_over_the_average(
    fills: list[tuple[Side, int, int]],
) -> None:
    """Contract by contract in fractions; the fold may round a thousandth down at each close."""
    held, qty, average, realised = Holding(), 0, Fraction(0), Fraction(0)
    for side, price, size in fills:
        held = held.filled(side, price, size)
        sign = 1 if side is Side.BUY else -1
        closing = min(size, abs(qty)) if qty * sign < 0 else 0
        realised += closing * (price - average) * (1 if qty > 0 else -1)
        opening = size - closing
        qty += sign * closing
        if opening:
            average = (average * abs(qty) + price * opening) / (abs(qty) + opening)
            qty += sign * opening
    assert abs(held.realised - 1000 * realised) <= len(fills)
    assert held.qty == qty
