"""The wire: one client, one replica, and the model that they move.

Nothing else of the app knows how a venue is reached. Whatever has these methods is a
venue: the store's client, or an exchange in the same process.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from matchbox_tui.engine import NewOrder, Tagged
from matchbox_tui.store import (
    MAX_BATCH,
    Client,
    ClusterStatus,
    Entry,
    InDoubt,
    JournalBroken,
    Replica,
    StateHash,
    StoreError,
    StoreSetBack,
)
from matchbox_tui.tui.analytics import Board
from matchbox_tui.tui.figures import plural
from matchbox_tui.tui.hand import Request
from matchbox_tui.tui.hash_check import HashCheck
from matchbox_tui.tui.intents import Intent, Standing
from matchbox_tui.tui.model import Link, Model
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.watch import WatchedReplica

POLL_SECONDS = 0.25
ANSWER_SECONDS = 1.0
"""How long a look at the cluster may take."""
CLOSE_SECONDS = 0.01
"""How often the cluster is looked at while a fault is followed."""

FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 2.0
SLICE_SECONDS = 0.01
"""How long a burst of entries is folded before the screen and the keys get their turn."""

STALE_AFTER = 2
"""Looks at the cluster that may fail before the picture counts as stale."""


class Venue(Protocol):
    """What the app needs of a client."""

    @property
    def analytics(self) -> Board | None:
        """None where there can be none."""

    async def restore(self, *, oldest: bool) -> Replica: ...
    def follow(self, replica: Replica) -> AsyncIterator[Entry]: ...
    async def submit(self, commands: Sequence[NewOrder | Tagged]) -> list[int]: ...
    async def cluster(self) -> ClusterStatus: ...
    async def state_hashes(self, after: str) -> tuple[str, list[StateHash]]: ...
    async def close(self) -> None: ...


class Feed:
    """Keeps a model fed, through every loss of the connection, and carries requests out."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Venue]],
        trader: str,
        clock: Callable[[], int] = time.time_ns,
        timer: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.replica = Replica()
        self.timer = timer
        self.model = Model(self.replica, trader)
        self._adopt(self.replica)
        self._connect = connect
        self._clock = clock
        self._venue: Venue | None = None
        self._retry = FIRST_RETRY_SECONDS
        self.hashes = HashCheck(0)
        self._hashes_read = "-"
        self._reading = False
        self._has_looked = False
        self._anew = False
        self._following: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, url: str, prefix: str, trader: str, clock: Callable[[], int]) -> "Feed":
        """The feed of the venue at an address."""

        async def connect() -> Venue:
            return await Client.connect(url, prefix, name="tui")

        return cls(connect, trader, clock)

    @property
    def board(self) -> Board | None:
        """Where the analytics can be read now, None where they can't."""
        return self._venue.analytics if self._venue is not None and self._reading else None

    async def run(self) -> None:
        """Follows the journal until cancelled."""
        while True:
            self._following = asyncio.create_task(self._follow())
            try:
                await asyncio.wait([self._following])
            finally:
                self._following.cancel()
            self._reading = self._has_looked = False
            if not self._following.cancelled():
                error = self._following.exception()
                if isinstance(error, JournalBroken):
                    self._start_over()
                if isinstance(error, StoreSetBack):
                    self.model.note(self._clock(), str(error), Tone.ALARM)
                self._lost(str(error) or type(error).__name__)
            await asyncio.sleep(self._retry)
            self._retry = min(max(self._retry * 2, FIRST_RETRY_SECONDS), LAST_RETRY_SECONDS)

    def begin_anew(self) -> None:
        """Asks the venue again where to begin, at once; until it tells, the picture stays."""
        self._anew, self._retry = True, 0.0
        if self._following is not None:
            self._following.cancel()

    async def watch(self) -> None:
        """Looks at the cluster now and then until cancelled."""
        failed = 0
        while True:
            if self._venue is not None and self._reading:
                known, asked = self.replica.seq, self._clock()
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        status = await self._venue.cluster()
                except Exception as error:
                    failed += 1
                    if failed >= STALE_AFTER and self.model.link is Link.LIVE:
                        self.model.linked(Link.STALE, str(error) or "the server does not answer")
                else:
                    failed = 0
                    self._looked(status, known, asked)
                    with contextlib.suppress(StoreError, TimeoutError):
                        async with asyncio.timeout(ANSWER_SECONDS):
                            await self._compare_hashes()
            await self._pause()

    async def _pause(self) -> None:
        """Until the next look at the cluster, which comes soon while a fault is followed."""
        recoveries = self.model.recoveries
        pause = CLOSE_SECONDS if recoveries.watches(self._clock()) else POLL_SECONDS
        known = recoveries.count
        waited = 0.0
        while waited < pause and known == recoveries.count:
            await asyncio.sleep(CLOSE_SECONDS)
            waited += CLOSE_SECONDS

    async def _compare_hashes(self) -> None:
        """Holds the state hashes of others against our own, while a fault is followed."""
        recovery = self.model.recoveries.current
        if recovery is None or recovery.committed is None or self._venue is None:
            return
        self._hashes_read, told = await self._venue.state_hashes(self._hashes_read)
        for instance, seq, equal in self.hashes.compare(told):
            recovery.compared(instance, seq, equal)

    async def send(self, requests: Sequence[Request]) -> None:
        """Submits requests in batches and notes how far they came."""
        for start in range(0, len(requests), MAX_BATCH):
            await self._send(requests[start : start + MAX_BATCH])

    async def _send(self, requests: Sequence[Request]) -> None:
        model = self.model
        intents = [intent for intent, _ in requests]
        keys = [intent.key for intent in intents]
        model.latencies.sent(keys, self.timer())
        try:
            if self._venue is None:
                raise StoreError("not connected")
            await self._venue.submit([command for _, command in requests])
            model.latencies.acknowledged(keys, self.timer())
            standing = Standing.QUEUED
        except Exception as error:
            model.latencies.forget(*keys)
            if isinstance(error, InDoubt) or not isinstance(error, StoreError):
                standing = Standing.DOUBT
                model.note(self._clock(), f"in doubt: {error}", Tone.ALARM)
            else:
                self._refused(intents, error)
                return
        for intent in intents:
            model.intents.stands(intent.key, standing)
        model.touch()

    def _refused(self, intents: Sequence[Intent], error: StoreError) -> None:
        """Nothing was queued, so nothing will come of it."""
        for intent in intents:
            self.model.intents.drop(intent.key)
        what = intents[0].words if len(intents) == 1 else plural(len(intents), "request")
        self.model.note(self._clock(), f"not sent: {what}: {error}", Tone.ALARM)

    async def close(self) -> None:
        venue, self._venue = self._venue, None
        if venue is not None:
            try:
                await venue.close()
            except Exception as error:
                self.model.linked(Link.RECONNECTING, str(error))

    async def _follow(self) -> None:
        if self._venue is None:
            self._venue = await self._connect()
        clock = asyncio.get_running_loop().time
        if not self.replica.seq or self._anew:
            # From as far back as there is a journal: the tape tells of what was.
            self._adopt(await self._venue.restore(oldest=True))
            self._anew = False
        self._reading = True
        known, asked = self.replica.seq, self._clock()
        self._looked(await self._venue.cluster(), known, asked)
        started = clock()
        before = self.replica.seq
        async for entry in self._venue.follow(self.replica):
            self.hashes.passed(before, self.replica)
            self.model.recoveries.folded(entry, self._clock())
            before = self.replica.seq
            self._alive()
            self.model.fold(entry, self._clock() if self.model.link is Link.LIVE else None)
            if clock() - started > SLICE_SECONDS:
                await asyncio.sleep(0)
                started = clock()

    def _looked(self, status: ClusterStatus, known: int, asked: int) -> None:
        """Takes an answer that was asked for at a time when `known` commands were known."""
        if not self._reading:
            return
        if status.seq < known and self._following is not None:
            words = f"the store was set back from {known} to {status.seq}"
            self.model.note(self._clock(), words, Tone.ALARM)
            self._start_over()
            self._following.cancel()
            return
        self._has_looked = True
        self.model.observed(status, self._clock(), asked)
        self._alive()

    def _start_over(self) -> None:
        """The journal is another one than we read, or went on without us: begin anew."""
        self._adopt(Replica())

    def _adopt(self, replica: Replica) -> None:
        self.replica = WatchedReplica(replica, self.model.watch)
        self.model.attach(self.replica)

    def _alive(self) -> None:
        self._retry = FIRST_RETRY_SECONDS
        model = self.model
        # The journal is read from behind: until it has been caught up with, prices are old ones.
        current = model.link in (Link.LIVE, Link.STALE) or (self._has_looked and not model.lag)
        model.linked(Link.LIVE if current else model.link)

    def _lost(self, trouble: str) -> None:
        self.model.recoveries.cut()
        heard = self.model.link is not Link.CONNECTING
        self.model.linked(Link.RECONNECTING if heard else Link.CONNECTING, trouble)
