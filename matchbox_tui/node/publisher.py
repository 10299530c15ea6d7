"""Tells the world of fills: the cold path inside the node that leads.

Fed by a bounded channel that never makes the leader wait. Where the channel overflowed, where
the stream failed, and after a change of leader it reads what it missed from the journal. Each
fill goes under its own id, after the one that this publisher put there last and only while its
commit is in the journal, so it is there exactly once, even where the store was set back.
"""

import asyncio
import contextlib
import logging

from matchbox_tui.engine import Event, TradeExecuted
from matchbox_tui.node.recovery import next_read
from matchbox_tui.store import FillMessage, Store, StoreError, Tip, fill_message

log = logging.getLogger(__name__)

CHANNEL_EVENTS = 20_000
"""Events that may wait in the channel; more are read from the journal later. Not counted in
commits: under load a thousand of them are a hundred megabytes.
"""

EVENTS_AT_ONCE = 2000
"""Commits that wait are told together, up to about so many events: two full commits. Each call
waits for its turn beside the leader's: with one a commit, who has fallen behind never catches up.
"""

RETRY_SECONDS = 0.2
NOTE_SECONDS = 1.0
FINISH_SECONDS = 0.2


class Publisher:
    """Publishes the fills of a lead. `offer` is called after each commit, `run` is its task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._channel: asyncio.Queue[tuple[int, Tip, list[Event]]] = asyncio.Queue()
        self.waiting_events = 0
        """That are in the channel."""
        self._overflowed = False
        self._seq = 0
        self._last = (0, -1)
        self._note_at = 0.0

    def offer(self, first_seq: int, after: Tip, events: list[Event]) -> None:
        """Hands over what was committed. Never waits; O(1)."""
        if self.waiting_events and self.waiting_events + len(events) > CHANNEL_EVENTS:
            self._overflowed = True
        if self._overflowed:
            # What is in the channel stays without a gap.
            return
        self.waiting_events += len(events)
        self._channel.put_nowait((first_seq, after, events))

    async def run(self) -> None:
        """Publishes until cancelled. Survives errors of the store."""
        while True:
            try:
                await self._resume()
                while True:
                    await self._publish_next()
                    await self._note()
            except _Overtaken:
                continue
            except StoreError as error:
                log.warning("Publishing fills is held up: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def finish(self) -> None:
        """Waits, for a moment, until what was offered is published.

        What is not, the next leader's publisher finds in the journal.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS):
                await self._channel.join()

    async def _resume(self) -> None:
        """Starts after the last fill that is in the stream, from the journal."""
        self._last = await self._store.last_published()
        self._seq = max(0, self._last[0] - 1)
        limit = 1
        while entries := await self._store.read(self._seq, limit):
            began, end = self._seq, entries[-1]
            events = [event for entry in entries for event in entry.events]
            await self._tell(Tip(end.seq, end.chain), events)
            limit = next_read(limit, len(entries), end.seq - began)
        self._note_at = 0.0
        await self._note()

    async def _note(self) -> None:
        """Says now and then how far it is, so that the journal can be trimmed up to there."""
        clock = asyncio.get_running_loop().time()
        if clock >= self._note_at:
            await self._store.published(self._seq)
            self._note_at = clock + NOTE_SECONDS

    async def _publish_next(self) -> None:
        first_seq, after, events = await self._channel.get()
        taken = 1
        if not self._channel.empty():
            # The list that was offered is its offerer's.
            events = events.copy()
        while len(events) < EVENTS_AT_ONCE and not self._channel.empty():
            _, after, more = self._channel.get_nowait()
            events += more
            taken += 1
        self.waiting_events -= len(events)
        try:
            await self._publish(first_seq, after, events)
        finally:
            for _ in range(taken):
                self._channel.task_done()

    async def _publish(self, first_seq: int, after: Tip, events: list[Event]) -> None:
        if first_seq > self._seq + 1 or (self._overflowed and self._channel.empty()):
            self._overflowed = False
            await self._resume()
        elif after.seq > self._seq:
            await self._tell(after, events)

    async def _tell(self, commit: Tip, events: list[Event]) -> None:
        """Raises `_Overtaken` where it must look again at what is there."""
        fills = fills_of(events, self._last)
        if fills:
            if not await self._store.publish(commit, self._last, fills):
                raise _Overtaken
            seq, n, _ = fills[-1]
            self._last = seq, n
        self._seq = commit.seq


class _Overtaken(Exception):
    """Another leader's publisher was faster, or the store was set back."""


def fills_of(events: list[Event], after: tuple[int, int]) -> list[tuple[int, int, FillMessage]]:
    """The fills whose (seq, n) comes after `after`."""
    return [
        (event.seq, event.n, fill_message(event))
        for event in events
        if isinstance(event, TradeExecuted) and (event.seq, event.n) > after
    ]
