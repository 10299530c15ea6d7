"""Seeded random commands that collide often: few traders, few prices, few ids, two markets.

Run as a program it prints what the engine makes of them, so that processes can be compared.
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from typing import TypeVar

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    NewOrder,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    encode_events,
)

MARKETS = (Market("MAIN"), Market("RAIN", min_price=8, max_price=14, tick=2))
SYMBOLS = ("MAIN", "RAIN", "NEW", "NOWHERE")
TRADERS = ("", "ann", "bob", "cy")
BAD = (0, -1, -(2**63), 10**12 + 1, 2**53, 2**63 - 1)
T = TypeVar("T")
TIFS = tuple(TimeInForce)
MODES = tuple(SelfTradePrevention)


class Workload:
    """Commands from a seed. Time goes forward by one with each.

    With `depth` most orders stand up to so many levels away from each other, and books get deep.
    """

    def __init__(self, seed: int, ids: int = 60, depth: int = 0) -> None:
        self.random = random.Random(seed)
        self.ids = ids
        self.depth = depth
        self.now = 0
        self.recent = [1]

    def commands(self, count: int) -> Iterator[Command]:
        for _ in range(count):
            self.now += 1
            yield self.command()

    def command(self) -> Command:
        roll = self.random.random()
        if roll < 0.66:
            return self.new_order()
        if roll < 0.82:
            return ReplaceOrder(
                order_id=self.known_id(),
                qty=self.maybe(self.qty()),
                price=self.maybe(self.price()),
                timestamp=self.now,
            )
        if roll < 0.93:
            return CancelOrder(order_id=self.known_id(), timestamp=self.now)
        if roll < 0.945:
            return CancelAll(
                trader=self.pick(TRADERS),
                market=self.maybe(self.pick(SYMBOLS)),
                timestamp=self.now,
            )
        if roll < 0.97:
            return ExpireOrders(now=self.now + self.random.randrange(-5, 5))
        return self.rare()

    def rare(self) -> Command:
        roll = self.random.random()
        if roll < 0.12:
            return HaltMarket(market=self.pick(SYMBOLS), timestamp=self.now)
        if roll < 0.7:
            return ResumeMarket(market=self.pick(SYMBOLS), timestamp=self.now)
        if roll < 0.85:
            symbol = self.pick((*SYMBOLS[:3], "", " "))
            market = Market(symbol, max_price=self.pick((None, 30, 0)), tick=self.pick((1, 3, 0)))
            return CreateMarket(market, self.now)
        return Malformed("{", order_id=self.order_id())

    def new_order(self) -> NewOrder:
        tif = self.pick(TIFS) if self.chance(0.4) else TimeInForce.GTC
        gtd = tif is TimeInForce.GTD
        order_id = self.order_id()
        side = self.pick((Side.BUY, Side.SELL))
        away = self.random.randrange(self.depth + 1)
        self.recent = [order_id, *self.recent[:15]]
        return NewOrder(
            order_id=order_id,
            market=self.pick(SYMBOLS) if self.chance(0.1) else self.pick(SYMBOLS[:2]),
            side=side,
            type=OrderType.MARKET if self.chance(0.1) else OrderType.LIMIT,
            price=self.price() + (-away if side is Side.BUY else away),
            qty=self.qty(),
            timestamp=self.bad() if self.chance(0.005) else self.now,
            trader=self.pick(TRADERS),
            time_in_force=tif,
            expires_at=self.now + self.random.randrange(30) if gtd or self.chance(0.01) else 0,
            post_only=self.chance(0.1),
            reduce_only=self.chance(0.5 if tif in TIFS[1:3] else 0.02),
            self_trade_prevention=self.pick(MODES),
        )

    def order_id(self) -> int:
        return self.bad() if self.chance(0.01) else self.random.randrange(1, self.ids)

    def known_id(self) -> int:
        return self.random.choice(self.recent) if self.chance(0.9) else self.order_id()

    def price(self) -> int:
        if self.chance(0.01):
            return self.bad()
        odd = self.chance(0.06)
        return self.random.randrange(5, 17) if odd else 2 * self.random.randrange(4, 8)

    def qty(self) -> int:
        if self.chance(0.01):
            return self.bad()
        return 10**12 if self.chance(0.001) else self.random.randrange(1, 12)

    def bad(self) -> int:
        return self.pick(BAD)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, options: tuple[T, ...]) -> T:
        return self.random.choice(options)

    def maybe(self, value: T) -> T | None:
        return value if self.chance(0.7) else None


def main(seed: int, count: int) -> None:
    exchange = Exchange(MARKETS)
    digest = hashlib.sha256()
    for command in Workload(seed).commands(count):
        digest.update(encode_events(exchange.apply(command)))
    sys.stdout.write(f"{digest.hexdigest()} {exchange.state_hash()}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
