"""Traders who know something."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import MarketStatus, Side
from sim.agents.agent import Action, Hire, clamped
from sim.agents.orders import taking
from sim.agents.parameters import Contracts, Interval, Thousandths, Ticks
from sim.agents.view import Sight

_OPEN = MarketStatus.OPEN
_BUY = Side.BUY
_SELL = Side.SELL


class InformedParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[Interval, Meta(description="mean time between two acts")] = 500_000_000
    error: Annotated[
        Thousandths,
        Meta(description="standard deviation of what it sees wrongly, thousandths of a tick"),
    ] = 1_000
    edge: Annotated[
        Ticks, Meta(description="how wrong a price must be before it trades, ticks")
    ] = 1
    qty: Annotated[
        Contracts, Meta(description="what it trades for each tick beyond its edge, contracts")
    ] = 30
    max_qty: Annotated[Contracts, Meta(description="most in one order, contracts")] = 150
    max_position: Annotated[
        Contracts, Meta(description="most that it holds or is short of, contracts")
    ] = 5_000


class Informed:
    """Sees the hidden value with an error of its own, and takes whatever is wrongly priced.

    The informed trader of Kyle (1985, Econometrica 53), whose orders grow with the distance of
    price and value, before the posted quotes of Glosten and Milgrom (1985, J. Financial Economics
    14): it takes as far as the price is wrong by more than its edge, and never rests.
    """

    __slots__ = ("_dice", "_parameters", "_signal", "market", "trader")

    def __init__(self, hire: Hire, parameters: InformedParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._dice = hire.dice
        self._signal = hire.signal
        self._parameters = parameters

    def wait(self) -> int:
        return 1 + self._dice.exponential(self._parameters.every)

    def act(self, sight: Sight) -> list[Action]:
        parameters, market = self._parameters, sight.book.market
        if market.status is not _OPEN:
            return []
        belief = self._signal(sight.now) * 1000 + self._dice.normal(parameters.error)
        edge = parameters.edge * 1000
        ask, bid = sight.best_ask, sight.best_bid
        most = (belief - edge - 1) // 1000
        if ask is not None and ask <= most:
            room = parameters.max_position - sight.position.qty
            qty = min(parameters.qty * (most - ask + 1), parameters.max_qty, room)
            if qty > 0:
                price = clamped(most, market)
                return [taking(self.trader, self.market, _BUY, price, qty)]
        least = (belief + edge) // 1000 + 1
        if bid is not None and bid >= least:
            room = parameters.max_position + sight.position.qty
            qty = min(parameters.qty * (bid - least + 1), parameters.max_qty, room)
            if qty > 0:
                price = clamped(least + market.tick - 1, market)
                return [taking(self.trader, self.market, _SELL, price, qty)]
        return []
