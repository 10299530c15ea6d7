"""What is measured: a run's journal, and what was recorded beside it."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from matchbox_tui.store import Entry
from sim.floor import FloorRecord
from sim.recording import FaultRow, PublishedHash, Run, RunFacts, Sample, Trader


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it was recorded, from an empty venue on. `journal` gives the commits from the
    first one; `samples` are in the order of time; `record` is None where the traders left none.
    """

    facts: RunFacts
    journal: Callable[[], Iterator[Entry]]
    roster: Sequence[Trader] = ()
    samples: Sequence[Sample] = ()
    faults: Sequence[FaultRow] = ()
    hashes: Sequence[PublishedHash] = ()
    record: FloorRecord | None = None

    @property
    def end(self) -> int:
        """When the run ended, in ns since its start: at its last sample, or as planned where that
        was taken later, since by then nobody acted any more.
        """
        last = self.samples[-1].at if self.samples else self.facts.duration
        return max(1, min(last, self.facts.duration))


def evidence_of(run: Run) -> Evidence:
    """What a recorded run tells, also one that was interrupted. Raises `RecordingError`."""
    return Evidence(
        facts=run.facts,
        journal=run.entries,
        roster=run.roster,
        samples=run.samples,
        faults=run.faults,
        hashes=list(run.hashes()),
        record=run.record,
    )
