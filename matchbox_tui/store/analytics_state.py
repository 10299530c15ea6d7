"""What the analytics go on from after a restart: a state at one place of the journal, in parts.

The parts are the analytics' own. Like a recovery snapshot the state is written as a draft and put
in place when it is complete, with a header at its end that proves it whole.
"""

import asyncio
import logging
import secrets
import zlib
from collections.abc import Iterable

import msgspec

from matchbox_tui.store.errors import SnapshotUnusable, StoreError
from matchbox_tui.store.journal import Tip
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.restore import check_continued
from matchbox_tui.store.scripts import KEEP_STATE

log = logging.getLogger(__name__)

VERSION = 2
DRAFT_MS = 60_000
AT_ONCE = 16
"""Parts that are sent or read together."""

TRIES = 3


class StateHeader(msgspec.Struct, frozen=True):
    """The place of a state, the first command that it counts, the first whose trades it counts, and
    what proves it whole.
    """

    # First, where the script that keeps the state looks for it.
    seq: int
    chain: str
    epoch: int
    since: int
    history_from: int = 0
    version: int = VERSION
    parts: int = 0
    crc32: int = 0


_NOT_KEPT = {
    b"LOST": "its draft was lost",
    b"NEWER": "there is a newer one",
    b"AHEAD": "the journal does not go up to it: the store was set back",
}


async def keep_state(
    link: Link, keys: Keys, copy: str, head: StateHeader, parts: Iterable[bytes]
) -> None:
    """Puts a state in the place of the one before, in steps that leave the loop free in between.

    Raises a `StoreError`, and then there is the one before.
    """
    # A name of its own: two copies that were given the same one must not write into one draft.
    draft = keys.analytics_draft(f"{copy}:{secrets.token_hex(4)}")
    crc = count = 0
    waiting: list[bytes] = []
    for part in parts:
        crc = zlib.crc32(part, crc)
        count += 1
        waiting.append(part)
        if len(waiting) == AT_ONCE:
            await _push(link, draft, waiting)
            waiting = []
        await asyncio.sleep(0)
    if waiting:
        await _push(link, draft, waiting)
    head = msgspec.structs.replace(head, parts=count, crc32=crc)
    kept = await link.run(
        KEEP_STATE,
        (draft, keys.analytics_state, keys.cursor),
        (msgspec.json.encode(head), head.seq, head.chain, count),
    )
    if kept != b"KEPT":
        await link.call("UNLINK", draft)
        raise SnapshotUnusable(f"the state at {head.seq} was not kept: {_NOT_KEPT[kept]}")


async def kept_state(link: Link, keys: Keys) -> tuple[StateHeader, list[bytes]] | None:
    """The state that was kept, where the journal goes on from it; else None, and it is said why.

    Raises `StoreError` where the server is lost.
    """
    for left in reversed(range(TRIES)):
        raw = await link.call("LINDEX", keys.analytics_state, -1)
        if raw is None:
            return None
        try:
            head, parts = await _read(link, keys, raw)
            await check_continued(link, keys, Tip(head.seq, head.chain))
        except SnapshotUnusable as error:
            # Another copy may just have put a newer one in its place.
            if not left:
                log.warning("The analytics begin anew, their state can't be used: %s", error)
            continue
        return head, parts
    return None


async def _read(link: Link, keys: Keys, raw: bytes) -> tuple[StateHeader, list[bytes]]:
    try:
        head = msgspec.json.decode(raw, type=StateHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SnapshotUnusable("its header can't be read") from None
    if head.version != VERSION:
        raise SnapshotUnusable(f"it has version {head.version}, this program reads {VERSION}")
    parts: list[bytes] = []
    crc = 0
    while len(parts) < head.parts:
        stop = min(len(parts) + AT_ONCE, head.parts)
        found = await link.call("LRANGE", keys.analytics_state, len(parts), stop - 1)
        if len(found) != stop - len(parts):
            raise SnapshotUnusable(f"it is cut off after {len(parts) + len(found)} parts")
        for part in found:
            crc = zlib.crc32(part, crc)
        parts += found
    if crc != head.crc32:
        raise SnapshotUnusable("its checksum differs")
    return head, parts


async def _push(link: Link, draft: str, parts: list[bytes]) -> None:
    # In one: else it might stay for ever, where this copy is killed in between.
    for reply in await link.calls(
        [("MULTI",), ("RPUSH", draft, *parts), ("PEXPIRE", draft, DRAFT_MS), ("EXEC",)]
    ):
        if isinstance(reply, StoreError):
            raise reply
