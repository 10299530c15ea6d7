"""The standard population: who trades in a living market where nothing else is said."""

from sim.agents.informed import InformedParameters
from sim.agents.market_maker import MarketMakerParameters
from sim.agents.momentum import MomentumParameters
from sim.agents.noise import NoiseParameters
from sim.agents.slicer import SlicerParameters
from sim.agents.zero_intelligence import ZeroIntelligenceParameters
from sim.scenario.form import Population, ValuePlan

LEAST = 10
"""The fewest agents that a standard population has in a market."""

STANDARD_VALUE = ValuePlan(volatility=150, agitated=1_200, begins=3, ends=6, reversion=10)
"""What the standard population trades on: a value that is calm for half a minute on average, then
agitated for a quarter of one.
"""

EXCITEMENT = 950
"""How much of the pace of noise and of zero intelligence is that of the others, per mille."""

SLICE = 15
"""Size of a slice, contracts."""

# Between two looks of a market maker, in ns.
_SHORTEST, _LONGEST = 20_000_000, 200_000_000


def standard_population(agents: int, every: int, markets: int = 1) -> tuple[Population, ...]:
    """`agents` agents for so many markets (`LEAST` in each at least), in which each of the
    frequent ones acts every `every` ns on average; the others less often, and market makers more
    often, at an interval of 20 to 200 ms.

    Of a hundred, two make markets, ten are informed, five follow trends, and three take in slices,
    two by time and one by volume; the others are of zero intelligence or noise, five to three.
    Every market has them all. How fast slices follow each other goes by how many trade in a market,
    so that they are about the same part of all trades everywhere.
    """
    agents = max(LEAST * markets, agents)
    makers = max(2 * markets, agents // 50)
    informed = max(2 * markets, agents // 10)
    momentum = max(markets, agents // 20)
    by_time = max(markets, agents // 50)
    by_volume = max(markets, agents // 100)
    frequent = agents - makers - informed - momentum - by_time - by_volume
    noise = frequent * 3 // 8
    slices = max(1, 8 * agents // (5 * by_time))
    return (
        Population(
            kind="market-maker",
            count=makers,
            parameters=MarketMakerParameters(
                every=max(_SHORTEST, min(_LONGEST, every * 2 // 5)),
                qty=25,
                lean=100,
                max_position=5_000,
            ),
        ),
        Population(
            kind="zero-intelligence",
            count=frequent - noise,
            parameters=ZeroIntelligenceParameters(
                every=every, market_orders=150, excitement=EXCITEMENT
            ),
        ),
        Population(
            kind="noise",
            count=noise,
            parameters=NoiseParameters(every=every, takes=300, excitement=EXCITEMENT),
        ),
        Population(
            kind="informed",
            count=informed,
            parameters=InformedParameters(
                every=every * 3 // 2, qty=60, max_qty=300, max_position=20_000
            ),
        ),
        Population(kind="momentum", count=momentum, parameters=MomentumParameters(every=5 * every)),
        Population(
            kind="slicer",
            count=by_time,
            parameters=SlicerParameters(
                quantity=SLICE * slices,
                horizon=5 * every,
                slices=slices,
                rest=20 * every,
                doubling=400,
                jitter=1_000,
            ),
        ),
        Population(
            kind="slicer",
            count=by_volume,
            parameters=SlicerParameters(
                style="pov",
                horizon=25 * every,
                every=max(1_000, every // 4),
                rest=5 * every,
                jitter=1_000,
            ),
        ),
    )
