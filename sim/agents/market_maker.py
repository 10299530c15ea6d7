"""Traders who are always there."""

from typing import Annotated

from msgspec import Meta, Struct

from matchbox_tui.engine import CancelAll, CancelOrder, MarketStatus, Side
from sim.agents.agent import Action, Hire, clamped
from sim.agents.orders import quoting
from sim.agents.parameters import Contracts, Count, Interval, Thousandths, Ticks
from sim.agents.view import Sight

_OPEN = MarketStatus.OPEN
_BUY = Side.BUY
_SELL = Side.SELL
_UNIT = 1 << 20


class MarketMakerParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every: Annotated[
        Interval, Meta(description="time between two looks at its quotes, give or take a quarter")
    ] = 200_000_000
    half_spread: Annotated[
        Ticks, Meta(description="distance of its best quotes from its fair price, ticks")
    ] = 1
    levels: Annotated[int, Meta(ge=1, le=50, description="prices that it quotes on each side")] = 5
    step: Annotated[
        int, Meta(ge=1, le=10**9, description="distance between two of these prices, ticks")
    ] = 1
    qty: Annotated[Contracts, Meta(description="size of each quote, contracts")] = 50
    lean: Annotated[
        Contracts, Meta(description="position for which it moves its quotes a tick, contracts")
    ] = 150
    max_position: Annotated[
        Contracts,
        Meta(description="position at which it stops to quote what adds to it, contracts"),
    ] = 2_000
    memory: Annotated[
        Count, Meta(description="memory of the moving average that is its fair price, looks")
    ] = 4
    imbalance: Annotated[
        Thousandths,
        Meta(
            description="how far it moves its quotes where all resting contracts are on one side, "
            "thousandths of a tick; 0: it doesn't look at them"
        ),
    ] = 0
    window: Annotated[
        int, Meta(ge=1, le=100, description="how deep it looks at them, prices on each side")
    ] = 8


class MarketMaker:
    """Quotes both sides around its own idea of the fair price, and leans against its position.

    The lean is the reservation price of Ho and Stoll (1981, J. Financial Economics 9) and of
    Avellaneda and Stoikov (2008, Quantitative Finance 8): lower the more it holds, so that others
    sell to it less and buy from it more. It knows nothing that is not public: its fair price is a
    moving average of the middle and of the last trade, which the informed move by trading. A quote
    that is where it should be stays, and keeps its place in the queue, until half of it is gone.

    Asked to, it also leans with the imbalance of the resting contracts, a signal that Cartea,
    Donnelly and Jaimungal (2018, Applied Mathematical Finance 25) found to be worth it, and that a
    spoofer lives on.
    """

    __slots__ = ("_dice", "_fair", "_opening", "_parameters", "market", "trader")

    def __init__(self, hire: Hire, parameters: MarketMakerParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._dice = hire.dice
        self._opening = hire.opening
        self._parameters = parameters
        self._fair = hire.opening * _UNIT

    def wait(self) -> int:
        every = self._parameters.every
        return every - every // 4 + self._dice.below(every // 2 + 1)

    def act(self, sight: Sight) -> list[Action]:
        market = sight.book.market
        mine = sight.book.by_trader.get(self.trader)
        if market.status is not _OPEN:
            return [CancelAll(self.trader, self.market)] if mine else []
        bids, asks = self._wanted(sight)
        qty = self._parameters.qty
        actions: list[Action] = []
        for order in mine.values() if mine else ():
            missing = bids if order.message.side is _BUY else asks
            if order.price in missing and order.leaves_qty * 2 > qty:
                missing.remove(order.price)
            else:
                actions.append(CancelOrder(order.id))
        actions += [quoting(self.trader, self.market, _BUY, price, qty) for price in bids]
        actions += [quoting(self.trader, self.market, _SELL, price, qty) for price in asks]
        return actions

    def _wanted(self, sight: Sight) -> tuple[list[int], list[int]]:
        """The prices to quote on both sides, best first; none that would match what it sees."""
        parameters, market = self._parameters, sight.book.market
        bid, ask, tick = sight.best_bid, sight.best_ask, market.tick
        held = sight.position.qty
        middle = self._learns(sight) - held * _UNIT // parameters.lean
        if parameters.imbalance:
            middle += self._expects(sight)
        away = parameters.half_spread * tick * _UNIT
        top = clamped((middle - away) // _UNIT, market)
        if ask is not None and top >= ask:
            top = ask - tick
        bottom = clamped(-((-middle - away) // _UNIT) + tick - 1, market)
        if bid is not None and bottom <= bid:
            bottom = bid + tick
        if bottom <= top:
            # Both were pushed to the same end of the range.
            if top <= market.min_price:
                bottom = top + tick
            else:
                top = bottom - tick
        step = parameters.step * tick
        levels = parameters.levels
        lowest, highest = market.min_price, market.max_price
        bids: list[int] = []
        if held < parameters.max_position:
            bids = [price for price in range(top, top - levels * step, -step) if price >= lowest]
        asks: list[int] = []
        if held > -parameters.max_position:
            asks = [
                price
                for price in range(bottom, bottom + levels * step, step)
                if highest is None or price <= highest
            ]
        return bids, asks

    def _learns(self, sight: Sight) -> int:
        """Its fair price after this look, in ticks times `_UNIT`."""
        bid, ask = sight.best_bid, sight.best_ask
        seen = self._fair
        if bid is not None and ask is not None:
            seen = (bid + ask) * _UNIT // 2
        if sight.last is not None:
            seen = (seen + sight.last * _UNIT) // 2
        self._fair += (seen - self._fair) // self._parameters.memory
        return self._fair

    def _expects(self, sight: Sight) -> int:
        """How far the resting contracts make it move, in ticks times `_UNIT`. O(`window`)."""
        book, parameters = sight.book, self._parameters
        bid, ask = sight.best_bid, sight.best_ask
        reach = range(0, parameters.window * book.market.tick, book.market.tick)
        bids = 0 if bid is None else sum(book.depth_at(_BUY, bid - away) for away in reach)
        asks = 0 if ask is None else sum(book.depth_at(_SELL, ask + away) for away in reach)
        if not bids + asks:
            return 0
        return parameters.imbalance * _UNIT * (bids - asks) // (1000 * (bids + asks))
