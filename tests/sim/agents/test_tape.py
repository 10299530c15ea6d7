"""The tape: how fast trades come, by what anybody can see of them."""

import pytest

from matchbox_tui.engine import NewOrder
from sim.agents import Dice
from tests.sim.agents.pit import Pit

MS = 1_000_000


def trades(pit: Pit, count: int, apart: int, chance: Dice | None = None) -> None:
    """So many trades among the crowd, so many ns apart, or so many on average."""
    for _ in range(count):
        pit.sight.now += apart if chance is None else chance.exponential(apart)
        pit.wash(50, 1)


def test_a_pace_that_stays_is_as_ever() -> None:
    pit = Pit("noise")
    trades(pit, 1_000, 7 * MS)
    assert pit.tape.pace == pytest.approx(1_000, abs=2)


def test_the_pace_goes_up_as_trades_come_faster_and_down_as_they_come_slower() -> None:
    pit = Pit("noise")
    trades(pit, 2_000, 8 * MS)
    trades(pit, 10, 2 * MS)
    # A quarter of the wait, for 10 of the last 32 or so.
    assert 1_150 < pit.tape.pace < 1_350
    trades(pit, 90, 2 * MS)
    assert 3_000 < pit.tape.pace < 4_000
    trades(pit, 200, 32 * MS)
    assert 220 < pit.tape.pace < 320


def test_a_pace_that_lasts_becomes_the_usual_one() -> None:
    pit = Pit("noise")
    trades(pit, 1_000, 8 * MS)
    trades(pit, 200, 2 * MS)
    soon = pit.tape.pace
    trades(pit, 9_000, 2 * MS)
    assert soon > 3_000
    assert pit.tape.pace < 1_400


def test_on_average_chance_is_as_ever() -> None:
    pit = Pit("noise")
    chance = Dice("waits")
    trades(pit, 1_000, 5 * MS, chance)
    paces = []
    for _ in range(4_000):
        trades(pit, 1, 5 * MS, chance)
        paces.append(pit.tape.pace)
    assert 980 < sum(paces) / len(paces) < 1_100


def test_the_first_trades_say_nothing() -> None:
    pit = Pit("noise")
    paces = set()
    for number in range(64):
        trades(pit, 1, 64 * MS - number * MS)
        paces.add(pit.tape.pace)
    assert paces == {1_000}
    trades(pit, 30, MS)
    assert pit.tape.pace > 1_500


def test_it_is_at_most_eight_times_as_ever() -> None:
    pit = Pit("noise")
    trades(pit, 100, 8 * MS)
    trades(pit, 500, 0)
    assert pit.tape.pace == 8_000


def test_a_halt_is_soon_forgotten() -> None:
    pit = Pit("noise")
    trades(pit, 1_000, 8 * MS)
    trades(pit, 1, 3_600_000 * MS)
    assert 600 < pit.tape.pace < 800
    trades(pit, 200, 8 * MS)
    assert 950 < pit.tape.pace < 1_050


def test_a_trade_that_is_older_than_the_last_came_with_it() -> None:
    pit = Pit("noise")
    trades(pit, 1_000, 8 * MS)
    before = pit.tape.pace
    trades(pit, 1, -5 * MS)
    assert before < pit.tape.pace < before * 11 // 10


def test_a_crowd_at_one_moment_is_no_pace_for_ever() -> None:
    pit = Pit("noise")
    trades(pit, 100, 0)
    assert pit.tape.pace == 1_000
    trades(pit, 500, 8 * MS)
    # The hundred are a sixth of all that it knows.
    assert 780 < pit.tape.pace < 880
    trades(pit, 100, 2 * MS)
    assert pit.tape.pace > 2_500


def mean_wait(pit: Pit) -> int:
    return sum(pit.agent.wait() for _ in range(10_000)) // 10_000


@pytest.mark.parametrize("kind", ["noise", "zero-intelligence"])
@pytest.mark.parametrize("excitement", [0, 500, 990])
@pytest.mark.parametrize("apart", [2 * MS, 8 * MS, 32 * MS])
def test_the_excited_go_by_the_pace_that_they_saw(kind: str, excitement: int, apart: int) -> None:
    pit = Pit(kind, every=100 * MS, excitement=excitement)
    pit.quotes(45, 55)
    trades(pit, 2_000, 8 * MS)
    pit.look()
    assert mean_wait(pit) == pytest.approx(100 * MS, rel=0.03)
    trades(pit, 200, apart)
    assert mean_wait(pit) == pytest.approx(100 * MS, rel=0.03), "it has not looked yet"
    pit.look()
    # Its own pace, and that of the others.
    acts = 1_000 - excitement + excitement * pit.tape.pace / 1_000
    assert mean_wait(pit) == pytest.approx(100 * MS * 1_000 / acts, rel=0.03)


@pytest.mark.parametrize("kind", ["noise", "zero-intelligence"])
def test_excitement_changes_when_they_act_and_not_what_they_do(kind: str) -> None:
    def orders(excitement: int) -> list[NewOrder]:
        pit = Pit(kind, excitement=excitement)
        pit.quotes(45, 55)
        trades(pit, 500, 8 * MS)
        trades(pit, 100, 2 * MS)
        return [one for _ in range(100) for one in pit.look() if isinstance(one, NewOrder)]

    assert len(orders(0)) == 100
    assert orders(0) == orders(950)
