"""Who trades on a running venue: a crew is hired once the venue has its markets."""

import time
from collections.abc import Callable

import msgspec

from matchbox_tui.engine import Exchange
from sim.agents import Dice, clamped
from sim.agents.market_maker import MarketMakerParameters
from sim.agents.slicer import SlicerParameters
from sim.hiring import Hired, hire
from sim.scenario.form import MarketPlan, Population, Scenario
from sim.scenario.standard import STANDARD_VALUE, standard_population

Crew = Callable[[Exchange], list[Hired] | None]
"""The agents for the venue in this state; None where its markets are not all there yet."""

START_VALUE = 50
"""Where a market without a highest price opens, in ticks; the others open half-way up..."""

SPREAD = 15
"""...give or take so many."""

BUSIEST_NS = 100_000_000
"""The shortest mean time between two acts of an agent: it waits for an answer each time."""

MAKER = "market-maker"

SHARES = {
    MAKER: 300,
    "zero-intelligence": 100,
    "noise": 100,
    "informed": 25,
    "momentum": 10,
    "slicer": 60,
}
"""Commands of an agent of each kind in the time in which a frequent one acts once, in hundredths,
as the virtual runner counts them...
"""

SLICE_SHARE = 7
"""...and those of a slicer by time, for each of the slices of its least parent order."""

NS = 1_000_000_000


def standard_crew(traders: int, rate: int, seed: int, markets: tuple[str, ...] = ()) -> Crew:
    """At least so many agents of the standard population in these markets (none: all that there
    are), who send about `rate` commands a second together; more agents where that takes more.

    Market makers quote before anybody else acts: where many trade seldom, all would have to wait
    for a market otherwise.
    """

    def crew(exchange: Exchange) -> list[Hired] | None:
        there = exchange.books
        if not (all(symbol in there for symbol in markets) if markets else exchange.seq):
            return None
        plans = tuple(_plan(exchange, symbol, seed) for symbol in markets or tuple(there))
        hired = hire(_standard(plans, traders, rate), seed, time.time_ns())
        return [msgspec.structs.replace(one, at_once=one.kind == MAKER) for one in hired]

    return crew


def scenario_crew(scenario: Scenario, seed: int, start: int) -> Crew:
    """The scenario's agents; `start` is its time zero, in ns since the epoch."""
    symbols = [plan.market.symbol for plan in scenario.markets]

    def crew(exchange: Exchange) -> list[Hired] | None:
        if not all(symbol in exchange.books for symbol in symbols):
            return None
        return hire(scenario, seed, start)

    return crew


def _standard(plans: tuple[MarketPlan, ...], traders: int, rate: int) -> Scenario:
    agents, markets = traders, len(plans)
    while _commands(agents, markets) * NS < rate * BUSIEST_NS * 100:
        agents += agents // 8 + 1
    every = _commands(agents, markets) * NS // (100 * rate)
    return Scenario(
        name="standard",
        duration=0,
        markets=plans,
        populations=tuple(
            _paced(one, every) for one in standard_population(agents, every, markets)
        ),
    )


def _commands(agents: int, markets: int) -> int:
    """Commands of all in the time in which a frequent one acts once, in hundredths."""
    crowd = standard_population(agents, BUSIEST_NS, markets)
    return sum(one.count * _share(one) for one in crowd)


def _share(population: Population) -> int:
    parameters = population.parameters
    if isinstance(parameters, SlicerParameters) and parameters.style == "twap":
        return SLICE_SHARE * parameters.slices
    return SHARES[population.kind]


def _paced(population: Population, every: int) -> Population:
    """Market makers that look as often as the others make it necessary."""
    parameters = population.parameters
    if not isinstance(parameters, MarketMakerParameters):
        return population
    parameters = msgspec.structs.replace(parameters, every=every)
    return msgspec.structs.replace(population, parameters=parameters)


def _plan(exchange: Exchange, symbol: str, seed: int) -> MarketPlan:
    market = exchange.book(symbol).market
    opening = START_VALUE if market.max_price is None else (market.max_price + 1) // 2
    opening += Dice(seed, "opening", symbol).between(-SPREAD, SPREAD)
    return MarketPlan(market=market, opening=clamped(opening, market), value=STANDARD_VALUE)
