"""A copy of the venue's state, kept by folding the journal: the one fold for everybody."""

from matchbox_tui.engine import Exchange, dump_parts, load_part
from matchbox_tui.store.errors import JournalBroken
from matchbox_tui.store.journal import Entry, Tip, chained


class Replica:
    """An exchange and its place in the journal.

    The leader applies commands to `exchange` and then moves the chain with `advance`; everybody
    else applies entries.
    """

    def __init__(self, exchange: Exchange | None = None, chain: str = "", epoch: int = 0) -> None:
        """At the journal's beginning, or where a snapshot was taken."""
        self.exchange = exchange if exchange is not None else Exchange()
        self.chain = chain
        self.epoch = epoch

    @property
    def seq(self) -> int:
        return self.exchange.seq

    @property
    def tip(self) -> Tip:
        return Tip(self.exchange.seq, self.chain)

    def copy(self) -> "Replica":
        """Another one at the same place, which goes its own way. O(orders + positions)."""
        exchange = Exchange(())
        exchange.seq = self.seq
        for part in dump_parts(self.exchange):
            load_part(exchange, part)
        return Replica(exchange, self.chain, self.epoch)

    def apply(self, entry: Entry) -> None:
        """Moves by one commit. Raises `JournalBroken` where it is not the next one."""
        if entry.first_seq != self.seq + 1:
            raise JournalBroken(f"the journal has {entry.first_seq} after {self.seq}")
        if chained(self.chain, entry.blob) != entry.chain:
            raise JournalBroken(f"the journal's chain breaks at {entry.first_seq}")
        if entry.epoch < self.epoch:
            raise JournalBroken(
                f"the journal's epoch falls from {self.epoch} to {entry.epoch} at {entry.first_seq}"
            )
        try:
            self.exchange.replay(entry.events)
        except (ValueError, KeyError) as error:
            raise JournalBroken(f"the journal contradicts itself: {error}") from None
        self.chain = entry.chain
        self.epoch = entry.epoch

    def advance(self, blob: bytes, epoch: int) -> None:
        """Takes what the exchange has just done into the chain."""
        self.chain = chained(self.chain, blob)
        self.epoch = epoch
