"""Keeps the view at the journal's tip, through every loss of the connection."""

import asyncio
import contextlib
import gc
import logging

from matchbox_tui.api.view import VenueView
from matchbox_tui.store import Client, ClusterStatus, JournalBroken, StoreError

log = logging.getLogger(__name__)

SLICE_SECONDS = 0.005
"""How long a burst of entries is folded before requests get their turn."""

PULSE_SECONDS = 0.5
FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 1.0


class Reader:
    """Follows the journal into a view, and knows how fresh that is."""

    def __init__(self, client: Client, view: VenueView) -> None:
        self._client = client
        self._view = view
        self._fresh_at: float | None = None
        self._asking: asyncio.Task[ClusterStatus] | None = None
        self._goal: tuple[int, float] | None = None
        self._frozen = False
        self.status: ClusterStatus | None = None
        """The venue's status when it was last asked."""
        self.caught_up = asyncio.Event()
        """Set once the view has been at the journal's tip."""

    @property
    def age_ms(self) -> int | None:
        """How long ago the view was last known to show all there was; None if it never did."""
        if self._fresh_at is None:
            return None
        return int((asyncio.get_running_loop().time() - self._fresh_at) * 1000)

    @property
    def lag(self) -> int:
        """Commands that are in the journal, as far as is known, and not in the view."""
        return max(0, self.status.seq - self._view.seq) if self.status is not None else 0

    async def reach(self, seq: int, seconds: float) -> bool:
        """Waits until the view shows the journal up to `seq`, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._view.seq < seq:
                    await self._view.moves()
        return self._view.seq >= seq

    async def run(self) -> None:
        """Reads until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_for_ever())
                tasks.create_task(self._feel_pulse())
        finally:
            if self._asking is not None:
                self._asking.cancel()
                await asyncio.gather(self._asking, return_exceptions=True)

    async def ask(self) -> ClusterStatus:
        """The venue's status as it is now; callers that come together share one answer.

        Raises `StoreError`.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
            # Whoever asked may be gone by the time it fails.
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._asking)

    async def ask_anew(self) -> ClusterStatus:
        """As `ask`, but never with an answer that was on its way already. Raises `StoreError`."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait((self._asking,))
        return await self.ask()

    async def _ask(self) -> ClusterStatus:
        shown, asked_at = self._view.seq, asyncio.get_running_loop().time()
        self.status = status = await self._client.cluster()
        # Where the tip is behind what was shown before, the store was set back, and what is shown
        # is not what there is. A tip that is ahead is one to be reached, under load as well.
        if status.seq >= shown and (self._goal is None or status.seq < self._goal[0]):
            self._goal = status.seq, asked_at
            self._look()
        return status

    def _look(self) -> None:
        """Takes note where the view shows all there was when the server was asked."""
        if self._goal is None or not self._view.adopted or self._view.seq < self._goal[0]:
            return
        self._fresh_at, self._goal = self._goal[1], None
        if not self._frozen:
            # What lives now lives long: the collector need not look at it again and again.
            gc.freeze()
            self._frozen = True
        self.caught_up.set()

    async def _follow_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        pause = FIRST_RETRY_SECONDS
        void = True
        said = ""
        while True:
            began = clock()
            try:
                if void:
                    await self._begin()
                    void = False
                await self._follow()
            except JournalBroken as error:
                if str(error) != said:
                    log.error("Reading the journal anew: %s", error)
                    said = str(error)
                void = True
            except StoreError as error:
                if str(error) != said:
                    log.warning("The journal can't be read: %s", error)
                    said = str(error)
            except Exception:
                log.exception("Reading the journal anew after an unexpected error")
                void = True
            if self._fresh_at is not None and self._fresh_at > began:
                pause, said = FIRST_RETRY_SECONDS, ""
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY_SECONDS)

    async def _begin(self) -> None:
        """Puts a state in the view from which the journal can be followed."""
        self._goal = None
        replica = await self._client.restore(oldest=True)
        # Orders refer to each other: only the collector can free those that the view had. An engine
        # in this process freezes them too.
        gc.unfreeze()
        self._frozen = False
        await self._view.adopt(replica)
        self._look()

    async def _follow(self) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        async for entry in self._client.follow(self._view.replica):
            self._view.fold(entry)
            self._look()
            if clock() - started > SLICE_SECONDS:
                await asyncio.sleep(0)
                started = clock()

    async def _feel_pulse(self) -> None:
        while True:
            try:
                await self.ask()
            except StoreError as error:
                log.debug("No pulse: %s", error)
            except Exception:
                log.exception("No pulse")
            await asyncio.sleep(PULSE_SECONDS)
