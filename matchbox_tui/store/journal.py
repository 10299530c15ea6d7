"""The journal: what has happened, as a hash chain of commits.

An entry's stream id is `<last seq>-0` and its fields are v (version), e (epoch), c (chain) and
b (events as JSON). Each chain value covers the one before it, so that a journal that was cut,
altered or swapped shows itself.
"""

import hashlib

import msgspec

from matchbox_tui.engine import Event, decode_events
from matchbox_tui.store.errors import JournalBroken
from matchbox_tui.store.link import Reply

VERSION = b"1"


def chained(chain: str, blob: bytes) -> str:
    """The chain value of an entry that follows one with `chain`: blake2b of both, in hex."""
    return hashlib.blake2b(chain.encode() + blob, digest_size=16).hexdigest()


class Tip(msgspec.Struct, frozen=True):
    """A place in the journal: the last command's number and the chain up to it."""

    seq: int = 0
    chain: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One commit: the commands up to `seq`, by the leader of `epoch`."""

    seq: int
    epoch: int
    chain: str
    blob: bytes
    events: list[Event]

    @property
    def first_seq(self) -> int:
        return self.events[0].seq

    @property
    def count(self) -> int:
        """How many commands were committed together."""
        return self.seq - self.first_seq + 1


def parse_entry(reply: Reply) -> Entry:
    """An entry as the server returns it. Raises `JournalBroken` for one that can't be read."""
    entry_id, flat = reply
    seq = int(entry_id.partition(b"-")[0])
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    version = fields.get(b"v", VERSION)
    if version != VERSION:
        raise JournalBroken(
            f"journal entry {entry_id.decode()} has version {version.decode(errors='replace')},"
            f" this program reads {VERSION.decode()}: upgrade matchbox"
        )
    try:
        blob = fields[b"b"]
        events = decode_events(blob)
        entry = Entry(seq, int(fields[b"e"]), fields[b"c"].decode(), blob, events)
    except (KeyError, ValueError) as error:
        raise JournalBroken(
            f"journal entry {entry_id.decode()} can't be read ({error}):"
            " it was written by another version, or damaged"
        ) from None
    if not events or events[-1].seq != seq:
        raise JournalBroken(f"journal entry {entry_id.decode()} does not hold what its id says")
    return entry
