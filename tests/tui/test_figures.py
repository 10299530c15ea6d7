"""Numbers and times as text."""

from datetime import UTC

import pytest

from matchbox_tui.tui.figures import (
    age,
    clock_time,
    duration,
    fitted,
    short,
    signed,
    thousandths,
    ticks,
)
from tests.tui.venue import SECOND, START


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (12_400, "12,400"),
        (99_999, "99,999"),
        (100_000, "100k"),
        (1_259_999, "1.25M"),
        (10**12, "1.00T"),
        (999 * 10**18, "999E"),
        (10**21, "10^21"),
        (10**400, "10^400"),
    ],
)
def test_a_quantity_of_any_size_is_short(value: int, text: str) -> None:
    assert short(value) == text
    assert len(text) <= 6


@pytest.mark.parametrize(
    ("value", "text"),
    [(50_000, "50.00"), (51_850, "51.85"), (-37_005, "-37.01"), (4, "0.00"), (-4, "0.00")],
)
def test_thousandths_are_shown_to_two_decimals(value: int, text: str) -> None:
    assert thousandths(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (37_500, "+37.50"), (-4_000, "-4"), (1_250_000, "+1,250"), (-1, "0.00")],
)
def test_a_profit_has_its_sign_and_decimals_where_there_are_any(value: int, text: str) -> None:
    assert ticks(value) == text


def test_what_does_not_fit_is_shortened_and_keeps_its_sign() -> None:
    assert fitted("-1,234.50", 1234, 9) == "-1,234.50"
    assert fitted("-1,234.50", 1234, 8) == "-1,234"
    assert fitted("+123,456,789", 123_456_789, 7) == "+123M"


def test_signs() -> None:
    assert (signed(0), signed(1200), signed(-7)) == ("0", "+1,200", "-7")


def test_a_time_that_no_clock_shows_is_blank() -> None:
    assert clock_time(START, UTC) == "00:00:00"
    assert clock_time(2**63 - 1, UTC) != ""
    assert clock_time(2**80, UTC) == "--:--:--"


@pytest.mark.parametrize(
    ("time", "text", "aged"),
    [
        (0, "0 us", "0s"),
        (420_999, "420 us", "0s"),
        (1_290_000, "1.2 ms", "0s"),
        (84_600_000, "84 ms", "0s"),
        (1_257_000_000, "1.25 s", "1s"),
        (59 * SECOND, "59 s", "59s"),
        (60 * SECOND, "1 m", "1m"),
        (3599 * SECOND, "59 m", "59m"),
        (86_399 * SECOND, "23 h", "23h"),
        (5 * 86_400 * SECOND, "5 d", "5d"),
        (10**30, "999 d", "999d"),
        (-5 * SECOND, "0 us", "0s"),
    ],
)
def test_a_stretch_of_time_has_its_unit(time: int, text: str, aged: str) -> None:
    assert duration(time) == text
    assert age(time) == aged
