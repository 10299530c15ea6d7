"""A recorded run: what a venue's server held at one moment, in a directory of files.

    manifest.json   format, version, the moment's facts, and each file's size and checksum
    base.gz         the state that the journal begins at, in parts (none: an empty venue)
    journal.gz      the journal's entries up to the moment, as the server returned them
    after.gz        entries after it that answer what was waiting, as far as there were any
    fills.gz        the entries of `events_stream`
    queue.gz        the commands that were waiting, first to last
    hashes.gz       state hashes that instances and snapshots published
    record.json     what the traders were told (`FloorRecord`), where there is such a record

A `.gz` file holds frames: the length of one (4 bytes, big-endian), then the frame, and so on. A
frame of base.gz is a part of a state as JSON, one of queue.gz an element as it was; all others are
MessagePack arrays of the fields of `StreamEntry` or `PublishedHash` in their order.

A simulated run's directory (`RunWriter`) tells in addition what it was:

    run.json        the scenario's name, seed, start, versions (`RunFacts`)
    scenario.toml   the scenario as it was given
    roster.json     who traded (`Trader` rows)
    samples.gz      how the venue stood now and then (`Sample` frames)
    faults.json     the faults and what became of them (`FaultRow`s)

A run that has ended adds an index to seek in it, or else whoever seeks first; it can be made again
at any time: `index.json` and `checkpoints.gz`.

The manifest is written last and renamed to its name, so that a recording that was cut short has
none. A reader takes files of exactly the size and checksum that the manifest says, and never
follows a link. Whoever records more adds files and fields; a reader ignores those it doesn't know.
What would mislead an older reader needs another `VERSION`.
"""

from sim.recording.checkpoints import Checkpoint, Checkpoints, Index, Turn
from sim.recording.form import (
    AFTER,
    BASE,
    FILLS,
    HASHES,
    JOURNAL,
    MANIFEST,
    QUEUE,
    RECORD,
    FileFacts,
    Manifest,
    Moment,
    Place,
    PublishedHash,
    RecordingError,
    StreamEntry,
)
from sim.recording.index import indexed
from sim.recording.indexing import IndexWriter
from sim.recording.opening import Run, open_run
from sim.recording.playback import Playback
from sim.recording.reading import Recording
from sim.recording.run import FaultRow, RunFacts, Sample, Trader
from sim.recording.run_clock import RunClock
from sim.recording.run_writer import RunWriter, prepared
from sim.recording.salvage import Salvage, evidence
from sim.recording.writing import FrameWriter, Recorder

__all__ = [
    "AFTER",
    "BASE",
    "FILLS",
    "HASHES",
    "JOURNAL",
    "MANIFEST",
    "QUEUE",
    "RECORD",
    "Checkpoint",
    "Checkpoints",
    "FaultRow",
    "FileFacts",
    "FrameWriter",
    "Index",
    "IndexWriter",
    "Manifest",
    "Moment",
    "Place",
    "Playback",
    "PublishedHash",
    "Recorder",
    "Recording",
    "RecordingError",
    "Run",
    "RunClock",
    "RunFacts",
    "RunWriter",
    "Salvage",
    "Sample",
    "StreamEntry",
    "Trader",
    "Turn",
    "evidence",
    "indexed",
    "open_run",
    "prepared",
]
