"""The standard population: who trades in a living market where nothing else is said."""

from sim.agents.informed import InformedParameters
from sim.agents.market_maker import MarketMakerParameters
from sim.agents.momentum import MomentumParameters
from sim.agents.noise import NoiseParameters
from sim.agents.slicer import SlicerParameters
from sim.agents.zero_intelligence import ZeroIntelligenceParameters
from sim.scenario.form import Population

LEAST = 10
"""The fewest agents that a standard population has in a market."""

# Between two looks of a market maker, in ns.
_SHORTEST, _LONGEST = 20_000_000, 200_000_000


def standard_population(agents: int, every: int, markets: int = 1) -> tuple[Population, ...]:
    """`agents` agents for so many markets (`LEAST` in each at least), in which each of the
    frequent ones acts every `every` ns on average; the others less often, and market makers more
    often, at an interval of 20 to 200 ms.

    Of a hundred, two make markets, ten are informed, five follow trends and two take in slices;
    the others are of zero intelligence or noise, five to three. Every market has them all.
    """
    agents = max(LEAST * markets, agents)
    makers = max(2 * markets, agents // 50)
    informed = max(2 * markets, agents // 10)
    momentum = max(markets, agents // 20)
    slicers = max(markets, agents // 100)
    frequent = agents - makers - informed - momentum - 2 * slicers
    noise = frequent * 3 // 8
    return (
        Population(
            kind="market-maker",
            count=makers,
            parameters=MarketMakerParameters(every=max(_SHORTEST, min(_LONGEST, every * 2 // 5))),
        ),
        Population(
            kind="zero-intelligence",
            count=frequent - noise,
            parameters=ZeroIntelligenceParameters(every=every),
        ),
        Population(kind="noise", count=noise, parameters=NoiseParameters(every=every)),
        Population(kind="informed", count=informed, parameters=InformedParameters(every=2 * every)),
        Population(kind="momentum", count=momentum, parameters=MomentumParameters(every=5 * every)),
        Population(kind="slicer", count=slicers, parameters=SlicerParameters()),
        Population(kind="slicer", count=slicers, parameters=SlicerParameters(style="pov")),
    )
