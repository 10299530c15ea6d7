"""When each entry of a run's journal happened."""

from bisect import bisect_right
from collections.abc import Sequence

from matchbox_tui.store import Entry
from sim.recording.run import RunFacts, Sample

NS = 1_000_000_000
MARGIN_NS = 60 * NS
"""How long after its time a run may go on."""


class RunClock:
    """Tells the times of entries, asked in their order, in ns since the run's start.

    They are by the orders' own times, which are anybody's: each lies between the samples around it,
    never before an earlier one, and never far behind the run's end.
    """

    def __init__(
        self, facts: RunFacts, samples: Sequence[Sample], seq: int = 0, now: int = 0
    ) -> None:
        """For a reader who is at `now`, behind command `seq`."""
        self.now = now
        self._start = facts.start
        self._end = facts.duration + MARGIN_NS
        self._samples = samples
        self._next = bisect_right(samples, seq, key=_seq) if samples else 0

    def read(self, entry: Entry) -> int:
        """The time of the next entry. O(1), amortized."""
        samples = self._samples
        while self._next < len(samples) and samples[self._next].seq < entry.seq:
            self.now = max(self.now, min(samples[self._next].at, self._end))
            self._next += 1
        latest = samples[self._next].at if self._next < len(samples) else self._end
        at = min(entry.events[-1].timestamp - self._start, latest)
        self.now = max(self.now, at)
        return self.now


def _seq(sample: Sample) -> int:
    return sample.seq
