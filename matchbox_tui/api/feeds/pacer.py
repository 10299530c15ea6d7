"""When channels are written to their members: a lone message at once, many together."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Protocol

log = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.1

REST = 3
"""A pause is so many times as long as the writing before it took, so that the feeds leave most of
the loop's time to the engine and to requests.
"""

SLICE_SECONDS = 0.005
"""How long is written before others get their turn."""


class Paced(Protocol):
    def flush(self) -> Iterator[None]:
        """Writes a bounded amount to each member, with a stop after each."""

    def fail(self) -> None:
        """Gives up its members, after an error of ours."""

    @property
    def has_more(self) -> bool:
        """Whether something waits to be written."""


class Pacer:
    """Writes the channels that have something to say, all of them together.

    The first message after a pause goes at once. What comes while others are written, or in the
    pause after that, waits, and is joined.
    """

    def __init__(self) -> None:
        self._due: dict[Paced, None] = {}
        self._task: asyncio.Task[None] | None = None

    def wake(self, channel: Paced) -> None:
        """Has the channel written soon. O(1)."""
        self._due[channel] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def forget(self, channel: Paced) -> None:
        self._due.pop(channel, None)

    async def _run(self) -> None:
        try:
            while self._due:
                channels, self._due = self._due, {}
                took = 0.0
                for channel in channels:
                    took += await self._write(channel)
                    if channel.has_more:
                        self._due[channel] = None
                pause = took if self._due else REST * took
                await asyncio.sleep(min(max(pause, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))
        finally:
            self._task = None

    async def _write(self, channel: Paced) -> float:
        """Returns how long it took, without the time that others had."""
        clock = asyncio.get_running_loop().time
        took = 0.0
        started = clock()
        try:
            for _ in channel.flush():
                spent = clock() - started
                if spent > SLICE_SECONDS:
                    took += spent
                    await asyncio.sleep(0)
                    started = clock()
        except Exception:
            log.exception("A feed's members are disconnected after an unexpected error")
            channel.fail()
        return took + clock() - started
