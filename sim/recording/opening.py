"""A run's directory, opened: all that it tells, also where the run was interrupted."""

import contextlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from matchbox_tui.engine import Exchange, load_part
from matchbox_tui.store import Entry, JournalBroken, Replica, chained, parse_entry
from sim.floor import FloorRecord
from sim.recording.form import (
    FILLS,
    HASHES,
    JOURNAL,
    MANIFEST,
    MAX_JSON,
    Place,
    PublishedHash,
    RecordingError,
    StreamEntry,
)
from sim.recording.frames import At, FrameReader
from sim.recording.reading import Recording, opened, stream_entry
from sim.recording.run import (
    FAULTS,
    ROSTER,
    RUN,
    SAMPLES,
    SCENARIO,
    FaultRow,
    RunFacts,
    Sample,
    Trader,
)

T = TypeVar("T")

INTERRUPTED = "the run was interrupted: nobody wrote down how it ended"


def open_run(directory: Path) -> "Run":
    """A recorded run, or what there is of one that was interrupted.

    Raises `RecordingError` where the directory holds neither, or a recording that was altered.
    """
    if not directory.is_dir():
        raise RecordingError(f"{directory} is no directory: name one that holds a recording")
    if os.path.lexists(directory / MANIFEST):
        return Run(directory, Recording(directory))
    if not os.path.lexists(directory / RUN):
        raise RecordingError(
            f"{directory} holds no recording ({MANIFEST} is missing): name a directory that"
            " 'matchbox sim run --out' or 'matchbox drill --out' wrote"
        )
    return Run(directory, None)


class Run:
    """What a directory tells of a run. Files are read as they are asked for.

    `interrupted` is empty where the run ended well, else it says that it didn't: then there is no
    `moment` and no record, and the journal goes as far as it is whole and its chain verifies. A
    recording of no simulated run has facts without a scenario, and neither roster nor samples.
    Everything raises `RecordingError` where a file can't be read.
    """

    def __init__(self, directory: Path, recording: Recording | None) -> None:
        self.directory = directory
        self.recording = recording
        self.interrupted = "" if recording is not None else INTERRUPTED
        self.base = recording.manifest.base if recording is not None else Place()
        self.kept = contextlib.ExitStack()
        """What goes when the run is closed."""
        self.simulated = self._has(RUN)
        self.facts = self._facts()
        self.scenario = self._read(SCENARIO).decode(errors="replace") if self._has(SCENARIO) else ""
        self.roster = self._json(ROSTER, list[Trader]) if self._has(ROSTER) else []
        self.faults = self._json(FAULTS, list[FaultRow]) if self._has(FAULTS) else []

    @property
    def record(self) -> FloorRecord | None:
        """What the traders were told."""
        return self.recording.record() if self.recording is not None else None

    @property
    def tip(self) -> tuple[int, str] | None:
        """Where the journal ends and its chain there; None where nobody wrote that down."""
        if self.recording is None:
            return None
        return self.recording.manifest.moment.cursor[:2]

    def close(self) -> None:
        """Removes what was only made to read the run."""
        self.kept.close()

    @cached_property
    def samples(self) -> list[Sample]:
        """How the venue stood, in the order of time."""
        decoder = msgspec.msgpack.Decoder(Sample)
        found = []
        for frame in self.frames(SAMPLES):
            try:
                found.append(decoder.decode(frame))
            except (msgspec.MsgspecError, ValueError) as error:
                self.trouble(SAMPLES, f"holds a frame that can't be read ({error})")
                break
        return found

    def hashes(self) -> Iterator[PublishedHash]:
        """The state hashes that were published."""
        decoder = msgspec.msgpack.Decoder(PublishedHash)
        for frame in self.frames(HASHES):
            try:
                yield decoder.decode(frame)
            except (msgspec.MsgspecError, ValueError) as error:
                self.trouble(HASHES, f"holds a frame that can't be read ({error})")
                return

    def fills(self) -> Iterator[StreamEntry]:
        """The entries of `events_stream`."""
        for frame in self.frames(FILLS):
            try:
                yield stream_entry(frame)
            except (msgspec.MsgspecError, ValueError) as error:
                self.trouble(FILLS, f"holds a frame that can't be read ({error})")
                return

    def begin(self) -> Replica:
        """The state that the journal begins at. O(its orders)."""
        if not self.base.seq or self.recording is None:
            return Replica()
        exchange = Exchange(())
        try:
            for part in self.recording.base():
                load_part(exchange, part)
        except ValueError as error:
            raise RecordingError(f"{self.directory}: its base is no state ({error})") from None
        exchange.seq = self.base.seq
        return Replica(exchange, self.base.chain, self.base.epoch)

    def entries(self) -> Iterator[Entry]:
        """The journal from its beginning."""
        return (entry for entry, _ in self.walk(At(), self.base.seq, self.base.chain))

    def walk(self, at: At, seq: int, chain: str) -> Iterator[tuple[Entry, FrameReader]]:
        """The journal from a place on, at which `seq` commands were behind and this was the chain.

        Each entry comes with the reader, whose `next` is where the one after it begins.
        """
        if not self._has(JOURNAL):
            # Whoever recorded it was killed before anything had happened.
            self.trouble(JOURNAL, "is missing")
            return
        reader = FrameReader(self.directory / JOURNAL, at)
        for frame in reader:
            try:
                raw = stream_entry(frame)
                entry = parse_entry((raw.id, raw.flat))
            except (JournalBroken, msgspec.MsgspecError, ValueError) as error:
                self.trouble(JOURNAL, f"holds an entry that can't be read ({error})")
                return
            if entry.first_seq != seq + 1 or chained(chain, entry.blob) != entry.chain:
                self.trouble(JOURNAL, f"does not go on after command {seq}: its chain breaks")
                return
            seq, chain = entry.seq, entry.chain
            yield entry, reader
        if reader.torn:
            self.trouble(JOURNAL, f"ends too early: {reader.torn}")

    @property
    def journal_bytes(self) -> int:
        """The size of the journal's file."""
        try:
            return (self.directory / JOURNAL).stat().st_size
        except OSError:
            return 0

    def frames(self, name: str) -> Iterator[bytes]:
        """The frames of a file, none where there is no such file."""
        if not self._has(name):
            return
        reader = FrameReader(self.directory / name)
        yield from reader
        if reader.torn:
            self.trouble(name, f"ends too early: {reader.torn}")

    def trouble(self, name: str, words: str) -> None:
        """Raises, but for a run that was interrupted: its files end somewhere."""
        if not self.interrupted:
            raise RecordingError(f"{self.directory / name} {words}")

    def _has(self, name: str) -> bool:
        if self.recording is not None:
            return name in self.recording.manifest.files
        return os.path.lexists(self.directory / name)

    def _read(self, name: str) -> bytes:
        with opened(self.directory / name) as file:
            return file.read(MAX_JSON)

    def _json(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(self._read(name), type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RecordingError(f"{self.directory / name} can't be read ({error})") from None

    def _facts(self) -> RunFacts:
        if self.simulated:
            return self._json(RUN, RunFacts)
        assert self.recording is not None
        created = self.recording.manifest.created
        start = created
        # A venue's clock is that of its orders, as far as these have one.
        for entry in self.entries():
            stamp = entry.events[0].timestamp
            if 0 < stamp <= created:
                start = stamp
                break
        return RunFacts(
            scenario="",
            seed=0,
            virtual=False,
            start=start,
            duration=max(created - start, 0),
            created=created,
            versions={},
        )
