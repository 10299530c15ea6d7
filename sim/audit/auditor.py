"""The audit: one pass over the journal, past all eight inspections."""

import time
from collections.abc import Iterator

import msgspec

from matchbox_tui.engine import (
    BookPart,
    Event,
    Exchange,
    MarketStatus,
    Part,
    load_part,
    refusal_of_market,
)
from matchbox_tui.store import Entry
from sim.audit.accounts import AccountsInspection
from sim.audit.books import BooksInspection
from sim.audit.chain import ChainInspection
from sim.audit.fills import FillsInspection
from sim.audit.grouping import groups
from sim.audit.hashes import HashInspection
from sim.audit.idset import IdRanges
from sim.audit.inspection import Inspection
from sim.audit.model import ModelInspection
from sim.audit.orders import OrderingInspection, OutcomesInspection, waiting_ids
from sim.audit.verdict import Status, Verdict
from sim.floor import FloorRecord
from sim.naive import NaiveExchange
from sim.recording import QUEUE, Recording, RecordingError

MARGIN_NS = 3600 * 10**9
"""What a simulated run may take before its first and after its last second; and somebody may set
the clock.
"""


class Auditor:
    """Audits one recording; what it keeps grows with the open orders and the ids, not the journal.

    `steps` does the work, a commit at a time, and `verdict` says what came of it.
    """

    def __init__(self, recording: Recording, record: FloorRecord | None = None) -> None:
        """`record` goes before the recording's own.

        Raises `RecordingError` for evidence that can't be read, `ValueError` for a record that
        holds no ranges of ids.
        """
        self._recording = recording
        manifest = recording.manifest
        self._moment = manifest.moment
        self._began = time.monotonic()
        ids = _acknowledged(recording) if record is None else IdRanges(record.order_ids)
        self._exchange, self._model = _base(recording)
        self.chain = ChainInspection(manifest.base, self._moment)
        self.outcomes = OutcomesInspection(self._exchange, self._moment, ids)
        self.ordering = OrderingInspection(self._exchange, ids, _times(recording))
        self.model = ModelInspection(self._model)
        self.fills = FillsInspection(recording.fills(), self._moment)
        self.accounts = AccountsInspection(self._exchange)
        self.books = BooksInspection(self._exchange)
        self.hashes = HashInspection(recording.hashes(), self._exchange, self._moment)
        self._replayed = True
        self._whole = True
        self.hashes.read(manifest.base.seq, manifest.base.chain)

    @property
    def inspections(self) -> tuple[Inspection, ...]:
        return (
            *(self.outcomes, self.ordering, self.chain, self.model),
            *(self.fills, self.accounts, self.books, self.hashes),
        )

    @property
    def last(self) -> int:
        """The sequence at which the journal should end."""
        return self._moment.cursor[0]

    def steps(self) -> Iterator[int]:
        """Yields the sequence that was reached after each commit, then finishes."""
        if not self.chain.active:
            self._break_off()
        for raw in self._recording.journal():
            entry = self.chain.read(raw) if self.chain.active else None
            if entry is None:
                self._break_off()
                break
            self._read(entry)
            yield entry.seq
        self._finish()

    def verdict(self) -> Verdict:
        checks = [inspection.outcome() for inspection in self.inspections]
        return Verdict(
            all(check.status is not Status.FAIL for check in checks),
            self._recording.manifest.base.seq,
            self.chain.seq,
            checks,
            round(time.monotonic() - self._began, 3),
            list(self._recording.notes),
        )

    def _break_off(self) -> None:
        """What comes after a break in the journal is no history."""
        if not self._whole:
            return
        self._whole = False
        offence = self.chain.offence
        where = offence.place if offence is not None else "its beginning"
        for inspection in self.inspections:
            inspection.halt(f"the journal breaks at {where}")
            if self.chain.seq == self._recording.manifest.base.seq:
                inspection.inspected = False

    def _read(self, entry: Entry) -> None:
        if self.fills.active:
            self.fills.read(entry.events)
        for seq, events in groups(entry.events):
            if not self.outcomes.halted:
                self.outcomes.read(seq, events)
            if self.ordering.active:
                self.ordering.read(seq, events)
            if self.model.active:
                self.model.read(seq, events)
            if self.accounts.active:
                self.accounts.read(seq, events)
            if self._replayed:
                self._replay(seq, events)
        if self.hashes.active:
            self.hashes.read(entry.seq, entry.chain)

    def _replay(self, seq: int, events: list[Event]) -> None:
        try:
            self._exchange.replay(events)
        except (ValueError, KeyError) as error:
            self._replayed = False
            self.hashes.accuse(seq, "events that can be replayed", str(error))
            for inspection in (self.outcomes, self.books):
                inspection.halt(f"the journal can't be replayed at {seq}")
            return
        if self.books.active:
            self.books.read(seq, events)

    def _finish(self) -> None:
        if not self._whole:
            return
        recording, seq = self._recording, self.chain.seq
        if self.chain.active:
            self.chain.finish()
        if not self.outcomes.halted:
            complete = self._queue_is_known()
            self.outcomes.finish(waiting_ids(recording.queue()), complete)
        self.ordering.finish(waiting_ids(recording.queue()))
        if "queue" in self._moment.troubles:
            self.ordering.accuse(
                "the queue", "a queue that can be read", self._moment.troubles["queue"]
            )
        if self.fills.active:
            self.fills.finish(seq)
        if self._replayed:
            self._finish_books(seq)
        if self.ordering.active and self.model.active:
            self.ordering.continue_with(recording.queue(), recording.after(), self._model)

    def _finish_books(self, seq: int) -> None:
        if self.accounts.active:
            self.accounts.finish(seq, self._exchange)
        if self.books.active:
            self.books.finish()
        if self.hashes.active:
            self.hashes.finish(self._model if self.model.active else None)

    def _queue_is_known(self) -> bool:
        if "queue" in self._moment.troubles:
            return False
        facts = self._recording.manifest.files.get(QUEUE)
        return self._moment.waiting == (facts.frames if facts is not None else 0)


def _acknowledged(recording: Recording) -> IdRanges | None:
    record = recording.record()
    try:
        return IdRanges(record.order_ids) if record is not None else None
    except ValueError as error:
        raise RecordingError(f"the recording's traders' record can't be used: {error}") from None


def _times(recording: Recording) -> tuple[int, int] | None:
    """The first and the last time that a command of a simulated run may have; None for a venue's,
    whose producers have times as they like.
    """
    facts = recording.facts()
    if facts is None:
        return None
    return facts.start - MARGIN_NS, facts.start + facts.duration + MARGIN_NS


def _base(recording: Recording) -> tuple[Exchange, NaiveExchange]:
    """The state that the journal begins at, twice."""
    place = recording.manifest.base
    if not place.seq:
        return Exchange(), NaiveExchange()
    exchange, model = Exchange(()), NaiveExchange(())
    try:
        for part in recording.base():
            _check(part)
            load_part(exchange, part)
            model.restore(part)
    except ValueError as error:
        raise RecordingError(f"the recording's base is no state of an exchange ({error})") from None
    exchange.seq = model.seq = place.seq
    return exchange, model


def _check(part: Part) -> None:
    if not isinstance(part, BookPart):
        return
    market = msgspec.structs.replace(part.market, status=MarketStatus.OPEN)
    reason = refusal_of_market(market)
    if reason is not None:
        raise ValueError(f"market {market.symbol!r}: {reason.words}")
    for order in part.orders:
        if order.message.market != market.symbol:
            raise ValueError(f"order {order.message.order_id} is in the book of {market.symbol!r}")
