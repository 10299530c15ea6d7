"""Traders without a thought: what a market does by its rules alone."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import CancelOrder, MarketStatus, Side
from sim.agents.agent import Action, Hire, clamped
from sim.agents.dice import CELLS_BITS
from sim.agents.orders import resting, taking
from sim.agents.parameters import Contracts, Count, Excitement, Interval, PerMille, Ticks
from sim.agents.restless import Restless
from sim.agents.view import Sight

_OPEN = MarketStatus.OPEN
_BUY = Side.BUY
_SELL = Side.SELL


class ZeroIntelligenceParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[Interval, Meta(description="mean time between two acts")] = 100_000_000
    market_orders: Annotated[
        PerMille, Meta(description="how many of its orders take what is there, per mille")
    ] = 300
    cancel: Annotated[
        PerMille,
        Meta(description="chance that an act cancels an order, per mille for each open one"),
    ] = 120
    reach: Annotated[
        Ticks, Meta(description="how far from the best opposite price it may place, ticks")
    ] = 20
    qty: Annotated[Contracts, Meta(description="mean size of an order, contracts")] = 10
    excitement: Excitement = 0
    max_open: Annotated[Count, Meta(description="most open orders at a time")] = 8


class ZeroIntelligence(Restless):
    """Places limits anywhere near the middle, takes, and cancels, all at random times.

    The continuous double auction of Farmer, Patelli and Zovko (2005, PNAS 102): Poisson arrivals,
    limit prices uniform up to the best opposite price, every open order with the same chance to
    be cancelled. From the budget of Gode and Sunder (1993, J. Political Economy 101) that it has a
    limit too when it takes, drawn in the same way: it never pays whatever is asked. Asked to, its
    pace follows that of trading, as `Noise`'s does.
    """

    __slots__ = ("_opening", "_parameters", "_sizes", "market", "trader")

    def __init__(self, hire: Hire, parameters: ZeroIntelligenceParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._begin(hire.dice, parameters.every, parameters.excitement)
        self._opening = hire.opening
        self._parameters = parameters
        self._sizes = hire.dice.exponentials(parameters.qty - 1)

    def act(self, sight: Sight) -> list[Action]:
        # Draws as `Dice` does, without its calls: most acts of a run are these.
        parameters, bits, book = self._parameters, self._dice.bits, sight.book
        if self._excitement:
            pace = self._calm + self._excitement * sight.tape.pace
            self._mean = parameters.every * 1_000_000 // pace
        mine = book.by_trader.get(self.trader)
        if mine and (
            len(mine) >= parameters.max_open
            or (bits(48) * 1000) >> 48 < len(mine) * parameters.cancel
        ):
            return [CancelOrder(self._dice.pick(list(mine)))]
        market = book.market
        if market.status is not _OPEN:
            return []
        qty = 1 + self._sizes[bits(CELLS_BITS)]
        away = (bits(48) * (parameters.reach + 1)) >> 48
        takes = (bits(48) * 1000) >> 48 < parameters.market_orders
        if bits(1):
            best = book.asks.best
            ask = best.price if best is not None else sight.middle(self._opening) + market.tick
            if takes:
                price = clamped(ask + away, market)
                return [taking(self.trader, self.market, _BUY, price, qty)]
            price = clamped(ask - market.tick - away, market)
            return [resting(self.trader, self.market, _BUY, price, qty)]
        best = book.bids.best
        bid = best.price if best is not None else sight.middle(self._opening) - market.tick
        if takes:
            price = clamped(bid - away, market)
            return [taking(self.trader, self.market, _SELL, price, qty)]
        price = clamped(bid + market.tick + away, market)
        return [resting(self.trader, self.market, _SELL, price, qty)]
