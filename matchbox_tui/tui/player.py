"""A run that was recorded, as a venue: its commits come when they came, at any speed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Protocol

from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import (
    ClusterStatus,
    Entry,
    InstanceStatus,
    Refused,
    Replica,
    StateHash,
)

NS = 1_000_000_000

SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
FULL_SPEED = float("inf")

HISTORY = 2000
"""Commands before a place that are read with it, so that the tape and the chart tell of them."""

NEAR = 5000
"""Commands ahead up to which a place is reached by playing on, without a new picture."""

LATE_SECONDS = 0.25
"""How far behind its speed a player may fall before it stops making up for it."""

OFF = "a recording can't be traded on"


class Recorded(Protocol):
    """A run that was recorded. Times are in ns since its start, which is in ns since the epoch.

    Its commands are those after `first`, up to `last` at the time `end`. Its `markets` are there
    in the end, and a state may have others that are none of the run's. Everything may raise an
    error that says what is wrong with a file.
    """

    title: str
    start: int
    first: int
    last: int
    end: int
    interrupted: bool
    markets: list[str]

    def begin(self, seq: int) -> Replica:
        """A state at or before a command, and not far from it."""
        ...

    def entries(self, after: int) -> Iterator[tuple[int, Entry]]:
        """The commits after a command, with their times."""
        ...

    def seq_at(self, time: int) -> int:
        """The last command by a time."""
        ...

    def next_trade(self, after: int) -> int | None:
        """The first commit after a command that trades."""
        ...

    def next_turn(self, after: int) -> int | None:
        """The first commit after a command of another leader."""
        ...

    def standing(self, at: int, epoch: int) -> tuple[str | None, int, int]:
        """Who led at a time, in which epoch, and how much waited; the journal's is `epoch`."""
        ...


class Player:
    """Plays a recorded run to whoever follows it, and is told where to go.

    `when_moved` is called where the picture must be taken anew, for it doesn't lead on from the
    one before.
    """

    def __init__(
        self,
        source: Recorded,
        *,
        speed: float = 1.0,
        paused: bool = False,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.speed = speed
        self.paused = paused
        self.seq = source.first
        self.when_moved: Callable[[], None] = lambda: None
        self._timer = timer
        self._replica: Replica | None = None
        self._base = 0
        """Where the run's clock stood at `_since`, on this player's."""
        self._since = timer()
        self._next: int | None = None
        """When the next commit comes, None where there is none."""
        self._goal: int | None = None
        """A command that is to be reached without waiting, and the time to go on from then."""
        self._landing: int | None = None
        self._steps = 0
        self._wishes = 0
        """How often it was told where to go: only the last time counts."""
        self._changed = asyncio.Event()

    # What is told.

    @property
    def position(self) -> int:
        """How far it is, in ns since the run's start."""
        if self.speed == FULL_SPEED and self.ended and not self.paused:
            # Nothing more comes, and nobody waits for the rest of the time.
            return self.source.end
        if self.paused or self._goal is not None or self.speed == FULL_SPEED:
            return self._base
        moved = self._base + self._passed()
        return min(moved, self._next) if self._next is not None else min(moved, self.source.end)

    @property
    def ended(self) -> bool:
        """Whether all was played."""
        return self._goal is None and self.seq >= self.source.last

    @property
    def seeking(self) -> bool:
        """Whether it is on its way to a place."""
        return self._goal is not None

    def clock(self) -> int:
        """The run's own time, in ns since the epoch."""
        return self.source.start + self.position

    # What is asked of it.

    def pause(self) -> None:
        """Pauses, or plays on."""
        self._hold()
        self.paused = not self.paused
        self._steps = 0
        self._changed.set()

    def step(self) -> bool:
        """One commit, and then a pause; says whether there was one left."""
        if self.ended:
            return False
        self._hold()
        self.paused = True
        self._steps += 1
        self._changed.set()
        return True

    def change_speed(self, step: int) -> None:
        """The next speed, or the one before."""
        self._hold()
        if self.speed == FULL_SPEED:
            self.speed = SPEEDS[-1] if step < 0 else FULL_SPEED
        else:
            faster = [one for one in SPEEDS if one > self.speed]
            slower = [one for one in SPEEDS if one < self.speed]
            one = faster[:1] if step > 0 else slower[-1:]
            self.speed = one[0] if one else self.speed
        self._changed.set()

    def full_speed(self) -> None:
        """As fast as it goes, or at the run's own speed again."""
        self._hold()
        self.speed = 1.0 if self.speed == FULL_SPEED else FULL_SPEED
        self._changed.set()

    def go(self, seq: int, at: int | None = None) -> None:
        """To the state after a command, and to a time that is not before it."""
        self._wishes += 1
        seq = min(max(seq, self.source.first), self.source.last)
        self._hold()
        self._goal, self._landing, self._steps = seq, at, 0
        if self._replica is None or not self.seq <= seq <= self.seq + NEAR:
            # Whoever follows goes on with another replica, and until then with none.
            self._replica = None
            self.when_moved()
            return
        if seq == self.seq:
            self._land()
        self._changed.set()

    async def go_to_time(self, at: int) -> None:
        """To a time, in ns since the start."""
        at = min(max(at, 0), self.source.end)
        wish = self._wish()
        seq = await asyncio.to_thread(self.source.seq_at, at)
        if wish == self._wishes:
            self.go(seq, at)

    async def go_to_trade(self) -> bool:
        """To the next trade; says whether there is one."""
        wish = self._wish()
        seq = await asyncio.to_thread(self.source.next_trade, self._here())
        if wish != self._wishes:
            # Somebody wants to be elsewhere by now, and doesn't ask whether there is one.
            return True
        return self._go_on(seq)

    def go_to_leader(self) -> bool:
        """To the next change of the leader; says whether there is one."""
        return self._go_on(self.source.next_turn(self._here()))

    def rewind(self) -> None:
        """To the beginning."""
        self.go(self.source.first, 0)

    def go_to_end(self) -> None:
        """To where nothing is left."""
        self.go(self.source.last, self.source.end)

    # What a feed asks of a venue.

    async def connect(self) -> "Player":
        """Itself: there is nothing to reach."""
        return self

    async def restore(self, *, oldest: bool) -> Replica:
        """A state from which the place that is gone to can be played to."""
        goal = self._goal if self._goal is not None else self.seq
        start = max(goal - HISTORY, self.source.first)
        replica = await asyncio.to_thread(self.source.begin, start)
        self.seq = replica.seq
        if self._goal is None:
            self._goal = goal
        return replica

    async def follow(self, replica: Replica) -> AsyncIterator[Entry]:
        """Applies the commits after the replica's place to it, each when its time has come."""
        self._replica = replica
        self.seq = replica.seq
        for at, entry in self.source.entries(replica.seq):
            if entry.seq > self.source.last:
                # The run still goes on, and is played as far as it was when it was opened.
                break
            self._next = at
            await self._due(at, entry)
            replica.apply(entry)
            self.seq = entry.seq
            yield entry
        self._next = None
        self._land()
        await asyncio.Event().wait()

    async def submit(self, commands: Sequence[NewOrder | Tagged]) -> list[int]:
        """Raises `Refused`."""
        raise Refused(OFF)

    async def cluster(self) -> ClusterStatus:
        """What is known of who led at this time, and of what waited."""
        replica = self._replica
        seq, known = (replica.seq, replica.epoch) if replica is not None else (self.seq, 0)
        leader, epoch, waiting = self.source.standing(self.position, known)
        there: tuple[InstanceStatus, ...] = ()
        if leader is not None:
            there = (InstanceStatus(leader, "leading", epoch, 0, "", seq, 0, 0),)
        return ClusterStatus(leader, epoch, seq, waiting, there)

    @property
    def analytics(self) -> None:
        """None: a recording is of the journal alone."""
        return

    async def state_hashes(self, after: str) -> tuple[str, list[StateHash]]:
        """None: nobody else is there to be compared with."""
        return after, []

    async def close(self) -> None:
        """Nothing is open."""

    async def _due(self, at: int, entry: Entry) -> None:
        """Waits until it is the turn of a commit."""
        while True:
            if self._goal is not None:
                if entry.first_seq <= self._goal:
                    self._base = max(at, 0)
                    return
                self._land()
            if self._steps:
                self._steps -= 1
                self._base = at
                return
            wait: float | None = None
            if not self.paused:
                if self.speed == FULL_SPEED:
                    self._base = at
                    return
                wait = (at - self._base - self._passed()) / (NS * self.speed)
                if wait <= 0:
                    if wait < -LATE_SECONDS:
                        self._base, self._since = at, self._timer()
                    return
            self._changed.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _land(self) -> None:
        """Goes on from the place that was gone to."""
        if self._goal is None:
            return
        if self._landing is not None:
            self._base = self._landing
        self._goal = self._landing = None
        self._since = self._timer()

    def _go_on(self, seq: int | None) -> bool:
        if seq is not None:
            self.go(seq)
        return seq is not None

    def _wish(self) -> int:
        self._wishes += 1
        return self._wishes

    def _here(self) -> int:
        return self._goal if self._goal is not None else self.seq

    def _hold(self) -> None:
        """Lets the clock go on from where it is, however it goes on."""
        self._base, self._since = self.position, self._timer()

    def _passed(self) -> int:
        return int((self._timer() - self._since) * NS * self.speed)
