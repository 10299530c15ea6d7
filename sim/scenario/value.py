"""The hidden value of a market over time: the same for whoever asks, in whatever order."""

from collections.abc import Iterable

from matchbox_tui.engine import Market
from sim.agents import Dice, clamped
from sim.scenario.form import MarketPlan, News, Scenario

_MILLI = 1000


class ValuePath:
    """A market's value, step by step, as far as anybody has asked.

    A walk with reversion to a mean, as the Ornstein-Uhlenbeck fundamental of Chakraborty and
    Kearns (2011), in whole thousandths of a tick. News moves the walk and its mean. Its volatility
    may switch between two regimes, a Markov chain as in Hamilton (1989, Econometrica 57).
    """

    def __init__(self, plan: MarketPlan, news: Iterable[News], dice: Dice) -> None:
        """`news` of this market only."""
        self._plan = plan.value
        self._market: Market = plan.market
        self._dice = dice
        self._news = sorted(((one.at, one.by) for one in news), reverse=True)
        self._mean = self._at = plan.opening * _MILLI
        self._agitated = False
        self._ticks: list[int] = [plan.opening]

    def at(self, elapsed: int) -> int:
        """In ticks, `elapsed` ns after the start (before it: as at the start). O(1) once known."""
        number = max(0, elapsed) // self._plan.step
        while len(self._ticks) <= number:
            self._step()
        return self._ticks[number]

    def _step(self) -> None:
        time = len(self._ticks) * self._plan.step
        while self._news and self._news[-1][0] <= time:
            _, by = self._news.pop()
            self._mean += by * _MILLI
            self._at += by * _MILLI
        pull = (self._mean - self._at) * self._plan.reversion
        self._at += pull // 1000 if pull >= 0 else -(-pull // 1000)
        plan, dice = self._plan, self._dice
        if plan.begins and dice.happens(plan.ends if self._agitated else plan.begins):
            self._agitated = not self._agitated
        self._at += dice.normal(plan.agitated if self._agitated else plan.volatility)
        self._ticks.append(clamped((self._at + _MILLI // 2) // _MILLI, self._market))


def value_paths(scenario: Scenario, seed: int) -> dict[str, ValuePath]:
    """The hidden values of all markets, by symbol."""
    return {
        plan.market.symbol: ValuePath(
            plan,
            [
                one
                for one in scenario.happenings
                if isinstance(one, News) and one.market == plan.market.symbol
            ],
            Dice(seed, "value", plan.market.symbol),
        )
        for plan in scenario.markets
    }
