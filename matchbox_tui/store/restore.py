"""Where a reader can begin: snapshots that hold and that the journal goes on from."""

import logging
from collections.abc import AsyncIterator

import msgspec

from matchbox_tui.store.errors import JournalBroken, SnapshotUnusable
from matchbox_tui.store.journal import Entry, Tip, chained, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.snapshot import list_snapshots, load_snapshot

log = logging.getLogger(__name__)


NO_PLACE = (
    "the journal's beginning is gone, and no snapshot of it can be used:"
    " put a backup of the server's data in its place"
)


class Base(msgspec.Struct, frozen=True):
    """A state from which the journal can be followed, and the highest order id it knew of."""

    replica: Replica
    order_id: int = 0


async def bases(link: Link, keys: Keys, *, oldest: bool = False) -> AsyncIterator[Base]:
    """The places to begin at, newest first (or oldest first), the journal's beginning among them.

    What can't be used is skipped and said. Raises `JournalBroken` where the journal can't be read,
    and other `StoreError`s where the server is lost.
    """
    tried: set[int] = set()
    unread: JournalBroken | None = None
    # Once more, for whoever took so long that there are new ones by now and the old ones went.
    while seqs := [seq for seq in (0, *await list_snapshots(link, keys)) if seq not in tried]:
        tried.update(seqs)
        for seq in seqs if oldest else reversed(seqs):
            try:
                base = await _base(link, keys, seq)
            except JournalBroken as error:
                if not oldest:
                    # Whatever is older would have to get past that as well.
                    raise
                log.warning("A reader can't begin at %d: %s", seq, error)
                unread = unread or error
                continue
            if base is not None:
                unread = None
                yield base
    if unread is not None:
        raise unread


async def check_continued(link: Link, keys: Keys, place: Tip) -> None:
    """Raises `SnapshotUnusable` where the journal doesn't go on from this place."""
    # The tip first: it may move on at any time, and then there is an entry to look at.
    tip = await read_tip(link, keys)
    if tip == place:
        return
    if tip.seq < place.seq:
        raise SnapshotUnusable(f"the journal ends before it, at {tip.seq}: it was set back")
    if tip.seq == place.seq:
        raise SnapshotUnusable("it is of another history than the journal")
    entries = await link.call("XRANGE", keys.log, f"({place.seq}-0", "+", "COUNT", 1)
    if not entries:
        raise SnapshotUnusable(f"the journal after it is gone, up to {tip.seq}")
    _check_next(place, parse_entry(entries[0]))


async def _base(link: Link, keys: Keys, seq: int) -> Base | None:
    """What to begin with at a snapshot, or at 0; None where that can't be, which is said."""
    if seq == 0:
        return Base(Replica()) if await _has_its_beginning(link, keys) else None
    try:
        base = await _of_snapshot(link, keys, seq)
        await check_continued(link, keys, base.replica.tip)
    except SnapshotUnusable as error:
        log.warning("Snapshot %d can't be used: %s", seq, error)
        return None
    return base


async def _has_its_beginning(link: Link, keys: Keys) -> bool:
    if (await read_tip(link, keys)).seq == 0:
        return True
    entries = await link.call("XRANGE", keys.log, "-", "+", "COUNT", 1)
    return bool(entries) and parse_entry(entries[0]).first_seq == 1


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
