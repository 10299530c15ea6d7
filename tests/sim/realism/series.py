"""Series of which it is known what they are like, and tapes that are made of them."""

import math
import random
from collections.abc import Sequence
from itertools import accumulate

from matchbox_tui.engine import Market, OrderBook
from sim.realism.scoring import TRADES
from sim.realism.tape import MarketTape

SIGMA = 4.0
MS = 1_000_000


def normal(count: int, seed: int = 1) -> list[float]:
    dice = random.Random(seed)
    return [dice.gauss(0, SIGMA) for _ in range(count)]


def autoregressive(count: int, phi: float, seed: int = 2) -> list[float]:
    """AR(1)."""
    found = [0.0]
    for one in normal(count - 1, seed):
        found.append(phi * found[-1] + one)
    return found


def student(count: int, seed: int = 3) -> list[float]:
    """Student's t with three degrees of freedom: a tail exponent of 3, and nothing remembered."""
    dice = random.Random(seed)
    return [
        SIGMA * dice.gauss(0, 1) / math.sqrt(dice.gammavariate(1.5, 2) / 3) for _ in range(count)
    ]


def agitated(count: int, seed: int = 4, lasts: float = 0.99) -> list[float]:
    """Normal moves whose size is itself a slow process: stochastic volatility."""
    dice, level, found = random.Random(seed), 0.0, []
    for _ in range(count):
        level = lasts * level + dice.gauss(0, 0.92 * math.sqrt(1 - lasts**2))
        found.append(SIGMA * math.exp(level) * dice.gauss(0, 1))
    return found


def poisson(count: int, seed: int = 5) -> list[int]:
    """Waits of a Poisson process, in ns."""
    dice = random.Random(seed)
    return [1 + int(dice.expovariate(1 / (10 * MS))) for _ in range(count)]


def bursts(count: int, seed: int = 6) -> list[int]:
    """Waits that are short for a while, then long for a while."""
    dice, found = random.Random(seed), []
    while len(found) < count:
        scale = dice.choice((1, 30))
        found += [1 + int(dice.expovariate(1 / (scale * MS))) for _ in range(50)]
    return found[:count]


def coins(count: int, seed: int = 7) -> list[int]:
    dice = random.Random(seed)
    return [dice.choice((-1, 1)) for _ in range(count)]


def split_orders(count: int, seed: int = 8) -> list[int]:
    """Sides of large orders in pieces, whose lengths have a power law: long memory."""
    dice, found = random.Random(seed), []
    while len(found) < count:
        found += [dice.choice((-1, 1))] * min(int(dice.paretovariate(1.5)), 10_000)
    return found[:count]


def tape(
    returns: Sequence[float] = (),
    counts: Sequence[int] = (),
    signs: Sequence[int] = (),
    waits: Sequence[int] = (),
) -> MarketTape:
    """A market with these returns, rounded to half a tick, one in each interval; `waits` are
    both the trades' and the orders'.
    """
    made = MarketTape(OrderBook(Market("RAIN")), 0)
    for middle in accumulate(returns, initial=1e6):
        made.middles.append(round(2 * middle))
    made.counts.extend(counts or [TRADES] * len(made.middles))
    for time, sign in zip(accumulate(waits), signs, strict=False):
        made.traded(time, sign)
    made.order_times.extend(accumulate(waits))
    return made
