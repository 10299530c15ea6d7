"""One fault and what came of it, step by step, as this app sees it: a fold. Times in ns."""

from collections import deque
from dataclasses import dataclass, field

from matchbox_tui.engine import OrderAccepted, OrderRejected
from matchbox_tui.store import ClusterStatus, Entry
from matchbox_tui.tui.operator import Fault

SAMPLES_KEPT = 400

WATCHED_NS = 15_000_000_000
"""How long a fault is followed closely."""


@dataclass
class Recovery:
    """From a fault to the first commit after it, and the score.

    `elected`, `leading` and `committed` are when each was seen, None until then. Order ids are
    handed out one by one, and the journal tells of them in that order: one that is passed over is
    lost, one that comes again is doubled.
    """

    fault: Fault
    victim: str
    words: str
    epoch: int
    seq: int
    last_id: int
    began: int
    elected: int | None = None
    leading: int | None = None
    committed: int | None = None
    leader: str = ""
    new_epoch: int = 0
    orders: int = 0
    lost: int = 0
    doubled: int = 0
    refused: str = ""
    cut: bool = False
    """Whether the connection was lost since."""
    tip: int | None = None
    """Where the journal ended when it was seen again: what comes later was committed later."""
    thawed: bool = False
    went_on: bool = False
    """Whether the victim was thawed in time, and leads as before."""
    equal: dict[str, int] = field(default_factory=dict)
    """Instances whose state hash was ours, and at which sequence."""
    different: dict[str, int] = field(default_factory=dict)
    depths: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))

    @property
    def changes_leader(self) -> bool:
        """Whether somebody else is to lead after it. A server that comes back finds its leader."""
        return self.fault is not Fault.SERVER and not self.went_on

    def looked(self, cluster: ClusterStatus, now: int) -> None:
        """Takes a look at the cluster."""
        if self.committed is None:
            self.depths.append(cluster.queue_depth)
        if self.cut and self.tip is None:
            self.tip = cluster.seq
        if cluster.epoch <= self.epoch:
            return
        if self.elected is None and cluster.leader is not None:
            self.elected, self.leader, self.new_epoch = now, cluster.leader, cluster.epoch
        leads = {one.id: one.role == "leading" and one.epoch for one in cluster.instances}
        if self.leading is None and leads.get(self.leader) == self.new_epoch:
            self.leading = now

    def folded(self, entry: Entry, now: int) -> None:
        """Takes a commit that came after the fault. O(events)."""
        if entry.seq <= self.seq:
            return
        for event in entry.events:
            kind = type(event)
            if kind is OrderAccepted or (kind is OrderRejected and event.order is not None):  # type: ignore[union-attr]  # told by its kind
                self._numbered(event.order_id)  # type: ignore[union-attr]  # as above
        if self.committed is not None:
            return
        is_back = self.tip is not None and entry.seq > self.tip
        if entry.epoch > self.epoch or is_back or self.thawed:
            self.went_on = self.thawed and entry.epoch <= self.epoch
            self.committed = now
            # Whoever commits was elected and has caught up, which may not have been seen.
            self.elected = min(self.elected or now, now)
            self.leading = min(self.leading or now, now)
            if entry.epoch > self.epoch:
                self.new_epoch = entry.epoch

    def compared(self, instance: str, seq: int, equal: bool) -> None:
        """Takes whether an instance's state hash at a sequence is this app's."""
        if seq > self.seq:
            (self.equal if equal else self.different)[instance] = seq

    @property
    def took(self) -> int | None:
        """From the fault to the first commit after it, in ns."""
        return self.committed - self.began if self.committed is not None else None

    @property
    def without_leader(self) -> int | None:
        """From the fault until orders were executed again, or could have been, in ns."""
        if self.committed is None or self.leading is None or any(self.depths):
            return self.took
        return self.leading - self.began

    def over(self, now: int) -> bool:
        """Whether it need not be watched any longer."""
        return now - self.began > WATCHED_NS

    def _numbered(self, order_id: int) -> None:
        self.orders += 1
        if order_id > self.last_id:
            self.lost += order_id - self.last_id - 1 if self.last_id else 0
            self.last_id = order_id
        else:
            self.doubled += 1


class Recoveries:
    """The fault that is looked at, and how many there were."""

    def __init__(self) -> None:
        self.current: Recovery | None = None
        self.count = 0
        self.revision = 0
        self.last_id = 0
        """The highest order id that the journal has told of."""

    def begin(self, recovery: Recovery) -> None:
        self.current = recovery
        self.count += 1
        self.revision += 1

    def take_back(self, recovery: Recovery, before: Recovery | None) -> None:
        """Nothing was done after all: what was looked at before is looked at again."""
        self.count -= 1
        if self.current is recovery:
            self.current = before
        self.revision += 1

    def cut(self) -> None:
        """The connection to the server was lost."""
        if self.current is not None and self.current.fault is Fault.SERVER:
            self.current.cut = True

    def drop(self) -> None:
        """Looks at it no more."""
        self.current = None
        self.revision += 1

    def looked(self, cluster: ClusterStatus, now: int) -> None:
        if self.current is not None:
            self.current.looked(cluster, now)
            self.revision += 1

    def folded(self, entry: Entry, now: int) -> None:
        """O(1) while nothing is recovering, but for the id of the last order."""
        if self.current is not None:
            self.current.folded(entry, now)
            self.revision += 1
        for event in reversed(entry.events):
            kind = type(event)
            if kind is OrderAccepted or (kind is OrderRejected and event.order is not None):  # type: ignore[union-attr]  # told by its kind
                self.last_id = max(self.last_id, event.order_id)  # type: ignore[union-attr]  # as above
                break

    def watches(self, now: int) -> bool:
        """Whether the cluster is to be looked at closely."""
        return self.current is not None and not self.current.over(now)
