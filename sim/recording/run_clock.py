"""When a command took effect, by the run's own time."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Self

from sim.recording.run import RunFacts, Sample

NS = 1_000_000_000
MARGIN_NS = 60 * NS
"""How long after its time a run may go on."""


class RunClock:
    """Times of commands, in ns since the run's start; they never go back.

    A command carries the time at which it was sent, or whatever its sender made up. What it did,
    it did between the last sample before its commit and the first one after it, so its time is
    kept within those, and before the end.
    """

    def __init__(
        self, start: int, samples: Sequence[Sample], end: int, seq: int = 0, now: int = 0
    ) -> None:
        """For a reader who is at `now`, behind command `seq`.

        `start` in ns since the epoch; no time is beyond `end`. `samples` in their order.
        """
        self.now = now
        self._start = start
        self._samples = samples
        self._end = end
        self._next = bisect_left(samples, seq, key=_seq) if seq else 0
        self._most = self._latest()

    @classmethod
    def of_replay(
        cls, facts: RunFacts, samples: Sequence[Sample], seq: int = 0, now: int = 0
    ) -> Self:
        """One for what came after the run's end, too, as far as that is not far behind it."""
        return cls(facts.start, samples, facts.duration + MARGIN_NS, seq, now)

    def at(self, seq: int, timestamp: int) -> int:
        """The time of a command, asked in the order of the journal. O(1), amortized."""
        samples = self._samples
        if self._next < len(samples) and samples[self._next].seq < seq:
            self._pass(seq)
        self.now = min(max(timestamp - self._start, self.now), self._most)
        return self.now

    def _pass(self, seq: int) -> None:
        samples = self._samples
        while self._next < len(samples) and samples[self._next].seq < seq:
            self.now = max(self.now, min(samples[self._next].at, self._end))
            self._next += 1
        self._most = self._latest()

    def _latest(self) -> int:
        """The next sample's time, or the end; never before now."""
        samples = self._samples
        later = samples[self._next].at if self._next < len(samples) else self._end
        return max(self.now, min(later, self._end))


def _seq(sample: Sample) -> int:
    return sample.seq
