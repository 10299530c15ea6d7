"""Dice: the draws that a loop makes without a call are those that a call makes."""

import pytest

from sim.agents import Dice
from sim.agents.dice import CELLS_BITS


@pytest.mark.parametrize("mean", [0, 1, 999, 200_000_000])
def test_a_table_of_draws_gives_what_a_call_gives(mean: int) -> None:
    called, looked_up = Dice(1, "latency"), Dice(1, "latency")
    table = looked_up.exponentials(mean)
    drawn = [called.exponential(mean) for _ in range(5_000)]
    assert drawn == [table[looked_up.bits(CELLS_BITS)] for _ in range(5_000)]
    assert len(set(drawn)) > 100 or mean < 2
