"""The arithmetic of a benchmark."""

import pytest

from sim.bench.figures import Latency, latency, percentile, ratios, typical
from sim.bench.report import compare


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.01, 1), (0.07, 7), (0.5, 50), (0.501, 51), (0.99, 99), (1.0, 100)],
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_of_one_value_every_percentile_is_that() -> None:
    assert {percentile([7], share) for share in (0.0, 0.5, 0.99, 1.0)} == {7}


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="no percentile of nothing"):
        percentile([], 0.5)
    assert latency([]) is None
    assert typical([None, None]) is None


def test_a_latency_is_in_milliseconds() -> None:
    assert latency([n * 1_000_000 for n in range(1, 201)]) == Latency(100.0, 198.0)
    assert latency([1_234_567]) == Latency(1.235, 1.235)


def test_rounds_make_a_median_of_each_percentile() -> None:
    rounds = [Latency(1.0, 30.0), None, Latency(3.0, 10.0), Latency(2.0, 20.0)]
    assert typical(rounds) == Latency(2.0, 20.0)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([50, 10, 90], [100, 100, 100]) == [0.5, 0.1, 0.9]
    assert ratios([1.0], [0.0]) == [0.0]
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_a_row_has_the_median_of_the_ratios_and_not_the_ratio_of_the_medians() -> None:
    ours, theirs = [10.0, 60.0, 30.0], [100.0, 60.0, 40.0]
    row = compare("a", "requests/s", ours, "b", theirs, least_ratio=0.8)
    assert (row.value, row.base) == (30.0, 60.0)
    assert row.ratios == [0.1, 1.0, 0.75]
    assert row.ratio == 0.75
    assert row.reached is False


@pytest.mark.parametrize(
    ("rate", "enough", "reached", "goal"),
    [
        (49.0, None, False, "0.5 of it"),
        (50.0, None, True, "0.5 of it"),
        (49.0, 50.0, False, "0.5 of it or 50"),
        (49.0, 49.0, True, "0.5 of it or 49"),
        (60.0, 20_000.0, True, "0.5 of it or 20,000"),
    ],
)
def test_a_goal_is_a_ratio_or_a_rate_that_is_enough(
    rate: float, enough: float | None, reached: bool, goal: str
) -> None:
    row = compare("a", "orders/s", [rate], "b", [100.0], least_ratio=0.5, enough=enough)
    assert (row.reached, row.goal) == (reached, goal)
