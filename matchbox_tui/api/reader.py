"""Keeps the view at the journal's tip, through every loss of the connection."""

import asyncio
import contextlib
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
        self._tip = 0
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
        return max(0, self._tip - self._view.seq)

    async def reach(self, seq: int, seconds: float) -> bool:
        """Waits until the view shows the journal up to `seq`, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._view.seq < seq:
                    await self._view.moves()
        return self._view.seq >= seq

    async def run(self) -> None:
        """Reads until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_for_ever())
            tasks.create_task(self._feel_pulse())

    def saw(self, status: ClusterStatus, asked_at: float) -> None:
        """Takes an answer about the tip that was asked for at that time of the loop's clock."""
        self._tip = status.seq
        if self._view.seq >= status.seq:
            self._fresh_at = max(asked_at, self._fresh_at or asked_at)
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
                    self._view.adopt(await self._client.restore(oldest=True))
                    void = False
                await self._follow()
            except JournalBroken as error:
                log.error("Reading the journal anew: %s", error)
                void = True
            except StoreError as error:
                if str(error) != said:
                    log.warning("The journal can't be read: %s", error)
                    said = str(error)
            except Exception:
                log.exception("Reading the journal anew after an unexpected error")
                void = True
            if clock() - began > LAST_RETRY_SECONDS:
                pause, said = FIRST_RETRY_SECONDS, ""
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY_SECONDS)

    async def _follow(self) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        async for entry in self._client.follow(self._view.replica):
            self._view.fold(entry)
            if clock() - started > SLICE_SECONDS:
                await asyncio.sleep(0)
                started = clock()

    async def _feel_pulse(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            asked_at = clock()
            with contextlib.suppress(StoreError):
                self.saw(await self._client.cluster(), asked_at)
            await asyncio.sleep(PULSE_SECONDS)
