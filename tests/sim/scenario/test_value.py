"""The hidden value: a walk that is pulled back, in calm and agitated times."""

from itertools import groupby, pairwise

from matchbox_tui.engine import Market
from sim.agents import Dice
from sim.scenario import MarketPlan, News, ValuePlan
from sim.scenario.value import ValuePath

OPENING = 10**9
STEP = 100_000_000


def steps(plan: ValuePlan, count: int, news: tuple[News, ...] = (), seed: int = 1) -> list[int]:
    """What the value of an unbounded market moves by, in ticks."""
    path = ValuePath(MarketPlan(market=Market("X"), opening=OPENING, value=plan), news, Dice(seed))
    values = [path.at(STEP * number) for number in range(count + 1)]
    return [after - before for before, after in pairwise(values)]


def deviation(moves: list[int]) -> float:
    return (sum(move * move for move in moves) / len(moves)) ** 0.5


def test_without_agitated_times_all_steps_are_of_one_size() -> None:
    moves = steps(ValuePlan(volatility=100_000, agitated=5_000_000, reversion=0), 10_000)
    assert 97 < deviation(moves) < 103
    assert max(map(abs, moves)) < 600


def test_agitated_times_come_and_last_as_often_and_long_as_they_are_to() -> None:
    plan = ValuePlan(volatility=0, agitated=1_000_000, begins=10, ends=40, reversion=0)
    moves = steps(plan, 50_000)
    agitated = [move for move in moves if move]
    # 10 of 50, and a thousandth of the steps is 0 by chance.
    assert 0.16 < len(agitated) / 50_000 < 0.24
    assert 950 < deviation(agitated) < 1_050
    runs = [len(list(run)) for calm, run in groupby(moves, lambda move: not move) if calm]
    long = [run for run in runs if run > 5]
    assert 75 < sum(long) / len(long) < 135


def test_a_calm_time_is_as_calm_as_it_says() -> None:
    plan = ValuePlan(volatility=10_000, agitated=10**9, begins=2, ends=1_000, reversion=0)
    moves = steps(plan, 20_000)
    calm = [move for move in moves if abs(move) < 200]
    assert 9.5 < deviation(calm) < 10.5
    assert 20 < 20_000 - len(calm) < 70


def test_the_same_path_for_whoever_asks_in_whatever_order() -> None:
    plan = MarketPlan(
        market=Market("X"), opening=OPENING, value=ValuePlan(begins=50, ends=50, volatility=9_000)
    )
    one, other = ValuePath(plan, (), Dice(3)), ValuePath(plan, (), Dice(3))
    other.at(STEP * 500)
    assert [one.at(STEP * at) for at in range(500)] == [other.at(STEP * at) for at in range(500)]


def test_news_moves_it_and_it_stays_there_in_agitated_times_too() -> None:
    plan = ValuePlan(volatility=1_000, agitated=2_000, begins=100, ends=100, reversion=100)
    moves = steps(plan, 400, (News(at=STEP * 100, market="X", by=500),))
    assert 480 < moves[99] < 520
    assert abs(sum(moves[:99])) < 30
    assert 470 < sum(moves) < 530
