"""What is waited for at a start, beside an interpreter that does nothing."""

import pytest

from sim.bench.start import Began, Took, start_rows


def test_a_start_is_compared_with_what_python_needs_in_the_same_round() -> None:
    nothing = [Took(10, 9), Took(20, 9), Took(40, 9)]
    helps = [Took(100, 150), Took(300, 160), Took(200, 170)]
    markets = [Began(500, 1000), Began(600, 4000), Began(700, 3000)]
    shown, moving = start_rows(nothing, helps, markets)
    assert (shown.value, shown.base, shown.ratios, shown.ratio) == (200, 20, [10, 15, 5], 10)
    assert shown.more == {"ms of the processor": 160, "of python -c pass": 9}
    assert (moving.value, moving.ratios) == (3000, [100, 200, 75])
    assert moving.more == {"ms to the first frame": 600}


@pytest.mark.parametrize(("ms", "reached"), [(299.9, True), (300.0, False)])
def test_the_goal_is_a_time(ms: float, reached: bool) -> None:
    shown, moving = start_rows([Took(10, 9)], [Took(ms, 150)], [Began(1, 10 * ms)])
    assert (shown.reached, moving.reached) == (reached, reached)
