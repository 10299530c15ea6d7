"""One instance's life: follower, catching up, leading, and round again."""

import asyncio
import contextlib
import enum
import gc
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from matchbox_tui.engine import Market
from matchbox_tui.node.follower import catch_up, follow
from matchbox_tui.node.hashes import HashMarks
from matchbox_tui.node.leader import Deposed, Leader
from matchbox_tui.node.recovery import recover
from matchbox_tui.node.settings import Settings
from matchbox_tui.node.snapshotter import Snapshotter
from matchbox_tui.store import (
    InDoubt,
    JournalBroken,
    Replica,
    SnapshotFiles,
    Store,
    StoreError,
    StoreSetBack,
    Tenure,
    Unreachable,
)

T = TypeVar("T")

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 0.25
RECOVERIES = 3
"""An instance ends where it fails so many times in a row to recover its state."""


class Role(enum.StrEnum):
    FOLLOWER = "follower"
    CATCHING_UP = "catching_up"
    LEADING = "leading"


class Node:
    """An engine instance. `run` returns after `stop`; whatever else happens, it goes on.

    Its only clocks are the event loop's and `now_ns`, its only world is the store: on a loop and
    a store of a test's making it does the same again and again.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        markets: tuple[Market, ...] = (),
        now_ns: Callable[[], int] = time.time_ns,
        files: SnapshotFiles | None = None,
    ) -> None:
        self.store = store
        self.settings = settings if settings is not None else Settings()
        self.replica = Replica()
        self.role = Role.FOLLOWER
        self.epoch = 0
        self._markets = markets
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._now_ns = now_ns
        self._started = now_ns()
        self._hashes = HashMarks(self.settings.hash_every)
        self._snapshotter = Snapshotter(store, self.settings, files, now_ns)
        self._files = files
        self._void = True

    def stop(self) -> None:
        """Asks for a clean end: the commit under way is finished and the lead released."""
        self._stopping.set()

    async def run(self) -> None:
        """Lives until `stop`. Raises `JournalBroken` where the state can't be recovered."""
        log.info("Engine instance %s stands by", self.store.instance_id)
        beating = asyncio.ensure_future(self._beat())
        try:
            await self._live()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            with contextlib.suppress(StoreError):
                await self.store.depart()
            await self.store.close()

    async def _live(self) -> None:
        clock = asyncio.get_running_loop().time
        pause = RETRY_SECONDS
        failed = 0
        said = ""
        while not self._stopping.is_set():
            began = clock()
            try:
                if self._void:
                    await self._recover()
                    failed = 0
                else:
                    await self._serve_once()
            except StoreSetBack as error:
                log.error("%s", error)
                self._discard()
            except JournalBroken as error:
                # What this instance holds may be the wrong one of the two, and what it read may
                # have been trimmed meanwhile.
                failed += 1
                if failed == RECOVERIES:
                    raise
                log.error("Starting over from the journal: %s", error)
                self._discard()
                await asyncio.sleep(RETRY_SECONDS)
            except Deposed as error:
                log.warning("No longer leader: %s", error)
            except StoreError as error:
                if clock() - began > LONGEST_RETRY_SECONDS:
                    pause, said = RETRY_SECONDS, ""
                if str(error) != said:
                    log.warning("%s", error)
                    said = str(error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stopping.wait()
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)
            except Exception:
                # Whatever it was, a follower with a fresh state is always right.
                log.exception("Unexpected error; starting over as a follower")
                self._discard()
                await asyncio.sleep(pause)

    def _discard(self) -> None:
        """Forgets the state; the next thing is to recover it."""
        # Orders refer to each other: only the collector can free them, and it passes by the frozen.
        gc.unfreeze()
        self.replica = Replica()
        self._void = True

    async def _recover(self) -> None:
        """Brings the state up to the journal's tip, unless this instance is to stop."""
        self._enter(Role.FOLLOWER, self.replica.epoch)
        recovered = await self._unless_stopped(recover(self.store, self._files))
        if recovered is not None:
            self.replica = recovered
            self._void = False
            gc.collect()
            gc.freeze()

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of work that may be dropped half way, None where it was."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for future in (working, stopping):
                future.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    async def _serve_once(self) -> None:
        """Follows until elected, then leads until stopped or deposed."""
        self._enter(Role.FOLLOWER, self.replica.epoch)
        tenure = await follow(
            self.store,
            self.settings,
            self.replica,
            self._stopping,
            self._hashes,
            self._snapshotter,
        )
        if tenure is not None:
            await self._reign(tenure)

    async def _reign(self, tenure: Tenure) -> None:
        self._enter(Role.CATCHING_UP, tenure.epoch)
        work = asyncio.ensure_future(self._lead(tenure))
        renewing = asyncio.ensure_future(self._renew(tenure.epoch))
        try:
            try:
                await asyncio.wait((work, renewing), return_when=asyncio.FIRST_COMPLETED)
                (work if work.done() else renewing).result()
            finally:
                for future in (work, renewing):
                    future.cancel()
                await asyncio.gather(work, renewing, return_exceptions=True)
                self._enter(Role.FOLLOWER, tenure.epoch)
        except (InDoubt, Unreachable, Deposed) as error:
            raise await self._verdict(error, tenure.epoch) from None
        finally:
            with contextlib.suppress(StoreError):
                await self.store.release(tenure.epoch)

    async def _verdict(
        self, error: InDoubt | Unreachable | Deposed, epoch: int
    ) -> StoreError | Deposed:
        """Why a lead ended. Who lost the server may have been held up for so long that another
        leads by now: only the store can tell.
        """
        refused = str(error)
        try:
            if not isinstance(error, Deposed):
                if await self.store.renew(epoch, self.settings.lease_ms):
                    return error
                refused = f"the lease of epoch {epoch} is not renewed"
            now = (await self.store.view()).epoch
        except StoreError:
            return error
        return Deposed(f"{refused}; epoch {now} leads")

    async def _lead(self, tenure: Tenure) -> None:
        await self._unless_stopped(catch_up(self.store, self.replica, tenure))
        if self._stopping.is_set():
            return
        # What lives now lives long: the collector need not look at it again. To collect first
        # would cost more time than all the rest of taking over.
        gc.freeze()
        self._enter(Role.LEADING, tenure.epoch)
        log.info("Became engine leader: %s, epoch %d", self.store.instance_id, tenure.epoch)
        leader = Leader(
            self.store,
            self.settings,
            self.replica,
            tenure.epoch,
            self._markets,
            self._stopping,
            self._now_ns,
            self._hashes,
            self._snapshotter,
        )
        try:
            await leader.run()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            if not leader.clean:
                self._discard()

    async def _renew(self, epoch: int) -> None:
        """Keeps the lease. Runs on the loop it vouches for, so that a hung one loses it."""
        while True:
            await asyncio.sleep(self.settings.renew_ms / 1000)
            if not await self.store.renew(epoch, self.settings.lease_ms):
                raise Deposed(f"the lease of epoch {epoch} is not renewed")

    def _enter(self, role: Role, epoch: int) -> None:
        self.role = role
        self.epoch = epoch
        self._changed.set()

    async def _beat(self) -> None:
        """Tells the others every `renew_ms`, and at once after a change of role."""
        while True:
            self._changed.clear()
            try:
                await self.store.heartbeat(
                    self.role.value,
                    self.epoch,
                    os.getpid(),
                    socket.gethostname(),
                    self.replica.seq,
                    self._started,
                    2 * self.settings.lease_ms,
                )
                hashes = self._hashes.take()
                if hashes:
                    await self.store.report_hashes(self.role.value, self.epoch, hashes)
            except StoreError as error:
                log.debug("No heartbeat: %s", error)
            except Exception:
                # An instance whose heart stands still would be missed by everybody.
                log.exception("No heartbeat")
            # Not wait_for: in Python 3.11 it swallows a cancel that comes with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.renew_ms / 1000):
                    await self._changed.wait()
