"""The benchmark of the simulator: its run, the commands that it compares with, and its rows."""

from pathlib import Path

import pytest

from matchbox_tui.engine import CancelOrder, CreateMarket, Exchange, NewOrder
from sim.bench.jobs import SimJob, Simulated
from sim.bench.sim import Crowd, rate, sim_row
from sim.bench.simulating import commands_of, simulate
from tests.sim.virtual.stage import MS, SECOND, play, scene

FAST = Simulated(300_000, 2.0, 30.0, 1.5, 400_000.0, 50.0)
SLOW = Simulated(100_000, 2.0, 10.0, 2.0, 200_000.0, 70.0)


def test_a_run_is_measured_for_as_long_as_it_was_asked_for() -> None:
    found = simulate(SimJob(agents=50, every=5 * MS, seconds=0.3, seed=1))
    assert found.wrong == []
    assert 0.3 <= found.seconds < 30
    assert found.actions > 100
    # A command of somebody about every 100 us of the scenario's time.
    assert 0.00005 < found.simulated_seconds / found.actions < 0.0002
    assert found.alone > rate(found)
    assert found.resident_mb > 10
    assert 0 < found.cpu_seconds < found.seconds + 1


def test_the_engine_alone_gets_the_commands_of_the_run(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    played = play(directory, scene(duration=500 * MS))
    commands = commands_of(directory)
    assert {type(one) for one in commands} == {CreateMarket, NewOrder, CancelOrder}
    assert len(commands) >= played.result.record.commands * 0.9
    alone, original = Exchange(), Exchange()
    for one in commands:
        alone.apply(one)
    for entry in played.entries:
        original.replay(entry.events)
    assert alone.dump().books[1].bids == original.dump().books[1].bids
    assert alone.dump().positions == original.dump().positions


def test_a_row_compares_round_by_round() -> None:
    row = sim_row(Crowd(1_000, 100 * MS), [FAST, SLOW, SLOW])
    assert row.what == "1,000 agents, each every 100ms"
    assert (row.value, row.base) == (50_000.0, 200_000.0)
    assert row.ratios == [0.375, 0.25, 0.25]
    assert row.ratio == 0.25
    assert row.reached is False
    assert row.more == {
        "us of the processor an action": 20.0,
        "MB resident": 50.0,
        "simulated seconds a second": 5.0,
    }
    assert sim_row(Crowd(100, SECOND), [FAST, FAST, SLOW]).reached is True


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_a_rate_of_no_time_is_none(seconds: float) -> None:
    assert rate(Simulated(100, seconds, 0, 0, 1, 1)) == (50 if seconds else 0)
