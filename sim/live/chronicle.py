"""What a run's venue tells, into the recording while it is told."""

from collections.abc import AsyncIterator

from matchbox_tui.store import Entry, Keys, Link
from matchbox_tui.store.journal import VERSION
from sim.audit.replies import published_hash
from sim.recording import Moment, RunWriter, StreamEntry

PAGE = 2000


class Chronicle:
    """Records the journal as it is seen, and fills and hashes whenever it looks for them.

    What is seen before `begin` and after `hold` waits; `end` takes of it what happened by then.
    """

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys
        self._writer: RunWriter | None = None
        self._waiting: list[StreamEntry] = []
        self._fill = self._hash = "-"
        """Where to go on reading."""

    def see(self, entry: Entry) -> None:
        """An entry of the journal, as it stands there."""
        flat = [b"v", VERSION, b"e", b"%d" % entry.epoch, b"c", entry.chain.encode()]
        found = StreamEntry(b"%d-0" % entry.seq, [*flat, b"b", entry.blob])
        if self._writer is None:
            self._waiting.append(found)
        else:
            self._writer.entry(found)

    def begin(self, writer: RunWriter) -> None:
        """From now on everything goes there."""
        self._writer = writer
        for entry in self._waiting:
            writer.entry(entry)
        self._waiting = []

    def hold(self) -> None:
        """What comes from now on is perhaps no more of this run."""
        self._writer = None

    async def end(self, writer: RunWriter, moment: Moment) -> None:
        """The run ended at this moment. Raises a `StoreError`."""
        last = moment.cursor[0]
        for entry in self._waiting:
            if int(entry.id.partition(b"-")[0]) <= last:
                writer.entry(entry)
        await self._read(writer)

    async def refresh(self) -> None:
        """Reads what fills and hashes there are by now. Raises a `StoreError`."""
        if self._writer is not None:
            await self._read(self._writer)

    async def _read(self, writer: RunWriter) -> None:
        async for page in self._pages(self._keys.fills_stream, self._fill):
            writer.fills(page)
            self._fill = f"({page[-1].id.decode()}"
        async for page in self._pages(self._keys.hashes, self._hash):
            for one in filter(None, map(published_hash, page)):
                writer.hash(one)
            self._hash = f"({page[-1].id.decode()}"

    async def _pages(self, key: str, start: str) -> AsyncIterator[list[StreamEntry]]:
        while True:
            reply = await self._link.call("XRANGE", key, start, "+", "COUNT", PAGE)
            page = [StreamEntry(entry_id, flat) for entry_id, flat in reply]
            if page:
                yield page
                start = f"({page[-1].id.decode()}"
            if len(page) < PAGE:
                return
