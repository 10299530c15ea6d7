"""Expectations as people write them."""

import pytest

from sim.scenario import Expectation
from sim.scenario.expecting import parse_expectation

MARKETS = ("RAIN", "A.B")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("lost = 0", Expectation("lost", "=", 0)),
        ("  lost=0 ", Expectation("lost", "=", 0)),
        ("recovery_ms_p99 < 500", Expectation("recovery_ms_p99", "<", 500)),
        ("rate >= 1_000", Expectation("rate", ">=", 1000)),
        ("order_to_trade_ratio<=2.5", Expectation("order_to_trade_ratio", "<=", 2.5)),
        ("trades != 0", Expectation("trades", "!=", 0)),
        ("price_drop_max > -1", Expectation("price_drop_max", ">", -1)),
        ("RAIN.spread_median <= 3", Expectation("RAIN.spread_median", "<=", 3)),
        ("A.B.volume > 1", Expectation("A.B.volume", ">", 1)),
    ],
)
def test_a_measure_a_comparison_and_a_number(written: str, meant: Expectation) -> None:
    one = parse_expectation(written, MARKETS)
    assert one == meant
    assert isinstance(one.bound, type(meant.bound))
    assert parse_expectation(str(one), MARKETS) == one


@pytest.mark.parametrize("written", ["trades > 1234567", "spread_median <= 2.5", "lost = 0"])
def test_an_expectation_is_shown_as_it_can_be_written(written: str) -> None:
    assert str(parse_expectation(written, ["RAIN"])) == written


def test_a_whole_number_is_taken_as_it_is_however_large() -> None:
    assert parse_expectation("volume > 9007199254740993", MARKETS).bound == 2**53 + 1


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "'' is no expectation: write a measure, one of = != < <= > >=, and a number"),
        ("lost", "is no expectation"),
        ("lost = 0 or so", "is no expectation"),
        ("lost == 0", "'==' is no comparison; did you mean '='?"),
        ("lost => 0", "'=>' is no comparison; did you mean '>='?"),
        ("lost <> 0", "'<>' is no comparison; did you mean '!='?"),
        ("lost = 1_", "'1_' is no number"),
        ("lost = 1__0", "'1__0' is no number"),
        ("lost = none", "'none' is no number"),
        ("lost = nan", "'nan' is no number"),
        ("lost = 1e5", "'1e5' is no number"),
        (f"lost = {'9' * 400}", f"'{'9' * 56}... is no number"),
        ("recovery_p99 < 5", "no measure 'recovery_p99'; did you mean 'recovery_ms_p99'?"),
        ("xyzzy < 5", "no measure 'xyzzy'; docs/scenarios.md lists them"),
        ("RAIN.lost = 0", "lost is of the whole run; write it without 'RAIN'"),
        ("RIAN.trades > 0", "no market 'RIAN'; did you mean 'RAIN'?"),
        (".trades > 0", "no market ''; use one of RAIN, A.B"),
    ],
)
def test_what_is_none_is_told(written: str, words: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011  # the words are what is looked at
        parse_expectation(written, MARKETS)
    assert words in str(told.value)
