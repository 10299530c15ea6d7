"""Who has been seen in the cluster, and how long the queue has been: what the looks at it tell."""

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


@dataclass(frozen=True)
class Member:
    """One instance. `heard_ns` is the age of its heartbeat; `gone` where it has none any more."""

    instance: InstanceStatus
    heard_ns: int
    leads: bool
    lag: int
    gone: bool = False


class Roster:
    """The instances of the last look, and those that went a short while ago."""

    def __init__(self) -> None:
        self.depths: deque[int] = deque(maxlen=DEPTHS_KEPT)
        self.looks = 0
        self._cluster: ClusterStatus | None = None
        self._time = 0
        self._measured: int | None = None
        self._seen: dict[str, tuple[InstanceStatus, int]] = {}

    def looked(self, cluster: ClusterStatus, time: int) -> None:
        """Takes a look at the cluster, at a time in ns. O(instances)."""
        self.looks += 1
        if self._measured is None or not 0 <= time - self._measured < DEPTH_NS:
            self.depths.append(cluster.queue_depth)
            self._measured = time
        else:
            self.depths[-1] = max(self.depths[-1], cluster.queue_depth)
        self._cluster, self._time = cluster, time
        for instance in cluster.instances:
            self._seen[instance.id] = instance, time
        for name, (_, seen) in list(self._seen.items()):
            if time - seen > GONE_NS:
                del self._seen[name]

    def members(self) -> Iterator[Member]:
        """Everybody by name, as of the last look."""
        cluster = self._cluster
        if cluster is None:
            return
        present = {instance.id for instance in cluster.instances}
        for name, (instance, seen) in sorted(self._seen.items()):
            yield Member(
                instance,
                instance.heard_ms * 1_000_000 + self._time - seen,
                name == cluster.leader,
                max(cluster.seq - instance.seq, 0),
                name not in present,
            )
