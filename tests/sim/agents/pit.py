"""One market in which an agent under test trades against what the test puts there."""

from collections.abc import Callable

import msgspec

from matchbox_tui.engine import (
    CancelOrder,
    Event,
    Exchange,
    HaltMarket,
    Market,
    NewOrder,
    Order,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.agents import Action, Agent, Dice, Hire, Sight, Tape
from sim.agents.kinds import KINDS

RAIN = Market.prediction("RAIN")
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND

AGENT = "ann"


class Pit:
    """An exchange with one agent, called ann, and a crowd that does what the test says."""

    def __init__(
        self,
        kind: str,
        market: Market = RAIN,
        *,
        opening: int = 50,
        seed: int = 1,
        signal: Callable[[int], int] = lambda now: 50,
        **parameters: int | str,
    ) -> None:
        self.exchange = Exchange([market])
        self.tape = Tape()
        self.parameters = msgspec.convert(parameters, KINDS[kind].parameters)
        hire = Hire(AGENT, market.symbol, Dice(seed, kind), opening, signal)
        self.agent: Agent = KINDS[kind].agent(hire, self.parameters)
        self.sight = Sight(self.exchange, market.symbol, AGENT, self.tape)
        self.sight.now = START
        self.events: list[Event] = []
        """Everything that the agent's commands led to."""
        self._ids = 0

    @property
    def symbol(self) -> str:
        return self.sight.book.market.symbol

    @property
    def own(self) -> list[Order]:
        return self.sight.own

    @property
    def held(self) -> int:
        """Contracts that the agent holds."""
        return self.sight.position.qty

    def prices(self, side: Side) -> list[int]:
        """Of the agent's resting orders, sorted."""
        return sorted(order.price for order in self.own if order.side is side)

    def crowd(self, side: Side, price: int, qty: int, *, rests: bool = True) -> int:
        """An order of somebody else's; returns its id."""
        tif = TimeInForce.GTC if rests else TimeInForce.IOC
        order = NewOrder(
            order_id=0,
            market=self.symbol,
            side=side,
            price=price,
            qty=qty,
            trader="crowd",
            time_in_force=tif,
            # Many people: one of them may well meet another.
            self_trade_prevention=SelfTradePrevention.NONE,
        )
        self._apply(order)
        return self._ids

    def quotes(self, bid: int, ask: int, qty: int = 1000) -> None:
        self.crowd(Side.BUY, bid, qty)
        self.crowd(Side.SELL, ask, qty)

    def wash(self, price: int, qty: int) -> None:
        """A trade among the crowd at a price, inside the spread; nothing of it stays."""
        maker = self.crowd(Side.SELL, price, qty)
        self.crowd(Side.BUY, price, qty, rests=False)
        assert self.sight.book.order(maker) is None

    def withdraw(self, order_id: int) -> None:
        self._apply(CancelOrder(order_id))

    def halt(self) -> None:
        self.exchange.apply(HaltMarket(self.symbol, self.sight.now))

    def resume(self) -> None:
        self.exchange.apply(ResumeMarket(self.symbol, self.sight.now))

    def look(self, after: int = 0) -> list[Action]:
        """What the agent would do, `after` ns from now. Nothing of it is carried out."""
        self.sight.now += after
        return self.agent.act(self.sight)

    def act(self, after: int = 0) -> list[Action]:
        """The agent's commands, `after` ns from now, once they are carried out."""
        actions = self.look(after)
        for action in actions:
            self.events += self._apply(action)
        return actions

    def go(self) -> list[Action]:
        """As `act`, after as long as the agent wants to wait."""
        return self.act(self.agent.wait())

    def _apply(self, action: Action) -> list[Event]:
        if isinstance(action, NewOrder):
            self._ids += 1
            action = msgspec.structs.replace(action, order_id=self._ids)
        action = msgspec.structs.replace(action, timestamp=self.sight.now)
        events = self.exchange.apply(action)
        for event in events:
            if isinstance(event, TradeExecuted):
                self.tape.record(event)
        return events
