"""When a command took effect, by the run's own time."""

from collections.abc import Sequence

from sim.recording import Sample


class Clock:
    """Times of commands, in ns since the run's start; they never go back.

    A command carries the time at which it was sent, or whatever its sender made up. What it did,
    it did between the last sample before its commit and the first one after it, so its time is
    kept within those.
    """

    def __init__(self, start: int, samples: Sequence[Sample], end: int) -> None:
        """`start` in ns since the epoch; no time is beyond `end`. `samples` in their order."""
        self._start = start
        self._samples = samples
        self._next = 0
        self._least = 0
        self._most = min(samples[0].at, end) if samples else end
        self._end = end

    def at(self, seq: int, timestamp: int) -> int:
        """The time of a command, asked in the order of the journal. O(1), amortized."""
        samples = self._samples
        if self._next < len(samples) and samples[self._next].seq < seq:
            self._pass(seq)
        time = min(max(timestamp - self._start, self._least), self._most)
        self._least = time
        return time

    def _pass(self, seq: int) -> None:
        samples = self._samples
        while self._next < len(samples) and samples[self._next].seq < seq:
            self._least = max(self._least, min(samples[self._next].at, self._end))
            self._next += 1
        later = samples[self._next].at if self._next < len(samples) else self._end
        self._most = max(self._least, min(later, self._end))
