"""Recovery snapshots: a state at a commit's end, in parts, and what proves them whole.

The parts and then the header lie in one list. The header has the place in the journal, the count
of the parts and a checksum of them and of itself. A snapshot is written as a draft, a part at a
time, and named only when it is complete, so that nobody sees half of one.
"""

import asyncio
import zlib
from collections.abc import Iterable

import msgspec

from matchbox_tui.engine import BookPart, Exchange, Part, load_part
from matchbox_tui.store.cluster import number
from matchbox_tui.store.errors import SnapshotUnusable, StoreError
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.scripts import KEEP

VERSION = 2
"""1 had its parts as plain JSON; 2 has them deflated. Both are read, so that an upgrade keeps
what there is.
"""

DRAFT_MS = 60_000
"""How long a draft is kept that nobody goes on with."""

SEND_BYTES = 64 * 1024
"""Parts are sent together up to this size, so that no write holds the server for long."""

READ_PARTS = 8


class Header(msgspec.Struct, frozen=True):
    """What a snapshot says of itself.

    `seq` and `chain` are its place in the journal; `order_id` is the highest id that was handed
    out when it was taken, as far as the writer knew; `created` is in ms since the epoch. `orders`
    is how many were open; the checksum leaves it out, for whoever does not know it.
    """

    seq: int
    chain: str
    epoch: int
    order_id: int
    created: int
    version: int = VERSION
    parts: int = 0
    crc32: int = 0
    orders: int | msgspec.UnsetType = msgspec.UNSET


class _Version(msgspec.Struct):
    version: int


_part: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)


def encode_part(part: Part) -> bytes:
    return zlib.compress(msgspec.json.encode(part), 1)


def decode_part(raw: bytes, version: int) -> Part:
    """Raises `ValueError` for bytes that are no part of this version."""
    try:
        return _part.decode(raw if version == 1 else zlib.decompress(raw))
    except zlib.error as error:
        raise ValueError(str(error)) from None


def sealed(head: Header, parts: int, crc: int) -> Header:
    """The header with the count and the checksum of what was written."""
    bare = msgspec.structs.replace(head, parts=parts, crc32=0, orders=msgspec.UNSET)
    total = zlib.crc32(msgspec.json.encode(bare), crc)
    return msgspec.structs.replace(bare, crc32=total, orders=head.orders)


_NOT_KEPT = {
    b"LOST": "its draft was lost",
    b"LATE": "there is a newer one by now",
    b"AHEAD": "the journal ends before it: the store was set back",
}


async def write_snapshot(
    link: Link, keys: Keys, writer: str, head: Header, parts: Iterable[Part]
) -> None:
    """Writes a snapshot in steps that leave the loop free in between.

    Raises a `StoreError`, and then there is no new snapshot.
    """
    draft = keys.snapshot_draft(writer)
    await link.call("UNLINK", draft)
    crc = count = size = orders = 0
    waiting: list[bytes] = []
    for part in parts:
        raw = encode_part(part)
        crc = zlib.crc32(raw, crc)
        count += 1
        if isinstance(part, BookPart):
            orders += len(part.orders)
        waiting.append(raw)
        size += len(raw)
        if size >= SEND_BYTES:
            await _push(link, draft, waiting)
            waiting, size = [], 0
        await asyncio.sleep(0)
    if waiting:
        await _push(link, draft, waiting)
    head = sealed(msgspec.structs.replace(head, orders=orders), count, crc)
    kept = await link.run(
        KEEP,
        (draft, keys.snapshot(head.seq), keys.snapshots, keys.cursor),
        (msgspec.json.encode(head), head.seq, count),
    )
    if kept in _NOT_KEPT:
        raise SnapshotUnusable(f"snapshot {head.seq} is not kept: {_NOT_KEPT[kept]}")


async def list_snapshots(link: Link, keys: Keys) -> list[int]:
    """The sequence numbers of the snapshots there are, oldest first."""
    return [int(seq) for seq in await link.call("ZRANGE", keys.snapshots, 0, -1) if seq.isdigit()]


async def load_snapshot(link: Link, keys: Keys, seq: int) -> tuple[Header, Replica]:
    """The state of a snapshot, read in steps. Raises `SnapshotUnusable` with the reason."""
    key = keys.snapshot(seq)
    last = await link.call("LINDEX", key, -1)
    if last is None:
        raise SnapshotUnusable("it is not there")
    head = parse_header(last)
    if head.seq != seq:
        raise SnapshotUnusable(f"its header says {head.seq}")
    exchange = Exchange(())
    exchange.seq = head.seq
    crc = 0
    for start in range(0, head.parts, READ_PARTS):
        stop = min(start + READ_PARTS, head.parts)
        found = await link.call("LRANGE", key, start, stop - 1)
        if len(found) != stop - start:
            raise SnapshotUnusable(f"it is cut off after {start + len(found)} parts")
        for raw in found:
            crc = zlib.crc32(raw, crc)
            try:
                load_part(exchange, decode_part(raw, head.version))
            except ValueError as error:
                raise SnapshotUnusable(f"a part can't be read ({error})") from None
            await asyncio.sleep(0)
    if sealed(head, head.parts, crc) != head:
        raise SnapshotUnusable("its checksum differs")
    return head, Replica(exchange, head.chain, head.epoch)


def parse_header(raw: bytes) -> Header:
    """Raises `SnapshotUnusable` for one that is damaged or from a newer program."""
    try:
        version = msgspec.json.decode(raw, type=_Version).version
        if not 1 <= version <= VERSION:
            raise SnapshotUnusable(f"it has version {version}, this program reads up to {VERSION}")
        return msgspec.json.decode(raw, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SnapshotUnusable("its header can't be read") from None


async def prune_snapshots(link: Link, keys: Keys, history: int) -> None:
    """Leaves the newest snapshot of this journal and one older."""
    found = await list_snapshots(link, keys)
    # The tip after the list: what is beyond it then was not just written by another instance.
    tip = number(await link.call("HGET", keys.cursor, "seq"))
    newest = max((seq for seq in found if seq <= tip), default=None)
    drop = superfluous(found, newest, history) if newest is not None else []
    if drop:
        # Out of the index first: what it names must be there.
        await link.call("ZREM", keys.snapshots, *drop)
        await link.call("UNLINK", *(keys.snapshot(seq) for seq in drop))


def superfluous(found: list[int], newest: int, history: int) -> list[int]:
    """Which of the snapshots (oldest first) to drop.

    Beside the newest stays the oldest, as long as it is at most `history` commands behind: the
    journal goes back as far as that one, for whoever wants to look back or to check it. What is
    beyond the newest belongs to a history that was set back.
    """
    older = [seq for seq in found if seq < newest]
    stays = older[:1] if older and newest - older[0] <= history else older[-1:]
    return [seq for seq in found if seq != newest and seq not in stays]


async def _push(link: Link, draft: str, parts: list[bytes]) -> None:
    for reply in await link.calls([("RPUSH", draft, *parts), ("PEXPIRE", draft, DRAFT_MS)]):
        if isinstance(reply, StoreError):
            raise reply
