"""What became of the order ids that the venue gave out, around a fault: lost, doubled."""

from collections.abc import Iterable
from dataclasses import dataclass

from matchbox_tui.engine import Event, NewOrder, OrderAccepted, OrderRejected
from matchbox_tui.store import ID_MARGIN, ClusterStatus, Entry


@dataclass(frozen=True)
class Told:
    """An order that the journal told of, `since` the fault, or since it was `over`."""

    order: NewOrder
    since: bool
    over: bool


class Tally:
    """Counts orders since a fault, and the ids among them that were lost or doubled.

    SUBMIT draws ids from the venue's counter and queues their orders in one step, so the journal
    tells of these ids one by one. Whoever pushes orders into the queue by hand may choose any id,
    twice as well. So an id counts only once the counter has reached it, and

    - it is lost where the journal went past it, or where everything that was queued is in the
      journal, and has not told of it. One that comes late, as one that was drawn by INCR and pushed
      later may, is lost no more.
    - it is doubled where the same order came before the first commit after the fault and again
      with or after it, and the ids from it up to the last before that commit came without a hole.
      What comes twice on one side of that commit was queued twice.

    Two things can't be told by a reader of the journal: an id that was drawn by INCR and never
    pushed looks lost, and an order that was drawn by INCR and pushed twice, on either side of the
    fault, looks doubled.
    """

    def __init__(self, recent: Iterable[Entry] = (), settled: int = 0, counter: int = 0) -> None:
        """After the newest entries before the fault. Ids up to `settled` are known to be done;
        the id counter was last seen at `counter`, 0 where it never was.
        """
        self.orders = 0
        self.doubled = 0
        self._counter = counter
        self._top = settled
        self._seq = 0
        self._missing: list[tuple[int, int]] = []
        self._before: dict[int, NewOrder] = {}
        self._run: range | None = None
        self._leapt: tuple[int, int] | None = None
        self._early: list[Told] = []
        self._earlier: list[Told] = []
        for entry in recent:
            self._fold(entry, since=False, over=False)

    @property
    def lost(self) -> int:
        return sum(last - first + 1 for first, last in self._missing)

    def folded(self, entry: Entry, *, over: bool) -> None:
        """Takes a commit after the fault; `over` from the one on that ends it. O(events)."""
        # What is read again after a lost connection is nothing new.
        if entry.seq > self._seq:
            self._fold(entry, since=True, over=over)

    def looked(self, cluster: ClusterStatus) -> None:
        """Takes a look at the cluster. O(orders since the last one)."""
        counter = cluster.last_order_id
        if self._counter and counter - self._counter >= ID_MARGIN:
            # It was moved on, past an id that somebody had chosen: those between are nobody's.
            self._leapt = (self._leapt or (self._counter,))[0], counter
        self._counter = max(self._counter, counter)
        # The counter that was read may be older than the commits that came since it was asked for.
        earlier, early = self._earlier, self._early
        self._earlier = [told for told in early if told.order.order_id > self._counter]
        self._early = []
        for told in (*earlier, *early):
            if told.order.order_id <= self._counter:
                self._count(told)
        if not cluster.queue_depth and cluster.seq == self._seq and self._top:
            self._pass(self._counter)

    def _fold(self, entry: Entry, *, since: bool, over: bool) -> None:
        self._seq = entry.seq
        for event in entry.events:
            order = order_of(event)
            if order is None:
                continue
            self.orders += since
            told = Told(order, since, over)
            if order.order_id <= self._counter and not self._early:
                self._count(told)
            else:
                self._early.append(told)

    def _count(self, told: Told) -> None:
        order_id = told.order.order_id
        if self._leapt is not None and self._leapt[0] < order_id <= self._leapt[1]:
            return
        if told.over:
            if self._run is None:
                self._run = self._unbroken()
            if order_id in self._run and _same(told.order, self._before[order_id]):
                self.doubled += 1
        elif order_id > self._top or not told.since:
            self._before.setdefault(order_id, told.order)
        if order_id <= self._top:
            self._found(order_id)
        else:
            if told.since and self._top:
                self._pass(order_id - 1)
            self._top = order_id

    def _pass(self, last: int) -> None:
        """Ids up to the last one should have come by now."""
        if self._leapt is not None and last >= self._leapt[1]:
            (start, end), self._leapt = self._leapt, None
            self._pass(start)
            self._top = end
        if last > self._top:
            self._missing.append((self._top + 1, last))
            self._top = last

    def _found(self, order_id: int) -> None:
        for n, (first, last) in enumerate(self._missing):
            if first <= order_id <= last:
                rest = ((first, order_id - 1), (order_id + 1, last))
                self._missing[n : n + 1] = [(a, b) for a, b in rest if a <= b]
                return

    def _unbroken(self) -> range:
        """The ids before the commit that ended the fault, as far back as none is missing."""
        first = self._top + 1
        while first - 1 in self._before:
            first -= 1
        return range(first, self._top + 1)


def order_of(event: Event) -> NewOrder | None:
    """The order that was asked for, where an event tells of it first."""
    if type(event) is OrderAccepted or type(event) is OrderRejected:
        return event.order
    return None


def _same(one: NewOrder, other: NewOrder) -> bool:
    """Whether two may be one queue element, of which reduce_only may have capped `qty`."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in one.__struct_fields__
        if name != "qty"
    )
