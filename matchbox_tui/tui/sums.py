"""Sums over ranges of prices, kept while single prices change."""

from collections.abc import Iterable


class Sums:
    """A number at each place, and sums of ten, hundred, ... neighbours above them.

    A change costs O(digits), a sum over any range O(digits) as well: at most nine numbers are
    looked at on either end of each decade. Only what is not zero is kept.
    """

    def __init__(self, digits: int, values: Iterable[tuple[int, int]] = ()) -> None:
        """For places from 0 to below 10 ** digits. O(values x digits)."""
        self.end = 10**digits
        self._decades: list[dict[int, int]] = [dict(values)]
        for _ in range(digits - 1):
            sums: dict[int, int] = {}
            for place, value in self._decades[-1].items():
                ten = place // 10
                sums[ten] = sums.get(ten, 0) + value
            self._decades.append(sums)

    def put(self, place: int, value: int) -> None:
        """Makes `value` the number at a place."""
        change = value - self._decades[0].get(place, 0)
        if not change:
            return
        for sums in self._decades:
            new = sums.get(place, 0) + change
            if new:
                sums[place] = new
            else:
                del sums[place]
            place //= 10

    def between(self, start: int, end: int) -> int:
        """The sum from `start` to below `end`."""
        total = 0
        for sums in self._decades[:-1]:
            while start < end and start % 10:
                total += sums.get(start, 0)
                start += 1
            while start < end and end % 10:
                end -= 1
                total += sums.get(end, 0)
            if start >= end:
                return total
            start //= 10
            end //= 10
        top = self._decades[-1]
        return total + sum(top.get(place, 0) for place in range(start, end))
