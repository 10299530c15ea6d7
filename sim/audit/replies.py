"""What can be told from a server's replies alone."""

import re

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import JournalBroken, parse_entry
from matchbox_tui.store.link import Reply
from sim.recording import PublishedHash, StreamEntry

_FIRST_SEQ = re.compile(rb'\[\{"type":"[a-z._]+","seq":(\d+)[,}]')


def place(entry_id: bytes) -> tuple[int, int]:
    """The two numbers of a stream entry's id."""
    seq, _, n = entry_id.partition(b"-")
    return int(seq), int(n)


def first_seq(reply: Reply) -> int:
    """The first command of a journal entry; what its id says where it can't be told."""
    entry_id, flat = reply
    told = next(filter(None, map(_FIRST_SEQ.match, flat)), None)
    return int(told[1]) if told else place(entry_id)[0]


def whole(text: bytes | None) -> int:
    """A number as the server holds it; 0 where it holds none."""
    return int(text) if text is not None and text.isdigit() and len(text) < 20 else 0


def published_hash(entry: StreamEntry) -> PublishedHash | None:
    """An entry of `engine:hashes`; None where it is something else."""
    fields = dict(zip(entry.flat[::2], entry.flat[1::2], strict=True))
    try:
        name, role, text = (fields[key].decode() for key in (b"id", b"role", b"hash"))
        chain = fields.get(b"chain", b"").decode()
        return PublishedHash(name, role, int(fields[b"epoch"]), int(fields[b"seq"]), text, chain)
    except (KeyError, ValueError):
        return None


def last_fill(entry: StreamEntry | None) -> tuple[int, int]:
    """The place of the last trade in a journal entry; (0, -1) where there is none."""
    if entry is None:
        return 0, -1
    try:
        events = parse_entry((entry.id, entry.flat)).events
    except JournalBroken:
        return 0, -1
    trades = [event for event in events if isinstance(event, TradeExecuted)]
    return (trades[-1].seq, trades[-1].n) if trades else (0, -1)
