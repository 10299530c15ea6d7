"""The index of a run: states on the way, to go on from without folding all that was before."""

import contextlib
import gc
import gzip
import os
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from matchbox_tui.engine import Exchange, Part, dump_parts, load_part
from matchbox_tui.store import JournalBroken, Replica
from sim.recording.form import JOURNAL, MAX_JSON, FileFacts, RecordingError, crc_of
from sim.recording.frames import At, FrameReader
from sim.recording.opening import Run
from sim.recording.reading import opened
from sim.recording.run import CHECKPOINTS, INDEX
from sim.recording.run_clock import RunClock

FORMAT = "matchbox-index"
VERSION = 1

EVERY = 10_000
"""Commands from one checkpoint to the next, at the least."""

GROWTH = 3
"""There is another checkpoint only where the journal, unpacked, has grown by so many times what the
last one takes: so all together take a third of that at the most, however large the books.
"""

TOLD_EVERY = 1000
"""Entries between two words about how far the index is."""

Told = Callable[[int, int], None]
"""Hears how many bytes of the journal were read, and how many there are."""


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """The state after command `seq`, at `at` ns since the run's start; the journal goes on at
    `place`. `state` is the byte of the checkpoints' file at which its `parts` begin; where there
    are none the journal begins here.
    """

    seq: int
    chain: str
    epoch: int
    at: int
    place: At
    state: int
    parts: int


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """The lead went to another: the first commit of `epoch` ended with command `seq`."""

    seq: int
    epoch: int
    at: int


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """`bytes` is the journal's size when it was read, to its end at (`seq`, `chain`) and `end` ns
    after the start. `last_order_id` is the highest that was met. `states` is the checkpoints' file.
    """

    format: str = FORMAT
    version: int = VERSION
    bytes: int
    states: FileFacts
    seq: int
    chain: str
    end: int
    last_order_id: int
    trades: int
    markets: list[str]
    checkpoints: list[Checkpoint]
    turns: list[Turn]


class Checkpoints:
    """A run's index and the states that it names."""

    def __init__(self, run: Run, index: Index, states: Path) -> None:
        self._run = run
        self._states = states
        self.index = index
        self._seqs = [one.seq for one in index.checkpoints]

    def before(self, seq: int) -> Checkpoint:
        """The last checkpoint at or before a command."""
        return self.index.checkpoints[max(bisect_right(self._seqs, seq) - 1, 0)]

    def before_time(self, at: int) -> Checkpoint:
        """The last checkpoint at or before a time, in ns since the start."""
        found = bisect_right(self.index.checkpoints, at, key=lambda one: one.at)
        return self.index.checkpoints[max(found - 1, 0)]

    def load(self, point: Checkpoint) -> Replica:
        """The state at a checkpoint. O(its orders). Raises `RecordingError` where it is damaged."""
        if not point.parts:
            return self._run.begin()
        exchange = Exchange(())
        decoder: msgspec.msgpack.Decoder[Part] = msgspec.msgpack.Decoder(Part)
        reader = FrameReader(self._states, At(point.state))
        left = point.parts
        try:
            with _no_collecting():
                for frame in reader:
                    load_part(exchange, decoder.decode(frame))
                    left -= 1
                    if not left:
                        break
        except (ValueError, msgspec.MsgspecError) as error:
            raise RecordingError(f"{self._states} is damaged ({error}): remove it") from None
        if left:
            raise RecordingError(f"{self._states} is damaged ({reader.torn}): remove it")
        exchange.seq = point.seq
        return Replica(exchange, point.chain, point.epoch)


def indexed(run: Run, hears: Told | None = None) -> Checkpoints:
    """The run's index: the one that lies in its directory, else one that is made now.

    That takes one pass over the journal. It is kept in the directory, or where that can't be
    written to, in a temporary one, which goes when the program does. Raises `RecordingError`.
    """
    index = _read(run)
    states = run.directory / CHECKPOINTS
    if index is not None:
        return Checkpoints(run, index, states)
    draft = run.directory / f"{CHECKPOINTS}.new"
    try:
        index = _make(run, draft, hears)
        draft.rename(states)
        _write(run.directory / INDEX, index)
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


def _make(run: Run, path: Path, hears: Told | None) -> Index:
    """Folds the whole journal, writing states into the file."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        replica, samples = run.begin(), run.samples
        clock = RunClock.of_replay(run.facts, samples, run.base.seq)
        size = run.journal_bytes
        first = Checkpoint(run.base.seq, run.base.chain, run.base.epoch, 0, At(), 0, 0)
        checkpoints, turns = [first], list[Turn]()
        cost = passed = trades = last_id = 0
        encoder = msgspec.msgpack.Encoder()
        for number, (entry, reader) in enumerate(run.walk(At(), replica.seq, replica.chain)):
            before = replica.epoch
            try:
                replica.apply(entry)
            except JournalBroken as error:
                run.trouble(JOURNAL, f"can't be replayed: {error}")
                break
            at = clock.at(entry.seq, entry.events[-1].timestamp)
            if before and entry.epoch != before:
                turns.append(Turn(entry.seq, entry.epoch, at))
            trades += entry.blob.count(TRADE)
            last_id = max(last_id, max((_id(event) for event in entry.events), default=0))
            if hears is not None and number % TOLD_EVERY == 0:
                hears(reader.read, size)
            last = checkpoints[-1]
            if entry.seq - last.seq < EVERY:
                continue
            if reader.passed - passed < cost * GROWTH:
                continue
            state, passed = file.tell(), reader.passed
            with gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:
                parts = 0
                for part in dump_parts(replica.exchange):
                    raw = encoder.encode(part)
                    packed.write(len(raw).to_bytes(4, "big") + raw)
                    parts += 1
            cost = file.tell() - state
            checkpoints.append(
                Checkpoint(entry.seq, entry.chain, entry.epoch, at, reader.next, state, parts)
            )
        file.flush()
        with path.open("rb") as written:
            states = FileFacts(file.tell(), crc_of(written), len(checkpoints))
        return Index(
            bytes=size,
            states=states,
            seq=replica.seq,
            chain=replica.chain,
            end=max(clock.now, samples[-1].at if samples else 0),
            last_order_id=last_id,
            trades=trades,
            markets=list(replica.exchange.books),
            checkpoints=checkpoints,
            turns=turns,
        )


TRADE = b'{"type":"trade.executed"'


def _id(event: object) -> int:
    return getattr(event, "order_id", 0)


def _read(run: Run) -> Index | None:
    """The index in the directory, None where there is none for this journal."""
    try:
        with opened(run.directory / INDEX) as file:
            index = msgspec.json.decode(file.read(MAX_JSON), type=Index)
        with opened(run.directory / CHECKPOINTS) as file:
            states = os.fstat(file.fileno()).st_size, crc_of(file)
    except (RecordingError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    known = (index.format, index.version, index.bytes) == (FORMAT, VERSION, run.journal_bytes)
    tip = run.tip
    if not known or not index.checkpoints or tip not in (None, (index.seq, index.chain)):
        return None
    return index if states == (index.states.bytes, index.states.crc32) else None


def _write(path: Path, index: Index) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with draft.open("xb") as file:
        file.write(msgspec.json.encode(index))
    draft.rename(path)


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Looking for garbage among what is only being made costs as much as making it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
