"""An interrupted run as a recording to be audited."""

import os
from collections.abc import Iterator
from pathlib import Path

from matchbox_tui.engine import OrderAccepted, OrderRejected
from sim.floor import FloorRecord
from sim.recording.form import MANIFEST, Manifest, Moment, PublishedHash, StreamEntry
from sim.recording.opening import Run, open_run
from sim.recording.reading import Recording
from sim.recording.run import RunFacts


def evidence(directory: Path) -> Recording:
    """What can be audited of a directory: a recording, or what there is of an interrupted run.

    Raises `RecordingError` where it holds neither.
    """
    if directory.is_dir() and not os.path.lexists(directory / MANIFEST):
        return Salvage(open_run(directory))
    return Recording(directory)


class Salvage(Recording):
    """What there is of a run that was interrupted, up to the last entry that is whole.

    Nobody wrote down where the cursor stood, what was waiting and what the traders were told: the
    moment is that of the last entry, with nobody leading, and there is no record. What is written
    to it later, while it is read, is no part of it.
    """

    def __init__(self, run: Run) -> None:
        """Reads the journal once. Raises `RecordingError` where there is none."""
        self._directory = run.directory
        self._run = run
        seq, chain, epoch, counter = 0, "", 0, 0
        for entry in run.entries():
            seq, chain, epoch = entry.seq, entry.chain, entry.epoch
            for event in entry.events:
                if isinstance(event, OrderAccepted | OrderRejected):
                    counter = max(counter, event.order_id)
        self._last = seq
        self.notes = (
            f"{run.interrupted}; its journal is whole up to command {seq:,}, and so far it was"
            " checked",
            "not known, and so not checked: what the traders were told (I1: whether an order of"
            " theirs is missing), what was waiting (I2: whether it was next), where the cursor"
            " stood (I3), and which fills were still to be published (I5)",
        )
        self.manifest = Manifest(
            created=run.facts.created,
            moment=Moment(
                cursor=(seq, chain, epoch),
                last_entry=f"{seq}-0" if seq else "",
                counter=counter,
            ),
        )

    def base(self) -> Iterator[object]:  # type: ignore[override]  # a simulated run has none
        return iter(())

    def journal(self) -> Iterator[StreamEntry]:
        for entry in self._run.entries():
            if entry.seq > self._last:
                return
            fields = (b"v", b"1", b"e", b"%d" % entry.epoch, b"c", entry.chain.encode())
            yield StreamEntry(b"%d-0" % entry.seq, [*fields, b"b", entry.blob])

    def fills(self) -> Iterator[StreamEntry]:
        for fill in self._run.fills():
            if int(fill.id.partition(b"-")[0]) > self._last:
                return
            yield fill

    def hashes(self) -> Iterator[PublishedHash]:
        return (one for one in self._run.hashes() if one.seq <= self._last)

    def facts(self) -> RunFacts | None:
        return self._run.facts

    def record(self) -> FloorRecord | None:
        return None
