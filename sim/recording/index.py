"""The index of a run: states on the way, to go on from without folding all that was before."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from matchbox_tui.store import JournalBroken
from sim.recording.checkpoints import FORMAT, VERSION, Checkpoints, Index
from sim.recording.form import JOURNAL, MAX_JSON, RecordingError, crc_of
from sim.recording.frames import At
from sim.recording.indexing import Indexer, crc_of_index, write_index
from sim.recording.opening import Run
from sim.recording.reading import opened
from sim.recording.run import CHECKPOINTS, INDEX

TOLD_EVERY = 1000
"""Entries between two words about how far the index is."""

Hears = Callable[[int, int], None]
"""Hears how many bytes of the journal were read, and how many there are."""


class _Useless(Exception):
    """An index that is there and can't be used; `str()` says why."""


def indexed(
    run: Run, hears: Hears | None = None, told: Callable[[str], None] | None = None
) -> Checkpoints:
    """The run's index: the one that lies in its directory, else one that is made now.

    That takes one pass over the journal. It is kept in the directory, or where that can't be
    written to, in a temporary one, which goes when the program does. `told` hears what is wrong
    with the one that was there. Raises `RecordingError`.
    """
    states = run.directory / CHECKPOINTS
    try:
        index = _read(run)
    except _Useless as useless:
        index = None
        if told is not None:
            told(f"{run.directory / INDEX} {useless}: it is made anew")
    if index is not None:
        return Checkpoints(run, index, states)
    draft = run.directory / f"{CHECKPOINTS}.new"
    try:
        index = _make(run, draft, hears)
        draft.rename(states)
        write_index(run.directory / INDEX, index)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        place = tempfile.TemporaryDirectory(prefix="matchbox-replay-")
        run.kept.callback(place.cleanup)
        states = Path(place.name) / CHECKPOINTS
        try:
            index = _make(run, states, hears)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise RecordingError(f"there is no room for an index in {states} ({why})") from None
    return Checkpoints(run, index, states)


def _make(run: Run, path: Path, hears: Hears | None) -> Index:
    """Folds the whole journal, writing states into the file."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        replica, indexer, size = run.begin(), Indexer(run, file), run.journal_bytes
        for number, (entry, reader) in enumerate(run.walk(At(), replica.seq, replica.chain)):
            try:
                replica.apply(entry)
            except JournalBroken as error:
                run.trouble(JOURNAL, f"can't be replayed: {error}")
                break
            indexer.see(entry, reader, replica.exchange)
            if hears is not None and number % TOLD_EVERY == 0:
                hears(reader.read, size)
        return indexer.finish(path, replica.exchange)


def _read(run: Run) -> Index | None:
    """The index in the directory, None where there is none. Raises `_Useless`."""
    if not os.path.lexists(run.directory / INDEX):
        return None
    try:
        with opened(run.directory / INDEX) as file:
            index = msgspec.json.decode(file.read(MAX_JSON), type=Index)
        with opened(run.directory / CHECKPOINTS) as file:
            states = os.fstat(file.fileno()).st_size, crc_of(file)
    except (RecordingError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise _Useless("is damaged, or its states are") from None
    if (index.format, index.version) != (FORMAT, VERSION):
        raise _Useless("is of another version of this program")
    if index.crc32 != crc_of_index(index) or not index.checkpoints:
        raise _Useless("is damaged")
    if index.bytes != run.journal_bytes or run.tip not in (None, (index.seq, index.chain)):
        raise _Useless("is not of this journal")
    if states != (index.states.bytes, index.states.crc32):
        raise _Useless(f"does not fit its states in {CHECKPOINTS}")
    return index
