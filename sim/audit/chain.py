"""I3: the journal is whole."""

from matchbox_tui.store import Entry, JournalBroken, chained, parse_entry
from sim.audit.inspection import Inspection, some
from sim.recording import Moment, Place, StreamEntry


class ChainInspection(Inspection):
    """The sequence, the hash chain, the entries' ids, the epochs, and the cursor at the end."""

    name = "I3"

    def __init__(self, base: Place, moment: Moment) -> None:
        super().__init__()
        self.inspected = True
        self.seq = base.seq
        self._chain = base.chain
        self._epoch = base.epoch
        self._base = base
        self._moment = moment
        self._commits = 0
        self._epochs = 0
        if "journal" in moment.troubles:
            self.accuse("its beginning", "a journal that can be read", moment.troubles["journal"])

    def read(self, raw: StreamEntry) -> Entry | None:
        """The next entry, or None where it is not what must come next."""
        try:
            entry = parse_entry((raw.id, raw.flat))
        except JournalBroken as error:
            self.accuse(raw.id.decode(), "an entry that can be read", str(error))
            return None
        if not self._follows(raw, entry):
            return None
        if not self._commits or entry.epoch > self._epoch:
            self._epochs += 1
        self.seq, self._chain, self._epoch = entry.seq, entry.chain, entry.epoch
        self._commits += 1
        return entry

    def _follows(self, raw: StreamEntry, entry: Entry) -> bool:
        first = self.seq + 1
        if entry.first_seq != first:
            self.accuse(first, f"command {first}", f"command {entry.first_seq} next")
            return False
        if raw.id != b"%d-0" % entry.seq:
            self.accuse(first, f"an entry {entry.seq}-0", f"an entry {raw.id.decode()}")
            return False
        seq = first
        for event in entry.events:
            if event.seq not in (seq, seq + 1):
                self.accuse(seq + 1, f"command {seq + 1}", f"command {event.seq} next")
                return False
            seq = event.seq
        chain = chained(self._chain, entry.blob)
        if chain != entry.chain:
            self.accuse(first, f"the chain to be {chain}", f"{entry.chain} in {entry.seq}-0")
            return False
        if entry.epoch < self._epoch:
            self.accuse(first, f"an epoch of {self._epoch} or more", f"epoch {entry.epoch}")
            return False
        return True

    def finish(self) -> None:
        """The whole journal was read: the cursor must stand at its end."""
        if "cursor" in self._moment.troubles:
            self.accuse(self.seq, "a cursor that can be read", self._moment.troubles["cursor"])
        seq, chain, epoch = self._moment.cursor
        for what, here, there in (
            ("sequence", self.seq, seq),
            ("chain", self._chain, chain),
            ("epoch", self._epoch, epoch),
        ):
            if here != there:
                self.accuse(
                    self.seq,
                    f"the cursor at the journal's end, {what} {here}",
                    f"{what} {there} in the cursor",
                )

    def counts(self) -> dict[str, int]:
        return {
            "commands": self.seq - self._base.seq,
            "commits": self._commits,
            "epochs": self._epochs,
        }

    def words(self) -> str:
        return (
            f"{some(self.seq - self._base.seq, 'command')} in {some(self._commits, 'commit')}"
            f"{f' after snapshot {self._base.seq}' if self._base.seq else ''},"
            f" {some(self._epochs, 'epoch')}, chain verified to {self.seq}"
            f"{f' ({self._chain[:12]})' if self._chain else ''}"
        )
