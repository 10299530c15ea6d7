"""Who trades in a scenario: its agents by name, each with dice of its own. One for both runners."""

from collections.abc import Callable, Mapping

import msgspec

from sim.agents import Agent, Dice, Hire
from sim.agents.kinds import KINDS, Kind
from sim.recording.run import Trader
from sim.scenario.form import Burst, Population, Scenario
from sim.scenario.value import ValuePath, value_paths

BURST = "burst"
"""The kind, in the roster, of who sends a burst of orders and is no agent."""


class Hired(msgspec.Struct, frozen=True):
    """An agent, the population that it is one of, and that one's number; its kind and market.

    On a running venue it first acts `at_once`, where that is set, instead of after a wait.
    """

    agent: Agent
    population: Population
    number: int
    kind: str
    market: str
    at_once: bool = False


def hire(
    scenario: Scenario, seed: int, start: int, kinds: Mapping[str, Kind] = KINDS
) -> list[Hired]:
    """All agents, population by population; the same ones for the same scenario and seed.

    `start` is the run's time zero, in ns since the epoch, for who is told the hidden value. Raises
    `KeyError` for a kind or a market that is not there, which no loaded scenario has.
    """
    plans = {plan.market.symbol: plan for plan in scenario.markets}
    signals = {symbol: _signal(path, start) for symbol, path in value_paths(scenario, seed).items()}
    names = _Names(Dice(seed, "names"))
    hired = []
    for number, population in enumerate(scenario.populations):
        kind = kinds[population.kind]
        symbols = population.markets or tuple(plans)
        for member in range(population.count):
            symbol = symbols[member % len(symbols)]
            one = Hire(
                trader=names.next(),
                market=symbol,
                dice=Dice(seed, "agent", number, member),
                opening=plans[symbol].opening,
                signal=signals[symbol],
            )
            agent = kind.agent(one, population.parameters)
            hired.append(Hired(agent, population, number, population.kind, symbol))
    return hired


def burst_trader(number: int) -> str:
    """Who sends the scenario's burst of this number, counted from 0 among its happenings."""
    return f"{BURST}-{number}"


def roster(scenario: Scenario, hired: list[Hired]) -> list[Trader]:
    """Everybody who trades: the agents, then who sends bursts."""
    agents = [Trader(one.agent.trader, one.kind, one.market) for one in hired]
    bursts = [
        Trader(burst_trader(number), BURST, one.market)
        for number, one in enumerate(scenario.happenings)
        if isinstance(one, Burst)
    ]
    return agents + bursts


class _Names:
    """First names by chance; one that is taken gets a number, counted from 2."""

    def __init__(self, dice: Dice) -> None:
        # Here, since most who import this package hire nobody, and it takes long to load.
        from faker.providers.person.en_US import Provider

        self._dice = dice
        # Sorted: their order in the package is no promise. Letters only, so that a number at the
        # end can't make two names the same.
        self._known = sorted({name.lower() for name in Provider.first_names if name.isalpha()})
        self._taken: dict[str, int] = {}

    def next(self) -> str:
        name = self._dice.pick(self._known)
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else f"{name}{count}"


def _signal(path: ValuePath, start: int) -> Callable[[int], int]:
    at = path.at

    def signal(now: int) -> int:
        return at(now - start)

    return signal
