"""Who has been seen in the cluster, and how long the queue has been: what the looks at it tell."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from matchbox_tui.store import ClusterStatus, InstanceStatus

DEPTH_NS = 200_000_000
"""The queue's depth is kept no more often than this, at its highest."""

DEPTHS_KEPT = 300
"""Depths kept: a minute of them."""

GONE_NS = 60_000_000_000
"""How long an instance that is heard of no more stays on the list."""


LATE_NS = 2_000_000_000
"""A heartbeat older than this is late: it beats every half second by default."""

STEP_NS = 10_000_000
"""The venue's progress is kept no more often than this."""

STEPS_KEPT = 400


@dataclass(frozen=True)
class Member:
    """One instance. `heard_ns` is the age of its heartbeat; `gone` where it has none any more.

    `lag` counts the commands that it had not applied at its last heartbeat, of those that the
    journal certainly had by then: what this app had seen of it, so up to 10 ms and a message's way
    of traffic less than all. A heartbeat tells of the past, and what came since is no lag. Of an
    instance that is late or gone it counts those that the journal has now, since for all that is
    known it stands still. None where the heartbeat is older than what this app saw of the journal.
    """

    instance: InstanceStatus
    heard_ns: int
    leads: bool
    lag: int | None
    gone: bool = False


class Roster:
    """The instances of the last look, and those that went a short while ago."""

    def __init__(self, stays_ns: int = GONE_NS) -> None:
        """`stays_ns` is how long one that is heard of no more stays on the list; 0: not at all."""
        self._stays_ns = stays_ns
        self.depths: deque[int] = deque(maxlen=DEPTHS_KEPT)
        self.looks = 0
        self._cluster: ClusterStatus | None = None
        self._time = 0
        self._asked = 0
        self._steps: deque[tuple[int, int]] = deque(maxlen=STEPS_KEPT)
        self._measured: int | None = None
        self._seen: dict[str, tuple[InstanceStatus, int]] = {}

    def reached(self, seq: int, time: int) -> None:
        """The journal was at `seq` by a time in ns. O(1)."""
        steps = self._steps
        if steps:
            last_time, last_seq = steps[-1]
            if time < last_time or seq < last_seq:
                # The clock was set back, or the store.
                steps.clear()
            elif time - last_time < STEP_NS:
                return
        steps.append((time, seq))

    def looked(self, cluster: ClusterStatus, time: int, asked: int | None = None) -> None:
        """Takes a look at the cluster, answered at a time and asked for at another, in ns.

        O(instances).
        """
        self.looks += 1
        self._asked = time if asked is None else asked
        self.reached(cluster.seq, time)
        if self._measured is None or not 0 <= time - self._measured < DEPTH_NS:
            self.depths.append(cluster.queue_depth)
            self._measured = time
        else:
            self.depths[-1] = max(self.depths[-1], cluster.queue_depth)
        self._cluster, self._time = cluster, time
        for instance in cluster.instances:
            self._seen[instance.id] = instance, time
        there = {instance.id for instance in cluster.instances}
        for name, (_, seen) in list(self._seen.items()):
            if name not in there and (not self._stays_ns or time - seen > self._stays_ns):
                del self._seen[name]

    def members(self) -> Iterator[Member]:
        """Everybody by name, as of the last look."""
        cluster = self._cluster
        if cluster is None:
            return
        present = {instance.id for instance in cluster.instances}
        for name, (instance, seen) in sorted(self._seen.items()):
            gone = name not in present
            heard_ns = instance.heard_ms * 1_000_000 + self._time - seen
            lag = self._lag(instance, cluster.seq, still=gone or heard_ns > LATE_NS)
            yield Member(instance, heard_ns, name == cluster.leader, lag, gone)

    def _lag(self, instance: InstanceStatus, newest: int, *, still: bool) -> int | None:
        if still or instance.seq >= newest:
            return max(newest - instance.seq, 0)
        # Its age was read after it was asked for, so it beat no earlier than this.
        beat = self._asked - instance.heard_ms * 1_000_000
        at = bisect_left(self._steps, (beat + 1, 0))
        return max(self._steps[at - 1][1] - instance.seq, 0) if at else None
