"""One fault and what came of it, step by step, as this app sees it: a fold. Times in ns."""

from collections import deque
from dataclasses import dataclass, field

from matchbox_tui.store import ClusterStatus, Entry
from matchbox_tui.tui.backlog import Backlog
from matchbox_tui.tui.operator import Fault
from matchbox_tui.tui.tally import Tally

SAMPLES_KEPT = 400

RECENT_ENTRIES = 8
"""Commits before a fault of which the orders are known, should they come again."""

WATCHED_NS = 15_000_000_000
"""How long a fault is followed closely."""


@dataclass
class Recovery:
    """From a fault to the first commit after it, and the score.

    `elected`, `leading` and `committed` are when each was seen, None until then. `unserved` is for
    how long commands were seen to wait under the new lead for that commit, in ns.
    """

    fault: Fault
    victim: str
    words: str
    epoch: int
    seq: int
    began: int
    elected: int | None = None
    leading: int | None = None
    committed: int | None = None
    leader: str = ""
    new_epoch: int = 0
    unserved: int = 0
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
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._backlog = Backlog(self.seq)

    @property
    def changes_leader(self) -> bool:
        """Whether somebody else is to lead after it. A server that comes back finds its leader."""
        return self.fault is not Fault.SERVER and not self.went_on

    def awaits_end_of(self, leader: str | None, fault: Fault) -> bool:
        """Whether the same was just done to this leader, which only seems to lead still."""
        return (
            fault is self.fault
            and fault in (Fault.KILL, Fault.STOP)
            and leader == self.victim
            and self.elected is None
            and self.committed is None
        )

    def looked(self, cluster: ClusterStatus, now: int) -> None:
        """Takes a look at the cluster."""
        self.tally.looked(cluster)
        self._backlog.looked(cluster, now)
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
        if self.committed is None:
            self._ended(entry, now)
        self.tally.folded(entry, over=self.committed is not None)

    def _ended(self, entry: Entry, now: int) -> None:
        """Takes a commit that is the first after the fault, unless it was on its way before."""
        is_back = self.tip is not None and entry.seq > self.tip
        if entry.epoch > self.epoch or is_back or self.thawed:
            self.went_on = self.thawed and entry.epoch <= self.epoch
            self.committed = now
            # Whoever commits was elected and has caught up, which may not have been seen.
            self.elected = min(self.elected or now, now)
            self.leading = min(self.leading or now, now)
            if entry.epoch > self.epoch:
                self.new_epoch = entry.epoch
        waited = self._backlog.committed(entry.seq, now, self.leading or now)
        if self.committed is not None:
            self.unserved = waited

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
        """From the fault until orders were executed again, or could have been, in ns.

        While nobody sends an order there is no commit, but a leader that would commit it.
        """
        if self.committed is None or self.leading is None:
            return None
        return self.leading - self.began + self.unserved

    @property
    def orders(self) -> int:
        """Orders of which the journal told since the fault, whoever numbered them."""
        return self.tally.orders

    @property
    def lost(self) -> int:
        return self.tally.lost

    @property
    def doubled(self) -> int:
        return self.tally.doubled

    def over(self, now: int) -> bool:
        """Whether it need not be watched any longer."""
        return now - self.began > WATCHED_NS


class Recoveries:
    """The fault that is looked at, and how many there were."""

    def __init__(self) -> None:
        self.current: Recovery | None = None
        self.count = 0
        self.revision = 0
        self._recent: deque[Entry] = deque(maxlen=RECENT_ENTRIES)
        self._settled = 0
        self._counter = 0

    def begin(self, recovery: Recovery) -> None:
        recovery.tally = Tally(self._recent, self._settled, self._counter)
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

    def gap(self, before: int, epoch: int) -> int | None:
        """How long nobody led between two epochs, in ns, where the fault that is looked at ended
        the first of them and the first commit after it was the second's.
        """
        told = self.current
        if (
            told is None
            or not told.changes_leader
            or (told.epoch, told.new_epoch) != (before, epoch)
        ):
            return None
        return told.without_leader

    def looked(self, cluster: ClusterStatus, now: int) -> None:
        self._counter = cluster.last_order_id
        if not cluster.queue_depth and self._recent and self._recent[-1].seq == cluster.seq:
            self._settled = cluster.last_order_id
        if self.current is not None:
            self.current.looked(cluster, now)
            self.revision += 1

    def folded(self, entry: Entry, now: int) -> None:
        """O(1) while nothing is recovering."""
        if self.current is not None:
            self.current.folded(entry, now)
            self.revision += 1
        if self._recent and entry.seq <= self._recent[-1].seq:
            # The journal is another one now, or read anew.
            self._recent.clear()
            self._settled = 0
        self._recent.append(entry)

    def watches(self, now: int) -> bool:
        """Whether the cluster is to be looked at closely."""
        return self.current is not None and not self.current.over(now)
