"""Which copy of a consumer works. The others stand by, and take over when it goes."""

import asyncio
import logging

from matchbox_tui.store import Registration

log = logging.getLogger(__name__)

LEASE_MS = 5000
"""How long a copy that shows no sign of life is waited for."""

RENEWALS_A_LEASE = 5


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
        before = self._holder
        self._holder = await self._registration.take(self._lease_ms)
        self._look_at = clock + self._lease_ms / 1000 / RENEWALS_A_LEASE
        if self._holder != before:
            self._say()
        return self.ours

    async def pause(self) -> None:
        """Waits until it is time to look again."""
        clock = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._look_at - clock))

    async def leave(self) -> None:
        """Lets another copy take over at once. Raises `StoreError`."""
        if self.ours:
            self._holder = ""
            await self._registration.leave()

    def _say(self) -> None:
        name = self._registration.name
        if self.ours:
            log.info("Working as %s (%s)", name, self._registration.copy)
        else:
            log.info("Standing by as %s: %s works", name, self._holder)
