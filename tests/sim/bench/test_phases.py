"""What two looks at a screen under load make of it: shares, rates, goals."""

import msgspec
import pytest

from sim.bench.figures import Latency
from sim.bench.jobs import Tally
from sim.bench.phases import Phase, Sight, core_rows, event_row, frame_row, phase

MS = 1_000_000

BEFORE = Sight(100.0, 5.0, 10, 1000, Tally(7, 3, 500, 20, 40.0, 2.0))
AFTER = Sight(104.0, 6.0, 74, 129_000, Tally(99, 203, 40_500, 2420, 44.0, 2.24))
ENDS = [n * 60 * MS for n in range(64)]
"""Every 60 ms."""


def found(core: float | None, fold: float = 5.0, frames: float = 16.0) -> Phase:
    return Phase(core, fold, frames, 1600.0, 10_000.0, 600.0, 100.0, Latency(62.0, 70.0))


def test_two_looks_make_shares_of_a_core_and_rates() -> None:
    made = phase(BEFORE, AFTER, ENDS)
    assert made.core == 25.0
    assert made.fold_core == pytest.approx(6.0)
    assert (made.frames, made.size) == (16.0, 32_000.0)
    assert (made.events, made.fills, made.commits) == (10_000.0, 600.0, 50.0)
    assert made.pace == Latency(60.0, 60.0)
    assert made.bytes_a_frame == 2000.0
    # A second of the processor in 64 frames.
    assert made.ms_a_frame == pytest.approx(1000 / 64)


def test_the_fold_has_a_clock_of_its_own() -> None:
    later = msgspec.structs.replace(AFTER, tally=msgspec.structs.replace(AFTER.tally, at=48.0))
    assert phase(BEFORE, later, ENDS).events == 5000.0
    assert phase(BEFORE, later, ENDS).frames == 16.0


def test_a_system_that_does_not_tell_what_is_used_leaves_the_frames() -> None:
    made = phase(BEFORE, msgspec.structs.replace(AFTER, cpu=None), ENDS)
    assert (made.core, made.ms_a_frame) == (None, None)
    assert core_rows("a", [made]) == []
    assert "ms of the processor a frame" not in frame_row("a", [made]).more


def test_a_screen_that_paints_nothing_costs_nothing_a_frame() -> None:
    still = phase(BEFORE, msgspec.structs.replace(AFTER, frames=10), [])
    assert (still.frames, still.bytes_a_frame, still.ms_a_frame) == (0.0, 0.0, None)
    assert still.pace is None
    assert frame_row("a", [still]).reached is False


@pytest.mark.parametrize(("cores", "reached"), [((24.9, 80.0, 3.0), True), ((25.0,), False)])
def test_less_than_a_quarter_of_a_core_is_the_goal(cores: tuple[float, ...], reached: bool) -> None:
    (row,) = core_rows("a", [found(core) for core in cores])
    assert row.reached is reached


def test_the_fold_is_the_base_round_by_round() -> None:
    (row,) = core_rows("a", [found(20.0, 5.0), found(30.0, 3.0), found(10.0, 4.0)])
    assert (row.value, row.base) == (20.0, 4.0)
    assert row.ratios == [4.0, 10.0, 2.5]
    assert row.ratio == 4.0


@pytest.mark.parametrize(("frames", "reached"), [(15.0, True), (14.9, False)])
def test_fifteen_frames_a_second_are_the_goal(frames: float, reached: bool) -> None:
    row = frame_row("a", [found(20.0, frames=frames)])
    assert (row.value, row.reached) == (frames, reached)
    assert row.latency == Latency(62.0, 70.0)
    assert row.more["bytes a frame"] == round(1600 / frames, 1)


@pytest.mark.parametrize(("asked", "reached"), [(10_500, True), (10_600, False)])
def test_the_journal_takes_nearly_all_that_is_asked(asked: int, reached: bool) -> None:
    row = event_row(asked, [found(20.0)])
    assert (row.value, row.reached) == (10_000.0, reached)
    assert row.more == {"fills/s": 600.0, "commits/s": 100.0}
