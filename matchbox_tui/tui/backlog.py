"""Since when commands have been waiting that no commit has taken, as looks at the queue tell."""

from matchbox_tui.store import ClusterStatus


class Backlog:
    """Holds looks at the queue against the commits that are known, of which `seq` is the last."""

    def __init__(self, seq: int = 0) -> None:
        self._seq = seq
        self._since: int | None = None

    def looked(self, cluster: ClusterStatus, now: int) -> None:
        """Takes a look at the cluster, at a time in ns."""
        if cluster.seq < self._seq:
            # It is older than a commit that is known, which may have taken what waited.
            return
        if cluster.queue_depth:
            if self._since is None:
                self._since = now
        elif cluster.seq == self._seq:
            # Where it is ahead, the commit that took them is on its way here.
            self._since = None

    def committed(self, seq: int, now: int, leading: int) -> int:
        """Takes a commit at `now`, by who leads since `leading`.

        Returns for how long commands waited under that lead, in ns: 0 where none was seen to.
        """
        waited = 0 if self._since is None else max(now - max(self._since, leading), 0)
        self._seq, self._since = seq, None
        return waited
