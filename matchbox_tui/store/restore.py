"""Where a reader can begin: snapshots that hold and that the journal goes on from."""

import logging
from collections.abc import AsyncIterator

import msgspec

from matchbox_tui.store.errors import SnapshotUnusable
from matchbox_tui.store.journal import Entry, Tip, chained, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.snapshot import list_snapshots, load_snapshot

log = logging.getLogger(__name__)


class Base(msgspec.Struct, frozen=True):
    """A state from which the journal can be followed, and the highest order id it knew of."""

    replica: Replica
    order_id: int = 0


async def bases(link: Link, keys: Keys, *, oldest: bool = False) -> AsyncIterator[Base]:
    """The places to begin at, newest first (or oldest first), the journal's beginning among them.

    What can't be used is skipped and said. Raises a `StoreError` where the server is lost.
    """
    seqs = [0, *await list_snapshots(link, keys)]
    for seq in seqs if oldest else reversed(seqs):
        if seq == 0:
            if await _has_its_beginning(link, keys):
                yield Base(Replica())
            continue
        try:
            base = await _of_snapshot(link, keys, seq)
            await check_continued(link, keys, base.replica.tip)
        except SnapshotUnusable as error:
            log.warning("Snapshot %d can't be used: %s", seq, error)
        else:
            yield base


async def check_continued(link: Link, keys: Keys, place: Tip) -> None:
    """Raises `SnapshotUnusable` where the journal doesn't go on from this place."""
    entries = await link.call("XRANGE", keys.log, f"({place.seq}-0", "+", "COUNT", 1)
    if entries:
        _check_next(place, parse_entry(entries[0]))
        return
    tip = await read_tip(link, keys)
    if tip.seq < place.seq:
        raise SnapshotUnusable(f"the journal ends before it, at {tip.seq}: it was set back")
    if tip != place:
        raise SnapshotUnusable("it is of another history than the journal")


async def _has_its_beginning(link: Link, keys: Keys) -> bool:
    entries = await link.call("XRANGE", keys.log, "-", "+", "COUNT", 1)
    return not entries or parse_entry(entries[0]).first_seq == 1


async def read_tip(link: Link, keys: Keys) -> Tip:
    seq, chain = await link.call("HMGET", keys.cursor, "seq", "chain")
    return Tip(int(seq or 0), (chain or b"").decode())


def _check_next(place: Tip, entry: Entry) -> None:
    if entry.first_seq != place.seq + 1:
        raise SnapshotUnusable(f"the journal after it begins at {entry.first_seq}")
    if chained(place.chain, entry.blob) != entry.chain:
        raise SnapshotUnusable("it is of another history than the journal")


async def _of_snapshot(link: Link, keys: Keys, seq: int) -> Base:
    head, replica = await load_snapshot(link, keys, seq)
    return Base(replica, head.order_id)
