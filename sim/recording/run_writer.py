"""Writing a simulated run, as it goes."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from sim.floor import FloorRecord
from sim.recording.form import (
    FILLS,
    HASHES,
    JOURNAL,
    QUEUE,
    RECORD,
    Manifest,
    Moment,
    PublishedHash,
    RecordingError,
    StreamEntry,
    told,
)
from sim.recording.run import (
    CHECKPOINTS,
    FAULTS,
    INDEX,
    MEASURES,
    REPORT,
    ROSTER,
    RUN,
    SAMPLES,
    SCENARIO,
    VERDICT,
    FaultRow,
    RunFacts,
    Sample,
    Trader,
)
from sim.recording.spooling import Spool
from sim.recording.writing import Recorder

NAMES = (
    *(RUN, SCENARIO, ROSTER, JOURNAL, FILLS, HASHES, SAMPLES, FAULTS, QUEUE, RECORD),
    *(INDEX, CHECKPOINTS, MEASURES, VERDICT, REPORT),
)
"""The files of a run's directory beside the manifest."""


def prepared(directory: Path) -> Recorder:
    """Makes the directory of a run. Raises `RecordingError` where nothing can be written into it,
    and where it holds a run already, or any file that the run would write over: it may be a
    scenario or a page that somebody wrote.
    """
    recorder = Recorder(directory)
    there = [name for name in NAMES if os.path.lexists(directory / name)]
    if RUN in there or JOURNAL in there:
        raise RecordingError(
            f"{directory} holds a run that was interrupted: choose another directory"
        )
    if there:
        raise RecordingError(
            f"{directory} holds a file {there[0]}, which a run would write over:"
            " choose another directory"
        )
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise RecordingError(f"can't write into the directory {directory} ({why})") from None
    return recorder


class RunWriter:
    """A run's directory while it is written. Every method raises `RecordingError` where it can't.

    What the run is goes to the disk at once; then all that happens, a chunk at a time. Only
    `finish` makes it a whole recording, but what there is can be read at any time. As a context
    manager it is closed at the end.
    """

    def __init__(
        self, directory: Path, facts: RunFacts, scenario_text: str, roster: Sequence[Trader]
    ) -> None:
        """Makes the directory, which must not hold a run yet, nor anything in a run's place."""
        self._directory = directory
        self._facts = facts
        self._recorder = prepared(directory)
        self._recorder.plain(SCENARIO, scenario_text.encode())
        self._recorder.json(ROSTER, list(roster))
        self._recorder.json(FAULTS, [])
        self._recorder.json(RUN, facts)
        self._faults: list[FaultRow] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._spool = Spool(directory, (JOURNAL, FILLS, HASHES, SAMPLES), by_time=not facts.virtual)

    def entry(self, entry: StreamEntry) -> None:
        """An entry of the journal."""
        self._spool.write(JOURNAL, (self._encode(entry),))

    def entries(self, entries: Iterable[StreamEntry]) -> None:
        """Some entries of the journal, for less than each of them alone would cost."""
        self._spool.write(JOURNAL, [*map(self._encode, entries)])

    def fill(self, entry: StreamEntry) -> None:
        """An entry of `events_stream`."""
        self._spool.write(FILLS, (self._encode(entry),))

    def fills(self, entries: Iterable[StreamEntry]) -> None:
        """Some entries of `events_stream`, for less than each of them alone would cost."""
        self._spool.write(FILLS, [*map(self._encode, entries)])

    def hash(self, one: PublishedHash) -> None:
        """What somebody found the state's hash to be."""
        self._spool.write(HASHES, (self._encode(one),))

    def sample(self, sample: Sample) -> None:
        """How the venue stands, in the order of time."""
        self._spool.write(SAMPLES, (self._encode(sample),))

    def fault(self, row: FaultRow) -> None:
        """A fault and what became of it. O(faults)."""
        self._faults.append(row)
        path = self._directory / FAULTS
        draft = self._directory / f"{FAULTS}.new"
        with told(path):
            draft.unlink(missing_ok=True)
            with draft.open("xb") as file:
                file.write(msgspec.json.encode(self._faults))
            draft.rename(path)

    def finish(
        self, moment: Moment, record: FloorRecord | None, queue: Sequence[bytes] = ()
    ) -> None:
        """Makes it a whole recording: `moment` is the venue's at the end, when `queue` waited."""
        files = self._spool.close()
        if not files:
            raise RecordingError(f"the run in {self._directory} is closed")
        for name, facts in files.items():
            self._recorder.adopt(name, facts)
        self._recorder.json(FAULTS, self._faults)
        with self._recorder.frames(QUEUE) as file:
            for element in queue:
                file.raw(element)
        if record is not None:
            self._recorder.json(RECORD, record)
        self._recorder.finish(Manifest(created=self._facts.created, moment=moment))

    def close(self) -> None:
        """Ends it as it is: without `finish` this is an interrupted run."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        # What broke the run is what its user should hear of.
        with contextlib.suppress(RecordingError):
            self.close()
