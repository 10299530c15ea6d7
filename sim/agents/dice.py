"""Chance that falls alike everywhere: on any machine, in any process, on any Python.

Whole numbers only. What is not uniform is looked up or counted, never computed by the machine's
floating point, whose logarithms differ in the last place from one C library to another.
"""

import decimal
import functools
import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

CELLS_BITS = 12
"""Random bits of which an exponential draw is made."""

UNIT_BITS = 24


@functools.cache
def _exponential() -> tuple[int, ...]:
    """4096 quantiles of the exponential distribution of mean 1, in units of 2**-24.

    By decimal arithmetic, whose logarithm is rounded alike everywhere. O(cells), some 50 ms.
    """
    cells = 1 << CELLS_BITS
    with decimal.localcontext() as context:
        context.prec = 20
        span = decimal.Decimal(2 * cells)
        return tuple(
            int(-((span - (2 * cell + 1)) / span).ln() * (1 << UNIT_BITS)) for cell in range(cells)
        )


@functools.cache
def _exponentials(mean: int) -> tuple[int, ...]:
    """The same of another mean. A scenario has few, which many agents share."""
    return tuple((quantile * mean) >> UNIT_BITS for quantile in _exponential())


class Dice:
    """A stream of chance of its own, named by what it is for. Every method is O(1).

    Streams of different names have nothing to do with each other, so that one more agent leaves
    what the others draw as it was.
    """

    __slots__ = ("bits", "quantiles")

    def __init__(self, *name: object) -> None:
        """The same name, the same chance: usually a seed, and who or what draws."""
        digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=16).digest()
        self.bits = random.Random(int.from_bytes(digest, "big")).getrandbits
        """`bits(k)`: a whole number of k random bits."""
        self.quantiles = _exponential()
        """Whose product with a mean, shifted by `UNIT_BITS`, is `exponential` for a loop: one of
        them at `bits(CELLS_BITS)`.
        """

    def below(self, count: int) -> int:
        """0 <= result < `count`, each as likely as the others (to 2**-24 for counts to 2**24)."""
        return (self.bits(48) * count) >> 48

    def between(self, least: int, most: int) -> int:
        """least <= result <= most."""
        return least + ((self.bits(48) * (most - least + 1)) >> 48)

    def happens(self, per_mille: int) -> bool:
        """True in `per_mille` of 1000 cases."""
        return (self.bits(48) * 1000) >> 48 < per_mille

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices. Raises `IndexError` where there are none."""
        return choices[(self.bits(48) * len(choices)) >> 48]

    def exponential(self, mean: int) -> int:
        """>= 0, exponentially distributed with this mean, cut off at 9 times the mean.

        The time to the next event of a Poisson process, in whatever unit `mean` is.
        """
        return (self.quantiles[self.bits(CELLS_BITS)] * mean) >> UNIT_BITS

    def exponentials(self, mean: int) -> tuple[int, ...]:
        """All that `exponential(mean)` can be, for a loop that can't afford calls: a draw is what
        stands at `bits(CELLS_BITS)`. O(cells).
        """
        return _exponentials(mean)

    def normal(self, sigma: int) -> int:
        """Around 0, nearly normal: 256 coins, in steps of sigma / 8, within 16 sigma."""
        scaled = (self.bits(256).bit_count() - 128) * sigma
        return scaled // 8 if scaled >= 0 else -(-scaled // 8)
