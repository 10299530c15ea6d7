"""What every kind of agent is to a runner, and what it is handed when it is hired."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from matchbox_tui.engine import Market, NewOrder, Tagged
from sim.agents.dice import Dice
from sim.agents.view import Sight

Action = NewOrder | Tagged
"""A command. Its order id and its timestamp are the runner's to fill in."""


class Hire(msgspec.Struct, frozen=True, gc=False):
    """Who an agent is and what it starts with.

    `opening` is the price that everybody knows before trading begins, in ticks. `signal` tells
    what a contract is truly worth at a time (ns since the epoch), in ticks: only kinds that are
    meant to know more than the market may ask, and add their own error to it.
    """

    trader: str
    market: str
    dice: Dice
    opening: int
    signal: Callable[[int], int]


class Agent(Protocol):
    """One trader in one market. A kind is a class that is made of a `Hire` and its parameters.

    It is asked to act again once its commands have had their outcome and its wait is over, so
    what it sees always includes what it did.
    """

    trader: str
    market: str

    def act(self, sight: Sight) -> list[Action]:
        """The commands of this moment, most often none or one."""
        ...

    def wait(self) -> int:
        """How long from now until it wants to act again, in ns; asked after each `act`, and once
        before the first.
        """
        ...


def clamped(price: int, market: Market) -> int:
    """The nearest price that the market takes, rounded down to its tick."""
    highest = market.max_price
    if price < market.min_price:
        price = market.min_price
    elif highest is not None and price > highest:
        price = highest
    tick = market.tick
    if tick == 1:
        return price
    price -= price % tick
    return price if price >= market.min_price else price + tick
