"""The first two kinds of agents, which the trading floor still hires."""

import random
from collections.abc import Sequence

import msgspec

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Market,
    NewOrder,
    Order,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from sim.agents.agent import Action, clamped


class View(msgspec.Struct, frozen=True):
    """What an agent sees when it acts.

    `value` is what it believes a contract to be worth, in ticks; the rest is public or its own.
    """

    market: Market
    best_bid: int | None
    best_ask: int | None
    own: Sequence[Order]
    position: Position
    value: int


class RandomTrader:
    """Trades for no reason: limits around its value, takes what is there, changes its mind.

    In the spirit of the zero-intelligence traders of Gode and Sunder (1993), with cancels.
    """

    def __init__(self, trader: str, market: str, rng: random.Random, max_open: int = 8) -> None:
        self.trader = trader
        self.market = market
        self._rng = rng
        self._max_open = max_open

    def act(self, view: View, now: int) -> list[Action]:
        rng = self._rng
        if view.own and (len(view.own) >= self._max_open or rng.random() < 0.3):
            return [CancelOrder(rng.choice(view.own).id, now)]
        side = rng.choice((Side.BUY, Side.SELL))
        qty = min(100, 1 + int(rng.expovariate(1 / 8)))
        if rng.random() < 0.35:
            return [self._take(side, qty, now)]
        away = int(rng.expovariate(1 / 4)) - 1
        price = view.value - away if side is Side.BUY else view.value + away
        return [
            NewOrder(
                order_id=0,
                market=self.market,
                side=side,
                price=clamped(price, view.market),
                qty=qty,
                timestamp=now,
                trader=self.trader,
            )
        ]

    def _take(self, side: Side, qty: int, now: int) -> NewOrder:
        return NewOrder(
            order_id=0,
            market=self.market,
            side=side,
            type=OrderType.MARKET,
            qty=qty,
            timestamp=now,
            trader=self.trader,
            time_in_force=TimeInForce.IOC,
        )


class MarketMaker:
    """Quotes both sides around its value, leans against its position, requotes when it moves.

    The lean follows the inventory argument of Ho and Stoll (1981), one tick for each `lean`
    contracts held.
    """

    def __init__(
        self,
        trader: str,
        market: str,
        rng: random.Random,
        half_spread: int = 1,
        levels: int = 5,
        qty: int = 25,
        lean: int = 150,
    ) -> None:
        self.trader = trader
        self.market = market
        self._rng = rng
        self._half_spread = half_spread
        self._levels = levels
        self._qty = qty
        self._lean = lean

    def act(self, view: View, now: int) -> list[Action]:
        middle = view.value - view.position.qty // self._lean
        bids = {order.price for order in view.own if order.side is Side.BUY}
        asks = {order.price for order in view.own if order.side is Side.SELL}
        best_bid = clamped(middle - self._half_spread, view.market)
        best_ask = clamped(middle + self._half_spread, view.market)
        if bids and asks and max(bids) == best_bid and min(asks) == best_ask:
            return []
        actions: list[Action] = [CancelAll(self.trader, self.market, now)] if view.own else []
        for level in range(self._levels):
            qty = self._qty + self._rng.randrange(self._qty)
            actions.append(self._quote(Side.BUY, best_bid - level, qty, view.market, now))
            actions.append(self._quote(Side.SELL, best_ask + level, qty, view.market, now))
        return actions

    def _quote(self, side: Side, price: int, qty: int, market: Market, now: int) -> NewOrder:
        return NewOrder(
            order_id=0,
            market=self.market,
            side=side,
            price=clamped(price, market),
            qty=qty,
            timestamp=now,
            trader=self.trader,
            post_only=True,
        )


class Drift:
    """The hidden value of a market, in ticks: a random walk that is pulled back to its start."""

    def __init__(self, start: int, market: Market, rng: random.Random) -> None:
        self.value = start
        self._start = start
        self._market = market
        self._rng = rng

    def step(self) -> None:
        """Moves by a tick or not at all."""
        pull = (self._start > self.value) - (self._start < self.value)
        roll = self._rng.randrange(100)
        move = 1 if roll < 14 else -1 if roll < 28 else pull if roll < 31 else 0
        self.value = clamped(self.value + move, self._market)
