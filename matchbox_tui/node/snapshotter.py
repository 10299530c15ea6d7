"""Taking snapshots: in turns, off the hot path, and then trimming the journal and the fills."""

import asyncio
import logging
from collections.abc import Callable

from matchbox_tui.engine import dump_parts
from matchbox_tui.node.recovery import recover
from matchbox_tui.node.settings import Settings
from matchbox_tui.store import Header, Replica, SnapshotFiles, Store, StoreError

log = logging.getLogger(__name__)

LOOKS_A_TURN = 10
"""How often an instance looks for its turn in the time between two snapshots."""

LOOK_SECONDS = 1.0
"""Longest time between two looks: the journal may have grown."""

PAUSE_FACTOR = 20
"""A snapshot that took long is followed by a pause of so many times as long."""

GROWN_PAUSE_FACTOR = 5
"""The same where the journal grows much, and it is a follower's: a leader has its own work."""

GROWN = 20_000
"""Commands; or a quarter of the history where that is more, and all of it for a leader that is
alone. A journal that has grown by so many since the last snapshot is not left to grow on until it
is time: the store would need the more memory, the more orders there are. With the next snapshot it
can be trimmed.
"""

COPIED = 3000
"""Orders, and positions, up to which a leader copies its own state: some ten milliseconds."""


class Snapshotter:
    """One instance's part in taking the venue's snapshots.

    There is one turn for all instances, so that one of them takes a snapshot each time: when it is
    time, or when the journal has grown much. Followers look for it; a leader only where it is
    alone.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        files: SnapshotFiles | None,
        now_ns: Callable[[], int],
    ) -> None:
        self._store = store
        self._files = files
        self._settings = settings
        self._now_ns = now_ns
        self._look_at = 0.0
        self._last = -1
        self._wanted: asyncio.Future[Replica | None] | None = None

    async def offer(self, replica: Replica) -> None:
        """Takes a snapshot of this replica, if it is time. It must not move meanwhile.

        What goes wrong is said and has no other consequence.
        """
        if await self._is_my_turn(replica.seq, max(GROWN, self._settings.history // 4)):
            await self._take(replica, asyncio.get_running_loop().time(), GROWN_PAUSE_FACTOR)

    async def stand_in(self) -> None:
        """For a leader: takes snapshots where nobody else is there to do so, until cancelled.

        The leader's own state moves all the time, so they are of a copy. A large state is not
        copied at once: a second one is recovered as any newcomer's would be, a commit at a time.
        """
        clock = asyncio.get_running_loop().time
        # To copy its state holds up orders, so that a leader lets the journal grow longer.
        growth = max(GROWN, self._settings.history)
        # A venue that was just opened has no snapshot: its first one is no sooner than others.
        first = clock() + self._settings.snapshot_ms / 1000 / LOOKS_A_TURN
        while True:
            await asyncio.sleep(self._pause)
            try:
                alone = await self._store.archive.is_alone()
                seq = (await self._store.tip()).seq
                due = clock() >= first or seq >= growth
                if alone and due and await self._is_my_turn(seq, growth):
                    copied = await self._copied()
                    began = clock()
                    if copied is None:
                        copied = await recover(self._store, self._files, logging.DEBUG)
                    await self._take(copied, began, PAUSE_FACTOR)
            except StoreError as error:
                log.warning("No snapshot: %s", error)

    def passed(self, replica: Replica) -> None:
        """Call it for a leader now and then, when all that the replica holds is in the journal.

        O(1); O(orders + positions) where a copy is wanted, and those are few.
        """
        if self._wanted is None or self._wanted.done():
            return
        exchange = replica.exchange
        few = len(exchange.orders) <= COPIED and len(exchange.positions.holders()) <= COPIED
        self._wanted.set_result(replica.copy() if few else None)

    async def _copied(self) -> Replica | None:
        """A copy of the leader's state as soon as there may be one; None where that is large."""
        self._wanted = asyncio.get_running_loop().create_future()
        try:
            return await self._wanted
        finally:
            self._wanted = None

    @property
    def _pause(self) -> float:
        return min(LOOK_SECONDS, self._settings.snapshot_ms / 1000 / LOOKS_A_TURN)

    async def _is_my_turn(self, seq: int, growth: int) -> bool:
        clock = asyncio.get_running_loop().time
        if clock() < self._look_at or seq in (0, self._last):
            return False
        self._look_at = clock() + self._pause
        try:
            return await self._store.archive.take_turn(self._settings.snapshot_ms, seq, growth)
        except StoreError as error:
            log.warning("No snapshot: %s", error)
            return False

    async def _take(self, replica: Replica, began: float, pause_factor: int) -> None:
        archive = self._store.archive
        head = Header(
            replica.seq,
            replica.chain,
            replica.epoch,
            self._store.highest_id,
            self._now_ns() // 1_000_000,
        )
        try:
            # Another instance may have been here; the files are of this one's own machine.
            if await archive.newest() != head.seq:
                await archive.write(head, dump_parts(replica.exchange), self._settings.history)
            await self._write_files(head, replica)
            took = asyncio.get_running_loop().time() - began
            took_ms = round(took * 1000)
            next_ms = max(self._settings.snapshot_ms - took_ms, took_ms * PAUSE_FACTOR)
            await archive.end_turn(next_ms, took_ms * pause_factor)
            trimmed, told = 0, 0
            # A journal that is no longer than that is left whole.
            if head.seq > self._settings.history:
                trimmed = await archive.trim(self._settings.history)
                told = await archive.trim_fills(self._settings.fills_kept)
        except StoreError as error:
            log.warning("No snapshot: %s", error)
            return
        self._last = head.seq
        words = "Snapshot %d took %.2f s; trimmed %d entries and %d fills"
        log.debug(words, head.seq, took, trimmed, told)

    async def _write_files(self, head: Header, replica: Replica) -> None:
        if self._files is None:
            return
        try:
            await self._files.write(head, replica.exchange)
        except OSError as error:
            log.warning("No snapshot files in %s: %s", self._files.directory, error.strerror)
