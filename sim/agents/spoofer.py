"""Traders who show what they don't mean. For demonstrations only: elsewhere it is a crime."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import CancelAll, MarketStatus, Side
from sim.agents.agent import Action, Hire
from sim.agents.orders import quoting
from sim.agents.parameters import Conflict, Contracts, Glance, Ticks
from sim.agents.view import Sight
from sim.durations import Duration

_OPEN = MarketStatus.OPEN


class SpooferParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[
        Glance,
        Meta(description="time between two looks while its orders are shown"),
    ] = 20_000_000
    hold: Annotated[Duration, Meta(description="longest that its orders are shown")] = 2_000_000_000
    rest: Annotated[Glance, Meta(description="mean time from one attempt to the next")] = (
        5_000_000_000
    )
    qty: Annotated[Contracts, Meta(description="size of each large order, contracts")] = 400
    layers: Annotated[int, Meta(ge=1, le=50, description="large orders, a tick apart")] = 3
    away: Annotated[
        Ticks,
        Meta(
            description="distance of the nearest large order from the best price, ticks; more than "
            "`danger`"
        ),
    ] = 3
    danger: Annotated[
        Ticks, Meta(description="distance from the best price at which it pulls them, ticks")
    ] = 1
    real_qty: Annotated[Contracts, Meta(description="size of the order it means, contracts")] = 10


def spoofer_conflict(parameters: SpooferParameters) -> Conflict | None:
    """It would pull its large orders as soon as it had placed them."""
    away, danger = parameters.away, parameters.danger
    if danger < away:
        return None
    return Conflict(
        ("away", "danger"),
        f"away = {away} is not beyond danger = {danger}; use a larger away or a smaller danger",
    )


class Spoofer:
    """A demonstration of market abuse: large orders that are never meant, a small one that is.

    Layering as Lee, Eom and Park (2013, J. Financial Markets 16) found it in the orders of an
    exchange, and Wang and Wellman (2017, AAMAS) modelled it: the large orders stand on one side
    at a distance from the best price, the small one on the other, and all are withdrawn once the
    small one is filled, time is up, or the price comes near. Illegal wherever it is defined (in
    the United States: Commodity Exchange Act, section 4c(a)(5)(C)); here to be seen and detected.
    """

    __slots__ = ("_dice", "_parameters", "_real", "_since", "market", "trader")

    def __init__(self, hire: Hire, parameters: SpooferParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._dice = hire.dice
        self._parameters = parameters
        self._real: Side | None = None
        self._since = 0

    def wait(self) -> int:
        if self._real is None:
            return 1 + self._dice.exponential(self._parameters.rest)
        return self._parameters.every

    def act(self, sight: Sight) -> list[Action]:
        if self._real is None:
            return self._shows(sight)
        if self._stays(sight, self._real):
            return []
        self._real = None
        return [CancelAll(self.trader, self.market)] if sight.open_orders else []

    def _shows(self, sight: Sight) -> list[Action]:
        """Both kinds of orders, where there is a market to show them to and room for them."""
        parameters, market = self._parameters, sight.market
        bid, ask = sight.best_bid, sight.best_ask
        if bid is None or ask is None or market.status is not _OPEN:
            return []
        held = sight.position.qty
        sells = held > 0 or (held == 0 and self._dice.bits(1) == 1)
        away = parameters.away * market.tick
        first = bid - away if sells else ask + away
        step = -market.tick if sells else market.tick
        highest = market.max_price
        prices = [
            price
            for price in range(first, first + parameters.layers * step, step)
            if price >= market.min_price and (highest is None or price <= highest)
        ]
        if not prices:
            return []
        self._real = Side.SELL if sells else Side.BUY
        self._since = sight.now
        inside = market.tick if ask - bid > market.tick else 0
        real = ask - inside if sells else bid + inside
        actions: list[Action] = [
            quoting(self.trader, self.market, self._real.opposite, price, parameters.qty)
            for price in prices
        ]
        actions.append(quoting(self.trader, self.market, self._real, real, parameters.real_qty))
        return actions

    def _stays(self, sight: Sight, real: Side) -> bool:
        """Whether everything is as it wants it."""
        parameters, market = self._parameters, sight.market
        if market.status is not _OPEN or sight.now - self._since >= parameters.hold:
            return False
        own = sight.own
        shown = [order.price for order in own if order.side is not real]
        if not shown or len(shown) == len(own):
            return False
        bid, ask = sight.best_bid, sight.best_ask
        if real is Side.SELL:
            distance = bid - max(shown) if bid is not None else 0
        else:
            distance = min(shown) - ask if ask is not None else 0
        return distance > parameters.danger * market.tick
