"""Evidence from a running venue, without stopping it.

What belongs together is read at one moment, in one transaction; then the journal up to that
moment's tip, whatever is committed meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from matchbox_tui.engine import Exchange, dump_parts
from matchbox_tui.store import (
    Keys,
    Link,
    Refused,
    Server,
    SnapshotUnusable,
    list_snapshots,
    load_snapshot,
)
from matchbox_tui.store.link import Reply
from sim.audit.moments import read_moment
from sim.audit.patience import LOOK_SECONDS, await_fills
from sim.audit.replies import first_seq, last_fill, place, published_hash, whole
from sim.floor import FloorRecord
from sim.recording import (
    AFTER,
    BASE,
    FILLS,
    HASHES,
    JOURNAL,
    QUEUE,
    RECORD,
    FrameWriter,
    Manifest,
    Moment,
    Place,
    PublishedHash,
    Recorder,
    RecordingError,
    StreamEntry,
)

PAGE = 64
"""Journal entries read at once: some MB at most."""

PAGE_OF_SMALL = 1000
ATTEMPTS = 5
TIMEOUT_S = 20.0
ANSWERS_SECONDS = 1.0
"""Longest wait for commits that answer what was waiting."""

COMPARED_ANSWERS = 10_000
Progress = Callable[[str], None]

_TRADE = b'{"type":"trade.executed"'


class Trimmed(Exception):
    """The journal, or the fills, were trimmed past the place where this reading of them stood."""


async def collect(
    url: str,
    prefix: str,
    directory: Path,
    record: FloorRecord | None = None,
    *,
    wait_s: float = 5.0,
    told: Progress | None = None,
) -> None:
    """Records what the venue's server holds now into a directory.

    Waits up to `wait_s` seconds for `events_stream` to get on to the journal's last fill. Raises
    a `StoreError` where the server can't be reached, `RecordingError` where nothing can be written.
    """
    link = Server(url, timeout_s=TIMEOUT_S).link("matchbox-audit")
    try:
        for _ in range(ATTEMPTS):
            try:
                await Collector(link, Keys(prefix), directory, wait_s, told).run(record)
            except Trimmed:
                continue
            return
        raise RecordingError(
            f"the journal was trimmed {ATTEMPTS} times while it was read: take snapshots less"
            " often (MATCHBOX_SNAPSHOT_INTERVAL_MS)"
        )
    finally:
        await link.close()


class Collector:
    """One reading of the venue."""

    def __init__(
        self, link: Link, keys: Keys, directory: Path, wait_s: float, told: Progress | None
    ) -> None:
        self._link = link
        self._keys = keys
        self._wait_s = wait_s
        self._told = told
        self._recorder = Recorder(directory)
        self._troubles: dict[str, str] = {}
        self._hashes: list[PublishedHash] = []
        self._first = 1

    async def run(self, record: FloorRecord | None) -> None:
        base, exchange = await self._base()
        with self._recorder.frames(BASE) as file:
            for part in dump_parts(exchange) if exchange is not None else ():
                file.part(part)
                await asyncio.sleep(0)
        exchange = None
        moment, queue = await self._moment()
        with self._recorder.frames(QUEUE) as file:
            for element in queue:
                file.raw(element)
        fills_end = await self._journal(base, moment)
        with self._recorder.frames(AFTER) as file:
            await self._answers(file, moment, min(len(queue), COMPARED_ANSWERS))
        leader = await self._leader(fills_end)
        with self._recorder.frames(FILLS) as file:
            await self._fills(file, base, moment)
        with self._recorder.frames(HASHES) as file:
            for one in self._hashes:
                file.value(one)
            await self._published(file)
        if record is not None:
            self._recorder.json(RECORD, record)
        moment = msgspec.structs.replace(moment, leader=leader, troubles=self._troubles)
        self._recorder.finish(
            Manifest(created=time.time_ns(), prefix=self._keys.prefix, base=base, moment=moment)
        )

    async def _base(self) -> tuple[Place, Exchange | None]:
        """Where the journal begins: at its first command, or after the oldest snapshot that it
        should go on from: it is never trimmed beyond that one. The other snapshots' states are
        kept as hashes.
        """
        first = self._first = await self._first_seq()
        found: tuple[Place, Exchange | None] | None = (Place(), None) if first == 1 else None
        for seq in await self._snapshots():
            try:
                head, replica = await load_snapshot(self._link, self._keys, seq)
            except SnapshotUnusable:
                # Nobody begins at it, so it harms nothing.
                continue
            if found is None:
                found = Place(seq, head.chain, head.epoch, head.order_id), replica.exchange
                continue
            state = replica.exchange.state_hash()
            self._hashes.append(
                PublishedHash(str(seq), "snapshot", head.epoch, seq, state, head.chain)
            )
        return found if found is not None else (Place(), None)

    async def _first_seq(self) -> int:
        """The first command that the journal still has, or would have next."""
        log, seq = await self._link.calls(
            [
                ("XRANGE", self._keys.log, "-", "+", "COUNT", 1),
                ("HGET", self._keys.cursor, "seq"),
            ]
        )
        if log and not isinstance(log, Exception):
            return first_seq(log[0])
        return 1 + (0 if isinstance(seq, Exception) else whole(seq))

    async def _snapshots(self) -> list[int]:
        try:
            return await list_snapshots(self._link, self._keys)
        except Refused:
            return []

    async def _moment(self) -> tuple[Moment, list[bytes]]:
        moment, queue = await read_moment(self._link, self._keys)
        self._troubles |= moment.troubles
        return moment, queue

    async def _journal(self, base: Place, moment: Moment) -> tuple[int, int]:
        """Writes the journal from the base to the moment's tip; the place of its last fill."""
        last_trade: StreamEntry | None = None
        expected = base.seq + 1
        with self._recorder.frames(JOURNAL) as file:
            start = f"({base.seq}-0" if base.seq else "-"
            async for entry in self._entries(self._keys.log, start, moment.last_entry, PAGE):
                first = first_seq((entry.id, entry.flat))
                if first != expected and await self._first_seq() > self._first:
                    raise Trimmed
                expected = place(entry.id)[0] + 1
                file.value(entry)
                if any(_TRADE in value for value in entry.flat):
                    last_trade = entry
                self._tell(f"read {expected - 1:,} of {moment.cursor[0]:,} commands")
        return last_fill(last_trade)

    async def _entries(
        self, key: str, start: str, end: str, page: int
    ) -> AsyncIterator[StreamEntry]:
        while end:
            reply = await self._link.call("XRANGE", key, start, end, "COUNT", page)
            for entry_id, flat in reply:
                yield StreamEntry(entry_id, flat)
                start = f"({entry_id.decode()}"
            if len(reply) < page:
                return

    async def _answers(self, file: FrameWriter, moment: Moment, waiting: int) -> None:
        """The commits after the moment that answer what waited then, as far as they come soon."""
        seq = moment.cursor[0]
        last = seq + waiting
        deadline = time.monotonic() + ANSWERS_SECONDS
        start = f"({moment.last_entry}" if moment.last_entry else "-"
        while seq < last and "journal" not in self._troubles:
            async for entry in self._entries(self._keys.log, start, "+", PAGE):
                file.value(entry)
                seq, start = place(entry.id)[0], f"({entry.id.decode()}"
                if seq >= last:
                    return
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _leader(self, fills_end: tuple[int, int]) -> str | None:
        """Who leads, once the fills are published, or that was given up."""
        if "fills" in self._troubles:
            return None
        try:
            return await await_fills(self._link, self._keys, fills_end, self._wait_s)
        except Refused as error:
            self._note("fills", error)
            return None

    async def _fills(self, file: FrameWriter, base: Place, moment: Moment) -> None:
        if "fills" in self._troubles:
            return
        start = f"{base.seq + 1}-0" if base.seq else "-"
        end = max(
            moment.cursor[0], place(moment.last_entry.encode())[0] if moment.last_entry else 0
        )
        if moment.last_fill:
            end = max(end, place(moment.last_fill.encode())[0])
        key = self._keys.fills_stream
        async for entry in self._entries(key, start, str(end), PAGE_OF_SMALL):
            file.value(entry)
        left = await self._link.call("XRANGE", key, "-", "+", "COUNT", 1)
        whole_from = place(left[0][0])[0] if left else end + 1
        # Fills are never trimmed further than the journal is.
        if whole_from > base.seq + 1 and await self._first_seq() > self._first:
            raise Trimmed

    async def _published(self, file: FrameWriter) -> None:
        try:
            async for entry in self._entries(self._keys.hashes, "-", "+", PAGE_OF_SMALL):
                found = published_hash(entry)
                if found is not None:
                    file.value(found)
        except Refused as error:
            self._note("hashes", error)

    def _note(self, what: str, reply: Reply) -> None:
        """Notes why a key can't be read, where the reply says so."""
        if isinstance(reply, Exception):
            self._troubles.setdefault(what, " ".join(str(reply).split()))

    def _tell(self, words: str) -> None:
        if self._told is not None:
            self._told(words)
