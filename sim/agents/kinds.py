"""The kinds of agents by name: what each one does, and what can be said about it in a file."""

from collections.abc import Callable
from typing import Any

import msgspec

from sim.agents.agent import Agent, Hire
from sim.agents.informed import Informed, InformedParameters
from sim.agents.market_maker import MarketMaker, MarketMakerParameters
from sim.agents.momentum import Momentum, MomentumParameters, momentum_conflict
from sim.agents.noise import Noise, NoiseParameters
from sim.agents.parameters import Conflict
from sim.agents.slicer import Slicer, SlicerParameters
from sim.agents.spoofer import Spoofer, SpooferParameters, spoofer_conflict
from sim.agents.zero_intelligence import ZeroIntelligence, ZeroIntelligenceParameters


class Kind(msgspec.Struct, frozen=True):
    """A kind of agent. `agent` makes one of a `Hire` and of `parameters`, a Struct in which every
    field has a default, its bounds, and a description with its unit. `conflict` says what is wrong
    with them together, where something is.
    """

    name: str
    summary: str
    parameters: type[msgspec.Struct]
    agent: Callable[[Hire, Any], Agent]
    conflict: Callable[[Any], Conflict | None] = lambda parameters: None


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "zero-intelligence",
            "limits anywhere near the middle, market orders, and cancels, all by chance",
            ZeroIntelligenceParameters,
            ZeroIntelligence,
        ),
        Kind(
            "noise",
            "takes or joins the best price for no reason, in sizes that revert to a mean",
            NoiseParameters,
            Noise,
        ),
        Kind(
            "informed",
            "sees the hidden value with an error, and takes what is priced wrongly",
            InformedParameters,
            Informed,
        ),
        Kind(
            "momentum",
            "buys while the price rises, sells while it falls, by moving averages",
            MomentumParameters,
            Momentum,
            momentum_conflict,
        ),
        Kind(
            "market-maker",
            "quotes both sides, leans against its position, cancels and requotes",
            MarketMakerParameters,
            MarketMaker,
        ),
        Kind(
            "slicer",
            "takes a large order in slices: equal ones (TWAP) or by volume (POV), then rests",
            SlicerParameters,
            Slicer,
        ),
        Kind(
            "spoofer",
            "market abuse, for demonstrations only: shows large orders that it does not mean",
            SpooferParameters,
            Spoofer,
            spoofer_conflict,
        ),
    )
}
