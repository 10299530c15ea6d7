"""When commands took effect: between the samples around them, whoever says what."""

import pytest

from sim.recording import RunClock, Sample

SAMPLES = [Sample(at, seq, 0, "a", 1) for at, seq in ((0, 0), (10, 0), (20, 2), (30, 2), (40, 5))]
START = 1000


def test_a_command_keeps_its_own_time_where_that_can_be() -> None:
    clock = RunClock(START, SAMPLES, 100)
    assert [clock.at(seq, START + 10 + seq) for seq in (1, 2)] == [11, 12]


def test_before_the_samples_around_it_it_can_not_have_been_nor_after_them() -> None:
    clock = RunClock(START, SAMPLES, 100)
    assert clock.at(1, 0) == 10
    assert clock.at(2, 2**62) == 20
    assert clock.at(3, 0) == 30
    assert clock.at(4, START + 35) == 35
    assert clock.at(5, START + 33) == 35
    assert clock.at(6, 2**62) == 100


def test_without_samples_there_is_the_end_alone() -> None:
    clock = RunClock(START, [], 100)
    assert [clock.at(1, time) for time in (0, START + 50, START + 40, 2**62)] == [0, 50, 50, 100]


@pytest.mark.parametrize("behind", range(6))
def test_who_goes_on_from_anywhere_hears_the_same_times(behind: int) -> None:
    whole = RunClock(START, SAMPLES, 100)
    # What the senders say is of no use: the samples alone tell.
    times = [whole.at(seq, 0) for seq in range(1, 8)]
    later = RunClock(START, SAMPLES, 100, behind, times[behind - 1] if behind else 0)
    assert [later.at(seq, 0) for seq in range(behind + 1, 8)] == times[behind:]
