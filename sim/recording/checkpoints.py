"""A run's index, and the states on the way that it names."""

import contextlib
import gc
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import msgspec

from matchbox_tui.engine import Exchange, Part, load_part
from matchbox_tui.store import Replica
from sim.recording.form import FileFacts, RecordingError
from sim.recording.frames import At, FrameReader
from sim.recording.opening import Run

FORMAT = "matchbox-index"
VERSION = 3


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
    after the start. `last_order_id` is the highest that was met. `markets` are those that the run
    has. `states` is the checkpoints' file, `crc32` that of the index itself with a 0 in this place.
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
    crc32: int = 0


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
