"""A map from order ids to whatever, in id order, whose oldest go and newest come all the time."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from sortedcontainers import SortedDict

T = TypeVar("T")

BITS = 8
"""Of an id, that say which of a block it is: a block has 256."""


class IdMap(Generic[T]):
    """Values by id, in blocks of neighbours.

    One table for all of a hundred thousand would be made anew as often as it filled up with what
    had gone: ten megabytes each time, beside the old ones, and the C library keeps their place for
    itself. A block's table is small, and goes with its last id.
    """

    __slots__ = ("_blocks", "_count")

    def __init__(self) -> None:
        self._blocks: SortedDict = SortedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: int) -> bool:
        return self.get(key) is not None

    def get(self, key: int) -> T | None:
        """O(1)."""
        block: dict[int, T] | None = self._blocks.get(key >> BITS)
        return block.get(key) if block is not None else None

    def __setitem__(self, key: int, value: T) -> None:
        """O(1), and O(log n) for the first of a block."""
        block: dict[int, T] | None = self._blocks.get(key >> BITS)
        if block is None:
            block = self._blocks[key >> BITS] = {}
        known = len(block)
        block[key] = value
        self._count += len(block) - known

    def __delitem__(self, key: int) -> None:
        """O(1), and O(log n) for the last of a block. Raises `KeyError`."""
        block: dict[int, T] = self._blocks[key >> BITS]
        del block[key]
        self._count -= 1
        if not block:
            del self._blocks[key >> BITS]

    def after(self, key: int, until: int | None = None) -> Iterator[T]:
        """The values of higher ids, in id order, up to one. Void once anything is changed."""
        last = None if until is None else until >> BITS
        for number in self._blocks.irange(key >> BITS, last):
            block: dict[int, T] = self._blocks[number]
            for found in sorted(block):
                if found > key and (until is None or found <= until):
                    yield block[found]
