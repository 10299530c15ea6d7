"""Looking at a running venue now and then."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from matchbox_tui.store import Keys, Link, StoreError
from sim.audit.replies import whole
from sim.live.chronicle import Chronicle
from sim.live.run_time import RunTime
from sim.recording import RunWriter, Sample

EVERY_S = 0.1
DENSE_S = 0.01
"""How long from one sample to the next, and while there is a fault."""

TOLD_NS = 250_000_000
"""How long from one telling of how far it is to the next."""


class Sampler:
    """Records how the venue stands, and tells it now and then. `dense` is set from outside."""

    def __init__(
        self, link: Link, keys: Keys, clock: RunTime, told: Callable[[Sample], None] | None
    ) -> None:
        self.dense = False
        self.last = Sample(0, 0, 0, "", 0)
        self._link = link
        self._keys = keys
        self._clock = clock
        self._told = told
        self._told_at = 0

    async def run(self, writer: RunWriter, chronicle: Chronicle) -> None:
        """Looks until it is cancelled."""
        due = time.monotonic()
        while True:
            await self.look(writer)
            now = time.monotonic()
            if now >= due:
                due = max(due, now - EVERY_S) + EVERY_S
                # What is not told now is told at the next look.
                with contextlib.suppress(StoreError):
                    await chronicle.refresh()
            await asyncio.sleep(DENSE_S if self.dense else max(0.0, due - time.monotonic()))

    async def look(self, writer: RunWriter) -> None:
        """One sample. Where the server does not answer nobody leads, as far as anybody can say."""
        keys = self._keys
        try:
            seq, waiting, leader, epoch = await self._link.calls(
                [
                    ("HGET", keys.cursor, "seq"),
                    ("LLEN", keys.queue),
                    ("GET", keys.leader),
                    ("GET", keys.epoch),
                ]
            )
        except StoreError:
            seq, waiting, leader, epoch = (StoreError("no answer"),) * 4
        last = self.last
        self.last = sample = Sample(
            self._clock.now(),
            last.seq if isinstance(seq, Exception) else whole(seq),
            last.waiting if isinstance(waiting, Exception) else waiting,
            "" if isinstance(leader, Exception) else (leader or b"").decode(errors="replace"),
            last.epoch if isinstance(epoch, Exception) else whole(epoch),
        )
        writer.sample(sample)
        if self._told is not None and sample.at - self._told_at >= TOLD_NS:
            self._told_at = sample.at
            self._told(sample)
