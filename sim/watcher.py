"""Somebody who watches a venue's journal from outside and looks at the clock."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Client, Entry, JournalBroken, StoreError, chained

RETRY_SECONDS = 0.005


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """A journal entry as it arrived here; `at` is this process's monotonic clock in seconds."""

    seq: int
    epoch: int
    chain: str
    at: float


class Watcher:
    """Follows a journal from its beginning through the death of leaders and servers.

    It folds nothing, but it checks that each entry continues the one before it, and it keeps what
    it saw: a journal that turns out otherwise later was altered.
    """

    def __init__(self, client: Client, saw: Callable[[Entry], None] | None = None) -> None:
        """`saw` is called with each entry."""
        self._client = client
        self._saw = saw
        self._news = asyncio.Event()
        self.sightings: list[Sighting] = []
        self.fills = 0
        self.broken: str | None = None
        """Why the journal is none, once it is not."""

    @property
    def seq(self) -> int:
        """The last command that was seen in the journal."""
        return self.sightings[-1].seq if self.sightings else 0

    def mark(self) -> int:
        """This moment, for `first`."""
        return len(self.sightings)

    async def run(self) -> None:
        """Watches until it is cancelled, or until the journal breaks."""
        while True:
            try:
                async for entry in self._client.entries(self.seq):
                    self._see(entry)
            except JournalBroken as error:
                self.broken = str(error)
                self._news.set()
                return
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)

    async def first(
        self, fits: Callable[[Sighting], bool], since: int, seconds: float
    ) -> Sighting | None:
        """The first entry since a `mark` that fits; None where there is none within `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            self._news.clear()
            for sighting in self.sightings[since:]:
                if fits(sighting):
                    return sighting
            since = len(self.sightings)
            left = deadline - time.monotonic()
            if self.broken is not None or left <= 0:
                return None
            waiting = asyncio.ensure_future(self._news.wait())
            await asyncio.wait((waiting,), timeout=left)
            waiting.cancel()

    def _see(self, entry: Entry) -> None:
        at = time.monotonic()
        last = self.sightings[-1] if self.sightings else Sighting(0, 0, "", at)
        if entry.first_seq != last.seq + 1:
            raise JournalBroken(f"the journal has {entry.first_seq} after {last.seq}")
        if entry.chain != chained(last.chain, entry.blob):
            raise JournalBroken(f"the journal's chain breaks at {entry.first_seq}")
        if entry.epoch < last.epoch:
            raise JournalBroken(
                f"the epoch falls from {last.epoch} to {entry.epoch} at {entry.first_seq}"
            )
        self.fills += sum(isinstance(event, TradeExecuted) for event in entry.events)
        self.sightings.append(Sighting(entry.seq, entry.epoch, entry.chain, at))
        if self._saw is not None:
            self._saw(entry)
        self._news.set()
