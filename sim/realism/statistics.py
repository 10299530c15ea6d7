"""Figures of plain series. Floating point is fine here: nothing of it leads to a journal.

All of them raise `ValueError` for a series that can't have the figure: too short, or all alike.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul, sub


def mean(values: Sequence[float]) -> float:
    if not values:
        raise ValueError("nothing to take the mean of")
    return math.fsum(values) / len(values)


def moments(values: Sequence[float]) -> tuple[float, float]:
    """The mean and the variance about it."""
    middle = mean(values)
    return middle, math.fsum((value - middle) ** 2 for value in values) / len(values)


def centred(values: Sequence[float]) -> tuple[list[float], float]:
    """What each value is off the mean, and the sum of their squares."""
    middle = mean(values)
    off = [value - middle for value in values]
    square = math.fsum(map(mul, off, off))
    if square <= 0:
        raise ValueError("all values are the same")
    return off, square


def autocorrelations(values: Sequence[float], lags: Sequence[int]) -> list[float]:
    """How a series goes with itself so many places later: 1 alike, 0 not at all, -1 opposite.

    O(values) for each lag.
    """
    if max(lags) >= len(values):
        raise ValueError(f"{len(values)} values have no autocorrelation at lag {max(lags)}")
    off, square = centred(values)
    return [math.fsum(map(mul, off, off[lag:])) / square for lag in lags]


def correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Pearson's, of two series of the same length."""
    (left, left_square), (right, right_square) = centred(one), centred(other)
    return math.fsum(map(mul, left, right)) / math.sqrt(left_square * right_square)


def excess_kurtosis(values: Sequence[float]) -> float:
    """How much heavier the tails are than a normal distribution's, for which it is 0."""
    off, square = centred(values)
    return len(values) * math.fsum(value**4 for value in off) / square**2 - 3


def tail_index(values: Sequence[float], most: int, grain: float = 0.0) -> float:
    """Hill's estimate of the exponent of the tail, from the `most` largest absolute values and
    those that are as large as the least of them. `grain` is what values are rounded to.
    """
    ordered = sorted(map(abs, values), reverse=True)
    if len(ordered) <= most or not ordered[most]:
        raise ValueError(f"{len(ordered)} values have no tail of {most}")
    least = ordered[most]
    tail = [value for value in ordered if value >= least]
    # What was rounded to `least` began half a grain below it.
    total = math.fsum(math.log(value / (least - grain / 2)) for value in tail)
    if total <= 0:
        raise ValueError("the largest values are the same")
    return len(tail) / total


def dispersion(waits: Sequence[float]) -> float:
    """Standard deviation over mean: 1 for the waits of a Poisson process."""
    middle, variance = moments(waits)
    if middle <= 0:
        raise ValueError("nobody waited")
    return math.sqrt(variance) / middle


def hurst(values: Sequence[float], short: int, long: int) -> float:
    """How the sums of so many neighbours spread: 0.5 where the values don't remember each other,
    more where they go on as they were for a long time. From sums over `short` and over `long`.
    """
    sums = [0.0, *accumulate(values)]
    drift = sums[-1] / max(1, len(values))

    def spread(width: int) -> float:
        if len(sums) <= 2 * width:
            raise ValueError(f"{len(values)} values are too few for sums of {width}")
        runs = list(map(sub, sums[width:], sums))
        return math.fsum((one - drift * width) ** 2 for one in runs) / len(runs)

    near, far = spread(short), spread(long)
    if not near or not far:
        raise ValueError("the sums are all the same")
    return math.log(far / near) / (2 * math.log(long / short))


def sums(values: Sequence[float], width: int) -> list[float]:
    """Of each so many neighbours; what is left over at the end is left out."""
    return [math.fsum(values[at : at + width]) for at in range(0, len(values) - width + 1, width)]
