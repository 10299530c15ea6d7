"""The time of a run that goes on."""

import asyncio
import time


class RunTime:
    """A run's own time: ns since its `start`, which is in ns since the epoch; by a clock that
    nobody sets.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self._zero = time.monotonic_ns() + start - time.time_ns()

    def now(self) -> int:
        """Never below 0."""
        return max(0, time.monotonic_ns() - self._zero)

    def at(self, monotonic_s: float) -> int:
        """The time of a moment by the monotonic clock."""
        return max(0, int(monotonic_s * 1e9) - self._zero)

    async def until(self, at: int) -> None:
        """Waits for a time of the run."""
        await asyncio.sleep(max(0, self._zero + at - time.monotonic_ns()) / 1e9)
