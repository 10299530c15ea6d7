"""Medians and percentiles, by the nearest rank: the smallest value that a share does not exceed."""

from collections.abc import Iterable, Mapping, Sequence


def weighted(weights: Mapping[int, int], share_permille: int) -> int | None:
    """The smallest value up to which this share of all the weight lies; None without weight."""
    total = sum(weights.values())
    if total <= 0:
        return None
    reached = 0
    for value in sorted(weights):
        reached += weights[value]
        if reached * 1000 >= total * share_permille:
            return value
    raise AssertionError("all of the weight was reached")


def nearest(values: Iterable[int], share_permille: int) -> int | None:
    """The nearest rank of plain values; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[rank(len(ordered), share_permille)]


def rank(count: int, share_permille: int) -> int:
    """Where in a sorted list of so many values that share is reached."""
    return max(0, -(-count * share_permille // 1000) - 1)


def nearest_or_never(values: Sequence[int | None], share_permille: int) -> int | None:
    """As `nearest`, where None is longer than anything: what never came."""
    known = sorted(value for value in values if value is not None)
    place = rank(len(values), share_permille) if values else 0
    return known[place] if place < len(known) else None
