"""How long nobody led between one epoch and the next, told by signs of life of their leaders."""

from dataclasses import dataclass
from itertools import pairwise

from matchbox_tui.store import ClusterStatus, Entry
from matchbox_tui.tui.backlog import Backlog


@dataclass(frozen=True)
class Handover:
    """The place on the tape where the lead went to another.

    `gap_ns` is how long orders could not have been executed: at most so long, or where it is
    `exact` just so long, since it was this app that ended the old lead. None where nobody can tell.
    """

    before: int
    epoch: int
    gap_ns: int | None = None
    exact: bool = False


class Lead:
    """When each leader was first and last seen to lead. Times in ns, as read here.

    A leader shows that it leads by a commit, and by its heartbeat: every half second by default,
    and at once when it begins. The gap goes from the last sign of the old leader to the first of
    the new one. To that is added for how long commands were seen to wait under the new lead for
    its first commit. So it is right to a commit's distance where orders keep coming, and to a
    heartbeat's where none come; time in which a leader had nothing to do is never part of it. Where
    leaders came and went between two commits, it is the sum of the gaps that were seen.

    The old leader may have gone at any time after its last sign, so the gap is an upper bound. The
    times in the journal are those of orders and say nothing about it: of what is read as history,
    or has happened while the connection was away, no gap is told.
    """

    def __init__(self, epoch: int = 0, seq: int = 0) -> None:
        self._epoch = epoch
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._backlog = Backlog(seq)

    @property
    def epoch(self) -> int:
        """Of the last commit."""
        return self._epoch

    def looked(self, cluster: ClusterStatus, asked: int, now: int) -> None:
        """Takes a look at the cluster, which was asked for and answered at these times."""
        for one in cluster.instances:
            # One that was deposed and doesn't know it yet says that it leads, of an older epoch.
            if one.role == "leading" and one.epoch >= max(cluster.epoch, self._epoch, 1):
                self._sign(one.epoch, asked - one.heard_ms * 1_000_000)
        self._backlog.looked(cluster, now)

    def committed(self, entry: Entry, seen: int | None) -> Handover | None:
        """Takes a commit, seen at a time or read as history. The handover before it, if any."""
        before, epoch = self._epoch, entry.epoch
        if seen is None:
            gap = None
            self._backlog = Backlog(entry.seq)
        else:
            self._sign(epoch, seen)
            gap = self._gap(before, epoch)
            unserved = self._backlog.committed(entry.seq, seen, self._first[epoch])
            gap = None if gap is None else gap + unserved
        self._epoch = epoch
        if not before or epoch == before:
            return None
        for times in (self._first, self._last):
            for old in [known for known in times if known < epoch]:
                del times[old]
        return Handover(before, epoch, gap)

    def forget(self) -> None:
        """The venue was out of sight: what it did meanwhile is not known."""
        self._first.clear()
        self._last.clear()

    def _sign(self, epoch: int, time: int) -> None:
        self._first[epoch] = min(self._first.get(epoch, time), time)
        self._last[epoch] = max(self._last.get(epoch, time), time)

    def _gap(self, before: int, epoch: int) -> int | None:
        seen = sorted(known for known in self._last if before <= known <= epoch)
        if not seen or seen[0] != before or seen[-1] != epoch:
            return None
        return sum(max(self._first[new] - self._last[old], 0) for old, new in pairwise(seen))
