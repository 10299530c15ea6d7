"""Persistence: follows the journal and writes what it says into a database, exactly once."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec

from matchbox_tui.consumers.draining import Drain
from matchbox_tui.consumers.duty import Duty
from matchbox_tui.consumers.persistence.database import Database
from matchbox_tui.consumers.persistence.errors import DatabaseTrouble, Overtaken
from matchbox_tui.consumers.persistence.ledger import Ledger
from matchbox_tui.consumers.reader import HistoryTrimmed, JournalReader, Place
from matchbox_tui.store import (
    Client,
    InDoubt,
    JournalBroken,
    Refused,
    Registration,
    StoreError,
    StoreSetBack,
    Unreachable,
)

log = logging.getLogger(__name__)

BATCH_EVENTS = 5000
"""Events in one transaction, about: more gain little and hold everything else up longer."""

WAIT_MS = 200
"""How long a read waits at the journal's tip; a stop waits as long."""

STOP_SECONDS = 3.0
"""How long the batch under way may take once it is to stop: half of one is none."""

NOTE_SECONDS = 1.0
RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0

_PASSING = (Unreachable, InDoubt, Refused, DatabaseTrouble)


class Progress(msgspec.Struct):
    """What this copy has done so far."""

    place: Place = Place()
    events: int = 0
    batches: int = 0


class Persistence:
    """One copy of the service. Of several that share a name one works, the others stand by."""

    def __init__(self, client: Client, registration: Registration, database: Database) -> None:
        self.progress = Progress()
        self._client = client
        self._registration = registration
        self._database = database
        self._duty = Duty(registration)
        self._reader: JournalReader | None = None
        self._ledger = Ledger()
        self._stopping = asyncio.Event()
        self._drain = Drain(client)
        self._note_at = 0.0
        self._retry = RETRY_SECONDS
        self._said = ""

    def stop(self) -> None:
        """Ends `run` after the batch under way, or without it where the database hangs."""
        self._stopping.set()
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._database.break_off)

    def drain(self) -> None:
        """Ends `run` once all is written that is in the journal, or where another copy works."""
        self._drain.ask()

    async def run(self, *, rewind: bool = False) -> None:
        """Works or stands by until it is stopped. Outlasts a server or a database that is away.

        With `rewind` the database follows a store that was set back; without, that is the end.
        Raises `DatabaseUnusable`, `JournalBroken` where the journal can't be followed, and
        `Unread` where it was to read all and can't.
        """
        try:
            while not self._stopping.is_set() and not await self._drained():
                await self._step(rewind)
            if self._reader is not None:
                with contextlib.suppress(StoreError):
                    await self._registration.has_read(self.progress.place.seq)
            log.info("Read the journal up to %d", self.progress.place.seq)
        finally:
            with contextlib.suppress(StoreError):
                await self._duty.leave()

    async def _drained(self) -> bool:
        if not self._drain.asked:
            return False
        if self._duty.is_anothers:
            return True
        return await self._drain.is_over(self.progress.place.seq, self._said)

    async def _step(self, rewind: bool) -> None:
        try:
            if await self._duty.look():
                await self._work(rewind)
                self._goes_well()
            else:
                self._reader = None
                await self._wait(self._duty.pause())
        except Overtaken as error:
            self._reader = None
            log.info("%s: reading on from there", error)
            await self._wait(asyncio.sleep(self._retry))
        except _PASSING as error:
            await self._hold_up(error)

    async def _work(self, rewind: bool) -> None:
        """One step: the beginning, or a batch."""
        if self._reader is None:
            async with self._duty.renewed():
                self._reader = await self._begin()
        reader, before = self._reader, self._reader.place
        try:
            entries = await reader.batch(BATCH_EVENTS, WAIT_MS)
        except HistoryTrimmed as error:
            log.error("%s: starting over at the oldest snapshot", error)
            async with self._duty.renewed():
                # The group may have been removed: else as much may be trimmed again meanwhile.
                await self._registration.register()
                await self._start_over(before)
            return
        except StoreSetBack as error:
            if not rewind:
                raise StoreSetBack(
                    f"{error}. If this is the right server, 'matchbox consume persistence --rewind'"
                    " has the database follow it: rows that tell of another history are dropped"
                ) from None
            log.error("%s: the database follows it", error)
            async with self._duty.renewed():
                await self._start_over(before, rewind=True)
            return
        if entries:
            for entry in entries:
                self._ledger.fold(entry.events)
            try:
                await asyncio.to_thread(
                    self._database.commit, before, reader.place, self._ledger.take()
                )
            except BaseException:
                # It may be written or not: the database knows.
                self._reader = None
                raise
            self.progress.place = reader.place
            self.progress.events += sum(len(entry.events) for entry in entries)
            self.progress.batches += 1
        if asyncio.get_running_loop().time() >= self._note_at:
            await self._note()

    async def _begin(self) -> JournalReader:
        """Reads what the database knows, and begins an empty one at the oldest snapshot."""
        await asyncio.to_thread(self._database.prepare)
        place = await asyncio.to_thread(self._database.place)
        if place is None:
            # First this: from here on nothing is trimmed that is about to be read.
            await self._registration.register()
            await self._start_over(None)
            place = await asyncio.to_thread(self._database.place)
            assert place is not None
        self._ledger = Ledger()
        self._ledger.load(await asyncio.to_thread(self._database.open_orders))
        if await asyncio.to_thread(self._database.place) != place:
            raise Overtaken(f"another copy has written after {place.seq}")
        self.progress.place = place
        if not self._said:
            log.info("Reading the journal from %d on into %s", place.seq, self._database.shown)
        return JournalReader(self._client, place)

    async def _start_over(self, before: Place | None, *, rewind: bool = False) -> None:
        self._reader = None
        replica = await self._client.restore(oldest=True)
        known = before.seq if before is not None else 0
        if replica.seq < known and not rewind:
            raise JournalBroken(
                f"the journal after {known} is gone, and the oldest snapshot is of {replica.seq}"
            )
        if replica.seq > known:
            log.warning(
                "History from %d to %d was trimmed: what happened in between is missing",
                known + 1,
                replica.seq,
            )
        await asyncio.to_thread(self._database.start_over, before, replica, rewind=rewind)

    async def _note(self) -> None:
        """Says now and then how far it is, and writes down which snapshots there are.

        Only after a read, which has shown that the store has the history that the rows tell of.
        """
        place = self.progress.place
        await self._registration.has_read(place.seq)
        # A later one may still turn out to be of another history than the rows.
        found = [head for head in await self._client.snapshots() if head.seq <= place.seq]
        if found:
            await asyncio.to_thread(self._database.note_snapshots, found)
        self._note_at = asyncio.get_running_loop().time() + NOTE_SECONDS

    async def _hold_up(self, error: Exception) -> None:
        """Says why, once, and waits; meanwhile another copy may try."""
        self._reader = None
        if str(error) != self._said:
            self._said = str(error)
            log.warning("Persistence is held up: %s", error)
        if isinstance(error, DatabaseTrouble):
            with contextlib.suppress(StoreError):
                await self._duty.leave()
        await self._wait(asyncio.sleep(self._retry))
        self._retry = min(2 * self._retry, LONGEST_RETRY_SECONDS)

    def _goes_well(self) -> None:
        if self._said:
            log.info("Persistence goes on, from %d", self.progress.place.seq)
        self._said = ""
        self._retry = RETRY_SECONDS

    async def _wait(self, pause: Coroutine[Any, Any, None]) -> None:
        """Waits for that, or for the end."""
        waiting: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(pause),
            asyncio.ensure_future(self._stopping.wait()),
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
