"""I1 and I2: every order is answered once, in its turn."""

from collections.abc import Iterable, Iterator

from matchbox_tui.engine import Event, Exchange, Malformed, NewOrder, OrderAccepted, decode_command
from matchbox_tui.store import JournalBroken, parse_entry
from sim.audit.grouping import groups
from sim.audit.idset import IdRanges, IdSet
from sim.audit.inferring import outcome_id
from sim.audit.inspection import Inspection, some
from sim.audit.model import difference
from sim.naive import NaiveExchange
from sim.recording import Moment, StreamEntry

FAR_BACK_NS = 60 * 10**9
"""A command's time is told where it is so far behind that of the command before it."""


def waiting_ids(queue: Iterable[bytes]) -> Iterator[int]:
    """The ids of the orders that wait, first to last."""
    for element in queue:
        command = decode_command(element)
        if isinstance(command, NewOrder | Malformed) and command.order_id > 0:
            yield command.order_id


class OutcomesInspection(Inspection):
    """I1. Goes on after an offence, so that lost and doubled orders are counted in full.

    Ids that nobody was told of may be missing: a producer can die between drawing one and using
    it, and after a store was set back the counter jumps ahead. They may also be beyond the counter,
    where a producer makes up its own. They are counted only; an acknowledged one is the counter's.
    """

    name = "I1"

    def __init__(self, base: Exchange, moment: Moment, record: IdRanges | None) -> None:
        """`base` stands where the journal begins and moves with it."""
        super().__init__()
        self.inspected = True
        self._exchange = base
        self._counter = moment.counter
        self._no_counter = moment.troubles.get("counter", "")
        self._record = record
        self._ids = IdSet()
        """Every id that is known to have been used."""
        for order_id in base.orders:
            self._ids.add(order_id)
        # After a snapshot nobody knows which ids were used before it: those are not judged.
        self._first = 0 if base.seq else 1
        self._first_told = 0 if base.seq else 1
        self._used = 0
        self._orders = 0
        self._waiting = 0
        self._lost = 0
        self._doubled = 0
        self._judged = 0
        self._beyond = 0
        if record is not None and record.repeats:
            self.accuse(
                f"order {record.repeats}",
                "to be acknowledged once",
                f"that twice; so were {some(record.repeated, 'order')} in all",
            )

    def read(self, seq: int, events: list[Event]) -> None:
        """The events of one command, before the exchange moves by them."""
        first = events[0]
        order_id = outcome_id(first)
        if order_id is None:
            return
        self._orders += 1
        if type(first) is OrderAccepted and order_id in self._exchange.orders:
            self.accuse(seq, f"order {order_id} not to be accepted while it is open", "that")
        if self._is_repeated(order_id):
            self._doubled += 1
            self.accuse(seq, f"one outcome of order {order_id}, acknowledged once", "another")

    def finish(self, waiting: Iterable[int], complete: bool) -> None:
        """The journal was read to its end; `waiting` are the ids in the queue behind it.

        Where not the whole queue is known (`complete`), no order is called lost.
        """
        for order_id in waiting:
            self._waiting += 1
            if self._is_repeated(order_id):
                self._doubled += 1
                self.accuse("the queue", f"order {order_id} not to wait, for it was answered", "it")
        if self._record is None:
            return
        if self._first_told and complete:
            self._look_for_the_lost(self._record)
        highest = self._record.highest
        if self._no_counter:
            self.accuse("the counter", "one that can be read", self._no_counter)
        elif highest > self._counter:
            wanted = f"{highest} or more, for order {highest} was acknowledged"
            self.accuse("the counter", wanted, f"{self._counter}")

    def _look_for_the_lost(self, record: IdRanges) -> None:
        least = self._first_told
        self._judged = record.count_from(least)
        used = sum(1 for order_id in self._ids if order_id >= least and order_id in record)
        self._lost = self._judged - used
        if self._lost:
            first = next(one for one in record.rising(least) if one not in self._ids)
            self.accuse(f"order {first}", "an outcome, for it was acknowledged", "none")

    def _is_repeated(self, order_id: int) -> bool:
        """Notes an id; whether it was acknowledged and is met again."""
        new = self._ids.add(order_id)
        if not self._first:
            self._first = order_id
        self._used += new and self._first <= order_id <= self._counter
        self._beyond += new and order_id > self._counter
        if self._record is None or order_id not in self._record:
            return False
        if not self._first_told:
            self._first_told = order_id
        return not new

    def counts(self) -> dict[str, int]:
        unused = self._counter - self._first + 1 - self._used if self._first else 0
        counts = {
            "orders": self._orders,
            "waiting": self._waiting,
            "unused_ids": max(0, unused),
            "beyond_counter": self._beyond,
        }
        if self._record is None:
            return counts
        return counts | {
            "acknowledged": self._record.count,
            "acknowledged_twice": self._record.repeated,
            "not_judged": self._record.count - self._judged,
            "lost": self._lost,
            "doubled": self._doubled,
        }

    def words(self) -> str:
        counts = self.counts()
        text = f"{some(self._orders, 'order')} answered, {self._waiting:,} waiting"
        if self._record is None:
            text += "; no record of what was acknowledged"
        else:
            text += (
                f"; {counts['acknowledged']:,} acknowledged, {self._lost:,} lost,"
                f" {self._doubled:,} doubled"
            )
            if counts["not_judged"]:
                text += f", {counts['not_judged']:,} not judged"
        if counts["unused_ids"]:
            text += f"; {some(counts['unused_ids'], 'id')} handed out and not used"
        if self._beyond:
            text += f"; {some(self._beyond, 'id')} beyond the counter, which is {self._counter}"
        return text


class OrderingInspection(Inspection):
    """I2. Acknowledged orders came through SUBMIT, which hands out ids and queues in one step.

    Other producers draw an id first and queue later, so that theirs may overtake each other:
    without a record that is counted only. What waits is compared with the commits that answered
    it, where there were any in time.

    A venue's producers have clocks of their own, or none: that their times go back is counted only.
    In a simulated run nobody else trades, and all commands are of its time.
    """

    name = "I2"

    def __init__(
        self, base: Exchange, record: IdRanges | None, times: tuple[int, int] | None = None
    ) -> None:
        """`times` are the first and the last that a command may have, in ns since the epoch."""
        super().__init__()
        self.inspected = True
        self._times = times
        self._time = 0
        self._back = 0
        self._record = record
        self._told = IdSet()
        if record is not None:
            for order_id in base.orders:
                if order_id in record:
                    self._told.add(order_id)
        self._last_told = 0
        self._highest = 0
        self._orders = 0
        self._overtaken = 0
        self._waiting = 0
        self._continued = 0

    def read(self, seq: int, events: list[Event]) -> None:
        self._look_at_the_clock(seq, events[0])
        order_id = outcome_id(events[0])
        if order_id is not None:
            self._orders += 1
            self._come(seq, order_id)

    def _look_at_the_clock(self, seq: int, event: Event) -> None:
        time = event.timestamp
        if not time:
            # Its sender told none, or it was none that anybody could read.
            return
        if time < self._time - FAR_BACK_NS:
            self._back += 1
        self._time = time
        if self._times is not None and not self._times[0] <= time <= self._times[1]:
            self.accuse(seq, f"a time from {self._times[0]} to {self._times[1]} ns", f"{time}")

    def finish(self, waiting: Iterable[int]) -> None:
        """The journal was read to its end; `waiting` are the ids in the queue behind it."""
        for order_id in waiting:
            self._waiting += 1
            if self.active:
                self._come("the queue", order_id)

    def _come(self, where: object, order_id: int) -> None:
        if order_id > self._highest:
            self._highest = order_id
        else:
            self._overtaken += 1
        if self._record is None or order_id not in self._record or not self._told.add(order_id):
            return
        if order_id < self._last_told:
            self.accuse(where, f"an order after {self._last_told}", f"order {order_id}")
        self._last_told = order_id

    def continue_with(
        self, queue: Iterable[bytes], after: Iterable[StreamEntry], model: NaiveExchange
    ) -> None:
        """Compares what waited with the commits `after` the moment; `model` stands at its tip."""
        elements = iter(queue)
        for raw in after:
            try:
                entry = parse_entry((raw.id, raw.flat))
            except JournalBroken:
                return
            if entry.first_seq != model.seq + 1:
                return
            for seq, events in groups(entry.events):
                element = next(elements, None)
                if element is None:
                    return
                expected = model.apply(decode_command(element))
                if expected != events:
                    wanted, found = difference(expected, events)
                    self.accuse(seq, f"the answer to what waited next, {wanted}", found)
                    return
                self._continued += 1

    def counts(self) -> dict[str, int]:
        return {
            "orders": self._orders,
            "overtaken": self._overtaken,
            "waiting": self._waiting,
            "continued": self._continued,
            "back_in_time": self._back,
        }

    def words(self) -> str:
        text = f"{some(self._orders, 'order')} and {self._waiting:,} waiting"
        if self._continued:
            text += f", {some(self._continued, 'command')} that waited answered in turn"
        if self._overtaken:
            text += f"; {self._overtaken:,} behind a higher id"
            if self._record is None:
                text += ", as producers without SUBMIT may"
        if self._back:
            text += f"; {self._back:,} more than a minute back in time, by their senders' clocks"
        return text
