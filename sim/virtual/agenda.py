"""What is still to happen, and what time it is."""

import heapq
from collections.abc import Callable

from sim.virtual.seat import Seat

START = 1_767_225_600_000_000_000
"""Where every run's clock begins, in ns since the epoch: 2026-01-01 00:00:00 UTC."""

SEAT_BITS = 20
"""A turn is one number, its time above the number of the seat in so many bits: thousands of them
wait at any time, and nothing is put in order faster than numbers are.
"""

MOST_SEATS = 1 << SEAT_BITS
LAST_SEAT = MOST_SEATS - 1
NEVER = 1 << 200


class Agenda:
    """What is to be called and whose turn it is, in the order of their times.

    At the same time calls come first, in the order in which they were put, then the commit, then
    the seats by their numbers. `now` is in ns since the run's start. `turns`, `arrivals` and
    `bound` are for the loop, which can't afford calls: a seat is among the two at most once, and
    every turn that is smaller than `bound` comes before all that `call` does.

    `arrivals` are the turns of seats whose commands are on their way. While a commit is under way
    nobody can tell when one of them arrives, so they are taken in all at once before the next call
    or as the commit is made. Where there is none (`idle`) each of them is a happening of its own.
    """

    __slots__ = (
        "_calls",
        "_commit",
        "_serial",
        "arrivals",
        "arrive",
        "bound",
        "commit",
        "idle",
        "now",
        "turns",
    )

    def __init__(self) -> None:
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._commit = NEVER
        """When the commit under way is to be made, as in `bound`: there is one at most, and they
        are by far the most frequent of all that is called.
        """
        self._serial = 0
        self.commit: Callable[[], None] = nothing
        """What makes a commit; it takes in itself what arrived meanwhile."""
        self.arrive: Callable[[int], None] = nothing
        """What takes in the arrivals that are smaller than a number."""
        self.turns: list[int] = []
        self.arrivals: list[int] = []
        """Heaps, both of them."""
        self.idle = True
        """Whether no commit is under way."""
        self.bound = NEVER
        self.now = 0

    @property
    def instant(self) -> int:
        """The time in ns since the epoch."""
        return START + self.now

    def at(self, time: int, call: Callable[[], None]) -> None:
        """Puts a call down for `time`, or for now where that is over. O(log n) in the calls."""
        self._serial += 1
        heapq.heappush(self._calls, (max(time, self.now), self._serial, call))
        self._bind()

    def begin_commit(self, takes: int) -> None:
        """Calls `commit` in so many ns, instead of any other time. O(1)."""
        self._commit = (self.now + takes) << SEAT_BITS
        self.idle = False
        self._bind()

    def drop_commit(self) -> None:
        """Nothing comes of the commit under way."""
        self._commit = NEVER
        self.idle = True
        self._bind()

    def expect(self, arrival: int) -> None:
        """One more of the arrivals, while no commit is under way. O(1)."""
        if arrival < self.bound:
            self.bound = arrival

    def turn(self, time: int, seat: Seat) -> None:
        """Gives a seat its turn at `time`, or now where that is over. O(log n) in the seats."""
        heapq.heappush(self.turns, max(time, self.now) << SEAT_BITS | seat.number)

    def call(self) -> bool:
        """Lets time go on to the next call, the commit or the arrival that is a happening, and does
        what is to be done then; whether there was one.
        """
        calls = self._calls
        following = calls[0][0] << SEAT_BITS if calls else NEVER
        commit = self._commit
        if commit < following:
            self._commit = NEVER
            self.idle = True
            self.now = commit >> SEAT_BITS
            self.commit()
            if self.idle:
                self._bind()
            return True
        if self.idle and self.arrivals and (arrival := self.arrivals[0]) < following:
            self.now = arrival >> SEAT_BITS
            self.arrive(arrival + 1)
            self._bind()
            return True
        if not calls:
            return False
        self.now, _, call = heapq.heappop(calls)
        self.arrive(following)
        call()
        self._bind()
        return True

    def _bind(self) -> None:
        bound = self._commit
        if self._calls and (following := self._calls[0][0] << SEAT_BITS) < bound:
            bound = following
        if self.idle and self.arrivals and (first := self.arrivals[0]) < bound:
            bound = first
        self.bound = bound


def nothing(*_: object) -> None:
    """What is called where nothing is to be."""
