"""Which copy of a consumer works. The others stand by, and take over when it goes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from matchbox_tui.store import Registration, StoreError

log = logging.getLogger(__name__)

LEASE_MS = 5000
"""How long a copy that shows no sign of life is waited for."""

RENEWALS_A_LEASE = 5

LONGEST_STEP_SECONDS = 120.0
"""How long a step may take that is `renewed`: a copy whose database hangs must not keep its turn.
"""


class Duty:
    """A copy's turn at its consumer's work.

    It only spares the copies from working against each other: two may think for a moment that the
    turn is theirs, so the results need a guard of their own.
    """

    def __init__(self, registration: Registration, lease_ms: int = LEASE_MS) -> None:
        self._registration = registration
        self._lease_ms = lease_ms
        self._look_at = 0.0
        self._holder = ""
        self._said = ""

    @property
    def ours(self) -> bool:
        return self._holder == self._registration.copy

    @property
    def is_anothers(self) -> bool:
        """Whether another copy worked when this one last looked."""
        return self._holder not in ("", self._registration.copy)

    async def look(self) -> bool:
        """Whether the work is this copy's; to be called all the time while working or waiting.

        Asks the server a few times in a lease, and says whose turn it is when that has changed.
        Raises `StoreError`.
        """
        clock = asyncio.get_running_loop().time()
        if clock < self._look_at:
            return self.ours
        self._holder = await self._registration.take(self._lease_ms)
        self._look_at = clock + self._lease_ms / 1000 / RENEWALS_A_LEASE
        if self._holder != self._said:
            self._say()
        return self.ours

    @contextlib.asynccontextmanager
    async def renewed(self, seconds: float = LONGEST_STEP_SECONDS) -> AsyncIterator[None]:
        """Goes on looking while the block runs, for a step that may take longer than the lease.

        Without, two copies that both need so long to begin would take the work from each other for
        ever. The loop must be let run in the block.
        """
        renewing = asyncio.ensure_future(self._renew(seconds))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait((renewing,))

    async def pause(self) -> None:
        """Waits until it is time to look again."""
        clock = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._look_at - clock))

    async def leave(self) -> None:
        """Lets another copy take over at once. Raises `StoreError`."""
        if self.ours:
            self._holder = ""
            await self._registration.leave()

    async def _renew(self, seconds: float) -> None:
        every = self._lease_ms / 1000 / RENEWALS_A_LEASE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await asyncio.sleep(every)
                    # Whoever runs the block finds out by itself that the server is lost.
                    with contextlib.suppress(StoreError):
                        await self.look()

    def _say(self) -> None:
        self._said = self._holder
        name = self._registration.name
        if self.ours:
            log.info("Working as %s (%s)", name, self._registration.copy)
        else:
            log.info("Standing by as %s: %s works", name, self._holder)
