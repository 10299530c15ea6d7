"""The orders that benchmarks place: both sides around a price, so that most match at once."""

import random
import time

from matchbox_tui.engine import NewOrder, Side

PRICE = 50
SPREAD = 2
MOST_QTY = 10


def make_orders(count: int, seed: int) -> list[NewOrder]:
    """Buys and sells in turn, each at a price that the other side takes.

    What rests is only what one side has more of: the book stays small however long this goes on.
    """
    rng = random.Random(seed)
    now = time.time_ns()
    orders = []
    for number in range(count):
        side = Side.SELL if number % 2 else Side.BUY
        beyond = rng.randint(0, SPREAD)
        price = PRICE - beyond if side is Side.SELL else PRICE + beyond
        orders.append(
            NewOrder(
                order_id=1, side=side, price=price, qty=rng.randint(1, MOST_QTY), timestamp=now
            )
        )
    return orders


def make_pairs(count: int) -> list[NewOrder]:
    """Twice as many orders that make exactly `count` fills and leave nothing behind."""
    now = time.time_ns()
    return [
        NewOrder(order_id=1, side=side, price=PRICE, qty=1, timestamp=now)
        for _ in range(count)
        for side in (Side.SELL, Side.BUY)
    ]
