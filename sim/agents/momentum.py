"""Traders who go where the price goes."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import Side
from sim.agents.agent import Action, Hire
from sim.agents.orders import taking_within
from sim.agents.parameters import Conflict, Contracts, Count, Interval, Thousandths, Ticks
from sim.agents.view import Sight

_UNIT = 1 << 20
_BUY = Side.BUY
_SELL = Side.SELL


class MomentumParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[Interval, Meta(description="mean time between two looks at the price")] = (
        500_000_000
    )
    fast: Annotated[
        Count, Meta(description="memory of the fast moving average, looks; less than `slow`")
    ] = 4
    slow: Annotated[Count, Meta(description="memory of the slow moving average, looks")] = 16
    threshold: Annotated[
        Thousandths,
        Meta(description="how far apart the averages are in a trend, thousandths of a tick"),
    ] = 1_500
    qty: Annotated[Contracts, Meta(description="most in one order, contracts")] = 20
    max_position: Annotated[
        Contracts, Meta(description="most that it holds or is short of, contracts")
    ] = 200
    slippage: Annotated[
        Ticks, Meta(description="how far beyond the best price it takes, ticks")
    ] = 3


def momentum_conflict(parameters: MomentumParameters) -> Conflict | None:
    """It would sell while the price rises, or never trade at all."""
    fast, slow = parameters.fast, parameters.slow
    if fast < slow:
        return None
    return Conflict(
        ("fast", "slow"),
        f"fast = {fast} is not faster than slow = {slow}; use a smaller fast or a larger slow",
    )


class Momentum:
    """Buys while the price rises, sells while it falls, and gets out when the trend is over.

    The moving-average rule with a band of Brock, Lakonishok and LeBaron (1992, J. Finance 47): a
    trend begins where the averages are further apart than the band, and is over where they are
    back within a quarter of it.
    """

    __slots__ = ("_dice", "_fast", "_opening", "_parameters", "_slow", "market", "trader")

    def __init__(self, hire: Hire, parameters: MomentumParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._dice = hire.dice
        self._opening = hire.opening
        self._parameters = parameters
        self._fast = self._slow = hire.opening * _UNIT

    def wait(self) -> int:
        return 1 + self._dice.exponential(self._parameters.every)

    def act(self, sight: Sight) -> list[Action]:
        parameters = self._parameters
        seen = sight.middle(self._opening) * _UNIT
        self._fast += (seen - self._fast) // parameters.fast
        self._slow += (seen - self._slow) // parameters.slow
        trend = self._fast - self._slow
        band = parameters.threshold * _UNIT // 1000
        held = sight.position.qty
        if trend > band:
            missing = parameters.max_position - held
        elif trend < -band:
            missing = -parameters.max_position - held
        elif held * trend <= 0 or abs(trend) * 4 <= band:
            missing = -held
        else:
            return []
        if not missing:
            return []
        side = _BUY if missing > 0 else _SELL
        qty = min(abs(missing), parameters.qty)
        order = taking_within(sight, side, parameters.slippage, qty)
        return [order] if order is not None else []
