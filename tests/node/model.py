"""What a venue must hold, whatever happened to it: the naive exchange after what was asked."""

import random

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Event,
    Exchange,
    NewOrder,
    OrderType,
    ReplaceOrder,
    Side,
    TimeInForce,
)
from sim.naive import NaiveExchange

Asked = NewOrder | CancelOrder | ReplaceOrder | CancelAll


class Model:
    """What was asked, and what the naive exchange makes of it."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.events: list[list[Event]] = []
        self.exchange = NaiveExchange()

    def outcome(self, seq: int) -> list[Event]:
        """The events of a command, by its number."""
        while len(self.events) < seq:
            command = self.asked[len(self.events)]
            self.events.append(self.exchange.apply(command))
        return self.events[seq - 1]

    def forget(self, count: int) -> None:
        """What was asked after so many commands never was."""
        del self.asked[count:]
        if len(self.events) > count:
            self.events = []
            self.exchange = NaiveExchange()


def any_commands(chance: random.Random, count: int, given: set[int]) -> list[Asked]:
    """Random commands, about orders of these ids among others."""
    known = sorted(given)[-40:] or [1]
    commands: list[Asked] = []
    for _ in range(count):
        roll = chance.random()
        if roll < 0.7:
            commands.append(_new(chance))
        elif roll < 0.85:
            commands.append(CancelOrder(chance.choice(known)))
        elif roll < 0.98:
            qty, price = chance.choice((None, 1, 5)), chance.choice((None, 49, 51))
            commands.append(ReplaceOrder(order_id=chance.choice(known), qty=qty, price=price))
        else:
            commands.append(CancelAll(chance.choice("xyz")))
    return commands


def _new(chance: random.Random) -> NewOrder:
    market = chance.random() < 0.1
    return NewOrder(
        order_id=0,
        side=chance.choice(list(Side)),
        type=OrderType.MARKET if market else OrderType.LIMIT,
        price=chance.randint(47, 53),
        qty=chance.randint(0, 6),
        trader=chance.choice(("", "x", "y", "z")),
        time_in_force=chance.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC)),
        post_only=chance.random() < 0.1,
    )


def same_books(exchange: Exchange, model: Model, seq: int) -> None:
    """The state is the naive one's, order by order, where that stands at the same place."""
    if model.exchange.seq != seq:
        return
    for symbol, book in exchange.books.items():
        naive = model.exchange.books[symbol]
        assert book.sequence == naive.sequence
        for side in Side:
            assert [(o.id, o.price, o.qty, o.leaves_qty) for o in book.queue(side)] == [
                (o.asked.order_id, o.price, o.qty, o.leaves) for o in naive.queue(side)
            ]
    held = {(trader, market): (p.qty, p.cash) for trader, market, p in exchange.positions.items()}
    assert held == {key: (p.qty, p.cash) for key, p in model.exchange.positions.items()}
