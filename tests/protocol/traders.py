"""Clients that keep their own record of what they asked for and what they were told."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    NewOrder,
    ReplaceOrder,
    Side,
    Tagged,
    TimeInForce,
    encode_command,
)
from matchbox_tui.store import Client, InDoubt, Keys, Link, StoreError, Unreachable

TRADERS = ("", "ann", "bob")
"""Few, so that orders of one trader meet."""

TIMES_IN_FORCE = (*(TimeInForce.GTC,) * 5, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD)


@dataclass(eq=False)
class Asked:
    """A command as its sender remembers it; its timestamp tells it from all others."""

    command: NewOrder | Tagged
    ids: list[int] = field(default_factory=list)
    """The ids that it was told, answer by answer; 0 for what gets none."""
    sent: bool = False
    """Whether it may have reached the server."""
    foreign: bool = False

    @property
    def token(self) -> int:
        return self.command.timestamp


class Book:
    """All that was asked by anybody in one run, by timestamp."""

    def __init__(self) -> None:
        self.asked: dict[int, Asked] = {}

    def note(self, command: NewOrder | Tagged, *, foreign: bool = False) -> Asked:
        asked = self.asked[command.timestamp] = Asked(command, foreign=foreign)
        return asked

    @property
    def next_token(self) -> int:
        return len(self.asked) + 1


class Trader:
    """Sends orders, cancels and replaces through SUBMIT, a few at a time.

    What is in doubt is sent again where every command of it has a client_order_id, and only there.
    """

    def __init__(
        self,
        client: Client,
        book: Book,
        chance: random.Random,
        now_ns: Callable[[], int],
        markets: tuple[str, ...],
    ) -> None:
        self._client = client
        self._book = book
        self._chance = chance
        self._now_ns = now_ns
        self._markets = markets
        self._mine: list[int] = []

    async def run(self, submits: int, seconds: float) -> None:
        """So many submits, spread over about so long."""
        for _ in range(submits):
            await asyncio.sleep(self._chance.random() * 2 * seconds / submits)
            await self.submit(self._commands())
        await self._client.close()

    async def submit(self, commands: list[NewOrder | Tagged]) -> None:
        """Sends them until they are answered for, or may be there and can't be repeated."""
        noted = [self._book.note(command) for command in commands]
        safe = all(isinstance(c, NewOrder) and c.client_order_id for c in commands)
        while True:
            try:
                numbers = await self._client.submit(commands)
            except Unreachable:
                pass
            except InDoubt:
                _mark_sent(noted)
                if not safe:
                    return
            except StoreError:
                return
            else:
                _mark_sent(noted)
                for asked, number in zip(noted, numbers, strict=True):
                    asked.ids.append(abs(number))
                    if number:
                        self._mine.append(abs(number))
                # Who asks again, though it knows, is told the same.
                if not safe or self._chance.random() < 0.8:
                    return
            await asyncio.sleep(0.001 + self._chance.random() * 0.05)

    def _commands(self) -> list[NewOrder | Tagged]:
        named = self._chance.random() < 0.5
        count = self._chance.choice((1, 1, 1, 2, 3))
        found: list[NewOrder | Tagged] = []
        for token in range(self._book.next_token, self._book.next_token + count):
            if named or self._chance.random() < 0.75:
                found.append(self.order(token, f"c{token}" if named else ""))
            else:
                found.append(self._change(token))
        return found

    def order(self, token: int, name: str = "") -> NewOrder:
        chance = self._chance
        time_in_force = chance.choice(TIMES_IN_FORCE)
        expires_at = 0
        if time_in_force is TimeInForce.GTD:
            expires_at = self._now_ns() + chance.randrange(1, 1_000_000_000)
        return NewOrder(
            order_id=0,
            market=chance.choice(self._markets),
            side=chance.choice((Side.BUY, Side.SELL)),
            price=chance.randrange(48, 53),
            qty=chance.randrange(1, 6),
            timestamp=token,
            trader=chance.choice(TRADERS),
            time_in_force=time_in_force,
            expires_at=expires_at,
            client_order_id=name,
        )

    def _change(self, token: int) -> Tagged:
        chance = self._chance
        order_id = chance.choice(self._mine) if self._mine else 1
        kind = chance.random()
        if kind < 0.5:
            return CancelOrder(order_id, token)
        if kind < 0.8:
            return ReplaceOrder(
                order_id=order_id,
                qty=chance.randrange(1, 6),
                price=chance.randrange(48, 53),
                timestamp=token,
            )
        return CancelAll(chance.choice(TRADERS), None, token)


class Stranger:
    """A producer that knows only INCR and RPUSH, and now and then pushes what is no order."""

    def __init__(self, link: Link, keys: Keys, trader: Trader, book: Book, chance: random.Random):
        self._link = link
        self._keys = keys
        self._trader = trader
        self._book = book
        self._chance = chance

    async def run(self, pushes: int, seconds: float) -> None:
        for _ in range(pushes):
            await asyncio.sleep(self._chance.random() * 2 * seconds / pushes)
            try:
                await self._push()
            except StoreError:
                continue
        await self._link.close()

    async def _push(self) -> None:
        if self._chance.random() < 0.5:
            # The same bytes again and again: only their place tells one from another.
            count = self._chance.randrange(1, 5)
            await self._link.call("RPUSH", self._keys.queue, *[b'{"id":\0 junk'] * count)
            return
        order_id = int(await self._link.call("INCR", self._keys.order_id))
        order = msgspec.structs.replace(
            self._trader.order(self._book.next_token), order_id=order_id
        )
        asked = self._book.note(order, foreign=True)
        try:
            await self._link.call("RPUSH", self._keys.queue, encode_command(order))
        except InDoubt:
            asked.sent = True
        else:
            asked.sent = True
            asked.ids.append(order_id)


def _mark_sent(noted: list[Asked]) -> None:
    for asked in noted:
        asked.sent = True
