"""Sets of order ids that cost next to nothing where ids are handed out one after the other."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

SHIFT = 9
MASK = (1 << SHIFT) - 1


class IdSet:
    """Ids of any size, kept as bits in chunks of 512. O(1) each."""

    def __init__(self) -> None:
        self._chunks: dict[int, int] = {}
        self._count = 0

    def add(self, order_id: int) -> bool:
        """Whether the id is new."""
        chunk, bit = order_id >> SHIFT, 1 << (order_id & MASK)
        before = self._chunks.get(chunk, 0)
        if before & bit:
            return False
        self._chunks[chunk] = before | bit
        self._count += 1
        return True

    def __contains__(self, order_id: int) -> bool:
        return bool(self._chunks.get(order_id >> SHIFT, 0) >> (order_id & MASK) & 1)

    def __iter__(self) -> Iterator[int]:
        """In no order."""
        for chunk, bits in self._chunks.items():
            base = chunk << SHIFT
            while bits:
                lowest = bits & -bits
                yield base + lowest.bit_length() - 1
                bits ^= lowest

    def __len__(self) -> int:
        return self._count


class IdRanges:
    """Ids as a traders' record tells them: ranges [first, last], both in it.

    `count` is how many there are and `highest` the highest of them, 0 for none. `repeated` counts
    those that were told more than once, and `repeats` is the first of them, 0 for none. Raises
    `ValueError` for what is no range of ids.
    """

    def __init__(self, ranges: Iterable[list[int]]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.repeated = self.repeats = 0
        for pair in sorted(ranges):
            if len(pair) != 2 or not 0 < pair[0] <= pair[1]:
                raise ValueError(f"order_ids has {pair}, which is no range [first, last]")
            first, last = pair
            if self._lasts and first <= self._lasts[-1]:
                self.repeated += min(last, self._lasts[-1]) - first + 1
                self.repeats = self.repeats or first
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(last, self._lasts[-1])
            else:
                self._firsts.append(first)
                self._lasts.append(last)
        self.count = sum(self._lasts) - sum(self._firsts) + len(self._firsts)
        self.highest = self._lasts[-1] if self._lasts else 0

    def __contains__(self, order_id: int) -> bool:
        """O(log ranges)."""
        place = bisect_right(self._firsts, order_id) - 1
        return place >= 0 and order_id <= self._lasts[place]

    def count_from(self, least: int) -> int:
        """How many ids are `least` or more. O(ranges)."""
        return sum(
            last - max(first, least) + 1
            for first, last in zip(self._firsts, self._lasts, strict=True)
            if last >= least
        )

    def rising(self, least: int) -> Iterator[int]:
        """The ids from `least` on."""
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield from range(max(first, least), last + 1)
