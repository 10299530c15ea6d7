"""What an engine node does about recovery: whose turn it is, writing snapshots, trimming."""

import logging
from collections.abc import AsyncIterator, Iterable

from matchbox_tui.engine import MAX_ID, Part
from matchbox_tui.store.errors import SnapshotUnusable
from matchbox_tui.store.journal import Tip, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.restore import Base, bases, check_continued
from matchbox_tui.store.snapshot import (
    Header,
    list_snapshots,
    prune_snapshots,
    write_snapshot,
)
from matchbox_tui.store.trim_scripts import TRIM, TRIM_FILLS, TURN

log = logging.getLogger(__name__)

PUBLISHER = "publisher"
"""Consumer group on the journal whose place says up to where the fills are published."""

TRIM_ENTRIES = 1000
"""Entries of a stream dropped in one call."""

FILLS_KEPT = 100_000
"""The newest fills stay, however short the journal is: some 20 MB."""


class Archive:
    """The venue's snapshots, over a connection of their own: they take their time."""

    def __init__(self, link: Link, keys: Keys, instance_id: str) -> None:
        self._link = link
        self._keys = keys
        self._instance_id = instance_id

    async def close(self) -> None:
        await self._link.close()

    def bases(self) -> AsyncIterator[Base]:
        """Where this instance can begin, newest first. Raises a `StoreError`."""
        return bases(self._link, self._keys)

    async def goes_on_from(self, place: Tip) -> bool:
        """Whether the journal continues this place, which a file tells of."""
        try:
            await check_continued(self._link, self._keys, place)
        except SnapshotUnusable as error:
            log.warning("The snapshot files of %d can't be used: %s", place.seq, error)
            return False
        return True

    async def newest(self) -> int:
        """The sequence of the newest snapshot there is, 0 where there is none."""
        return max(await list_snapshots(self._link, self._keys), default=0)

    async def take_turn(self, ms: int, seq: int = 0, growth: int = MAX_ID) -> bool:
        """Whether it is this instance's turn to take a snapshot; the next comes after `ms`.

        It may come earlier, see `end_turn`, where the journal up to this instance's `seq` has grown
        by `growth` commands since the newest snapshot. Raises a `StoreError`.
        """
        keys = (self._keys.snapshot_turn, self._keys.snapshots)
        return bool(await self._link.run(TURN, keys, (self._instance_id, ms, seq, growth)))

    async def end_turn(self, ms: int, pause_ms: int) -> None:
        """The snapshot is taken: the next comes after `ms`, and where the journal grows much, after
        `pause_ms`. Raises a `StoreError`.
        """
        ms = max(1, ms, pause_ms)
        value = f"{self._instance_id} {ms - pause_ms}"
        await self._link.call("SET", self._keys.snapshot_turn, value, "PX", ms)

    async def write(self, head: Header, parts: Iterable[Part], history: int) -> None:
        """Writes a snapshot, and drops those beyond two; see `superfluous` for `history`.

        Takes its time: the parts must not change meanwhile. Raises a `StoreError`.
        """
        await write_snapshot(self._link, self._keys, self._instance_id, head, parts)
        await prune_snapshots(self._link, self._keys, history)

    async def trim(self, history: int = 0) -> int:
        """Drops the part of the journal that nobody needs; returns how many entries.

        `history` commands before the newest snapshot stay in any case. Raises a `StoreError`.
        """
        dropped = 0
        while gone := await self._link.run(
            TRIM, (self._keys.log, self._keys.snapshots), (PUBLISHER, TRIM_ENTRIES, history)
        ):
            dropped += gone
        return dropped

    async def trim_fills(self, keep: int = FILLS_KEPT) -> int:
        """Drops fills from before the journal's beginning that nobody needs; returns how many.

        Call it after `trim`. The newest `keep` stay, and whatever a consumer group was not given
        yet or has not acknowledged. Raises a `StoreError`.
        """
        found = await self._link.call("XRANGE", self._keys.log, "-", "+", "COUNT", 1)
        if not found:
            return 0
        first = parse_entry(found[0])
        dropped = 0
        while gone := await self._link.run(
            TRIM_FILLS,
            (self._keys.fills_stream, self._keys.log),
            (f"{first.seq}-0", first.chain, first.first_seq, keep, TRIM_ENTRIES),
        ):
            dropped += gone
        return dropped

    async def is_alone(self) -> bool:
        """Whether no other instance has a heartbeat."""
        names = await self._link.call("ZRANGE", self._keys.instances, 0, -1)
        others = [name.decode() for name in names if name != self._instance_id.encode()]
        if not others:
            return True
        return not await self._link.call("EXISTS", *map(self._keys.instance, others))
