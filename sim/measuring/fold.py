"""The one pass over a run's journal in which everything is counted."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    Exchange,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    OrderReplaced,
    ReplaceRejected,
    TradeExecuted,
)
from matchbox_tui.store import Entry
from sim.measuring.evidence import Evidence
from sim.measuring.kinds import KindsFold
from sim.measuring.market import Counts, MarketFold
from sim.recording import RunClock

COLUMNS = 600
"""Of the grid: how many moments of a run its series have."""


class Watch(Protocol):
    """Somebody who looks on at the fold, so that the journal is replayed only once."""

    def passes(self, time: int) -> None:
        """The next command takes effect at `time`, in ns since the run's start: the books are
        still as they were until then.
        """
        ...

    def saw(self, time: int, events: Sequence[Event], exchange: Exchange) -> None:
        """It took effect: its events, and what stands after it."""
        ...

    def finish(self) -> None:
        """There is no more."""
        ...


class JournalFold:
    """Counts entry by entry, from an empty venue on.

    What it keeps grows with the open orders, a byte for each order and the columns of the grid,
    not with the journal. O(1) an event and O(levels) a column.
    """

    def __init__(self, evidence: Evidence, watch: Watch | None = None) -> None:
        self.exchange = Exchange()
        self._watch = watch
        self.kinds = KindsFold(evidence.roster)
        self.commands = 0
        self.commits = 0
        self.epochs: list[int] = []
        """Those that committed, in their order."""
        self.problem = ""
        self.strays = Counts()
        """What was about no market that there is."""
        self._clock = RunClock(evidence.facts.start, evidence.samples, evidence.end)
        self._end = evidence.end
        self._width = max(1, -(-evidence.end // COLUMNS))
        self._due = self._width
        self._time = 0
        self._profits: list[list[int]] = []
        self._folds: dict[str, MarketFold] = {}
        for symbol in self.exchange.books:
            self._add(symbol)

    def read(self, entry: Entry) -> None:
        """One commit. After what contradicts itself nothing is counted any more."""
        if self.problem:
            return
        if not self.epochs or entry.epoch != self.epochs[-1]:
            self.epochs.append(entry.epoch)
        self.commits += 1
        events, start, last = entry.events, 0, len(entry.events)
        try:
            while start < last:
                seq, end = events[start].seq, start + 1
                while end < last and events[end].seq == seq:
                    end += 1
                self._command(seq, events[start:end])
                start = end
        except (ValueError, KeyError) as error:
            self.problem = f"the journal can't be replayed at {self.exchange.seq}: {error}"

    def _command(self, seq: int, events: list[Event]) -> None:
        first = events[0]
        time = self._time = self._clock.at(seq, first.timestamp)
        while time > self._due and self._due < self._end:
            self._column()
        if self._watch is not None:
            self._watch.passes(time)
        self.exchange.replay(events)
        if self._watch is not None:
            self._watch.saw(time, events, self.exchange)
        self.commands += 1
        if type(first) is MarketCreated:
            self._add(first.market)
        count = _COUNTS.get(type(first))
        if count is not None:
            count(self, first)
        if len(events) == 1:
            fold = self._folds.get(first.market)
            if fold is not None:
                fold.moved(time)
            return
        touched = set()
        for event in events:
            if type(event) is TradeExecuted:
                self._folds[event.market].traded(event)
                self.kinds.traded(event)
            touched.add(event.market)
        for market in touched:
            fold = self._folds.get(market)
            if fold is not None:
                fold.moved(time)

    def finish(self) -> None:
        """The journal was read to its end: the columns up to the run's are filled in."""
        while self._due < self._end:
            self._column()
        self._column()
        for fold in self._folds.values():
            fold.finish(self._end)
        if self._watch is not None:
            self._watch.finish()

    def markets(self) -> list[MarketFold]:
        """Those that were used, as they were created."""
        return [fold for fold in self._folds.values() if fold.book.sequence]

    def marks(self) -> dict[str, int]:
        """What a contract counts for in each market."""
        return {
            symbol: mark for symbol, fold in self._folds.items() if (mark := fold.mark) is not None
        }

    def grid(self) -> list[int]:
        """Where the columns end, in ns since the run's start."""
        return [min(self._width * (n + 1), self._end) for n in range(len(self._profits))]

    def profits(self) -> dict[str, list[int]]:
        """Of each kind that ever held anything, column by column."""
        rows = zip(self.kinds.names, zip(*self._profits, strict=True), strict=True)
        return {name: list(row) for name, row in rows if any(row)}

    def _column(self) -> None:
        self._due += self._width
        self._profits.append(self.kinds.profits(self.marks()))
        for fold in self._folds.values():
            fold.column()

    def _add(self, symbol: str) -> None:
        self._folds[symbol] = MarketFold(self.exchange.book(symbol), len(self._profits))

    # What a command was, by its first event.

    def _counted(self, market: str) -> Counts:
        fold = self._folds.get(market)
        return fold.counts if fold is not None else self.strays

    def _new(self, event: OrderAccepted) -> None:
        order = event.order
        kind = self.kinds.of(order.trader)
        self.kinds.ordered(order.order_id, kind)
        for counts in (self._counted(order.market), self.kinds.counts[kind]):
            counts.commands += 1
            counts.orders += 1

    def _rejected(self, event: OrderRejected) -> None:
        if event.order is None and not event.order_id:
            # A command about a market, or nothing that could be read.
            return
        kind = self.kinds.of(event.order.trader) if event.order is not None else 0
        for counts in (self._counted(event.market), self.kinds.counts[kind]):
            counts.commands += 1
            counts.orders += 1
            counts.rejected += 1

    def _cancelled(self, event: OrderCancelled) -> None:
        kind = self.kinds.of_order(event.order_id)
        for counts in (self._counted(event.market), self.kinds.counts[kind]):
            counts.commands += 1
            counts.cancels += 1

    def _replaced(self, event: OrderReplaced) -> None:
        kind = self.kinds.of_order(event.order_id)
        for counts in (self._counted(event.market), self.kinds.counts[kind]):
            counts.commands += 1
            counts.replaces += 1

    def _refused(self, event: CancelRejected | ReplaceRejected) -> None:
        if type(event) is CancelRejected and not event.order_id:
            # Cancelling or expiring everything, where there was nothing.
            return
        kind = self.kinds.of_order(event.order_id)
        for counts in (self._counted(event.market), self.kinds.counts[kind]):
            counts.commands += 1
            counts.rejected += 1

    def _halted(self, event: MarketHalted) -> None:
        self._folds[event.market].halted(self._time)

    def _resumed(self, event: MarketResumed) -> None:
        self._folds[event.market].resumed(self._time)


_COUNTS: dict[type, Callable[[JournalFold, Any], None]] = {
    OrderAccepted: JournalFold._new,
    OrderRejected: JournalFold._rejected,
    OrderCancelled: JournalFold._cancelled,
    OrderReplaced: JournalFold._replaced,
    CancelRejected: JournalFold._refused,
    ReplaceRejected: JournalFold._refused,
    MarketHalted: JournalFold._halted,
    MarketResumed: JournalFold._resumed,
}
