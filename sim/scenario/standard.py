"""The standard population: who trades in a living market where nothing else is said."""

from sim.agents.informed import InformedParameters
from sim.agents.market_maker import MarketMakerParameters
from sim.agents.momentum import MomentumParameters
from sim.agents.noise import NoiseParameters
from sim.agents.slicer import SlicerParameters
from sim.agents.zero_intelligence import ZeroIntelligenceParameters
from sim.scenario.form import Population

LEAST = 10
"""The fewest agents that a standard population has."""


def standard_population(agents: int, every: int) -> tuple[Population, ...]:
    """`agents` agents (10 at least) in all markets, of whom each frequent one acts every `every`
    ns on average; the others less often, and market makers at an interval of their own.

    Half of them have no intelligence, about a third are noise, and of ten one is informed.
    """
    agents = max(LEAST, agents)
    makers = max(2, agents // 50)
    slicers = max(1, agents // 50)
    momentum = max(1, agents // 20)
    informed = max(2, agents // 10)
    noise = agents * 3 // 10
    rest = agents - makers - slicers - momentum - informed - noise
    return (
        Population(kind="market-maker", count=makers, parameters=MarketMakerParameters()),
        Population(
            kind="zero-intelligence", count=rest, parameters=ZeroIntelligenceParameters(every=every)
        ),
        Population(kind="noise", count=noise, parameters=NoiseParameters(every=every)),
        Population(kind="informed", count=informed, parameters=InformedParameters(every=2 * every)),
        Population(kind="momentum", count=momentum, parameters=MomentumParameters(every=5 * every)),
        Population(kind="slicer", count=slicers, parameters=SlicerParameters()),
    )
