"""A run as a player wants it: entries with their times, from any place on."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

import msgspec

from matchbox_tui.store import Entry, Replica
from sim.recording.checkpoints import Checkpoints
from sim.recording.form import JOURNAL
from sim.recording.frames import FrameReader
from sim.recording.indexing import TRADE
from sim.recording.opening import Run
from sim.recording.reading import stream_entry
from sim.recording.run import Sample
from sim.recording.run_clock import RunClock


class Playback:
    """Reads a run from anywhere. Times are in ns since its start.

    To go anywhere costs one state and at most the entries from one checkpoint to the next. All
    methods raise `RecordingError` where a file is damaged.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints) -> None:
        self._run = run
        self._points = checkpoints
        index = checkpoints.index
        self.title = run.facts.scenario or run.directory.name
        self.start = run.facts.start
        self.first, self.last, self.end = run.base.seq, index.seq, index.end
        self.interrupted = bool(run.interrupted)
        self.markets = index.markets

    def begin(self, seq: int) -> Replica:
        """A state at or before a command, not far from it. O(its orders)."""
        return self._points.load(self._points.before(seq))

    def entries(self, after: int) -> Iterator[tuple[int, Entry]]:
        """The commits after a command, each with its time."""
        point = self._points.before(after)
        clock = RunClock.of_replay(self._run.facts, self._run.samples, point.seq, point.at)
        for entry, _ in self._run.walk(point.place, point.seq, point.chain):
            at = clock.at(entry.seq, entry.events[-1].timestamp)
            if entry.seq > after:
                yield at, entry

    def seq_at(self, time: int) -> int:
        """The last command at or before a time."""
        seq = self._points.before_time(time).seq
        for at, entry in self.entries(seq):
            if at > time:
                break
            seq = entry.seq
        return seq

    def next_trade(self, after: int) -> int | None:
        """The commit after a command in which something trades. O(commits until there)."""
        point = self._points.before(after)
        for frame in FrameReader(self._run.directory / JOURNAL, point.place):
            if TRADE not in frame:
                continue
            try:
                seq = int(stream_entry(frame).id.partition(b"-")[0])
            except (msgspec.MsgspecError, ValueError):
                return None
            if seq > after:
                return seq if seq <= self.last else None
        return None

    def next_turn(self, after: int) -> int | None:
        """The first commit of the next leader after a command."""
        return next((turn.seq for turn in self._points.index.turns if turn.seq > after), None)

    def standing(self, at: int, epoch: int) -> tuple[str | None, int, int]:
        """Who led at a time, in which epoch, and how many commands waited.

        `epoch` is the journal's by then. Without samples the leader is told by the state hashes
        that it published, as far as it did.
        """
        samples = self._run.samples
        if not samples:
            return self._leaders.get(epoch, "?") if epoch else None, epoch, 0
        one = samples[max(bisect_right(samples, at, key=_at) - 1, 0)]
        return one.leader or None, max(one.epoch, epoch), one.waiting

    @cached_property
    def _leaders(self) -> dict[int, str]:
        return {one.epoch: one.id for one in self._run.hashes() if one.role == "leading"}


def _at(sample: Sample) -> int:
    return sample.at
