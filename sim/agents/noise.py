"""Traders who believe that what they do makes sense."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import CancelOrder, MarketStatus, NewOrder, Side
from sim.agents.agent import Action, Hire, clamped
from sim.agents.orders import resting, taking_within
from sim.agents.parameters import Contracts, Count, Excitement, Interval, PerMille, Ticks
from sim.agents.restless import Restless
from sim.agents.view import Sight
from sim.durations import Duration

_OPEN = MarketStatus.OPEN
_BUY = Side.BUY
_SELL = Side.SELL


class NoiseParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[Interval, Meta(description="mean time between two acts")] = 100_000_000
    takes: Annotated[
        PerMille, Meta(description="how many of its orders take what is there, per mille")
    ] = 600
    slippage: Annotated[
        Ticks, Meta(description="how far beyond the best price it takes, ticks")
    ] = 3
    qty: Annotated[Contracts, Meta(description="the size that its orders revert to, contracts")] = (
        15
    )
    deviation: Annotated[
        int, Meta(ge=0, le=10**6, description="standard deviation of a step of size, contracts")
    ] = 5
    reversion: Annotated[
        PerMille,
        Meta(description="how much of the distance to its mean the size makes up, per mille"),
    ] = 200
    patience: Annotated[
        Duration, Meta(description="how long it leaves an order in the book, length of time")
    ] = 3_000_000_000
    excitement: Excitement = 0
    max_open: Annotated[Count, Meta(description="most open orders at a time")] = 4


class Noise(Restless):
    """Takes, or joins the best price, for reasons that have nothing to do with the value.

    The noise trader of Black (1986, J. Finance 41), without whom nobody would trade with the
    informed (Kyle 1985): arrivals are a Poisson process, sides a coin's, and the size of its
    orders is a discrete Ornstein-Uhlenbeck process, so that large orders come together. Asked to,
    it is excited by others' trades as the events of Hawkes (1971, Biometrika 58) are by each other,
    of which Bacry, Mastromatteo and Muzy (2015, Market Microstructure and Liquidity 1) tell how far
    they explain a market's bursts; how often it acts on the whole stays as it is.
    """

    __slots__ = ("_opening", "_parameters", "_size", "market", "trader")

    def __init__(self, hire: Hire, parameters: NoiseParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._begin(hire.dice, parameters.every, parameters.excitement)
        self._opening = hire.opening
        self._parameters = parameters
        self._size = parameters.qty * 1000

    def act(self, sight: Sight) -> list[Action]:
        parameters, book = self._parameters, sight.book
        if self._excitement:
            pace = self._calm + self._excitement * sight.tape.pace
            self._mean = parameters.every * 1_000_000 // pace
        mine = book.by_trader.get(self.trader)
        if mine:
            oldest = next(iter(mine.values()))
            if (
                len(mine) >= parameters.max_open
                or sight.now - oldest.message.timestamp >= parameters.patience
            ):
                return [CancelOrder(oldest.id)]
        if book.market.status is not _OPEN:
            return []
        qty = self._next_size()
        bits = self._dice.bits
        side = _BUY if bits(1) else _SELL
        if (bits(48) * 1000) >> 48 < parameters.takes:
            order = taking_within(sight, side, parameters.slippage, qty)
            if order is not None:
                return [order]
        return [self._joins(sight, side, qty)]

    def _joins(self, sight: Sight, side: Side, qty: int) -> NewOrder:
        """An order at the best price of its side, or, every other time, a tick better."""
        market = sight.book.market
        bid, ask = sight.best_bid, sight.best_ask
        better = market.tick * self._dice.bits(1)
        if side is _BUY:
            price = bid + better if bid is not None else sight.middle(self._opening) - market.tick
            if ask is not None and price >= ask:
                price = ask - market.tick
        else:
            price = ask - better if ask is not None else sight.middle(self._opening) + market.tick
            if bid is not None and price <= bid:
                price = bid + market.tick
        return resting(self.trader, self.market, side, clamped(price, market), qty)

    def _next_size(self) -> int:
        parameters = self._parameters
        pull = (parameters.qty * 1000 - self._size) * parameters.reversion // 1000
        step = pull + self._dice.normal(parameters.deviation * 1000)
        self._size = max(1000, self._size + step)
        return self._size // 1000
