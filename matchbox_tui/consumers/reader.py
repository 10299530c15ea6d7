"""Reading the journal from a place on, in batches, each entry checked against the one before."""

import msgspec

from matchbox_tui.store import Client, Entry, JournalBroken, StoreSetBack, Tip, chained

READ_AT_ONCE = 64
"""Entries read in one round trip."""


class HistoryTrimmed(JournalBroken):
    """The journal goes on later than this reader's place: what lies between was trimmed."""

    def __init__(self, place: int, first: int) -> None:
        super().__init__(f"the journal was trimmed: it goes on at {first}, after {place}")
        self.place = place
        self.first = first


class Place(msgspec.Struct, frozen=True):
    """How far a consumer is: the last command's number, the chain up to it, and its epoch."""

    seq: int = 0
    chain: str = ""
    epoch: int = 0

    def after(self, entry: Entry) -> "Place":
        """The place after one more entry.

        Raises `HistoryTrimmed` where others are missing before it, `StoreSetBack` where it is of
        another history than this place, and `JournalBroken` where it contradicts itself.
        """
        if entry.first_seq > self.seq + 1:
            raise HistoryTrimmed(self.seq, entry.first_seq)
        if entry.first_seq < self.seq + 1 or chained(self.chain, entry.blob) != entry.chain:
            raise StoreSetBack(f"the store has another history than was read up to {self.seq}")
        if entry.epoch < self.epoch:
            raise JournalBroken(f"the journal's epoch falls to {entry.epoch} at {entry.first_seq}")
        return Place(entry.seq, entry.chain, entry.epoch)


class JournalReader:
    """Reads on from `place`, which moves with every batch that is handed out."""

    def __init__(self, client: Client, place: Place) -> None:
        self.place = place
        self._client = client
        self._ahead: list[Entry] = []

    async def batch(self, events: int, wait_ms: int = 500) -> list[Entry]:
        """What there is, in the journal's order, until it holds that many events.

        Waits for the first entry only, and returns [] where none came; the last entry may be
        longer than the rest. Raises what `Place.after` raises, and other `StoreError`s; the next
        call reads on from `place` again, so that nothing is skipped.
        """
        place, taken, size = self.place, list[Entry](), 0
        while size < events:
            if not self._ahead:
                wait = 1 if taken else wait_ms
                self._ahead = await self._client.entries_after(place.seq, READ_AT_ONCE, wait)
                if not self._ahead:
                    break
                self._ahead.reverse()
            try:
                place = place.after(self._ahead[-1])
            except JournalBroken:
                self._ahead = []
                if taken:
                    break
                raise
            entry = self._ahead.pop()
            taken.append(entry)
            size += len(entry.events)
        if not taken:
            await self._client.check_place(Tip(place.seq, place.chain))
        self.place = place
        return taken
